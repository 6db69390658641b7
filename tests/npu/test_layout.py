"""Slots and masks against a plain reading of what a row sees."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.npu.layout import Mask, SlotTable, visible


@given(st.integers(0, 12), st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_every_row_sees_what_it_should(window: int, steps: list[int]) -> None:
    """Positions that a row sees, through the slots and among the rows of its own step, are all of its window's."""
    mask = Mask(window, min(80, window) if window else 80)
    table, start = SlotTable(mask.slots), 0
    for count in steps:
        tokens = count if count == 1 else 9  # a step may be padded
        seen = visible(mask, table.positions, start, tokens)
        keys = np.concatenate([table.positions, np.arange(start, start + tokens)])
        for row in range(count):
            position = start + row
            first = max(0, position - window + 1) if window else 0
            assert sorted(keys[seen[row]]) == list(range(first, position + 1))
        table.place(start, count)
        start += count


@pytest.mark.parametrize(
    ("window", "length", "held"),
    [(0, 5, True), (0, 0, True), (4, 20, True), (4, 19, True), (4, 18, False), (4, 0, True)],
)
def test_trim(window: int, length: int, held: bool) -> None:
    """A table of a window has overwritten what an earlier row sees; one without has not."""
    table = SlotTable(4 if window else 32)
    for start in range(20):
        table.place(start, 1)
    assert table.trim(length, window) is held
    assert table.positions.max(initial=-1) < max(length, 1)
