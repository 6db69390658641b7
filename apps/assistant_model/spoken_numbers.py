"""How people say numbers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Keep = Callable[[str], bool]

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_words(number: int, hyphen: bool = False) -> str:
    """`42` -> "forty two"; 0 to 999."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (("-" if hyphen else " ") + _ONES[ones] if ones else "")
    hundreds, rest = divmod(number, 100)
    head = "a hundred" if hundreds == 1 else f"{_ONES[hundreds]} hundred"
    return head + (f" and {number_words(rest, hyphen)}" if rest else "")


def say_number(rng: Random, number: int) -> str:
    """Digits or words, as recognisers write either."""
    if rng.random() < 0.55:
        return str(number)
    words = number_words(number, hyphen=rng.random() < 0.4)
    return words.replace("a hundred", "one hundred") if rng.random() < 0.4 else words


def draw_number(rng: Random, keep: Keep, kind: str, low: int, high: int, step: int = 1) -> int:
    """A number of `kind` in [low, high] that belongs to the split."""
    while True:
        number = rng.randrange(low, high + 1, step)
        if keep(f"{kind} {number}"):
            return number


# Times
