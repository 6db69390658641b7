"""Sums of states: in the order of the positions, to the last bit, wherever a text is cut."""

from __future__ import annotations

import numpy as np
import pytest

from edge.embeddings.pooling import F32, Pool


def states(count: int, width: int) -> F32:
    """Of very different sizes, so that another order would show."""
    rng = np.random.default_rng(count * 10_000 + width)
    return (rng.standard_normal((count, width)) * 10 ** rng.uniform(-4, 4, (count, width))).astype(np.float32)


@pytest.mark.parametrize("width", [2, 15, 16, 160, 384, 1024, 4096])
def test_means_are_summed_row_after_row(width: int) -> None:
    for count in (1, 2, 3, 8, 9, 16, 127, 128, 129, 257, 512):
        rows = states(count, width)
        wanted = rows[0].copy()
        for row in rows[1:]:
            wanted = wanted + row
        wanted = wanted / np.float32(count)
        for cut in {count, 1, count // 2, count - 1} - {0}:
            pool = Pool("mean", count)
            pool.add(rows[:cut])
            pool.add(rows[cut:])
            assert pool.vector().tobytes() == wanted.tobytes(), (count, cut)


def test_what_another_order_would_give() -> None:
    """The states above can tell: sums in pairs differ."""
    rows = states(128, 384)
    pairs = rows.reshape(2, 64, 384)
    assert (np.add.reduce(pairs[0]) + np.add.reduce(pairs[1])).tobytes() != np.add.reduce(rows).tobytes()


def test_first_and_last() -> None:
    rows = states(5, 16)
    first, last = Pool("cls", 5), Pool("last", 5)
    assert (first.wants(0, 5), first.wants(2, 5), last.wants(0, 5)) == (range(1), range(2, 1), range(4, 5))
    first.add(rows[:1])
    last.add(rows[4:])
    assert first.vector().tobytes() == rows[0].tobytes() and last.vector().tobytes() == rows[4].tobytes()
