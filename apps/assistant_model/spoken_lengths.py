"""How people say lengths of time, each with the value that a tool call wants: "1h30m", never recomputed.

Idioms ("half an hour") belong to both splits.
"""

from __future__ import annotations

from random import Random

from apps.assistant_model.spoken_numbers import Keep, number_words, say_number

_DURATION_IDIOMS = (
    *(("half an hour", "30m"), ("an hour", "1h"), ("an hour and a half", "1h30m"), ("a minute", "1m")) * 3,
    *(("a quarter of an hour", "15m"), ("three quarters of an hour", "45m"), ("a couple of minutes", "2m")) * 2,
    ("half hour", "30m"), ("a half hour", "30m"), ("a half an hour", "30m"), ("quarter of an hour", "15m"),
    ("three-quarters of an hour", "45m"), ("an hour and a quarter", "1h15m"), ("hour and a quarter", "1h15m"),
    ("one and a quarter hours", "1h15m"), ("an hour and three quarters", "1h45m"), ("hour and a half", "1h30m"),
    ("one and a half hours", "1h30m"), ("1.5 hours", "1h30m"), ("a minute and a half", "1m30s"),
    ("one and a half minutes", "1m30s"), ("half a minute", "30s"), ("a couple of hours", "2h"),
    ("couple of minutes", "2m"), ("couple of hours", "2h"), ("a couple minutes", "2m"), ("one hour", "1h"),
    ("1 hour", "1h"), ("a full hour", "1h"), ("one minute", "1m"), ("1 minute", "1m"), ("2.5 hours", "2h30m"),
)  # fmt: skip
_SPAN_IDIOMS = (
    ("half hour", "30m"), ("half hour", "30m"), ("half-hour", "30m"), ("half an hour", "30m"), ("one hour", "1h"),
    ("1 hour", "1h"), ("one-hour", "1h"), ("one minute", "1m"), ("1 minute", "1m"), ("one-minute", "1m"),
    ("hour long", "1h"), ("hour and a half", "1h30m"), ("one and a half hour", "1h30m"), ("quarter hour", "15m"),
    ("one and a half minute", "1m30s"), ("hour and a quarter", "1h15m"), ("30 second", "30s"), ("90 second", "90s"),
)  # fmt: skip
_UNITS = {"h": "hour", "m": "minute", "s": "second"}
_SHORT_UNITS = {"h": ("hrs", "hr", "h"), "m": ("mins", "min", "m"), "s": ("secs", "sec", "s")}


def duration(rng: Random, keep: Keep) -> tuple[str, str]:
    """A length of time as it stands after "for" or "in", and its value: "1h30m", never recomputed."""
    if rng.random() < 0.17:
        return rng.choice(_DURATION_IDIOMS)
    while True:
        phrase, value = _any_duration(rng)
        if keep(f"duration {value}"):
            return (f"about {phrase}" if rng.random() < 0.02 else phrase), value


def span(rng: Random, keep: Keep) -> tuple[str, str]:
    """A length of time that stands before a noun: "ten minute", "10-minute", "half hour"."""
    if rng.random() < 0.17:
        return rng.choice(_SPAN_IDIOMS)
    while True:
        count, unit = _count(rng)
        value = f"{count}{unit}"
        said = say_number(rng, count).removeprefix("a ") + rng.choice((" ", " ", " ", "-")) + _UNITS[unit]
        if rng.random() < 0.12:
            said = f"{count} {_SHORT_UNITS[unit][1]}"
        elif count < 10 and rng.random() < 0.12:
            half = {"h": "30m", "m": "30s", "s": ""}[unit]
            said, value = (
                (f"{say_number(rng, count)} and a half {_UNITS[unit]}", value + half) if half else (said, value)
            )
        if count > 1 and keep(f"duration {value}"):
            return said, value


def a_span(rng: Random, keep: Keep) -> tuple[str, str]:
    """The same with its article: "an eight minute", "a 10-minute"."""
    said, value = span(rng, keep)
    vowel = said.startswith(("hour", "eight", "eleven", "8", "11 ", "11-", "18 ", "18-"))
    return ("" if said == "half an hour" else "an " if vowel else "a ") + said, value


def _count(rng: Random) -> tuple[int, str]:
    """A number of one unit, small and round ones more often."""
    unit = rng.choice("mmmmmmmmsshh")
    pick = rng.random()
    if unit == "h":
        return (rng.randint(1, 6) if pick < 0.7 else rng.randint(7, 24)), unit
    if pick < 0.45:
        return rng.randrange(5, 65, 5), unit
    return (rng.randint(1, 59) if pick < 0.9 else rng.choice((60, 70, 75, 80, 90, 90, 100, 120))), unit


def _any_duration(rng: Random) -> tuple[str, str]:
    pick = rng.random()
    if pick < 0.7:
        count, unit = _count(rng)
        return _said(rng, count, unit, rng.choice(("long", "long", "long", "digits", "short"))), f"{count}{unit}"
    if pick < 0.78:
        count, unit, half = rng.randint(2, 12), *rng.choice((("h", "30m"), ("m", "30s")))
        said = say_number(rng, count)
        one = f"{said} and a half {_UNITS[unit]}s"
        return rng.choice((one, one, one, f"{said} {_UNITS[unit]}s and a half")), f"{count}{unit}{half}"
    if pick < 0.8:
        count = rng.randint(2, 6)
        part, minutes = rng.choice((("a quarter", 15), ("three quarters", 45)))
        return f"{number_words(count)} and {part} hours", f"{count}h{minutes}m"
    style = rng.choice(("long", "long", "digits", "short"))
    if pick < 0.815:
        parts = ((rng.randint(1, 3), "h"), (rng.randrange(5, 60, 5), "m"), (rng.randrange(10, 60, 10), "s"))
        first, second, third = (_said(rng, count, unit, style) for count, unit in parts)
        return f"{first} {second} {rng.choice(('and ', ''))}{third}", "".join(f"{n}{unit}" for n, unit in parts)
    large, small = ("h", "m") if rng.random() < 0.6 else ("m", "s")
    count = rng.randint(1, 5) if large == "h" else rng.randint(1, 30)
    rest = rng.randrange(5, 60, 5) if rng.random() < 0.8 else rng.randint(2, 59)
    head, value = _said(rng, count, large, style), f"{count}{large}{rest}{small}"
    if rest > 9 and rng.random() < 0.25:  # "an hour twenty", "1h 20", "two minutes thirty"
        tail = number_words(rest) if style == "long" and not head[0].isdigit() else str(rest)
        return f"{head}{'' if head.endswith('h') and rng.random() < 0.4 else ' '}{tail}", value
    joint = rng.choice((" and ", " ") if style != "short" else (" ", " ", ""))
    return f"{head}{joint}{_said(rng, rest, small, style)}", value


def _said(rng: Random, count: int, unit: str, style: str) -> str:
    """One number with its unit: "ten minutes", "10 minutes" or "10 mins"."""
    if style == "short":
        plural, single, letter = _SHORT_UNITS[unit]
        name = rng.choice((single if count == 1 else plural, single, letter))
        tight = name == letter or rng.random() < 0.25
        return f"{count}{'' if tight else ' '}{name}"
    if count == 1 and style == "long":
        return rng.choice(("an hour" if unit == "h" else f"a {_UNITS[unit]}", f"one {_UNITS[unit]}"))
    said = str(count) if style == "digits" else say_number(rng, count)
    return f"{said} {_UNITS[unit]}{'' if count == 1 else 's'}"
