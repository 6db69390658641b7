"""What one backend makes of a model: token ids, prompt text, logits of a text, a greedy answer, speed."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.backends.llama import LlamaBackend
from edge.backends.registry import backend_for
from edge.damage.text import shipped_text
from edge.formats.gguf import open_gguf
from edge.loading import load
from edge.model import Model
from edge.verify.folder_texts import folder_ids, folder_prompt
from edge.verify.forced import F32, Forced

__all__ = ["MESSAGES", "Observation", "TEXTS", "VerifyOptions", "observe"]

# Cases on which tokenizers differ: spaces, digits, contractions, other scripts, emoji, code, names of special tokens.
TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "  two spaces,\ttabs\r\nand   lines\n\n\n end ",
    "It's 1234567890 o'clock; they'll pay $3.50 (±2%) for it, I'VE heard…",
    "Grüße aus Köln — naïve café, Ωμέγα, Привет, مرحبا, नमस्ते, 漢字かな交じり文, 한국어, ไทย",
    "🦙👩‍🚀🇪🇺 e\u0301 \u00a0\u200b\ufeff",
    "def f(x):\n    return {'a': x**2, \"b\": [1, 2.5e-3]}  # comment\n",
    "<|im_start|>user <s> </s> [INST] <unk> <0x0A> <|endoftext|>",
    "a" * 60 + "0" * 30,
)
MESSAGES = (
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "And of Italy? Answer in one word."},
)
_MAX_LOGITS = 2**24  # values kept of a text: 64 MiB
_CONTEXT = 1024  # tokens: for the text, and for MESSAGES with their answer
_ROWS = 8  # of a step whose logits are wanted, where a backend allows it


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """num_tokens: of the text whose logits are compared, at most. num_greedy: of the greedy answer."""

    num_tokens: int = 128
    num_greedy: int = 48
    threads: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """token_ids: of each of TEXTS as the backend's own tokenizer reads it, or a folder's tokenizer.json; None: it has
    none, and edge's is used. prompt: MESSAGES as its own template engine writes them, or the folder's own template;
    None: it has none, or there is no template.
    logits: (num_tokens, vocabulary) behind each token of `text`; greedy: an answer to MESSAGES. Speeds in tokens per
    second."""

    backend: str
    path: str
    vocab_size: int
    token_ids: tuple[tuple[int, ...], ...] | None
    own_token_ids: tuple[tuple[int, ...], ...]  # as edge's tokenizer reads TEXTS
    prompt: str | None
    own_prompt: str | None
    prompt_note: str | None  # why `prompt` is None where it could be compared
    text: tuple[int, ...]
    logits: F32
    greedy: tuple[int, ...]
    greedy_texts: tuple[str, ...]
    prefill_tok_s: float
    decode_tok_s: float | None


def observe(
    path: Path,
    backend: str | None,
    options: VerifyOptions,
    on_load: Callable[[int, int], None] | None = None,
) -> Observation:
    """Loads the model, runs it and frees it. Errors as `edge.load`."""
    info = backend_for(backend, path)
    rows = _ROWS if info.capabilities.kv_layout == "blocks" else 1
    context = _context(path) if info.reads == "GGUF" else None
    with load(
        path,
        backend=backend,
        context=context,
        sequences=rows,
        kv_tokens=context if info.name == "native" else None,  # one of these sequences is used
        threads=options.threads,
        on_progress=on_load,
    ) as model:
        return _observe(model, options)


def _context(path: Path) -> int:
    with open_gguf(path) as file:
        return min(_CONTEXT, file.get_int(f"{file.get_str('general.architecture')}.context_length"))


def _observe(model: Model, options: VerifyOptions) -> Observation:
    tokenizer, inner = model.tokenizer, model.step_backend
    vocab_size = inner.limits.vocab_size
    own_prompt_ids = None if model.chat_template is None else model.encode_chat(MESSAGES)
    question = own_prompt_ids or tokenizer.encode(TEXTS[0])
    count = max(8, min(options.num_tokens, _MAX_LOGITS // vocab_size, model.context - 1))
    text = tokenizer.encode(shipped_text()[1][: 16 * count])[:count]
    logits = Forced(inner).feed(text, all_logits=True)
    answer = model.generate(question, max_tokens=min(options.num_greedy, model.context - len(question) - 1))
    started_at = time.perf_counter()
    Forced(inner).feed(text, all_logits=False)
    prefill_seconds = time.perf_counter() - started_at
    ids, prompt, note = _own_texts(model)
    return Observation(
        backend=model.backend,
        path=model.path,
        vocab_size=vocab_size,
        token_ids=ids,
        own_token_ids=tuple(tuple(tokenizer.encode(text)) for text in TEXTS),
        prompt=prompt,
        own_prompt=None if own_prompt_ids is None else tokenizer.decode(own_prompt_ids, skip_special=False),
        prompt_note=note,
        text=tuple(text),
        logits=logits,
        greedy=answer.tokens,
        greedy_texts=tuple(tokenizer.decode([token], skip_special=False) for token in answer.tokens),
        prefill_tok_s=len(text) / prefill_seconds,
        decode_tok_s=answer.timings.decode_tok_s,
    )


def _own_texts(model: Model) -> tuple[tuple[tuple[int, ...], ...] | None, str | None, str | None]:
    """As `Observation` has them: token_ids, prompt and prompt_note."""
    backend, path = model.step_backend, Path(model.path)
    if isinstance(backend, LlamaBackend):
        return _own_ids(backend), *_own_prompt(model)
    if backend.capabilities.name == "onnx":
        return folder_ids(path, TEXTS), *folder_prompt(path, model.tokenizer, MESSAGES)
    return None, None, None


def _own_ids(backend: LlamaBackend) -> tuple[tuple[int, ...], ...]:
    llama = backend.llama
    return tuple(tuple(llama.tokenize(text, add_special=True, parse_special=False)) for text in TEXTS)


def _own_prompt(model: Model) -> tuple[str | None, str | None]:
    """MESSAGES as llama-cpp-python's template engine writes them, or why not. edge's has rendered them within its
    limits by now, so that the template does not run away."""
    if model.chat_template is None:
        return None, "the file has no template"
    tokenizer = model.tokenizer
    words = ["" if token is None else tokenizer.token_text(token) for token in (tokenizer.bos_id, tokenizer.eos_id)]
    formats: Any = importlib.import_module("llama_cpp.llama_chat_format")
    try:
        formatter = formats.Jinja2ChatFormatter(template=model.chat_template, bos_token=words[0], eos_token=words[1])
        rendered: str = formatter(messages=[dict(message) for message in MESSAGES]).prompt
    except Exception as error:  # whatever a template does to another engine is a finding
        return None, f"{type(error).__name__}: {error}"
    return tokenizer.decode(tokenizer.encode(rendered, parse_special=True), skip_special=False), None
