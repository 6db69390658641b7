"""Who comes first, and what keeps those that come last from never coming.

Interactive sequences are before background ones, and otherwise the first come is the first served. A background
sequence that was passed PATIENCE times by interactive ones is favoured: it counts as interactive until it has chosen
FAVOUR more tokens, so that it moves on however many others come. Nor is anything preempted for ever: among equals the
one that was admitted first never gives way, so it ends, and another is the first then.
"""

from __future__ import annotations

from collections.abc import Iterable

from edge.engine.sequence import Sequence

PATIENCE = 8  # interactive sequences
FAVOUR = 16  # tokens


def gives_way(sequence: Sequence) -> bool:
    """Whether it is set aside for an interactive one that waits."""
    return sequence.priority == "background" and len(sequence) >= sequence.favoured_until


def waiting_order(sequence: Sequence) -> tuple[bool, int]:
    """The least is admitted first."""
    return gives_way(sequence), sequence.arrival


def running_order(sequence: Sequence) -> tuple[bool, int]:
    """The least has its prompt computed first; the greatest is set aside first when memory runs out."""
    return gives_way(sequence), sequence.admission


def was_passed(waiting: Iterable[Sequence]) -> None:
    """Counts that an interactive sequence was admitted while these wait."""
    for sequence in waiting:
        if gives_way(sequence):
            sequence.times_passed += 1
            if sequence.times_passed >= PATIENCE:
                sequence.times_passed = 0
                sequence.favoured_until = len(sequence) + FAVOUR


def neighbours(sequence: Sequence) -> tuple[int, list[int]]:
    """Those with one adapter read it once, and those that share blocks read them once."""
    return -1 if sequence.adapter is None else sequence.adapter.number, sequence.block_table
