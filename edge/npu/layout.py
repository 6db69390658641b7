"""Where K and V lie beside graphs with fixed shapes: slots that never move, and masks that say which a row sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mask", "SlotTable", "Slots", "visible"]


class Slots(NamedTuple):
    """Where a layer keeps K, (1, kv_heads, head_dim, slots), and V, (1, kv_heads, slots, head_dim).

    mask: number of the mask that says which slots a row sees.
    """

    layer: int
    kv_heads: int
    head_dim: int
    mask: int

    @property
    def past(self) -> tuple[str, str]:
        return f"past_k.{self.layer}", f"past_v.{self.layer}"

    @property
    def new(self) -> tuple[str, str]:
        return f"new_k.{self.layer}", f"new_v.{self.layer}"


class Mask(NamedTuple):
    """An input (1, 1, tokens, slots + tokens). window: positions that a row sees, its own the last; 0: all."""

    window: int
    slots: int


class SlotTable:
    """Which position each slot of one mask holds; -1: none. Position p lies in slot p modulo their number, so that
    nothing is moved when a window passes on."""

    def __init__(self, slots: int) -> None:
        self.positions = np.full(slots, -1, np.int64)

    def place(self, start: int, count: int) -> NDArray[np.int64]:
        """The slots of positions start to start + count - 1, which hold them from now on."""
        positions = np.arange(start, start + count, dtype=np.int64)
        slots = positions % len(self.positions)
        self.positions[slots] = positions
        return slots

    def trim(self, length: int, window: int) -> bool:
        """Forgets positions from `length` on. False when the row at `length` needs one that was overwritten."""
        self.positions[self.positions >= length] = -1
        first = max(0, length - window + 1) if window else 0
        return int(np.count_nonzero(self.positions >= first)) == length - first


def visible(mask: Mask, held: NDArray[np.int64], start: int, tokens: int) -> NDArray[np.bool_]:
    """(tokens, slots + tokens): what rows at positions start, start + 1, ... see of the slots, then of the rows.

    held: positions in the slots, all before `start`; -1: none.
    """
    rows = np.arange(start, start + tokens, dtype=np.int64)
    keys = np.concatenate([held, rows])
    seen: NDArray[np.bool_] = (keys[None] >= 0) & (keys[None] <= rows[:, None])
    if mask.window:
        seen &= keys[None] > rows[:, None] - mask.window
    return seen
