"""Measurements one after the other, each part within its time, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from edge.errors import EdgeError
from edge.profiles.records import Record

Clock = Callable[[], float]
Progress = Callable[[int, int], None]  # (tasks done, all tasks)


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement. `what` completes "not measured: ..."."""

    what: str
    run: Callable[[], Record]


@dataclass(frozen=True, slots=True)
class Part:
    """Tasks, the most important first; none begins once `seconds` have passed."""

    tasks: Sequence[Task]
    seconds: float


def run_parts(
    parts: Sequence[Part], clock: Clock, on_progress: Progress | None
) -> Iterator[tuple[Task, Record | None, str | None]]:
    """(task, record, None), or (task, None, why it was not measured)."""
    total, done = sum(len(part.tasks) for part in parts), 0
    for part in parts:
        started_at = clock()
        for task in part.tasks:
            if clock() - started_at >= part.seconds:
                yield task, None, f"the {part.seconds:g} s of this part were over"
            else:
                try:
                    record = task.run()
                except (EdgeError, OSError) as error:
                    yield task, None, str(error)
                else:
                    yield task, record, None
            done += 1
            if on_progress is not None:
                on_progress(done, total)
