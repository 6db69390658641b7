"""What counts as a right answer."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Miss:
    """A wrong answer."""

    request: str
    wanted: str
    got: str


@dataclass(frozen=True, slots=True)
class Score:
    """Exact matches over one evaluation set."""

    count: int
    misses: tuple[Miss, ...]

    @property
    def exact_match(self) -> float:
        return 1.0 - len(self.misses) / self.count

    @property
    def num_invalid(self) -> int:
        """Answers that start as calls but are not a list of calls."""
        return sum(1 for miss in self.misses if miss.got.startswith("[") and tools_of(miss.got) == "(invalid JSON)")

    @property
    def invalid_json(self) -> float:
        return self.num_invalid / self.count

    def confusions(self) -> Counter[tuple[str, str]]:
        """How often which tools were taken for which; a pair of equals is a wrong argument."""
        return Counter((tools_of(miss.wanted), tools_of(miss.got)) for miss in self.misses)


def parse(answer: str) -> object | None:
    """The JSON value of an answer, None when it is none."""
    try:
        value: object = json.loads(answer)
        return value
    except ValueError:
        return None


def same_answer(wanted: str, got: str) -> bool:
    """Equal calls whatever the spacing and the order of keys; sentences equal but for outer spaces."""
    if wanted.startswith("["):
        return parse(wanted) == parse(got)
    return wanted.strip() == got.strip()


def tools_of(answer: str) -> str:
    """The tools that an answer calls, or its sentence."""
    if not answer.startswith("["):
        return answer
    try:
        return " + ".join(str(call["name"]) for call in json.loads(answer))
    except (ValueError, LookupError, TypeError):
        return "(invalid JSON)"
