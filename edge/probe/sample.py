"""A model to measure steps with: shapes and weight types of a real one, a few of its layers, made-up values.

Speed does not depend on the values. It depends on the bytes, so there are as many layers as make a model that no cache
holds.
"""

from __future__ import annotations

import dataclasses
import math
import random
import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

from edge import device, native
from edge.backends.work import Matrix, StepWork, step_work
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.formats.types import GGMLType, type_name
from edge.graph import lower_native
from edge.models import build
from edge.profiles.records import StepModel

ENOUGH_BYTES = 192 << 20  # of packed weights
_MAX_VOCAB = 32000  # the head of a larger vocabulary is measured with so many rows
_LAYER = re.compile(r"blk\.(\d+)\.")
_BLOCK_TABLE = 64  # KV blocks: enough positions that attention shows beside the weights
MAX_POSITIONS = _BLOCK_TABLE * native.BLOCK_SIZE
_KV_BYTES = b"\x66\x2e"  # an f16 of 0.1: memory that nobody wrote is one page of zeros, which a cache holds


@dataclass(frozen=True, slots=True)
class Sample:
    """What to build: a configuration, and shape and type of each tensor. name: for the profile's steps."""

    name: str
    config: ModelConfig
    tensors: Mapping[str, tuple[tuple[int, ...], int]]

    @classmethod
    def of(cls, file: GGUFFile) -> Sample:
        """The first layers of a model. ModelFileError: edge cannot run it."""
        config = ModelConfig.from_gguf(file)
        tensors = {name: (info.shape, info.type) for name, info in file.tensors.items()}
        return _cut(config, tensors, type_name(_main_type(tensors)))

    @classmethod
    def typical(cls) -> Sample:
        """TinyLlama-1.1B's shapes (Zhang et al. 2024) in Q4_0, with a head of Q6_K."""
        return _llama(2048, 5632, heads=32, kv_heads=4, layers=22, head=GGMLType.Q6_K)

    @classmethod
    def narrow(cls) -> Sample:
        """SmolLM-135M's shapes (Allal et al. 2024) in Q4_0, with a head of Q8_0, and with twice its layers, so that no
        cache holds it: what a layer costs beside its weights weighs most here."""
        return _llama(576, 1536, heads=9, kv_heads=3, layers=60, head=GGMLType.Q8_0)

    @property
    def work(self) -> StepWork:
        shapes = {name: shape for name, (shape, _) in self.tensors.items()}
        return step_work(self.config, build(self.config, shapes), self.tensors)

    @property
    def record(self) -> StepModel:
        """As the steps of a profile refer to it."""
        work = self.work
        assert work.head is not None  # of a llama
        return StepModel(
            name=self.name,
            layers=work.num_layers,
            hidden_size=work.hidden_size,
            heads=work.num_heads,
            kv_heads=work.num_kv_heads,
            head_dim=work.head_dim,
            matrices=tuple(f"{count} x {_in_words(matrix)}" for matrix, count in work.matrices.items()),
            head=_in_words(work.head),
        )

    @property
    def matrices(self) -> dict[tuple[int, tuple[int, int]], int]:
        """(type, (rows, cols)) -> how many of the sample's layers and head are so."""
        found: dict[tuple[int, tuple[int, int]], int] = {}
        for name, (shape, kind) in self.tensors.items():
            if len(shape) == 2 and name != "token_embd.weight":
                key = (kind, (shape[0], shape[1]))
                found[key] = found.get(key, 0) + 1
        return found


def _in_words(matrix: Matrix) -> str:
    return f"{type_name(matrix.type)} {matrix.rows} x {matrix.cols}"


def _llama(hidden: int, ff: int, *, heads: int, kv_heads: int, layers: int, head: GGMLType) -> Sample:
    """Layers of Q4_0 with heads of 64 dimensions."""
    config = ModelConfig(
        model_type="llama", vocab_size=_MAX_VOCAB, hidden_size=hidden, intermediate_size=ff,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=kv_heads, head_dim=64,
        max_position_embeddings=2048, rms_norm_eps=1e-5, rope_theta=10000.0, rope_dims=64,
    )  # fmt: skip
    kv = 64 * kv_heads
    block = {
        "attn_q": (hidden, hidden), "attn_k": (kv, hidden), "attn_v": (kv, hidden), "attn_output": (hidden, hidden),
        "ffn_gate": (ff, hidden), "ffn_up": (ff, hidden), "ffn_down": (hidden, ff),
        "attn_norm": (hidden,), "ffn_norm": (hidden,),
    }  # fmt: skip
    tensors: dict[str, tuple[tuple[int, ...], int]] = {
        "token_embd.weight": ((_MAX_VOCAB, hidden), GGMLType.Q4_0),
        "output.weight": ((_MAX_VOCAB, hidden), head),
        "output_norm.weight": ((hidden,), GGMLType.F32),
    }
    for layer in range(layers):
        for stem, shape in block.items():
            kind = GGMLType.Q4_0 if len(shape) == 2 else GGMLType.F32
            tensors[f"blk.{layer}.{stem}.weight"] = (shape, kind)
    return _cut(config, tensors, "Q4_0")


def _main_type(tensors: Mapping[str, tuple[tuple[int, ...], int]]) -> int:
    """The type that most weights have."""
    counts: dict[int, int] = {}
    for shape, kind in tensors.values():
        counts[kind] = counts.get(kind, 0) + math.prod(shape)
    return max(counts, key=lambda kind: counts[kind])


def _cut(config: ModelConfig, tensors: Mapping[str, tuple[tuple[int, ...], int]], kind: str) -> Sample:
    """As many layers as reach ENOUGH_BYTES, or a quarter of the memory available, and a vocabulary of at most
    _MAX_VOCAB."""
    enough = min(ENOUGH_BYTES, device.memory().available_bytes // 4)

    def layer_of(name: str) -> int:
        match = _LAYER.match(name)
        return -1 if match is None else int(match[1])

    def num_bytes(shape: tuple[int, ...], kind: int) -> int:
        return native.weights_sizes(kind, shape[0], shape[1])[1] if len(shape) == 2 else 0

    vocab = min(config.vocab_size, _MAX_VOCAB)
    tensors = {
        name: ((vocab, *shape[1:]) if name in ("token_embd.weight", "output.weight") else shape, kind)
        for name, (shape, kind) in tensors.items()
    }
    layers, total = 0, num_bytes(*tensors["output.weight"]) if "output.weight" in tensors else 0
    while layers < config.num_hidden_layers and (layers == 0 or total < enough):
        total += sum(num_bytes(*tensors[name]) for name in tensors if layer_of(name) == layers)
        layers += 1
    name = (
        f"{config.model_type} {config.hidden_size} x {config.intermediate_size} {kind}, "
        f"{layers} of {config.num_hidden_layers} layers, {vocab} tokens"
    )
    kept = {name: item for name, item in tensors.items() if layer_of(name) < layers}
    return Sample(name, dataclasses.replace(config, num_hidden_layers=layers, vocab_size=vocab, sliding_window=0), kept)


class SampleModel:
    """The sample in memory. DoesNotFit: there is none for it. close() frees it."""

    def __init__(self, sample: Sample, *, max_tokens: int, max_threads: int, isa: str | None = None) -> None:
        lowered = lower_native(build(sample.config, {name: shape for name, (shape, _) in sample.tensors.items()}))
        with native.Threads(max_threads) as pool:
            weights = [_weights(ref.kind, ref.shape, sample.tensors[ref.tensor][1], pool) for ref in lowered.weights]
        self._kv = native.KV("f16", lowered.num_layers, lowered.num_kv_heads, lowered.head_dim, _BLOCK_TABLE)
        for block in range(_BLOCK_TABLE):
            self._kv.write_block(block, _KV_BYTES * (self._kv.block_bytes // len(_KV_BYTES)))
        arena = lowered.arena(max_tokens, 1)
        self._program = native.Program(
            ops=lowered.ops,
            buffers=arena.buffers,
            arena_bytes=arena.num_bytes,
            ropes=lowered.ropes,
            weights=weights,
            logits_buffer=lowered.logits_buffer,
            isa=isa,
            max_tokens=max_tokens,
            max_logits=1,
            max_sequences=1,
            kv=self._kv,
            max_threads=max_threads,
            max_positions=MAX_POSITIONS,
        )
        self._table = array("i", range(_BLOCK_TABLE))

    def step(self, pool: native.Threads, num_tokens: int, depth: int = 0) -> None:
        """A step of one sequence behind `depth` positions, with logits of the last token."""
        self._program.step(
            pool,
            self._kv,
            token_ids=array("i", [1] * num_tokens),
            positions=array("i", range(depth, depth + num_tokens)),
            sequences=array("i", [0] * num_tokens),
            block_tables=self._table,
            table_stride=_BLOCK_TABLE,
            logit_rows=array("i", [num_tokens - 1]),
        )

    def close(self) -> None:
        self._program.close()
        self._kv.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _weights(kind: str, shape: tuple[int, ...], type: int, pool: native.Threads) -> native.Weights:
    if kind == "vector":
        return native.Weights.vector(GGMLType.F32, shape[0], array("f", [1.0]) * shape[0])
    return made_up(type, shape[0], shape[1], pool)


def made_up(type: int, rows: int, cols: int, pool: native.Threads) -> native.Weights:
    """A matrix of blocks that hold finite scales below 1, whichever bytes are the scales."""
    num_bytes, _ = native.weights_sizes(type, rows, cols)
    block = _finite_bytes()
    return native.Weights.matrix(type, rows, cols, (block * -(-num_bytes // len(block)))[:num_bytes], pool)


@cache
def _finite_bytes() -> bytes:
    """Bytes without the bits 0x40 and 0x04: no half, bfloat16 or float32 made of them reaches 2."""
    return bytes(byte & 0x3B for byte in random.Random(0).randbytes(1 << 16))
