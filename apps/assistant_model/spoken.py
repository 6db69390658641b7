"""How people say numbers, times, days and lengths of time, each with the value that a tool call wants.

Every function takes the random source it draws from and a `keep` test that refuses values of the other split, and
returns the phrase with its value. Idioms ("noon", "half an hour") and weekdays belong to both splits.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

Keep = Callable[[str], bool]

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third "
    "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
_MONTHS = "january february march april may june july august september october november december".split()
_IDIOMS: tuple[tuple[str, dict[str, int]], ...] = (
    ("half an hour", {"minutes": 30}),
    ("a quarter of an hour", {"minutes": 15}),
    ("an hour", {"hours": 1}),
    ("one hour", {"hours": 1}),
    ("an hour and a half", {"hours": 1, "minutes": 30}),
    ("a minute", {"minutes": 1}),
    ("one minute", {"minutes": 1}),
    ("three quarters of an hour", {"minutes": 45}),
)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()


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
    return number_words(number, hyphen=rng.random() < 0.3)


def draw_number(rng: Random, keep: Keep, kind: str, low: int, high: int, step: int = 1) -> int:
    """A number of `kind` in [low, high] that belongs to the split."""
    while True:
        number = rng.randrange(low, high + 1, step)
        if keep(f"{kind} {number}"):
            return number


def time_of_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A clock time and its "HH:MM". Without am, pm or a part of the day the hour is taken as it was said."""
    if rng.random() < 0.04:
        return rng.choice([("noon", "12:00"), ("midday", "12:00"), ("midnight", "00:00")])
    while True:
        phrase, value = _any_time(rng)
        if keep(f"time {value}"):
            return phrase, value


def _any_time(rng: Random) -> tuple[str, str]:
    minute = 0 if rng.random() < 0.3 else rng.randrange(0, 60, 5) if rng.random() < 0.75 else rng.randrange(60)
    if rng.random() < 0.1:
        hour = rng.randrange(13, 24)
        return f"{hour}:{minute:02d}", f"{hour:02d}:{minute:02d}"
    part = rng.choice(["", "", "", "", "", "am", "pm", "morning", "afternoon", "evening", "night"])
    low, high = {"morning": (5, 11), "afternoon": (1, 5), "evening": (5, 11), "night": (9, 11)}.get(part, (1, 11))
    hour = rng.randint(low, high if part else 12)
    value = f"{hour + 12 if part in ('pm', 'afternoon', 'evening', 'night') else hour:02d}:{minute:02d}"
    tail = {"": "", "am": " am", "pm": " pm", "night": " at night"}.get(part, f" in the {part}")
    if part in ("am", "pm") and rng.random() < 0.4:
        shown = f"{hour}{part}" if minute == 0 else f"{hour}:{minute:02d}{part}"
        return shown, value
    return _clock(rng, hour, minute) + tail, value


def _clock(rng: Random, hour: int, minute: int) -> str:
    """The hour (1 to 12) and minute as said, part of the day left out."""
    said = number_words(hour)
    if minute == 0:
        return rng.choice([said, str(hour), f"{said} o'clock", f"{hour} o'clock", f"{hour}:00"])
    if rng.random() < 0.4:
        return f"{hour}:{minute:02d}"
    if minute % 5 == 0 and rng.random() < 0.7:
        following = number_words(hour % 12 + 1)
        if minute == 30:
            return f"half past {said}"
        if minute in (15, 45):
            quarter = rng.choice(["quarter", "a quarter"])
            return f"{quarter} past {said}" if minute == 15 else f"{quarter} to {following}"
        return f"{number_words(minute)} past {said}" if minute < 30 else f"{number_words(60 - minute)} to {following}"
    return f"{said} {'oh ' if minute < 10 else ''}{number_words(minute, hyphen=rng.random() < 0.3)}"


def day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day without its preposition ("friday", "the 3rd of may") and its value ("friday", "05-03")."""
    pick = rng.random()
    if pick < 0.35:
        said = rng.choice(["today", "tomorrow", "tomorrow", "tonight"])
        return said, said
    if pick < 0.75:
        weekday = rng.choice(WEEKDAYS)
        said = f"next {weekday}" if rng.random() < 0.2 else weekday
        return said, said
    while True:
        month, number = rng.randrange(12), rng.randint(1, 28)
        value = f"{month + 1:02d}-{number:02d}"
        if keep(f"date {value}"):
            break
    name, ordinal = _MONTHS[month], _ORDINALS[number - 1]
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
    forms = [f"the {ordinal} of {name}", f"the {number}{suffix} of {name}", f"{name} {number}", f"{name} the {ordinal}"]
    return rng.choice(forms), value


def on_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day as it stands in a sentence: "tomorrow", "on friday", "on may 3"."""
    said, value = day(rng, keep)
    return (said if said in ("today", "tomorrow", "tonight") or said.startswith("next ") else f"on {said}"), value


def moment(rng: Random, keep: Keep) -> tuple[str, dict[str, str]]:
    """A day, a time, or both in either order, with the arguments that carry them."""
    pick = rng.random()
    if pick < 0.2:
        said_day, when = on_day(rng, keep)
        return said_day, {"day": when}
    said_time, time = time_of_day(rng, keep)
    if pick < 0.6:
        return f"at {said_time}", {"time": time}
    said_day, when = on_day(rng, keep)
    both = f"{said_day} at {said_time}" if pick < 0.85 else f"at {said_time} {said_day}"
    return both, {"day": when, "time": time}


def duration(rng: Random, keep: Keep) -> tuple[str, dict[str, int]]:
    """A length of time and its hours, minutes and seconds, only those that were said."""
    if rng.random() < 0.1:
        phrase, value = rng.choice(_IDIOMS)
        return phrase, dict(value)
    while True:
        phrase, value = _any_duration(rng)
        if keep(f"duration {value}"):
            return phrase, value


def _any_duration(rng: Random) -> tuple[str, dict[str, int]]:
    pick = rng.random()
    if pick < 0.45:
        minutes = rng.randint(2, 90)
        return f"{say_number(rng, minutes)} {rng.choice(['minutes', 'minutes', 'min'])}", {"minutes": minutes}
    if pick < 0.6:
        seconds = rng.randint(5, 90)
        return f"{say_number(rng, seconds)} seconds", {"seconds": seconds}
    if pick < 0.7:
        hours = rng.randint(2, 12)
        return f"{say_number(rng, hours)} hours", {"hours": hours}
    if pick < 0.82:
        hours, minutes = rng.randint(1, 5), rng.randrange(5, 60, 5)
        shown = rng.choice(["an hour", "one hour", "1 hour"]) if hours == 1 else f"{say_number(rng, hours)} hours"
        joint = rng.choice([" and ", " "])
        return f"{shown}{joint}{say_number(rng, minutes)} minutes", {"hours": hours, "minutes": minutes}
    count = rng.randint(2, 9)
    if rng.random() < 0.5:
        return f"{number_words(count)} and a half minutes", {"minutes": count, "seconds": 30}
    return f"{number_words(count)} and a half hours", {"hours": count, "minutes": 30}
