"""The calendar, the clock, and arithmetic with days."""

from __future__ import annotations

import calendar
import re
import zoneinfo
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from edge.assistant.days import read_day, read_time, said_day
from edge.assistant.errors import ToolFailure
from edge.assistant.store import Store
from edge.assistant.timers import local
from edge.assistant.tool import Arguments, Result, Tool, parameters

__all__ = ["Calendar", "calendar_tools"]

_DAY = "day, like friday or 05-03"
_SPAN = re.compile(r"(-?\d+)\s*(days?|d|weeks?|w|months?|years?|y)")
# Towns that many ask for and that no time zone is named after.
_TOWNS = {
    "beijing": "Asia/Shanghai", "mumbai": "Asia/Kolkata", "delhi": "Asia/Kolkata", "bangalore": "Asia/Kolkata",
    "san francisco": "America/Los_Angeles", "seattle": "America/Los_Angeles", "las vegas": "America/Los_Angeles",
    "boston": "America/New_York", "washington": "America/New_York", "miami": "America/New_York",
    "atlanta": "America/New_York", "houston": "America/Chicago", "dallas": "America/Chicago",
    "rio": "America/Sao_Paulo", "rio de janeiro": "America/Sao_Paulo", "montreal": "America/Toronto",
    "barcelona": "Europe/Madrid", "milan": "Europe/Rome", "naples": "Europe/Rome", "munich": "Europe/Berlin",
    "hamburg": "Europe/Berlin", "frankfurt": "Europe/Berlin", "cologne": "Europe/Berlin", "geneva": "Europe/Zurich",
    "manchester": "Europe/London", "edinburgh": "Europe/London", "glasgow": "Europe/London", "leeds": "Europe/London",
    "osaka": "Asia/Tokyo", "kyoto": "Asia/Tokyo", "cape town": "Africa/Johannesburg", "hanoi": "Asia/Bangkok",
    "st petersburg": "Europe/Moscow", "abu dhabi": "Asia/Dubai", "canberra": "Australia/Sydney",
}  # fmt: skip


class Calendar:
    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock

    @property
    def _today(self) -> date:
        return local(self._clock()).date()

    def events(self, first: date, last: date) -> list[dict[str, Any]]:
        rows = self._store.rows(
            "SELECT id, title, day, time FROM calendar WHERE day BETWEEN ? AND ? ORDER BY day, time IS NOT NULL, time",
            (first.isoformat(), last.isoformat()),
        )
        return [dict(row) for row in rows]

    def coming(self) -> list[dict[str, Any]]:
        return self.events(self._today, date.max)

    def add(self, given: Arguments) -> Result:
        day = read_day(given["day"], self._today)
        at = f"{read_time(given['time']):%H:%M}" if "time" in given else None
        if day.repeats is not None or day.first != day.last:
            raise ToolFailure(f"An event needs one day; “{given['day']}” is several.")
        with self._store.write() as db:
            created = db.execute(
                "INSERT INTO calendar (title, day, time, created_at) VALUES (?, ?, ?, ?)",
                (given["title"], day.first.isoformat(), at, self._clock()),
            ).lastrowid
        data = {"id": created, "title": given["title"], "day": day.first.isoformat(), "time": at}
        when = said_day(day.first, self._today) + (f" at {at}" if at else "")
        return Result(f"{given['title']} is in the calendar {when}.", data)

    def look(self, given: Arguments) -> Result:
        day = read_day(given.get("day", "today"), self._today)
        if day.repeats is not None:
            raise ToolFailure(f"“{given['day']}” has no end; name a day or a week.")
        events = self.events(day.first, day.last)
        if not events:
            when = said_day(day.first, self._today) if day.first == day.last else given["day"]
            return Result(f"Nothing is in the calendar {when}.", {"events": []})
        lines = [f"- {said_day(date.fromisoformat(event['day']), self._today)}"
                 f"{' at ' + event['time'] if event['time'] else ''}: {event['title']}"
                 for event in events]  # fmt: skip
        return Result("\n".join(lines), {"events": events}, untrusted=True)

    def remove(self, given: Arguments) -> Result:
        found = [event for event in self.coming() if given["title"].casefold() in event["title"].casefold()]
        if len(found) != 1:
            raise ToolFailure(f"{len(found)} coming events are called “{given['title']}”; it must be one.")
        with self._store.write() as db:
            db.execute("DELETE FROM calendar WHERE id = ?", (found[0]["id"],))
        return Result(f"{found[0]['title']} is out of the calendar.", found[0])

    def time(self, given: Arguments) -> Result:
        now = datetime.fromtimestamp(self._clock(), UTC)
        place = given.get("place", "").strip()
        there = now.astimezone(None if not place else _zone(place))
        return Result(f"It is {there:%H:%M}{f' in {place}' if place else ''}.", {"time": f"{there:%H:%M}"})

    def date(self, given: Arguments) -> Result:
        today = self._today
        return Result(f"Today is {today:%A}, {today.day} {today:%B} {today.year}.", {"date": today.isoformat()})

    def count_days(self, given: Arguments) -> Result:
        start = read_day(given.get("from", "today"), self._today).first
        end = read_day(given["to"], self._today).first
        days = (end - start).days
        weeks = f" ({days // 7} weeks{f' and {days % 7} days' if days % 7 else ''})" if days >= 14 else ""
        return Result(f"It is {days} day{'' if days == 1 else 's'}{weeks} from {start} to {end}.", {"days": days})

    def add_to_day(self, given: Arguments) -> Result:
        start = read_day(given.get("day", "today"), self._today).first
        end = _moved(start, given["span"])
        return Result(f"That is {end:%A}, {end.day} {end:%B} {end.year}.", {"date": end.isoformat()})

    def weekday(self, given: Arguments) -> Result:
        day = read_day(given["day"], self._today).first
        return Result(f"{day.day} {day:%B} {day.year} is a {day:%A}.", {"weekday": f"{day:%A}", "date": str(day)})


def calendar_tools(calendar_: Calendar) -> list[Tool]:
    title = {"type": "string", "description": "what it is", "minLength": 1, "maxLength": 500}
    return [
        Tool("get_events", "look into the calendar", parameters(day=_DAY), calendar_.look, resource="calendar"),
        Tool("add_event", "put an event into the calendar",
             parameters("title", "day", title=title, day=_DAY, time="time, like 18:30"), calendar_.add, "write",
             resource="calendar"),
        Tool("remove_event", "take an event out of the calendar", parameters("title", title=title), calendar_.remove,
             "write", resource="calendar"),
        Tool("get_time", "clock time", parameters(place="town"), calendar_.time),
        Tool("get_date", "date today", parameters(), calendar_.date),
        Tool("count_days", "days from one day to another",
             parameters("to", from_="first day, today if left out", to=_DAY), calendar_.count_days),
        Tool("add_to_day", "which day is some time later or earlier",
             parameters("span", day="day to count from, today if left out", span="like 3 weeks, 45 days, -2 months"),
             calendar_.add_to_day),
        Tool("get_weekday", "which day of the week a date is", parameters("day", day=_DAY), calendar_.weekday),
    ]  # fmt: skip


def _moved(start: date, span: str) -> date:
    parts = _SPAN.findall(span.casefold())
    if not parts or _SPAN.sub("", span.casefold()).replace("and", "").strip(" ,"):
        raise ToolFailure(f"“{span}” is no span such as 3 weeks or 45 days.")
    end = start
    try:
        for count, unit in parts:
            number = int(count)
            if unit[0] in "dw":
                end += timedelta(days=number * (7 if unit[0] == "w" else 1))
            else:
                months = end.year * 12 + end.month - 1 + number * (12 if unit[0] == "y" else 1)
                year, month = divmod(months, 12)
                end = date(year, month + 1, min(end.day, calendar.monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError, calendar.IllegalMonthError):
        raise ToolFailure(f"{span} from {start} is beyond the calendar.") from None
    return end


@cache
def _zones() -> dict[str, str]:
    names = sorted(zoneinfo.available_timezones())
    return {name.rpartition("/")[2].replace("_", " ").casefold(): name for name in names if "/" in name}


def _zone(place: str) -> zoneinfo.ZoneInfo:
    folded = place.casefold()
    name = _TOWNS.get(folded) or _zones().get(folded)
    if name is None:
        why = "" if _zones() else " This machine has no time zones: pip install tzdata."
        raise ToolFailure(f"I do not know the time zone of {place}.{why}")
    return zoneinfo.ZoneInfo(name)
