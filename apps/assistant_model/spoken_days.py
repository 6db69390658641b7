"""How people say far days and spans of days, each with the value that a tool call wants.

As in `spoken_times.py`: every function takes the random source and the `keep` test of the split, and returns the phrase
with its value. Feasts and idioms belong to both splits.
"""

from __future__ import annotations

from random import Random

from apps.assistant_model.spoken_numbers import Keep, say_number
from apps.assistant_model.spoken_times import spoken_date, spoken_weekday

# Feasts that fall on the same date every year.
_FEASTS = (
    ("christmas", "12-25"), ("christmas", "12-25"), ("christmas day", "12-25"), ("christmas eve", "12-24"),
    ("boxing day", "12-26"), ("new year's eve", "12-31"), ("new year", "01-01"), ("new year's day", "01-01"),
    ("halloween", "10-31"), ("valentine's day", "02-14"), ("st patrick's day", "03-17"), ("april fools' day", "04-01"),
)  # fmt: skip
_SPAN_IDIOMS = (
    ("a week", "1 week"), ("a week", "1 week"), ("one week", "1 week"), ("a month", "1 month"), ("a month", "1 month"),
    ("one month", "1 month"), ("a year", "1 year"), ("one year", "1 year"), ("a fortnight", "2 weeks"),
    ("a couple of weeks", "2 weeks"), ("a couple of days", "2 days"), ("half a year", "6 months"),
)  # fmt: skip
_SPAN_UNITS = (("day", 3, 120), ("day", 3, 120), ("week", 2, 30), ("week", 2, 30), ("month", 2, 18), ("year", 2, 12))


def calendar_date(rng: Random, keep: Keep) -> tuple[str, str]:
    """A date or a feast, now and then with its year: "the 3rd of may" and "05-03", "may 3 2027" and "2027-05-03"."""
    pick = rng.random()
    if pick < 0.22:
        return rng.choice(_FEASTS)
    said = spoken_date(rng, keep)
    if pick < 0.34:
        year = rng.randint(1950, 2040)
        return f"{said[0]}{rng.choice((' ', ' ', ', '))}{year}", f"{year}-{said[1]}"
    return said


def far_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day that days are counted to or from: a date, a feast or a weekday, without its preposition."""
    return spoken_weekday(rng) if rng.random() < 0.3 else calendar_date(rng, keep)


def day_span(rng: Random, keep: Keep) -> tuple[str, str]:
    """Days, weeks, months or years: "three weeks" and "3 weeks"."""
    if rng.random() < 0.22:
        return rng.choice(_SPAN_IDIOMS)
    while True:
        unit, low, high = rng.choice(_SPAN_UNITS)
        number = rng.randint(low, high) if rng.random() < 0.6 else rng.randint(low, min(high, 12))
        if unit == "day" and rng.random() < 0.3:
            number = rng.choice((10, 14, 20, 30, 45, 60, 90, 100))
        value = f"{number} {unit}s"
        if keep(f"span {value}"):
            return f"{say_number(rng, number)} {unit}s", value
