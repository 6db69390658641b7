"""What counts as a right answer, and the fixed held-out sets."""

from __future__ import annotations

import json
from dataclasses import dataclass

from apps.assistant_model.data import EVAL_SEED, Example, Kind, make_examples

EVAL_KINDS: tuple[Kind, ...] = ("new_values", "new_templates")


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
    def invalid_json(self) -> float:
        """Share of answers that start as calls but do not parse."""
        return sum(1 for miss in self.misses if miss.got.startswith("[") and parse(miss.got) is None) / self.count


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


def evaluation_set(kind: Kind, count: int) -> list[Example]:
    """The fixed held-out examples of `kind`: requests with values, or wordings, that training never sees."""
    return make_examples(EVAL_SEED, kind, count)
