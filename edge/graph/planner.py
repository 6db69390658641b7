"""Buffer planning: every value gets a place in one arena, and values that never live together share places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

ALIGNMENT = 64  # bytes: a cache line, and the widest vector


class Lifetime(NamedTuple):
    """A buffer of num_bytes that is in use from step `start` to step `end`, both included."""

    start: int
    end: int
    num_bytes: int


class Plan(NamedTuple):
    """offsets[i]: bytes from the start of the arena, a multiple of ALIGNMENT. The arena has num_bytes, exactly."""

    offsets: tuple[int, ...]
    num_bytes: int


def align(num_bytes: int) -> int:
    return -(-num_bytes // ALIGNMENT) * ALIGNMENT


def plan(buffers: Sequence[Lifetime]) -> Plan:
    """Offsets such that no two buffers that live at once overlap.

    Greedy, each buffer at the lowest gap that holds it (Pisarchyk and Lee 2020, "greedy by size"), with the largest
    first, and again in order of time; the smaller arena wins. ValueError: a buffer ends before it starts or is empty.
    """
    for i, buffer in enumerate(buffers):
        if buffer.end < buffer.start or buffer.num_bytes < 1:
            raise ValueError(f"buffer {i} lives from {buffer.start} to {buffer.end} with {buffer.num_bytes} bytes")
    bound = lower_bound(buffers)
    by_size = sorted(range(len(buffers)), key=lambda i: (-buffers[i].num_bytes, buffers[i].start, i))
    best = _place(buffers, by_size)
    if best.num_bytes > bound:
        by_time = sorted(range(len(buffers)), key=lambda i: (buffers[i].start, -buffers[i].num_bytes, i))
        best = min(best, _place(buffers, by_time), key=lambda p: p.num_bytes)
    return best


def plan_apart(buffers: Sequence[Lifetime]) -> Plan:
    """No sharing at all: every value can still be read when the program has run."""
    offsets: list[int] = []
    end = 0
    for buffer in buffers:
        offsets.append(end)
        end += align(buffer.num_bytes)
    return Plan(tuple(offsets), end)


def lower_bound(buffers: Sequence[Lifetime]) -> int:
    """The most bytes that are in use at one step: no plan is smaller."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        changes[buffer.start] = changes.get(buffer.start, 0) + align(buffer.num_bytes)
        changes[buffer.end + 1] = changes.get(buffer.end + 1, 0) - align(buffer.num_bytes)
    in_use = most = 0
    for step in sorted(changes):
        in_use += changes[step]
        most = max(most, in_use)
    return most


def _place(buffers: Sequence[Lifetime], order: Sequence[int]) -> Plan:
    offsets = [0] * len(buffers)
    placed: list[tuple[int, int, int, int]] = []  # (offset, end offset, start, end)
    peak = 0
    for i in order:
        buffer = buffers[i]
        size = align(buffer.num_bytes)
        offset = 0
        for low, high, *_ in sorted(p for p in placed if p[2] <= buffer.end and buffer.start <= p[3]):
            if offset + size <= low:
                break
            offset = max(offset, high)
        offsets[i] = offset
        placed.append((offset, offset + size, buffer.start, buffer.end))
        peak = max(peak, offset + size)
    return Plan(tuple(offsets), peak)
