"""Thinking told apart from the answer, whole and in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.reasoning import ReasoningTags, ThoughtSplitter, tags_of

_TEMPLATES = Path(__file__).resolve().parents[2] / "shared" / "data" / "templates"
_TAGS = ReasoningTags("<think>", "</think>")


def _split(text: str, *, is_open: bool, cuts: list[int] | None = None) -> tuple[str, str]:
    splitter = ThoughtSplitter(_TAGS, is_open=is_open)
    bounds = [0, *sorted(cuts or []), len(text)]
    parts = [splitter.push(text[start:end]) for start, end in zip(bounds, bounds[1:], strict=False)]
    parts.append(splitter.finish())
    return "".join(part.reasoning for part in parts), "".join(part.answer for part in parts)


@pytest.mark.parametrize(
    ("text", "is_open", "reasoning", "answer"),
    [
        ("<think>\nhm\n</think>\n\nYes. ", False, "hm", "Yes. "),
        ("\n <think>a\n\nb</think>c", False, "a\n\nb", "c"),
        ("hm\n</think>\n\nYes", True, "hm", "Yes"),
        ("</think>Yes", True, "", "Yes"),
        ("<think>\n\n</think>\n\n", False, "", ""),
        (" Yes <think>x</think>", False, "", " Yes <think>x</think>"),
        ("<think", False, "", "<think"),
        ("<thin ice>", False, "", "<thin ice>"),
        ("<think>hm", False, "hm", ""),
        ("a </thi", True, "a </thi", ""),
        ("a </thi nk> b</think>\n<think>c", True, "a </thi nk> b", "<think>c"),
        ("", False, "", ""),
        ("", True, "", ""),
    ],
)
def test_splits(text: str, is_open: bool, reasoning: str, answer: str) -> None:
    assert _split(text, is_open=is_open) == (reasoning, answer)
    assert _split(text, is_open=is_open, cuts=list(range(len(text)))) == (reasoning, answer)


@settings(max_examples=300, deadline=None)
@given(
    pieces=st.lists(st.sampled_from(["<think>", "</think>", "<", "</", "thi", "nk>", " ", "\n", "a"]), max_size=9),
    is_open=st.booleans(),
    data=st.data(),
)
def test_pieces_change_nothing(pieces: list[str], is_open: bool, data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    assert _split(text, is_open=is_open, cuts=cuts) == _split(text, is_open=is_open)


def test_tags_of_public_templates() -> None:
    if not _TEMPLATES.exists():
        pytest.skip(f"no public templates at {_TEMPLATES}")
    found = {path.stem: tags_of(path.read_text(encoding="utf-8")) for path in _TEMPLATES.glob("*.jinja")}
    assert {name for name, tags in found.items() if tags == _TAGS} == {
        "HuggingFaceTB-SmolLM3-3B",
        "LFM2.5-Instruct",
        "Qwen-Qwen3-0.6B",
        "deepseek-ai-DeepSeek-R1-Distill-Llama-8B",
        "ibm-granite-granite-3.3-2B-Instruct",
    }
    assert found["CohereForAI-c4ai-command-r7b-12-2024-tool_use"] == ("<|START_THINKING|>", "<|END_THINKING|>")
    assert found["google-gemma-2-2b-it"] is None


def test_a_prompt_that_ends_inside_the_thinking() -> None:
    assert _TAGS.open_at_end("<|im_start|>assistant\n<think>\n")
    assert not _TAGS.open_at_end("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not _TAGS.open_at_end("<|im_start|>assistant\n")
