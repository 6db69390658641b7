"""Days, clock times and lengths of time as tools are given them: "friday", "05-03", "18:30", "1h30m"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from edge.assistant.errors import ToolFailure

__all__ = ["Day", "next_time", "read_day", "read_seconds", "read_time", "said_day", "said_seconds"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)\s*")
_SECONDS = {"w": 604800.0, "d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_TIME = re.compile(r"(\d{1,2})[:.](\d{2})")
_MONTH_DAY = re.compile(r"(\d{1,2})-(\d{1,2})")
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_MAX_SECONDS = 366 * 86400.0


@dataclass(frozen=True, slots=True)
class Day:
    """first to last, both included; repeats: weekdays (0 is Monday) on which it comes again and again.

    floats: a weekday or a date of the year, which moves on when it is over; "today" and full dates do not.
    """

    first: date
    last: date
    floats: bool = False
    repeats: frozenset[int] | None = None


def read_seconds(text: str, *, least: float = 1.0) -> float:
    """Seconds of "1h30m", "45s", "2 days". ToolFailure."""
    folded, at, total = text.strip().casefold(), 0, 0.0
    while match := _LENGTH.match(folded, at):
        total += float(match[1]) * _SECONDS[match[2][0]]
        at = match.end()
    if not folded or at < len(folded):
        raise ToolFailure(f"“{text}” is no length of time such as 20m or 1h30m.")
    if not least <= total <= _MAX_SECONDS:
        raise ToolFailure(f"“{text}” is not between {said_seconds(least)} and a year.")
    return total


def read_time(text: str) -> time:
    """ "18:30". ToolFailure."""
    match = _TIME.fullmatch(text.strip())
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ToolFailure(f"“{text}” is no time of day such as 18:30.")
    return time(int(match[1]), int(match[2]))


def read_day(text: str, today: date) -> Day:
    """ "today", "friday", "next monday", "weekend", "every sunday", "weekdays", "05-03", "2026-05-03". ToolFailure."""
    folded = " ".join(text.casefold().replace("_", " ").split())
    if folded in ("today", "tonight"):
        return Day(today, today)
    if folded in ("tomorrow", "yesterday"):
        day = today + timedelta(days=1 if folded == "tomorrow" else -1)
        return Day(day, day)
    if (repeats := _repeats(folded)) is not None:
        first = min(_next_weekday(number, today) for number in repeats)
        return Day(first, first, repeats=repeats)
    if folded.removeprefix("this ") == "weekend":
        saturday = today if today.weekday() == 6 else _next_weekday(5, today)
        return Day(saturday, saturday + timedelta(days=6 - saturday.weekday()))
    if folded in ("this week", "week", "next week"):
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7 * (folded == "next week"))
        return Day(max(monday, today), monday + timedelta(days=6))
    word = folded.removeprefix("next ").removeprefix("this ").removeprefix("on ")
    if word in WEEKDAYS:
        start = today + timedelta(days=1) if folded.startswith("next ") else today
        day = _next_weekday(WEEKDAYS.index(word), start)
        return Day(day, day, floats=not folded.startswith("next "))
    return _dated(text, folded, today)


def _dated(text: str, folded: str, today: date) -> Day:
    try:
        if match := _ISO.fullmatch(folded):
            day = date(int(match[1]), int(match[2]), int(match[3]))
            return Day(day, day)
        if match := _MONTH_DAY.fullmatch(folded):
            for year in range(today.year, today.year + 9):  # the 29th of February
                try:
                    day = date(year, int(match[1]), int(match[2]))
                except ValueError:
                    continue
                if day >= today:
                    return Day(day, day, floats=True)
    except ValueError:
        pass
    raise ToolFailure(f"“{text}” is no day such as friday, tomorrow, 05-03 or 2026-05-03.")


def _repeats(folded: str) -> frozenset[int] | None:
    if folded in ("weekdays", "every weekday", "workdays"):
        return frozenset(range(5))
    if folded in ("weekends", "every weekend"):
        return frozenset((5, 6))
    if folded in ("every day", "daily", "everyday"):
        return frozenset(range(7))
    word = folded.removeprefix("every ")
    if word in WEEKDAYS and word != folded:
        return frozenset((WEEKDAYS.index(word),))
    return frozenset((WEEKDAYS.index(folded[:-1]),)) if folded[:-1] in WEEKDAYS and folded.endswith("s") else None


def _next_weekday(number: int, start: date) -> date:
    return start + timedelta(days=(number - start.weekday()) % 7)


def next_time(day: Day | None, at: time, now: datetime) -> datetime:
    """The first moment after now; local time without a zone. ToolFailure: it is over."""
    if day is None:
        due = datetime.combine(now.date(), at)
        return due if due > now else due + timedelta(days=1)
    due = datetime.combine(day.first, at)
    if day.repeats is not None:
        days = (datetime.combine(now.date() + timedelta(days=ahead), at) for ahead in range(9))
        return next(due for due in days if due > now and due.weekday() in day.repeats)
    while day.floats and due <= now:  # a weekday that is today, at a time that is over
        due = datetime.combine(due.date() + timedelta(days=7), at)
    if due <= now:
        raise ToolFailure(f"{said_day(day.first, now.date())} at {at:%H:%M} is over.")
    return due


def said_day(day: date, today: date) -> str:
    """ "today", "friday", "Friday 3 May 2026"."""
    ahead = (day - today).days
    if -1 <= ahead <= 1:
        return ("yesterday", "today", "tomorrow")[ahead + 1]
    if 1 < ahead < 7:
        return f"on {day:%A}"
    return f"on {day:%A} {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def said_seconds(seconds: float) -> str:
    """ "1 hour 30 minutes"; whole seconds."""
    left, parts = max(0, round(seconds)), list[str]()
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts) or "0 seconds"
