"""How people say times and days, each with the value that a tool call wants.

Every function takes the random source it draws from and a `keep` test that refuses values of the other split, and
returns the phrase with its value. Idioms ("noon"), weekdays and repeats belong to both splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from apps.assistant_model.spoken_numbers import Keep, number_words

When = tuple[str, dict[str, str]]  # a phrase, and the arguments "day" and "time" that it carries

_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third "
    "twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
MONTHS = "january february march april may june july august september october november december".split()
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_SHORT_WEEKDAYS = "mon tues wed thurs fri sat sun".split()

# The hours that go with each part of the day.
_HOURS = {
    "morning": (*range(4, 12), *range(6, 10)),
    "afternoon": (12, *range(13, 18), *range(13, 17)),
    "evening": range(17, 23),
    "night": (20, 21, 22, 22, 23),
    "am": (0, *range(1, 12), *range(5, 12), *range(6, 10)),
    "pm": (12, *range(13, 24), *range(13, 22)),
    "tonight": range(18, 24),
}
_NOON_AND_MIDNIGHT = (("noon", "12:00"), ("midday", "12:00"), ("midnight", "00:00"))
_QUARTERS = {
    15: ("quarter past", "quarter past", "a quarter past", "quarter after"),
    30: ("half past", "half past", "half"),
    45: ("quarter to", "quarter to", "a quarter to", "quarter of", "quarter till"),
}


def time_of_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A clock time as it stands after "at" or "for", and its "HH:MM"; without a part of the day the hour is as said."""
    if rng.random() < 0.05:
        return rng.choice(_NOON_AND_MIDNIGHT)
    while True:
        part = rng.choice(("morning", "morning", "afternoon", "evening", "evening", "night"))
        tail = ""
        if rng.random() < 0.22:
            hour, minute = _hour_and_minute(rng, _HOURS[part])
            phrase, tail = _clock(rng, hour, minute), " at night" if part == "night" else f" in the {part}"
        else:
            phrase, hour, minute = _short_time(rng)
        value = f"{hour:02d}:{minute:02d}"
        if keep(f"time {value}"):
            about = rng.choice(("around ", "about ")) if rng.random() < 0.04 else ""
            return f"{about}{phrase}{tail}", value


def clock(rng: Random, keep: Keep) -> tuple[str, str]:
    """A time short enough to stand before a noun: "the 7:30 alarm", "the half past six alarm"."""
    while True:
        phrase, hour, minute = _short_time(rng)
        if keep(f"time {hour:02d}:{minute:02d}"):
            return phrase, f"{hour:02d}:{minute:02d}"


def _short_time(rng: Random) -> tuple[str, int, int]:
    pick = rng.random()
    if pick < 0.32:
        hour, minute = _hour_and_minute(rng, _HOURS[rng.choice(("am", "pm"))])
        return _with_am_pm(rng, hour, minute), hour, minute
    if pick < 0.44:
        hour, minute = _hour_and_minute(rng, (*range(24), *range(13, 24), *range(13, 24)))
        return _digital(rng, hour, minute), hour, minute
    hour, minute = _hour_and_minute(rng, (*range(1, 13), *range(5, 12)))
    if hour == 12 and minute == 0 and rng.random() < 0.2:
        return rng.choice(("12 noon", "twelve noon")), hour, minute
    return _clock(rng, hour, minute), hour, minute


def _hour_and_minute(rng: Random, hours: Sequence[int]) -> tuple[int, int]:
    pick = rng.random()
    minute = 0 if pick < 0.32 else rng.choice((15, 30, 30, 45)) if pick < 0.5 else rng.randrange(5, 60, 5)
    return rng.choice(hours), rng.randrange(1, 60) if pick > 0.9 else minute


def _kept_time(rng: Random, keep: Keep, hours: Sequence[int]) -> tuple[int, int]:
    while True:
        hour, minute = _hour_and_minute(rng, hours)
        if keep(f"time {hour:02d}:{minute:02d}"):
            return hour, minute


def _clock(rng: Random, hour: int, minute: int, *, exact: bool = False) -> str:
    """The time by a clock of 12 hours, part of the day left out; `exact` keeps to the hour that it lies in."""
    hour = (hour - 1) % 12 + 1
    said = number_words(hour) if rng.random() < 0.55 else str(hour)
    if minute == 0:
        return said if exact else rng.choice((said, said, said, f"{said} o'clock", f"{said} o'clock", f"{hour}:00"))
    pick = rng.random()
    if pick < 0.36 or (exact and pick < 0.7):
        dot = rng.choice((":", ":", ":", ":", ".", "." if minute % 5 == 0 else ":", " " if minute > 9 else ":", ""))
        return f"{hour}{dot}{minute:02d}"
    if not exact and pick < (0.8 if minute % 5 == 0 else 0.42):
        return _past_or_to(rng, hour, minute, said)
    words = number_words(minute, hyphen=rng.random() < 0.4)
    return f"{number_words(hour)} {'oh ' if minute < 10 else ''}{words}"


def _past_or_to(rng: Random, hour: int, minute: int, said: str) -> str:
    following = hour % 12 + 1
    if minute > 30:
        said = number_words(following) if said.isalpha() else str(following)
    if minute in _QUARTERS:
        return f"{rng.choice(_QUARTERS[minute])} {said}"
    away = min(minute, 60 - minute)
    count = number_words(away, hyphen=rng.random() < 0.4) if rng.random() < 0.65 else str(away)
    minutes = rng.choice(("", "", "", " minutes")) if away % 5 == 0 else " minutes" if away > 1 else " minute"
    joint = rng.choice(("past", "past", "after") if minute < 30 else ("to", "to", "till"))
    return f"{count}{minutes} {joint} {said}"


def _with_am_pm(rng: Random, hour: int, minute: int) -> str:
    half = "am" if hour < 12 else "pm"
    said = _clock(rng, hour, minute, exact=True)
    if rng.random() < 0.12:
        half = rng.choice((half.upper(), f"{half[0]}.m.", f"{half[0]}.m.", f"{half[0]} m"))
    tight = said[-1].isdigit() and " " not in said and " " not in half and rng.random() < 0.55
    return f"{said}{'' if tight else ' '}{half}"


def _digital(rng: Random, hour: int, minute: int) -> str:
    """The time by a clock of 24 hours."""
    if hour > 12 and rng.random() < 0.2:
        words = number_words(minute) if minute else "hundred"
        return f"{number_words(hour)} {'oh ' if 0 < minute < 10 else ''}{words}"
    shown = f"{hour}" if 0 < hour < 10 and rng.random() < 0.3 else f"{hour:02d}"
    dot = rng.choice((":", ":", ":", ":", ":", ".", ""))
    return f"{shown}{dot}{minute:02d}"


# Days


class _Day(NamedTuple):
    bare: str  # "friday", "the 3rd of may"
    inside: str  # as it stands in a sentence: "on friday", "on the 3rd of may"
    value: str


def day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day without its preposition ("friday", "the 3rd of may") and its value ("friday", "05-03")."""
    said = _any_day(rng, keep)
    return said.bare, said.value


def on_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day as it stands in a sentence: "tomorrow", "on friday", "this evening". Do not pair it with a time."""
    said = _any_day(rng, keep)
    return said.inside, said.value


def plain_on_day(rng: Random, keep: Keep) -> tuple[str, str]:
    """The same without weekends and parts of the day, which may stand beside a time: "tomorrow", "on friday"."""
    said = _plain_day(rng, keep)
    return said.inside, said.value


def spoken_weekday(rng: Random) -> tuple[str, str]:
    """A weekday without its preposition: "friday", "next monday"."""
    said = _weekday(rng)
    return said.bare, said.value


def spoken_date(rng: Random, keep: Keep) -> tuple[str, str]:
    """A day of a month without its preposition, and its value "05-03"."""
    said = _date(rng, keep)
    return said.bare, said.value


def _any_day(rng: Random, keep: Keep) -> _Day:
    pick = rng.random()
    if pick < 0.2:
        return _part_of_day(rng)[0]
    if pick < 0.26:
        bare, inside, value = rng.choice((
            ("the weekend", "at the weekend", "weekend"), ("this weekend", "this weekend", "weekend"),
            ("this weekend", "over the weekend", "weekend"), ("the weekend", "on the weekend", "weekend"),
            ("next weekend", "next weekend", "next weekend"),
        ))  # fmt: skip
        return _Day(bare, inside, value)
    return _plain_day(rng, keep)


def _plain_day(rng: Random, keep: Keep) -> _Day:
    pick = rng.random()
    if pick < 0.42:
        said = "today" if pick < 0.12 else "tomorrow" if rng.random() < 0.97 else "tmrw"
        return _Day(said, said, "today" if said == "today" else "tomorrow")
    if pick < 0.49:
        said = rng.choice(("the day after tomorrow", "day after tomorrow"))
        return _Day(said, said, "day after tomorrow")
    return _weekday(rng) if pick < 0.84 else _date(rng, keep)


def _weekday(rng: Random) -> _Day:
    number = rng.randrange(7)
    value = WEEKDAYS[number]
    said = _SHORT_WEEKDAYS[number] if rng.random() < 0.04 else value
    pick = rng.random()
    if pick < 0.15:
        return _Day(f"next {said}", f"next {said}", f"next {value}")
    if pick < 0.28:
        said = f"{rng.choice(('this', 'this', 'this coming'))} {said}"
        return _Day(said, said, value)
    return _Day(said, said if rng.random() < 0.2 else f"on {said}", value)


def _date(rng: Random, keep: Keep) -> _Day:
    while True:
        month = rng.randrange(12)
        number = rng.randint(1, _MONTH_DAYS[month])
        value = f"{month + 1:02d}-{number:02d}"
        if keep(f"date {value}"):
            break
    name = MONTHS[month]
    suffix = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number not in (11, 12, 13) else 0, "th")
    ordinal = _ORDINALS[number - 1]
    if rng.random() < 0.5:
        ordinal = f"{number}{suffix}"
    elif rng.random() < 0.5:
        ordinal = ordinal.replace("-", " ")
    bare = rng.choice((
        f"the {ordinal} of {name}", f"the {ordinal} of {name}", f"{name} {ordinal}", f"{name} the {ordinal}",
        f"{ordinal} of {name}", f"{name} {number}", f"{number} {name}", f"{number}{suffix} {name}",
    ))  # fmt: skip
    return _Day(bare, bare if rng.random() < 0.1 else f"on {bare}", value)


def _part_of_day(rng: Random) -> tuple[_Day, str]:
    """A day with its morning, afternoon, evening or night, and the key of that part in `_HOURS`."""
    pick = rng.random()
    if pick < 0.35:
        return _Day("tonight", "tonight", "today"), "tonight"
    if pick < 0.55:
        part = rng.choice(("morning", "afternoon", "afternoon", "evening", "evening"))
        said = f"{rng.choice(('this', 'this', 'this', 'later this'))} {part}"
        return _Day(said, said, "today"), part
    part = rng.choice(("morning", "morning", "afternoon", "evening", "night"))
    if pick < 0.8:
        return _Day(f"tomorrow {part}", f"tomorrow {part}", "tomorrow"), part
    bare, inside, value = _weekday(rng)
    return _Day(f"{bare} {part}", f"{inside} {part}", value), part


# Days with times


def moment(rng: Random, keep: Keep) -> When:
    """A day, a time, or both, as they stand in a sentence, with the arguments that carry them."""
    pick = rng.random()
    if pick < 0.22:
        said, value = on_day(rng, keep)
        return said, {"day": value}
    if pick < 0.55:
        said, value = time_of_day(rng, keep)
        loose = said.startswith(("around", "about")) and rng.random() < 0.6
        return said if loose else f"at {said}", {"time": value}
    return day_and_time(rng, keep)


def day_and_time(rng: Random, keep: Keep) -> When:
    """Both, in either order: "tomorrow at six", "at 5pm on monday", "tonight at eight"."""
    said, time, value = _pair(rng, keep)
    ways = [f"{said.inside} at {time}", f"at {time} {said.inside}"] * 4
    if any(letter.isdigit() for letter in time):
        ways += [f"{said.inside} {time}", f"{time} {said.inside}"]
    return rng.choice(ways), value


def day_and_time_after_for(rng: Random, keep: Keep) -> When:
    """Both, as they stand after "for": "six tomorrow", "friday at noon", "8 tomorrow morning"."""
    said, time, value = _pair(rng, keep)
    return rng.choice((f"{said.bare} at {time}", f"{said.bare} at {time}", f"{time} {said.inside}")), value


def _pair(rng: Random, keep: Keep) -> tuple[_Day, str, dict[str, str]]:
    if rng.random() < 0.42:
        said, part = _part_of_day(rng)
        hour, minute = _kept_time(rng, keep, _HOURS[part])
        return said, _within(rng, hour, minute), {"day": said.value, "time": f"{hour:02d}:{minute:02d}"}
    said = _plain_day(rng, keep)
    phrase, time = time_of_day(rng, keep)
    return said, phrase, {"day": said.value, "time": time}


def _within(rng: Random, hour: int, minute: int) -> str:
    """The time where a part of the day is said beside it, which am, pm or 24 hours may repeat."""
    pick = rng.random()
    if pick < 0.12:
        return _with_am_pm(rng, hour, minute)
    return f"{hour}:{minute:02d}" if pick < 0.17 else _clock(rng, hour, minute)


# Repeats


def repeat(rng: Random, keep: Keep) -> tuple[str, str]:
    """Days that come again, as they stand in a sentence: "every day", "on weekdays", "on mondays"."""
    del keep  # nothing here is kept out of training
    pick = rng.random()
    if pick < 0.38:
        return rng.choice(("every day", "every day", "every day", "daily", "each day", "every single day")), "every day"
    if pick < 0.55:
        return _weekdays(rng), "weekdays"
    if pick < 0.65:
        return rng.choice(("at weekends", "on weekends", "every weekend", "on the weekends")), "weekends"
    if pick < 0.7:
        return rng.choice(("every morning", "every morning", "each morning")), "every day"
    name = rng.choice(WEEKDAYS)
    said = rng.choice((f"every {name}", f"every {name}", f"every {name}", f"each {name}", f"on {name}s", f"{name}s"))
    return said, f"every {name}"


def repeat_at(rng: Random, keep: Keep) -> When:
    """Days that come again with a time: "every morning at seven", "at 6:30 on weekdays"."""
    if rng.random() < 0.4:
        part = rng.choice(("morning", "morning", "morning", "afternoon", "evening", "night"))
        name = rng.choice(WEEKDAYS)
        said, value = rng.choice((
            (f"every {part}", "every day"), (f"every {part}", "every day"), (f"each {part}", "every day"),
            (f"on weekday {part}s", "weekdays"), (f"every weekday {part}", "weekdays"),
            (f"every {name} {part}", f"every {name}"), (f"on {name} {part}s", f"every {name}"),
        ))  # fmt: skip
        hour, minute = _kept_time(rng, keep, _HOURS[part])
        time, phrase = f"{hour:02d}:{minute:02d}", _within(rng, hour, minute)
    else:
        said, value = repeat(rng, keep)
        while said.endswith("morning"):  # sets the half of the day
            said, value = repeat(rng, keep)
        phrase, time = time_of_day(rng, keep)
    return rng.choice((f"{said} at {phrase}", f"at {phrase} {said}")), {"day": value, "time": time}


def _weekdays(rng: Random) -> str:
    return rng.choice((
        "on weekdays", "on weekdays", "every weekday", "every weekday", "weekdays", "each weekday", "on workdays",
        "every workday", "every working day", "monday to friday", "monday through friday", "from monday to friday",
    ))  # fmt: skip
