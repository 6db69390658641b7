"""Ways to ask for whatever has to do with time: the templates are in the modules brought together here.

Slots of times that they share: `clock` ("6:30", before a noun), `daytime` ("tomorrow at six"), `fordaytime` (the same
after "for"), `plainday` (a day beside a time), `repeat` ("every day"), `repeatat` ("every morning at seven"), `span`
("ten minute", before a noun) and `aspan` ("a ten minute").
"""

from __future__ import annotations

from apps.assistant_model import template_alarms, template_calendar, template_reminders, template_timers
from apps.assistant_model.spoken_times import WEEKDAYS
from apps.assistant_model.templates import Template

TIME: tuple[Template, ...] = (
    template_timers.TIMERS + template_alarms.ALARMS + template_reminders.REMINDERS + template_calendar.CALENDAR
)
SLOTS = template_timers.SLOTS | template_reminders.SLOTS | template_calendar.SLOTS
CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "dayof": (
        *(("tomorrow", ("tomorrow's",)),) * 3,
        *(("today", ("today's", "today's", "this morning's", "tonight's", "this evening's")),) * 2,
        ("tomorrow", ("tomorrow morning's",)),
        *((day, (f"{day}'s",)) for day in WEEKDAYS),
    ),
    "repeated": (  # before a noun
        ("weekdays", ("weekday", "weekday", "workday")),
        ("weekends", ("weekend",)),
        ("every day", ("daily", "daily", "every day", "everyday")),
    ),
    "week": (("this week", ("this week",)), ("next week", ("next week",))),
}
