"""Ways to ask for what the assistant does with days besides: counting them, going on from one, weekdays of dates, and
taking events out of the calendar.

Slots: `farday` ("friday", "the 3rd of may", "christmas"), `date` (without weekdays), `dayspan` ("three weeks").
"""

from __future__ import annotations

from apps.assistant_model.templates import Arguments, Template, ask, call
from apps.assistant_model.wording import wording

_PARTS = {
    "count": "(how many days|how many days|how long|how many weeks|how many nights)",
    "until": "(until|till|to|before|up to)",
    "know": "(i want to know|i'd like to know|tell me|do you know|can you tell me|work out|find out)",
    "which": "(what day|which day|what date|which date|what's the date|what is the date)",
    "weekday": "(what day of the week|which day of the week|what weekday|which weekday)",
    "drop": "(cancel|delete|remove|call off|scrap|drop)",
    "calendar": "(my|the|our) (calendar|diary|schedule|planner|agenda)",
    "the": "(the|my|my|our)",
}
_ways = wording(_PARTS)

_COUNTING = (
    call(
        "count_days", {"to": "$farday"}, weight=2.0,
        train=_ways(
            "<count> <until> {farday}", "<count> is it <until> {farday}", "<count> are (there|left) <until> {farday}",
            "<count> do (i|we) have <until> {farday}", "<count> (is|are) left <until> {farday}",
            "<know> <count> it is <until> {farday}", "<know> how many days are left <until> {farday}",
            "days <until> {farday}", "count the days (until|to|till) {farday}", "count down to {farday}",
            "countdown to {farday}", "number of days <until> {farday}", "{farday} is how many days away",
            "{farday} is in how many days", "how far (away|off) is {farday}", "how many days away is {farday}",
            "in how many (days|weeks) is {farday}", "how long do (i|we) have to wait (for|until) {farday}",
            "how many more (days|nights|weeks|sleeps) <until> {farday}", "how soon is {farday}",
            "how many days to go <until> {farday}", "how many (days|weeks) from (now|today) (until|to) {farday}",
            "from today to {farday}, how many days", "the days from now to {farday}", "is it long <until> {farday}",
            "calculate the (days|number of days) (until|to) {farday}", "how many sleeps <until> {farday}",
            "{farday}, how many days until then", "how many days must i wait for {farday}",
            "give me the (days|number of days) <until> {farday}", "what's the number of days <until> {farday}",
            "how much time is (there|left) <until> {farday}", "how many days will it be <until> {farday}",
            "how many days have (i|we) got left <until> {farday}",
        ),
        held_out=_ways(
            "how many days still <until> {farday}", "count how many days there are <until> {farday}",
            "how many days separate us from {farday}", "how long is it from now to {farday}",
            "how much longer <until> {farday}", "when we get to {farday}, how many days will have passed",
        ),
    ),
    call(
        "count_days", {"from": "$farday", "to": "$farday2"}, weight=1.6,
        train=_ways(
            "<count> from {farday} (to|until|till) {farday2}", "<count> between {farday} and {farday2}",
            "<count> is it from {farday} (to|until|till) {farday2}", "<count> are there between {farday} and {farday2}",
            "<count> are there from {farday} to {farday2}", "<count> (lie|lies) between {farday} and {farday2}",
            "<know> <count> there are between {farday} and {farday2}",
            "<know> <count> it is from {farday} (to|until) {farday2}", "days from {farday} (to|until|till) {farday2}",
            "days between {farday} and {farday2}", "count the days from {farday} (to|until|till) {farday2}",
            "count the days between {farday} and {farday2}", "number of days between {farday} and {farday2}",
            "from {farday} (to|until|till) {farday2}, how many days", "between {farday} and {farday2}, how many days",
            "from {farday} to {farday2} is how many days", "{farday} to {farday2}, how many days",
            "how far apart are {farday} and {farday2}", "how many days apart are {farday} and {farday2}",
            "what's the difference in days between {farday} and {farday2}",
            "(the|what's the) number of days from {farday} to {farday2}",
            "how many days pass from {farday} to {farday2}",
            "how many days pass between {farday} and {farday2}", "how long is it between {farday} and {farday2}",
            "if i leave on {farday} and come back on {farday2}, how many days is that",
            "i'm away from {farday} to {farday2}, how many days is that",
            "how much time is between {farday} and {farday2}",
            "calculate the days (from {farday} to {farday2}|between {farday} and {farday2})",
            "starting {farday}, how many days (until|to) {farday2}", "give me the days between {farday} and {farday2}",
        ),
        held_out=_ways(
            "what's the distance in days from {farday} to {farday2}",
            "counting from {farday}, how many days to {farday2}",
            "the stretch from {farday} to {farday2}, how many days is it", "how many days is {farday} before {farday2}",
            "how long does it take from {farday} to get to {farday2}",
        ),
    ),
    call(
        "add_to_day", {"span": "$dayspan"}, weight=1.6,
        train=_ways(
            "<which> is it in {dayspan}", "<which> will it be in {dayspan}", "<which> is {dayspan} from (now|today)",
            "<which> is {dayspan} (ahead|later|away)", "<which> is in {dayspan}",
            "<which> will it be {dayspan} from now",
            "<which> do we have in {dayspan}", "<know> what (day|date) it is in {dayspan}",
            "<know> which (day|date) is {dayspan} from (now|today)", "in {dayspan}, what (day|date) is it",
            "in {dayspan} it will be which (day|date)", "{dayspan} from (now|today)",
            "{dayspan} from today is what date",
            "{dayspan} from now is (when|what day)", "when is {dayspan} from (now|today)", "today plus {dayspan}",
            "add {dayspan} to today", "today and {dayspan}, what date is that", "the date in {dayspan}",
            "date {dayspan} from (now|today)", "give me the date {dayspan} from (now|today)",
            "what's the date {dayspan} from (now|today)", "if i wait {dayspan}, what day is it",
            "{dayspan} later is what day", "what will the date be in {dayspan}", "what day comes {dayspan} from now",
            "count {dayspan} (on|forward|ahead) from today", "what day is {dayspan} after today",
            "the warranty runs {dayspan} from today, until when is that",
            "it takes {dayspan}, so on which day is it done",
        ),
        held_out=_ways(
            "where are we in the calendar in {dayspan}", "go {dayspan} ahead, what date is that",
            "what calendar day falls {dayspan} from today", "when exactly is in {dayspan}",
            "today's date plus {dayspan}",
        ),
    ),
    call(
        "add_to_day", {"day": "$farday", "span": "$dayspan"}, weight=1.3,
        train=_ways(
            "<which> is {dayspan} after {farday}", "<which> is it {dayspan} after {farday}",
            "<which> comes {dayspan} after {farday}", "<which> will it be {dayspan} after {farday}",
            "{dayspan} after {farday}", "{dayspan} after {farday} is (when|what day|which date)",
            "when is {dayspan} (after|from) {farday}", "{farday} plus {dayspan}", "add {dayspan} to {farday}",
            "{farday} and {dayspan} is what date", "<know> what (day|date) is {dayspan} after {farday}",
            "what's {dayspan} after {farday}", "<which> is {dayspan} from {farday}", "{dayspan} from {farday}",
            "count {dayspan} (on|forward|ahead) from {farday}", "starting on {farday}, what day is it after {dayspan}",
            "from {farday}, what day is it {dayspan} later", "{dayspan} later than {farday}, which day is that",
            "if it starts on {farday} and takes {dayspan}, when is it over", "the date {dayspan} after {farday}",
            "give me the date {dayspan} after {farday}", "{dayspan} past {farday}, what date is that",
            "i bought it on {farday}, when are {dayspan} over", "which date do i get {dayspan} after {farday}",
            "go {dayspan} on from {farday}", "what day follows {dayspan} after {farday}",
        ),
        held_out=_ways(
            "take {farday} and add {dayspan}", "with {dayspan} added to {farday}, what date is it",
            "{farday}, then {dayspan} more, when is that", "what do we have {dayspan} after {farday}",
        ),
    ),
    call(
        "add_to_day", {"span": "$-dayspan"}, weight=1.0,
        train=_ways(
            "<which> was it {dayspan} ago", "<which> was {dayspan} ago", "{dayspan} ago, what (day|date) was it",
            "what (day|date) did we have {dayspan} ago", "when was {dayspan} ago", "{dayspan} ago was (when|what day)",
            "<know> what (day|date) it was {dayspan} ago", "today minus {dayspan}", "take {dayspan} (off|from) today",
            "subtract {dayspan} from today", "the date {dayspan} ago", "give me the date {dayspan} ago",
            "<which> is {dayspan} before today", "go {dayspan} back, what (day|date) is that",
            "count {dayspan} (back|backwards) from today", "what was the date {dayspan} ago",
            "what was the date {dayspan} back", "which date lies {dayspan} back", "{dayspan} earlier, what day was it",
            "{dayspan} before today is what date", "which day of the calendar was it {dayspan} ago",
            "it happened {dayspan} ago, on what date", "i called {dayspan} ago, which day was that",
            "{dayspan} back from today", "date {dayspan} ago", "what day was {dayspan} before now",
        ),
        held_out=_ways(
            "{dayspan} in the past, which date was that", "today's date minus {dayspan}",
            "turn the calendar back {dayspan}, what day is it", "what calendar day was {dayspan} ago",
        ),
    ),
    call(
        "add_to_day", {"day": "$farday", "span": "$-dayspan"}, weight=0.8,
        train=_ways(
            "<which> is {dayspan} before {farday}", "<which> is it {dayspan} before {farday}",
            "<which> comes {dayspan} before {farday}", "{dayspan} before {farday}",
            "{dayspan} before {farday} is (when|what day|which date)", "when is {dayspan} before {farday}",
            "{farday} minus {dayspan}", "subtract {dayspan} from {farday}", "take {dayspan} (off|from) {farday}",
            "<know> what (day|date) is {dayspan} before {farday}", "count {dayspan} (back|backwards) from {farday}",
            "what's {dayspan} before {farday}", "the date {dayspan} before {farday}", "{dayspan} earlier than {farday}",
            "i have to apply {dayspan} before {farday}, when is that", "go {dayspan} back from {farday}",
            "give me the date {dayspan} before {farday}", "{dayspan} ahead of {farday}, what date is that",
            "from {farday} go back {dayspan}", "which date do i get {dayspan} before {farday}",
        ),
        held_out=_ways(
            "take {farday} and go back {dayspan}", "{farday} less {dayspan} is which day",
            "which date lies {dayspan} before {farday}",
        ),
    ),
    call(
        "get_weekday", {"day": "$date"}, weight=1.8,
        train=_ways(
            "<weekday> is {date}", "<weekday> is {date} (on|)", "<weekday> does {date} fall on",
            "<weekday> will {date} be",
            "what day is {date}", "what day is {date} on", "what day does {date} fall on", "which day is {date}",
            "which day does {date} (fall|come) on", "what day will {date} be", "what day will it be on {date}",
            "{date} is (a |)what day", "{date} is which (weekday|day of the week)",
            "{date}, what (weekday|day) is that",
            "<know> <weekday> {date} is", "<know> what day {date} is", "<know> what day {date} falls on",
            "on <weekday> does {date} fall", "on what day is {date}", "on which day does {date} fall",
            "is {date} a (monday|tuesday|wednesday|thursday|friday|saturday|sunday)", "is {date} a weekday",
            "does {date} fall on a (weekend|sunday|saturday|friday|monday)", "is {date} (on the|a) weekend",
            "weekday of {date}", "the weekday of {date}", "day of the week for {date}", "the day of the week of {date}",
            "<weekday> was {date}", "what day was {date}", "<weekday> was it on {date}",
            "what weekday do we have on {date}",
            "name the weekday of {date}", "look up what day {date} is", "check what day of the week {date} is",
            "is {date} in the middle of the week", "tell me the weekday (of|for) {date}",
        ),
        held_out=_ways(
            "{date} falls on which weekday", "which of the seven days is {date}", "what's the weekday (for|on) {date}",
            "let me know the day of the week of {date}", "will {date} be a (sunday|monday|friday)",
            "what sort of day is {date}, a weekday or a sunday",
        ),
    ),
    ask(
        "which_day", "get_weekday", {"day": "$date"}, weight=0.25, replies=("{date}", "{date}", "on {date}",
        "of {date}"),
        train=("what day of the week is a date", "find the weekday of a date", "which weekday is a certain date",
               "i want to know the weekday of a date", "look up a weekday", "tell me the weekday of some date",
               "i have a date, which weekday is it", "what weekday is a date on"),
        held_out=("the weekday for a date", "can you find a weekday for a date"),
    ),
)  # fmt: skip


def _removing(slot: str, weight: float) -> Template:
    """Taking an event out of the calendar, by its title."""
    ways = wording(_PARTS | {"it": f"{{{slot}}}"})
    title: Arguments = {"title": f"${slot}"}
    return call(
        "remove_event", title, weight=weight,
        train=ways(
            "<drop> <the> <it>", "<drop> the <it> (in|on|from) <calendar>", "<drop> <it> from <calendar>",
            "take <the> <it> (out of|off|from) <calendar>", "take <it> (out of|off) <calendar>",
            "get <the> <it> (out of|off) <calendar>",
            "(strike|cross|clear|wipe|erase) <the> <it> (from|off) <calendar>",
            "<the> <it> is (cancelled|off|not happening)", "<the> <it> is cancelled, take it (out of|off) <calendar>",
            "<the> <it> isn't happening, remove it from <calendar>", "<the> <it> has been called off",
            "the <it> won't happen, delete it", "<the> <it> (can|should) come (out of|off) <calendar>",
            "(i'm|we're) not going to <the> <it>, take it out of <calendar>", "(i|we) can't make <the> <it>, remove it",
            "no <it> after all, delete it from <calendar>", "(i|we) don't need <the> <it> in <calendar> any more",
            "<it> is off, take it out of <calendar>", "remove the event <it>", "delete the event <it>",
            "delete the calendar entry <it>", "remove the entry <it> from <calendar>", "<calendar>, remove <it>",
            "from <calendar> remove <it>", "calendar: delete <it>", "cancel the event <it>", "unschedule <the> <it>",
            "clear <the> <it>", "i cancelled <the> <it>, take it out", "take the event <it> out",
            "they cancelled <the> <it>, take it out of <calendar>", "i want <the> <it> out of <calendar>",
            "i'd like to (cancel|delete|remove) <the> <it>", "there's no <it> any more, clear it from <calendar>",
            "<the> <it> doesn't take place, delete it",
        ),
        held_out=ways(
            "kick <the> <it> out of <calendar>", "<the> <it> fell through, take it off <calendar>",
            "have <the> <it> removed from <calendar>", "please let <the> <it> disappear from <calendar>",
            "<it> is not on any more, so out of <calendar> with it", "strike out <the> <it>",
        ),
    )  # fmt: skip


_REMOVING = (
    _removing("appointment", 1.5),
    _removing("occasion", 0.8),
    _removing("title", 0.5),
    ask(
        "which_event", "remove_event", {"title": "$appointment"}, weight=0.6,
        replies=("{appointment}", "the {appointment}", "my {appointment}", "it's the {appointment}",
                 "the one called {appointment}", "{appointment} please"),
        train=("(cancel|delete|remove) (an|the) (event|appointment)",
               "take (something|an event) out of (my|the) calendar",
               "(remove|delete) something from (my|the) (calendar|diary)", "i (want|need) to cancel an appointment",
               "delete an event from (my|the) calendar", "one of my appointments is cancelled",
               "i have to cancel something in my calendar", "clear an appointment", "an appointment is off",
               "an event has to come out of my calendar", "cancel one of my (events|appointments)"),
        held_out=("get rid of an appointment", "an event in my calendar must go", "i'd like an appointment removed"),
    ),
)  # fmt: skip

DAYS: tuple[Template, ...] = _COUNTING + _REMOVING
