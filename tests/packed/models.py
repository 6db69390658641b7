"""A tiny model, the packed file that it must get, and what it answers however its weights are held."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge import native
from edge.backends.native import NativeBackend
from edge.backends.streaming import groups_of_layers
from edge.backends.weights import WeightsInfo
from edge.engine import Engine, SamplingParams, Sequence
from edge.engine.sampler import NativeSampler
from edge.formats import GGUFFile, open_gguf
from edge.formats.config import ModelConfig
from edge.graph import lower_native
from edge.models import build
from edge.packed import CacheOptions, PackedMatrix
from tests.packed.bad_packed import Sound
from tests.packed.raw_packed import Matrix, Source


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens and logits, as bytes, and how the weights were held."""

    tokens: list[int]
    logits: list[bytes]
    info: WeightsInfo


class Loaded:
    """A model on the native backend. streamed: its last layers. chunk: tokens of a step. cache: keywords of
    CacheOptions; nothing is too small for a packed file."""

    def __init__(
        self,
        path: Path,
        *,
        threads: int = 1,
        on_progress: Any = None,
        streamed: int = 0,
        chunk: int = 128,
        **cache: Any,
    ) -> None:
        self.file = open_gguf(path)
        options = CacheOptions(smallest_bytes=0, **cache)
        self.backend = NativeBackend(
            self.file,
            num_threads=threads,
            chunk=chunk,
            cache=options,
            on_progress=on_progress,
            admit=lambda compiled: groups_of_layers(compiled.program, streamed),
        )
        self._sample = NativeSampler(self.backend.limits.vocab_size)
        self.engine = Engine(self.backend, self._choose)
        self._logits: list[bytes] = []

    def _choose(self, sequence: Sequence, logits: memoryview[float]) -> int:
        self._logits.append(logits.tobytes())
        return self._sample(sequence, logits)

    def answer(self, prompt: Items[int] = (1, 2, 3, 40, 50)) -> Answer:
        params = SamplingParams(temperature=1.0, top_k=40)
        sequence = Sequence(prompt, params, max_length=len(prompt) + 7, seed=9)
        self._logits = []
        self.engine.add(sequence)
        while self.engine.step():
            pass
        if sequence.error is not None:
            raise sequence.error
        return Answer(sequence.tokens.tolist(), self._logits, self.backend.weights)

    def close(self) -> None:
        self.engine.close()
        self.file.close()

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def answer(path: Path, **options: Any) -> Answer:
    with Loaded(path, **options) as loaded:
        return loaded.answer()


def matrices_of(file: GGUFFile) -> list[PackedMatrix]:
    """In the order of the packed file."""
    graph = build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})
    return [
        PackedMatrix.of(ref.tensor, file.tensors[ref.tensor].type, ref.shape[0], ref.shape[1])
        for ref in lower_native(graph).weights
        if ref.kind == "matrix"
    ]


def sound(path: Path) -> Sound:
    """The packed file that a model must have, by its description."""
    with open_gguf(path) as file:
        matrices: list[Matrix] = []
        for matrix in matrices_of(file):
            data = file.tensor_data(matrix.name)
            with native.Weights.matrix(matrix.type, matrix.rows, matrix.cols, data) as weights:
                packed = bytes(weights.packed)
            matrices.append(Matrix(matrix.name, matrix.type, matrix.rows, matrix.cols, packed))
        header_bytes = min(info.offset for info in file.tensors.values())
    content, state = path.read_bytes(), path.stat()
    source = Source(
        [len(content)],
        [state.st_mtime_ns],
        [state.st_ino],
        hashlib.sha256(content[:header_bytes]).hexdigest(),
        [hashlib.sha256(content).hexdigest()],
    )
    return Sound(matrices, source, native.layout_version())
