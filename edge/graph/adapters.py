"""Adapters in the native lowering: for each linear op what an adapter adds to it, as struct edge_lora of program.h.

Nothing of the op list changes, so rows that use no adapter are computed as if there were none.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edge.errors import UnsupportedModel
from edge.formats.adapter import Adapter, LowRank
from edge.formats.cursor import quoted
from edge.formats.header import TensorInfo
from edge.graph.native import NativeProgram

__all__ = ["AdapterMatrix", "LoweredAdapters", "lower_adapters"]

_LORA = struct.Struct("=8i3f")  # struct edge_lora


class AdapterMatrix(NamedTuple):
    """Rows first_row .. first_row + num_rows - 1 of a tensor of an adapter, by its number."""

    adapter: int
    tensor: TensorInfo
    first_row: int
    num_rows: int

    @property
    def cols(self) -> int:
        return self.tensor.shape[1]


class LoweredAdapters(NamedTuple):
    """loras: packed edge_lora structs, whose weight numbers begin behind the program's own. matrices: in that order."""

    loras: bytes
    matrices: tuple[AdapterMatrix, ...]
    num_adapters: int


def lower_adapters(program: NativeProgram, adapters: Sequence[Adapter]) -> LoweredAdapters:
    """UnsupportedModel when an adapter adds to a tensor that no linear op multiplies with, or to the embedding, where
    an addition would be to looked-up rows as well."""
    places: dict[str, list[tuple[int, int, int, int]]] = {}
    for place in program.linears:
        places.setdefault(place.tensor, []).append((place.op, place.which, place.first_row, place.num_rows))
    numbers: dict[AdapterMatrix, int] = {}
    pairs: dict[tuple[int, int], dict[int, tuple[int, int, float]]] = {}  # (op, adapter) -> index -> numbers, scale

    def number(matrix: AdapterMatrix) -> int:
        return numbers.setdefault(matrix, len(program.weights) + len(numbers))

    for at, adapter in enumerate(adapters):
        _check_known(adapter, places)
        for name, pair in adapter.pairs.items():
            for op, index, first, count in places[name]:
                down = number(AdapterMatrix(at, pair.down, 0, pair.rank))
                up = number(AdapterMatrix(at, pair.up, first, count))
                pairs.setdefault((op, at), {})[index] = down, up, pair.scale
    loras = b"".join(_packed(op, at, pairs[op, at]) for op, at in sorted(pairs))
    return LoweredAdapters(loras, tuple(numbers), len(adapters))


def _check_known(adapter: Adapter, places: Mapping[str, object]) -> None:
    unknown: Mapping[str, LowRank] = {
        name: pair for name, pair in adapter.pairs.items() if name not in places or name == "token_embd.weight"
    }
    for name in unknown:
        raise UnsupportedModel(adapter.path, f"adapts {quoted(name)}; edge adapts the matrices of layers and the head")


def _packed(op: int, adapter: int, pairs: Mapping[int, tuple[int, int, float]]) -> bytes:
    down, up, scale = zip(*(pairs.get(index, (-1, -1, 0.0)) for index in range(3)), strict=True)
    return _LORA.pack(op, adapter, *down, *up, *scale)
