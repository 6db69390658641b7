"""Random adapters of small rank, as GGUF files that llama.cpp reads too, and as what the reference computes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge.export.gguf_writer import GGUFWriter
from edge.formats.adapter import Adapter, open_adapter
from edge.formats.header import TensorInfo
from edge.formats.types import GGMLType
from edge.graph.reference import LowRank
from edge.quant import decode
from tests.models.tiny import F32
from tests.quant.random_blocks import stored

ALPHA = 8.0


def adaptable(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The matrices of layers and the head."""
    return {name: shape for name, shape in shapes.items() if len(shape) == 2 and name != "token_embd.weight"}


def random_pairs(
    shapes: Mapping[str, tuple[int, ...]], ranks: Sequence[int] = (4,), *, seed: int = 1, gain: float = 0.5
) -> dict[str, tuple[F32, F32]]:
    """lora_a and lora_b by tensor; the tensors take the ranks in turn. gain: of what is added, beside the matrix."""
    rng = np.random.default_rng(seed)
    pairs: dict[str, tuple[F32, F32]] = {}
    for i, (name, (rows, cols)) in enumerate(shapes.items()):
        rank = ranks[i % len(ranks)]
        down = rng.standard_normal((rank, cols)) / np.sqrt(cols)
        up = rng.standard_normal((rows, rank)) * gain * np.sqrt(rank) / ALPHA
        pairs[name] = down.astype(np.float32), up.astype(np.float32)
    return pairs


def write_adapter(
    path: Path,
    pairs: Mapping[str, tuple[F32, F32]],
    *,
    architecture: str = "llama",
    alpha: float = ALPHA,
    kinds: Sequence[GGMLType] = (GGMLType.F32,),
    invocation: Sequence[int] = (),
    **keys: Any,
) -> Path:
    """kinds: of lora_a and lora_b in turn, where their columns allow it. keys: metadata, "__" for "."."""
    writer = GGUFWriter(path)
    entries: dict[str, Any] = {
        "general.type": "adapter",
        "general.architecture": architecture,
        "adapter.type": "lora",
        "adapter.lora.alpha": alpha,
    }
    if invocation:
        entries["adapter.alora.invocation_tokens"] = list(invocation)
    for key, value in (entries | {key.replace("__", "."): value for key, value in keys.items()}).items():
        if value is not None:
            writer.add(key, value)
    matrices = [
        (f"{name}.lora_{half}", value) for name, pair in pairs.items() for half, value in zip("ab", pair, strict=True)
    ]
    for i, (name, value) in enumerate(matrices):
        kind = kinds[i % len(kinds)]
        if kind is GGMLType.Q8_0 and value.shape[1] % 32:
            kind = GGMLType.F16
        writer.add_tensor(name, kind, value.shape, stored(kind, value, seed=i))
    writer.finish()
    return path


def as_stored(path: Path) -> dict[str, LowRank]:
    """What a file says, for the reference."""
    with open_adapter(path) as adapter:
        return {
            name: LowRank(_decoded(adapter, pair.down), _decoded(adapter, pair.up), pair.scale)
            for name, pair in adapter.pairs.items()
        }


def _decoded(adapter: Adapter, info: TensorInfo) -> F32:
    return decode(GGMLType(info.type), bytes(adapter.file.tensor_data(info.name)), info.shape)
