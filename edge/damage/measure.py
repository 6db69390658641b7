"""Runs a text through a model, and beside it through a reference, and adds up what differs."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge.damage.result import Damage
from edge.damage.scorer import log_softmax, rows_for, window_logits
from edge.damage.statistics import mean_and_error
from edge.damage.text import Passage, read_text, shipped_text, windows_of, written_by
from edge.errors import RequestError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile, open_gguf
from edge.loading import load
from edge.model import Model
from edge.references import resolve

__all__ = ["LoadOptions", "measure", "sample_passage"]

WINDOW, MIN_WINDOW = 512, 64  # tokens
MAX_TOKENS = 20_000
OWN_TEXTS, OWN_SEED = 16, 1
Progress = Callable[[int, int], None]  # (done, total)
Guard = Callable[[Callable[[], None]], AbstractContextManager[object]]  # (what cancels) -> around what it cancels
F64 = npt.NDArray[np.float64]


class LoadOptions(NamedTuple):
    """How models are loaded: keywords of `edge.load`. kv_type: the model's; a reference keeps K and V as f32."""

    kv_type: str = "f16"
    threads: int | None = None
    isa: str | None = None
    no_cache: bool | None = None
    residency: str | None = None


class _Sums(NamedTuple):
    """Per window, one value for each token that was predicted; the reference's are empty without one."""

    surprise: list[F64]  # -log probability of the token that came
    reference_surprise: list[F64]
    kld: list[F64]
    same_top: list[F64]


def measure(
    model: str | os.PathLike[str] | None,
    against: str | os.PathLike[str] | None = None,
    *,
    text: str | os.PathLike[str] | Passage | None = None,
    own_text: bool = False,
    window: int = WINDOW,
    max_tokens: int = MAX_TOKENS,
    loading: LoadOptions | None = None,
    guard: Guard = nullcontext,
    on_load: Progress | None = None,
    on_progress: Progress | None = None,
) -> Damage:
    """Measures `model` (None: the bundled one) on a text, and beside the reference `against` where one is given.

    text: a UTF-8 file (None: the shipped one); its first `max_tokens` tokens count. Or a Passage of this vocabulary, as
    it is. own_text: what `sample_passage` gives for the reference, or without one for the model. window: tokens that
    are read together; every token but the first of a window is predicted. guard: entered with a function that cancels
    the steps which run inside it. on_load gets bytes of weights, on_progress tokens. Both models are in memory at the
    same time, but logits of few positions.
    Raises ModelFileError, RequestError (vocabularies that differ, a text that is too short, an option out of range),
    DoesNotFit, Cancelled.
    """
    loading = LoadOptions() if loading is None else loading
    if text is not None and own_text:
        raise RequestError("a text and own_text were given: choose one")
    if max_tokens < 1:
        raise RequestError(f"max_tokens is {max_tokens}; it must be at least 1")
    path, reference = resolve(model), None if against is None else resolve(against)
    with open_gguf(path) as file, ExitStack() as opened:
        bits_per_weight, file_bytes = _bits_per_weight(file), file.file_size
        files = [file] if reference is None else [file, opened.enter_context(open_gguf(reference))]
        for opened_file in files:
            if ModelConfig.from_gguf(opened_file).is_encoder:
                raise RequestError(f"{opened_file.path} is an encoder, which predicts no token to measure")
        length = _window(files, window)
        vocab_size = _check_vocabularies(files)
    rows = rows_for(vocab_size)
    passage = text if isinstance(text, Passage) else None
    if own_text:
        passage = sample_passage(reference or path, window=length, loading=loading, guard=guard, on_load=on_load)
    if passage is not None and max(map(len, passage.windows)) > length:
        raise RequestError(f"the passage has a window of {max(map(len, passage.windows))} tokens, at most {length} fit")
    with ExitStack() as models:
        scored = models.enter_context(_loaded(path, loading, loading.kv_type, length, rows, on_load))
        beside = None
        if reference is not None:
            beside = models.enter_context(_loaded(reference, loading, "f32", length, rows, on_load))
        if passage is None:
            source = shipped_text() if text is None or isinstance(text, Passage) else read_text(text)
            passage = windows_of(source, scored.tokenizer, length, max_tokens)
        with guard(lambda: _cancel(scored, beside)):
            sums = _score(scored, beside, passage, rows, on_progress)
    surprise, error = mean_and_error(sums.surprise)
    damage = Damage(
        model=str(path),
        text=passage.name,
        text_sha256=passage.sha256,
        num_windows=len(passage.windows),
        window=length,
        num_positions=passage.num_positions,
        kv_type=loading.kv_type,
        file_bytes=file_bytes,
        bits_per_weight=bits_per_weight,
        perplexity=math.exp(surprise),
        perplexity_error=math.exp(surprise) * error,
    )
    return damage if reference is None else _beside(damage, str(reference), sums)


def sample_passage(
    model: str | os.PathLike[str] | None,
    *,
    window: int = WINDOW,
    loading: LoadOptions | None = None,
    guard: Guard = nullcontext,
    on_load: Progress | None = None,
) -> Passage:
    """Texts of up to `window` tokens that a model samples itself, at temperature 1 and with K and V as f32: the kind of
    text that it was made for. The same for every caller. Errors are those of `measure`.
    """
    path, loading = resolve(model), LoadOptions() if loading is None else loading
    with open_gguf(path) as file:
        length = _window([file], window)
    with _loaded(path, loading, "f32", length, 1, on_load) as author, guard(author.cancel):
        return written_by(author, OWN_TEXTS, length, OWN_SEED)


def _beside(damage: Damage, reference: str, sums: _Sums) -> Damage:
    """The measurement with what the reference adds to it."""
    kld = np.concatenate(sums.kld)
    log_ratio, ratio_error = mean_and_error(
        [ours - theirs for ours, theirs in zip(sums.surprise, sums.reference_surprise, strict=True)]
    )
    mean_kld, mean_kld_error = mean_and_error(sums.kld)
    top1, top1_error = mean_and_error(sums.same_top)
    return damage._replace(
        reference=reference,
        reference_perplexity=math.exp(mean_and_error(sums.reference_surprise)[0]),
        perplexity_ratio=math.exp(log_ratio),
        perplexity_ratio_error=math.exp(log_ratio) * ratio_error,
        mean_kld=mean_kld,
        mean_kld_error=mean_kld_error,
        p99_kld=float(np.quantile(kld, 0.99)),
        max_kld=float(kld.max()),
        top1=top1,
        top1_error=top1_error,
    )


def _cancel(*models: Model | None) -> None:
    for model in models:
        if model is not None:
            model.native_backend.cancel()


def _score(model: Model, reference: Model | None, passage: Passage, rows: int, on_progress: Progress | None) -> _Sums:
    sums, done = _Sums([], [], [], []), 0
    total = sum(map(len, passage.windows))
    for window in passage.windows:
        ours = window_logits(model.native_backend, window, rows)
        theirs = None if reference is None else window_logits(reference.native_backend, window, rows)
        found = _Sums([], [], [], [])
        for start, logits in zip(range(0, len(window), rows), ours, strict=True):
            targets = np.array(window[start + 1 : start + len(logits) + 1], np.intp)  # none behind the last token
            scores = log_softmax(logits[: len(targets)])
            found.surprise.append(-scores[np.arange(len(targets)), targets])
            if theirs is not None:
                wanted = log_softmax(next(theirs)[: len(targets)])
                found.reference_surprise.append(-wanted[np.arange(len(targets)), targets])
                found.kld.append((np.exp(wanted) * (wanted - scores)).sum(axis=1))
                found.same_top.append((wanted.argmax(axis=1) == scores.argmax(axis=1)).astype(np.float64))
            done += len(logits)
            if on_progress is not None:
                on_progress(done, total)
        for kept, parts in zip(sums, found, strict=True):
            if parts:
                kept.append(np.concatenate(parts))
    return sums


@contextmanager
def _loaded(
    path: Path, loading: LoadOptions, kv_type: str, length: int, rows: int, on_load: Progress | None
) -> Generator[Model]:
    """The model with room for one window, and for the logits of `rows` positions in a step."""
    with load(
        path,
        context=length,
        kv_tokens=length,
        sequences=rows,
        chunk=rows if rows > 1 else None,
        kv_type=kv_type,
        threads=loading.threads,
        isa=loading.isa,
        no_cache=loading.no_cache,
        residency=loading.residency,
        on_progress=on_load,
    ) as model:
        yield model


def _window(files: list[GGUFFile], wanted: int) -> int:
    """Tokens of a window: what is wanted, at most what the models were made for."""
    longest = min(ModelConfig.from_gguf(file).max_position_embeddings for file in files)
    if wanted < MIN_WINDOW:
        raise RequestError(f"window is {wanted}; it must be at least {MIN_WINDOW} tokens")
    return min(wanted, longest)


def _check_vocabularies(files: list[GGUFFile]) -> int:
    """The size of the vocabulary that all files share. RequestError naming where they differ."""
    first, *others = (list(file.get_strings("tokenizer.ggml.tokens")) for file in files)
    for file, tokens in zip(files[1:], others, strict=True):
        if len(tokens) != len(first):
            raise RequestError(
                f"{files[0].path} has {len(first)} tokens and {file.path} has {len(tokens)}: "
                "only models of one vocabulary can be compared"
            )
        for number, (ours, theirs) in enumerate(zip(first, tokens, strict=True)):
            if ours != theirs:
                raise RequestError(
                    f"token {number} is {ours!r} in {files[0].path} and {theirs!r} in {file.path}: "
                    "only models of one vocabulary can be compared"
                )
    return len(first)


def _bits_per_weight(file: GGUFFile) -> float:
    tensors = file.tensors.values()
    return 8 * sum(info.num_bytes for info in tensors) / max(1, sum(math.prod(info.shape) for info in tensors))
