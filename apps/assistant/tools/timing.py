"""Timers, alarms and reminders as tools."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

from edge.assistant.days import next_time, read_day, read_seconds, read_time, said_day, said_seconds
from edge.assistant.errors import ToolFailure
from edge.assistant.timers import Timers, local
from edge.assistant.tool import Arguments, Result, Tool, parameters

__all__ = ["timing_tools"]

_DAY = "day, like friday or 05-03"
_TIME = "time, like 18:30"
_LABEL = {"type": "string", "description": "what it is for", "maxLength": 200}
_TEXT = {"type": "string", "description": "what to do", "minLength": 1, "maxLength": 1000}
_SLOTS = (9, 13, 18, 21)  # hours at which a reminder without a time comes


def timing_tools(timers: Timers, clock: Callable[[], float]) -> list[Tool]:
    tools = _Timing(timers, clock)
    return [
        Tool("set_timer", "start a timer", parameters("duration", duration="length, like 1h30m", label=_LABEL),
             tools.set_timer, "write"),
        Tool("check_timer", "time left on a timer", parameters(label=_LABEL), tools.check_timer),
        Tool("cancel_timer", "stop a timer", parameters(label=_LABEL), tools.cancel_timer, "write", resource="timer"),
        Tool("set_alarm", "set an alarm", parameters("time", time=_TIME, day=_DAY), tools.set_alarm, "write",
             resource="alarm"),
        Tool("cancel_alarm", "remove an alarm", parameters(time=_TIME, day=_DAY), tools.cancel_alarm, "write",
             resource="alarm"),
        Tool("add_reminder", "remind of something later",
             parameters("text", text=_TEXT, day=_DAY, time=_TIME, delay="time from now, like 20m"),
             tools.add_reminder, "write"),
        Tool("list_alarms", "show timers, alarms and reminders that are set", parameters(), tools.list_all),
        Tool("cancel_reminder", "remove a reminder", parameters("text", text=_TEXT), tools.cancel_reminder, "write"),
    ]  # fmt: skip


class _Timing:
    def __init__(self, timers: Timers, clock: Callable[[], float]) -> None:
        self._timers = timers
        self._clock = clock

    def set_timer(self, given: Arguments) -> Result:
        seconds, label, now = read_seconds(given["duration"]), given.get("label", "").strip(), self._clock()
        timer = self._timers.add("timer", label, now + seconds, now, seconds=seconds)
        return Result(f"{_named(label)} is set for {said_seconds(seconds)}.", timer)

    def check_timer(self, given: Arguments) -> Result:
        now, timers = self._clock(), self._found("timer", given.get("label"))
        said = "; ".join(f"{_named(timer['label'])}: {_left(timer, now)}" for timer in timers)
        left = max(0, round(timers[0]["due_at"] - now))
        return Result(f"{said}.", {"seconds_left": left, "timers": timers})

    def cancel_timer(self, given: Arguments) -> Result:
        timers, now = self._found("timer", given.get("label")), self._clock()
        if len(timers) > 1:
            ringing = [timer for timer in timers if timer["status"] == "ringing"]
            if len(ringing) != 1:
                said = ", ".join(f"{timer['label'] or 'one without a name'} ({_left(timer, now)})" for timer in timers)
                raise ToolFailure(f"There are {len(timers)} such timers: {said}. Say which one.")
            timers = ringing
        return Result(f"{_named(timers[0]['label'])} is stopped.", self._timers.cancel(timers[0]["id"]))

    def set_alarm(self, given: Arguments) -> Result:
        now = self._now()
        day = None if "day" not in given else read_day(given["day"], now.date())
        due = next_time(day, read_time(given["time"]), now)
        alarm = self._timers.add("alarm", "", due.timestamp(), self._clock(), day=day)
        often = f", and again on {_days(alarm['repeats'])}" if alarm["repeats"] else ""
        return Result(f"The alarm is set for {due:%H:%M} {said_day(due.date(), now.date())}{often}.", alarm)

    def cancel_alarm(self, given: Arguments) -> Result:
        now = self._now()
        at = None if "time" not in given else read_time(given["time"])
        day = None if "day" not in given else read_day(given["day"], now.date())
        alarms = [alarm for alarm in self._timers.all("alarm") if _fits(alarm, at, None if day is None else
                  (day.first, day.last), given.get("day"))]  # fmt: skip
        if not alarms:
            there = ", ".join(_alarm(alarm, now) for alarm in self._timers.all("alarm"))
            raise ToolFailure(f"There is no such alarm. {f'Set: {there}.' if there else 'None is set.'}")
        if len(alarms) > 1 and at is None and day is None:
            said = ", ".join(_alarm(alarm, now) for alarm in alarms)
            raise ToolFailure(f"There are {len(alarms)} alarms: {said}. Say which one.")
        for alarm in alarms:
            self._timers.cancel(alarm["id"])
        said = " and ".join(_alarm(alarm, now) for alarm in alarms)
        return Result(f"The alarm for {said} is removed.", {"cancelled": alarms})

    def add_reminder(self, given: Arguments) -> Result:
        now, text = self._now(), given["text"].strip()
        day = None if "day" not in given else read_day(given["day"], now.date())
        if "delay" in given:
            due = local(self._clock() + read_seconds(given["delay"]))
        elif "time" in given:
            due = next_time(day, read_time(given["time"]), now)
        else:
            due = _next_slot(now) if day is None or day.first == now.date() else next_time(day, time(_SLOTS[0]), now)
        reminder = self._timers.add("reminder", text, due.timestamp(), self._clock(), day=day)
        often = f", and again on {_days(reminder['repeats'])}" if reminder["repeats"] else ""
        return Result(f"I will remind you {said_day(due.date(), now.date())} at {due:%H:%M}{often}: {text}.", reminder)

    def cancel_reminder(self, given: Arguments) -> Result:
        found = [item for item in self._timers.all("reminder") if _holds(item["label"], given["text"])]
        if len(found) != 1:
            there = "; ".join(item["label"] for item in found or self._timers.all("reminder"))
            raise ToolFailure(
                f"There {'are several such reminders' if found else 'is no such reminder'}: {there or 'none'}."
            )
        return Result(f"The reminder is removed: {found[0]['label']}.", self._timers.cancel(found[0]["id"]))

    def list_all(self, given: Arguments) -> Result:
        now, timers = self._now(), self._timers.all()
        lines = [f"{_named(timer['label'])}: {_left(timer, self._clock())}" if timer["kind"] == "timer"
                 else f"{'Alarm' if timer['kind'] == 'alarm' else timer['label']}: {_alarm(timer, now)}"
                 for timer in timers]  # fmt: skip
        return Result("\n".join(lines) or "Nothing is set.", {"timers": timers})

    def _found(self, kind: Any, label: str | None) -> list[dict[str, Any]]:
        timers = self._timers.all(kind)
        found = [timer for timer in timers if not label or _holds(timer["label"], label)]
        if not found:
            there = ", ".join(timer["label"] or "one without a name" for timer in timers)
            raise ToolFailure(f"There is no such timer; running: {there}." if timers else "No timer is running.")
        return found

    def _now(self) -> datetime:
        return local(self._clock())


def _named(label: str) -> str:
    return f"The {label} timer" if label else "The timer"


def _left(timer: dict[str, Any], now: float) -> str:
    return "it rings" if timer["status"] == "ringing" else f"{said_seconds(timer['due_at'] - now)} left"


def _alarm(alarm: dict[str, Any], now: datetime) -> str:
    due = local(alarm["due_at"])
    return f"{due:%H:%M} {said_day(due.date(), now.date())}"


def _days(repeats: str) -> str:
    return ", ".join(name.capitalize() for name in repeats.split())


def _holds(text: str, words: str) -> bool:
    return all(word in text.casefold() for word in words.casefold().split())


def _fits(alarm: dict[str, Any], at: time | None, days: tuple[Any, Any] | None, said: str | None) -> bool:
    due = local(alarm["due_at"])
    if at is not None and (due.hour, due.minute) != (at.hour, at.minute):
        return False
    if days is None:
        return True
    weekday = f"{due:%A}".casefold()
    return days[0] <= due.date() <= days[1] or bool(alarm["repeats"] and weekday in (said or "").casefold())


def _next_slot(now: datetime) -> datetime:
    soon = now + timedelta(minutes=30)
    slots = (datetime.combine(now.date(), time(hour)) for hour in _SLOTS)
    return next((slot for slot in slots if slot >= soon), now + timedelta(hours=1))
