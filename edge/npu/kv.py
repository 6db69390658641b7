"""K and V of one sequence in slots, and which position each slot holds. Nothing in it ever moves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.npu.borders import Borders
from edge.npu.encoding import Encoding
from edge.npu.layout import SlotTable
from edge.npu.manifest import Manifest

__all__ = ["SlotKV"]


class SlotKV:
    """arrays: by the name of the graphs' input; their memory stays where it is. tables: of each mask."""

    def __init__(self, manifest: Manifest, table: Mapping[str, Encoding]) -> None:
        self._manifest = manifest
        self.num_tokens = 0
        self.tables = [SlotTable(mask.slots) for mask in manifest.masks]
        self.arrays: dict[str, NDArray[Any]] = {
            name: np.full(shape, table[name].zero_point, table[name].dtype)
            for name, shape in Borders.of(manifest, "decode").past.items()
        }

    @property
    def num_bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())

    def reset(self) -> None:
        """Forgets all. What is in the slots is seen by no row until it is replaced."""
        self.num_tokens = 0
        for table in self.tables:
            table.positions[:] = -1

    def trim(self, length: int) -> bool:
        """Forgets positions from `length` on. False: a layer with a window has overwritten what would be seen; all is
        forgotten then."""
        held = [table.trim(length, mask.window) for table, mask in zip(self.tables, self._manifest.masks, strict=True)]
        self.num_tokens = length
        if not all(held):
            self.reset()
        return all(held)

    def add(self, count: int, new: Mapping[str, NDArray[Any]]) -> None:
        """The next positions, as the graphs give them: the first `count` rows of new_k.N and new_v.N."""
        places = [table.place(self.num_tokens, count) for table in self.tables]
        for slots in self._manifest.kv:
            (past_k, past_v), (new_k, new_v) = slots.past, slots.new
            self.arrays[past_k][..., places[slots.mask]] = new[new_k][..., :count]
            self.arrays[past_v][:, :, places[slots.mask]] = new[new_v][:, :, :count]
        self.num_tokens += count

    def copy_of(self, other: SlotKV) -> None:
        """Becomes what the other one is."""
        for name, array in other.arrays.items():
            self.arrays[name][...] = array
        for mine, its in zip(self.tables, other.tables, strict=True):
            mine.positions[:] = its.positions
        self.num_tokens = other.num_tokens
