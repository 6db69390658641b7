"""Cuts runs of digits into groups of three from the right, which no linear regular expression can do."""

from __future__ import annotations

import re
from unicodedata import category

from edge.tokenizer.pretokenizers import Digits

__all__ = ["digit_cuts"]

_RUN = re.compile(r"\d+")
# A run that a letter follows stays whole: the published pattern asks for a word boundary behind the last group.
_BOUNDED_RUN = re.compile(r"(?<!\d)\d++(?!\w)")


def digit_cuts(text: str, kind: Digits) -> list[int]:
    """Where `text` is cut, ascending, ends left out.

    "numbers": every run of Unicode numbers stands alone, in groups of three. "digits": so does every run of decimal
    digits that no letter follows. "numbers-then-digits": runs of decimal digits are cut into groups of three inside
    runs of numbers, which stand alone.
    """
    cuts: set[int] = set()
    if kind == "digits":
        for match in _BOUNDED_RUN.finditer(text):
            cuts.update(match.span(), _groups(*match.span()))
    else:
        for start, end in _number_runs(text):
            cuts.update((start, end))
            if kind == "numbers":
                cuts.update(_groups(start, end))
            else:
                for match in _RUN.finditer(text, start, end):
                    cuts.update(_groups(*match.span()))
    return sorted(cuts - {0, len(text)})


def _groups(start: int, end: int) -> range:
    """Starts of groups of three that end at `end`; the first may be shorter and its start is left out."""
    return range(end - 3 * ((end - start) // 3), end, 3)


def _number_runs(text: str) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    start = -1
    for index, character in enumerate(text):
        # Cheap first: no ASCII character above 9 is a number.
        number = "0" <= character <= "9" or (character > "\x7f" and category(character)[0] == "N")
        if number and start < 0:
            start = index
        elif not number and start >= 0:
            runs.append((start, index))
            start = -1
    if start >= 0:
        runs.append((start, len(text)))
    return runs
