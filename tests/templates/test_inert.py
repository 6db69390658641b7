"""What somebody writes into a message stays text: no control token comes of it, whatever the template."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import TemplateError
from edge.formats.gguf import open_gguf
from edge.templates import ChatTemplate
from edge.tokenizer import StreamDecoder, Tokenizer

_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
_TEMPLATES = sorted((_DATA / "templates").glob("*.jinja"))
_VOCABULARIES = ("qwen2", "llama-bpe", "llama-spm")


@pytest.fixture(scope="module", params=_VOCABULARIES)
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    path = _DATA / "vocab" / f"ggml-vocab-{request.param}.gguf"
    if not path.exists():
        pytest.skip(f"no vocabulary at {path}")
    with open_gguf(path) as file:
        return Tokenizer.from_gguf(file)


@pytest.mark.skipif(not _TEMPLATES, reason=f"no public templates at {_DATA}")
def test_control_tokens_in_messages_stay_text(tokenizer: Tokenizer) -> None:
    controls = [tokenizer.token_text(i) for i in range(tokenizer.vocab_size) if tokenizer.is_control(i)]
    forged = "a" + "b".join(text for text in controls if len(text) > 2) + "\ufdd0c"
    assert any(tokenizer.is_control(i) for i in tokenizer.encode(forged, parse_special=True))
    compared = 0
    for path in _TEMPLATES:
        template = ChatTemplate(path.read_text(encoding="utf-8"))
        for roles in (("user",), ("system", "user"), ("user", "assistant", "user")):
            marks: list[list[int]] = []
            for content in ("plain", forged):
                messages = [{"role": role, "content": content} for role in roles]
                try:
                    text = template.render(messages, bos_token="", eos_token="", shield=tokenizer.shield)
                except TemplateError:
                    break  # takes no system message
                ids = tokenizer.encode(text, add_special=False, parse_special=True, shielded=True)
                marks.append([i for i in ids if tokenizer.is_control(i)])
            if len(marks) == 2:
                assert marks[0] == marks[1], path.name
                compared += 1
    assert compared >= 2 * len(_TEMPLATES)


def test_control_tokens_in_texts(tokenizer: Tokenizer) -> None:
    """Gemma 4's thinking begins with one and a word."""
    control = max((i for i in range(tokenizer.vocab_size) if tokenizer.is_control(i)), default=None)
    assert control is not None
    assert tokenizer.control_ids([f"x{tokenizer.token_text(control)}thought", "plain"]) == {control}
    decoder = StreamDecoder(tokenizer, shown=frozenset((control,)))
    assert decoder.push(control) == tokenizer.token_text(control)
    assert StreamDecoder(tokenizer).push(control) == ""
