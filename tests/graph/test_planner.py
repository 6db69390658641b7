"""The buffer planner on random lifetimes: nothing that lives together overlaps, and the peak is what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.graph import lower_native
from edge.graph.planner import ALIGNMENT, Lifetime, Plan, align, lower_bound, plan, plan_apart
from edge.models import build
from tests.models.tiny import MODEL_TYPES, tensor_shapes, tiny_config

LIFETIMES = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(1, 5000)), max_size=40).map(
    lambda rows: [Lifetime(start, start + length, size) for start, length, size in rows]
)


def check(buffers: list[Lifetime], placed: Plan) -> None:
    assert len(placed.offsets) == len(buffers)
    ends = [offset + align(b.num_bytes) for offset, b in zip(placed.offsets, buffers, strict=True)]
    assert placed.num_bytes == max(ends, default=0)
    assert all(offset >= 0 and offset % ALIGNMENT == 0 for offset in placed.offsets)
    for i, a in enumerate(buffers):
        for j, b in enumerate(buffers[:i]):
            if a.start <= b.end and b.start <= a.end:
                assert ends[i] <= placed.offsets[j] or ends[j] <= placed.offsets[i], (i, j)


@given(LIFETIMES)
def test_live_buffers_never_overlap_and_the_peak_is_exact(buffers: list[Lifetime]) -> None:
    placed = plan(buffers)
    check(buffers, placed)
    assert placed.num_bytes >= lower_bound(buffers)


@given(LIFETIMES)
def test_apart_nothing_overlaps_at_all(buffers: list[Lifetime]) -> None:
    placed = plan_apart(buffers)
    check([Lifetime(0, 0, b.num_bytes) for b in buffers], placed)
    assert placed.num_bytes == sum(align(b.num_bytes) for b in buffers)


@given(LIFETIMES)
def test_lower_bound_counts_every_step(buffers: list[Lifetime]) -> None:
    steps = range(50)
    most = max(sum(align(b.num_bytes) for b in buffers if b.start <= s <= b.end) for s in steps)
    assert lower_bound(buffers) == most


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60))
def test_a_chain_needs_its_widest_pair(sizes: list[int]) -> None:
    """Each value read by the next op only, the shape of most models: within a half of the bound."""
    buffers = [Lifetime(i, i + 1, size) for i, size in enumerate(sizes)]
    assert plan(buffers).num_bytes <= 1.5 * lower_bound(buffers)


@pytest.mark.parametrize("arch", MODEL_TYPES)
@pytest.mark.parametrize(("tokens", "logits"), [(1, 1), (512, 4), (64, 64)])
def test_models_reach_the_bound(arch: str, tokens: int, logits: int) -> None:
    config = tiny_config(arch, num_hidden_layers=9, intermediate_size=176)
    program = lower_native(build(config, tensor_shapes(config)))
    rows = (tokens, logits)
    buffers = [Lifetime(b.first_op, b.last_op, 4 * b.width * rows[b.rows.value]) for b in program.buffers]
    placed = plan(buffers)
    check(buffers, placed)
    assert placed.num_bytes == lower_bound(buffers) == program.arena(tokens, logits).num_bytes


@pytest.mark.parametrize("wrong", [Lifetime(3, 2, 64), Lifetime(0, 0, 0), Lifetime(0, 1, -5)])
def test_impossible_lifetimes(wrong: Lifetime) -> None:
    with pytest.raises(ValueError, match="buffer 1 lives from"):
        plan([Lifetime(0, 0, 1), wrong])
