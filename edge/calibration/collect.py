"""Reads a calibration text with the native engine and sums up what its matrices are multiplied with."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge import device
from edge.calibration.calibration import Calibration
from edge.calibration.recorder import STEP_TOKENS, Recorder
from edge.errors import DoesNotFit, NumericalError, RequestError
from edge.formats.gguf import GGUFFile, open_gguf
from edge.packed import CacheOptions
from edge.tokenizer import Tokenizer

__all__ = ["WINDOW", "collect"]

WINDOW = 512  # tokens of a sequence, as llama.cpp's tool reads them

Progress = Callable[[int, int], None]  # (tokens read, tokens of the text)


def collect(
    path: str | os.PathLike[str],
    text: str,
    *,
    grams: bool = False,
    names: Collection[str] | None = None,
    window: int = WINDOW,
    max_tokens: int | None = None,
    step_tokens: int = STEP_TOKENS,
    num_threads: int | None = None,
    isa: str | None = None,
    cache: CacheOptions | None = None,
    on_load: Progress | None = None,
    on_progress: Progress | None = None,
) -> Calibration:
    """Mean squares, largest magnitudes, and with `grams` mean outer products of the inputs of every matrix that the
    model multiplies, the head included, while it reads `text` in sequences of `window` tokens (at most its context)
    that begin like a prompt.

    names: the matrices whose Gram matrices are wanted (None: all). max_tokens: read no more of the text.
    Sums run in float64 in the order of the text: squares token by token, so that neither threads, instruction sets nor
    `step_tokens` change a bit; Gram matrices as X^T X of each step, by NumPy's BLAS, so that their last bits belong to
    it and to `step_tokens`. Memory: weights, the inputs of a step, 8 bytes for each sum.
    Raises ModelFileError, RequestError (no text, a name that is no matrix, an option out of range), DoesNotFit when the
    Gram matrices do, NumericalError when the model computes numbers that are not finite.
    """
    with open_gguf(path) as file:
        sequences, longest = _windows(file, text, window, max_tokens)
        with Recorder(
            file,
            window=longest,
            step_tokens=step_tokens,
            num_threads=num_threads,
            isa=isa,
            cache=cache,
            on_load=on_load,
        ) as recorder:
            wanted = _wanted(recorder.inputs, names) if grams else frozenset[int]()
            _require_memory(path, recorder.widths, wanted)
            sums = _Sums(recorder.widths, wanted)
            total = sum(map(len, sequences))
            for sequence in sequences:
                recorder.read(sequence, sums.add)
                if on_progress is not None:
                    on_progress(sums.num_tokens, total)
            return Calibration(
                squares={name: sums.squares(name, i) for name, i in recorder.inputs.items()},
                maxima={name: sums.maxima[i] for name, i in recorder.inputs.items()},
                grams={name: sums.gram(i) for name, i in recorder.inputs.items() if i in wanted},
                num_tokens=sums.num_tokens,
                text_hash=hashlib.sha256(text.encode()).hexdigest(),
                window=longest,
            )


def _windows(file: GGUFFile, text: str, window: int, max_tokens: int | None) -> tuple[list[list[int]], int]:
    """The token ids of `text` in sequences, each with the token that a prompt begins with, and the longest allowed."""
    tokenizer = Tokenizer.from_gguf(file)
    longest = min(window, file.get_int(f"{file.get_str('general.architecture')}.context_length", minimum=2))
    start = [tokenizer.bos_id] if tokenizer.add_bos and tokenizer.bos_id is not None else []
    ids = tokenizer.encode(text, add_special=False)[:max_tokens]
    size = longest - len(start)
    if not ids:
        raise RequestError("the calibration text has no tokens")
    if window < 2:
        raise RequestError(f"window is {window}; it must be at least 2 tokens")
    return [start + ids[i : i + size] for i in range(0, len(ids), size)], longest


class _Sums:
    """float64 sums and maxima over tokens, by input."""

    def __init__(self, widths: Mapping[int, int], grams: Collection[int]) -> None:
        self.num_tokens = 0
        self.maxima = {i: np.zeros(width, np.float32) for i, width in widths.items()}
        self._squares = {i: np.zeros(width) for i, width in widths.items()}
        self._grams = {i: np.zeros((widths[i], widths[i])) for i in grams}

    def add(self, rows: Mapping[int, NDArray[np.float32]]) -> None:
        num_tokens = 0
        for i, values in rows.items():
            self.maxima[i] = np.maximum(self.maxima[i], np.abs(values).max(axis=0))
            x = values.astype(np.float64)
            num_tokens = len(x)
            if i in self._grams:
                self._grams[i] += x.T @ x
            # The sum so far is the first row: rows are added one after the other.
            self._squares[i] = np.add.reduce(np.concatenate([self._squares[i][None], x * x]), axis=0)
        self.num_tokens += num_tokens

    def squares(self, name: str, index: int) -> NDArray[np.float32]:
        mean = (self._squares[index] / self.num_tokens).astype(np.float32)
        if not np.isfinite(mean).all():
            raise NumericalError(f"the input of {name} is not finite at column {int(np.isfinite(mean).argmin())}")
        return mean

    def gram(self, index: int) -> NDArray[np.float64]:
        """(k, k), divided in place once, however many matrices share it."""
        gram = self._grams[index]
        if gram.flags.writeable:
            gram /= self.num_tokens
            gram.flags.writeable = False
        return gram


def _wanted(inputs: Mapping[str, int], names: Collection[str] | None) -> frozenset[int]:
    if names is None:
        return frozenset(inputs.values())
    if unknown := sorted(set(names) - set(inputs)):
        raise RequestError(f"{unknown[0]!r} is no matrix that the model multiplies with")
    return frozenset(inputs[name] for name in names)


def _require_memory(path: str | os.PathLike[str], widths: Mapping[int, int], grams: Collection[int]) -> None:
    needed, available = sum(8 * widths[i] ** 2 for i in grams), device.memory().available_bytes
    if needed > available:
        raise DoesNotFit(
            f"{Path(path)}: Gram matrices of {len(grams)} inputs take {needed} bytes, {available} are available: "
            "gather them for some of the matrices at a time"
        )
