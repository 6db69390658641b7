"""Ways to ask for the calendar, the clock time and the date."""

from __future__ import annotations

from apps.assistant_model.templates import Template, call, calls
from apps.assistant_model.wording import wording, words

SLOTS: dict[str, tuple[str, ...]] = {
    # Events that take an article, then those that take none.
    "appointment": words(
        "dentist appointment, doctor's appointment, team meeting, job interview, piano lesson, board meeting, "
        "haircut, yoga class, project review, birthday party, planning call, concert, massage, school play, "
        "budget review, house viewing, vaccination, workshop, conference call, phone call with the bank, "
        "meeting with Anna, call with Ben, meeting with the landlord, video call with grandma, driving lesson, "
        "parent teacher meeting, blood test, check up, hair appointment, vet appointment, flu shot, job fair, "
        "flight to Rome, train to Leeds, guitar lesson, tennis match, chess tournament, dance class, "
        "swimming lesson, book club meeting, staff meeting, sales meeting, client call, performance review, demo, "
        "webinar, physio session, therapy session, gym session, boiler inspection, car inspection, "
        "garage appointment, lunch meeting, dinner party, housewarming, wedding, funeral, pub quiz, school trip, "
        "picnic, date with Sam, meeting about the budget, meeting with my boss, call with the new client, "
        "one on one with Maria, hospital appointment, tax appointment, movie night, barbecue, dentist visit, "
        "meeting, call, conference"
    ),
    "occasion": words(
        "lunch with Anna, dinner with Ben, yoga, football practice, swimming, choir, book club, tennis, chess club, "
        "coffee with Clara, drinks with the team, dinner at mum's, breakfast with dad, Emma's birthday, "
        "mum's birthday, brunch with the girls, band practice, choir practice, soccer practice, ballet, karate, "
        "pilates, parents evening, parents' evening, date night, game night, spring cleaning, sports day, "
        "lunch with grandma, tea with aunt Lucy, golf with uncle Joe, badminton with Paul, training, band rehearsal, "
        "basketball, church, physio, therapy, graduation, Tom's graduation, Liam's school play, Noah's party, "
        "bin collection, car service, squash with Henry, drinks with Kate, coffee with my sister, "
        "dinner with the neighbours, dog training, french class, spanish lessons, pottery class, boxing, rehearsal, "
        "rugby training, babysitting, maths tutoring, jury duty, inventory, team lunch, moving day, "
        "Grace's baby shower, swimming with the kids, dentist, doctor, lunch, dinner, gym, school run"
    ),
}

_PARTS = {
    "calendar": "(my|the|our) (calendar|diary|schedule|planner|agenda)",
    "into": "(to|in|into|on|onto) <calendar>",
    "put": "(add|put|enter|write|pop|stick|note|save|get)",
    "things": "(appointments|meetings|events|plans|commitments)",
    "show": "(show me|show|read me|read out|read|tell me|check|open|pull up|look at|look up|give me|go through)",
    "have": "(i have|i've got|there's|we have|we've got)",
    "add it": (
        "(add (it|that) to (my|the) calendar|put (it|that) (in|on) (my|the) (calendar|diary)|schedule it|"
        "write it (down |)in my calendar|(note|save|enter) it in (my|the) (calendar|diary)|calendar it)"
    ),
    "in town": "(in|over in|for) {city}",
}
_ways = wording(_PARTS)


def _event(title: str, when: str, *patterns: str) -> tuple[str, ...]:
    return wording(_PARTS | {"it": title, "when": when})(*patterns)


_EVENT = (
    "<put> <it> <when> <into>",
    "<put> <it> <into> <when>",
    "(schedule|plan|arrange|add|enter|set up|create|pencil in|put in|note) <it> <when>",
    "<have> <it> <when>(,|) <add it>",
    "<when> <have> <it>(,|) <add it>",
    "(new|add|create|make|add an|create an|make an|add a new|create a new) (event|calendar event)(,|:|) <it> <when>",
    "(new|add|create) (calendar entry|calendar event|event) <when>(,|:|) <it>",
    "calendar entry <when>(,|:|) <it>",
    "(event|calendar)(:|,|) <it> <when>",
    "<when>(,|) <it>(,|) <add it>",
    "<it> <when>(,|) <add it>",
    "<when> (schedule|add|put in|plan|enter) <it>",
    "<when> (add|put) <it> <into>",
    "(create|make|add) (a calendar entry|an entry|a calendar event|an event) for <it> <when>",
    "(create|make|add) (a calendar entry|an entry|an event) (called|named|titled) <it> <when>",
    "(mark|log|register|record) <it> <when> <into>",
    "mark <calendar> for <it> <when>",
    "(block out time for|block time for|make time for|save the date for|make room for) <it> <when>",
    "(schedule|plan|book|squeeze) <it> <into> <when>",
    "(i'd like|i want|i need) to (add|put) <it> <into> <when>",
    "(i'd like|i want|i need) <it> <into> <when>",
    "(i'd like|i want|i need) to (schedule|plan|enter) <it> <when>",
    "in <calendar> (add|put|write|enter) <it> <when>",
    "<it> (is|will be) <when>(,|) <add it>",
    "(we're|i'm) having <it> <when>(,|) <add it>",
    "let's (plan|schedule|have) <it> <when>(,|) <add it>",
    "(let's|we should) (schedule|plan) <it> <when>",
)
_EVENT_HELD_OUT = (
    "make an entry <into> for <it> <when>",
    "<when> i'm having <it>, please schedule it",
    "jot <it> <when> down <into>",
    "my calendar needs <it> <when>",
    "an appointment has come up, <it> <when>, <add it>",
)
_EVENT_FOR = (
    "<put> <it> <into> <when>",
    "<put> <it> <when> <into>",
    "(schedule|plan|arrange|set up|create|pencil in|put in|add) <it> <when>",
    "calendar entry <when>(,|:|) <it>",
    "(new|add|create) (calendar entry|calendar event|event) <when>(,|:|) <it>",
    "(schedule|plan|book) <it> <into> <when>",
    "(i'd like|i want|i need) to (schedule|plan) <it> <when>",
    "<it> is (planned|scheduled|set|booked) <when>(,|) <add it>",
    "(create|make|add) an event <when>(,| called) <it>",
    "put me down <when>, <it>",
)
_EVENT_FOR_HELD_OUT = ("let's get <it> <into> <when>", "put down <it> <when>", "<when>, enter <it> <into>")


def _events(title: str, slot: str, weight: float) -> tuple[Template, ...]:
    """The ways to put one kind of event into the calendar, for each way to say when."""
    return (
        call(
            "add_event",
            {"title": slot, "*": "$when"},
            weight=weight,
            train=_event(title, "{when}", *_EVENT),
            held_out=_event(title, "{when}", *_EVENT_HELD_OUT),
        ),
        call(
            "add_event",
            {"title": slot, "*": "$daytime"},
            weight=weight * 0.6,
            train=_event(title, "{daytime}", *_EVENT),
            held_out=_event(title, "{daytime}", *_EVENT_HELD_OUT),
        ),
        *(
            call(
                "add_event",
                {"title": slot, key: f"${value}"},
                weight=weight * 0.25,
                train=_event(title, f"for {{{value}}}", *_EVENT_FOR),
                held_out=_event(title, f"for {{{value}}}", *_EVENT_FOR_HELD_OUT),
            )
            for key, value in (("*", "fordaytime"), ("day", "day"), ("time", "time"))
        ),
        call(
            "add_event",
            {"title": slot, "*": "$repeatat"},
            weight=weight * 0.15,
            train=_event(title, "{repeatat}", *_EVENT[:12]),
            held_out=_event(title, "{repeatat}", *_EVENT_HELD_OUT),
        ),
    )


CALENDAR: tuple[Template, ...] = (
    *_events("{title}", "$title", 0.7),
    *_events("{occasion}", "$occasion", 0.8),
    *_events("(a|my|the|) {appointment}", "$appointment", 0.9),
    call(
        "get_events",
        {"day": "$day"},
        weight=2.2,
        train=_ways(
            "what's (on |in |)(my|the|our) (calendar|diary|schedule|agenda|planner) {onday}",
            "(what|which) (appointments|meetings|events|plans) (do i have|have i got|are there) {onday}",
            "what (do i have|have i got|do we have)( planned| scheduled| going on| on my calendar| to do|) {onday}",
            "(am i|are we) (free|busy|available|booked) {onday}",
            "do (i|we) have (anything|something|any plans|any meetings|any appointments|meetings|plans)"
            "( planned| scheduled| on my calendar|) {onday}",
            "(what are|what're|tell me) (my|our) <things> {onday}",
            "<show> <calendar> for {day}",
            "<show> (my|the|our) <things> (for {day}|{onday})",
            "<calendar> for {day}",
            "(my |any |)(appointments|meetings|events|plans) {onday}",
            "what am i doing {onday}",
            "is there (anything|something) (on|in) (my|the) (calendar|diary|schedule) {onday}",
            "have i got (anything|any meetings|any appointments|plans)( planned|) {onday}",
            "what does (my|the) (day|calendar|schedule|diary|agenda) look like {onday}",
            "how (busy|booked|free|full) (am i|is my day|is my calendar|is my schedule) {onday}",
            "what's (happening|planned|coming up|scheduled|going on|up) {onday}",
            "when (is|will be) my (first|next|last) (meeting|appointment|event) {onday}",
            "(walk|run|talk) me through {day}",
            "what's (the plan|my plan|on the agenda|my day like) (for {day}|{onday})",
            "{onday} what (do i have|am i doing|have i got|is planned)",
            "how many (meetings|appointments|events) do i have {onday}",
            "(look|check) (in|into) my (calendar|diary) for {day}",
            "what does {day} look like",
            "how does {day} look",
            "is {day} (free|busy|open|booked)",
            "anything (planned|in my diary|on my calendar|scheduled) {onday}",
            "do i (have to|need to) be (anywhere|somewhere) {onday}",
            "(is|are) there (any |)(meetings|appointments|events) {onday}",
            "(can i|could i) (sleep in|take it easy) {onday}, or do i have (meetings|appointments)",
            "what time is my (first|next) (meeting|appointment) {onday}",
            "check (if|whether) i('m| am) (free|busy|available) {onday}",
            "(give me|i want|i need) (an overview of|the schedule for|my schedule for|the agenda for) {day}",
            "where do i (have to|need to) be {onday}",
        ),
        held_out=(
            "what's in store for me {onday}",
            "what does my calendar say (about|for) {day}",
            "have we got plans {onday}",
            "did i plan anything {onday}",
            "i'd like to know my appointments {onday}",
            "list (everything|all events) {onday}",
        ),
    ),
    call(
        "get_events",
        {"day": "$dayof"},
        weight=0.7,
        train=_ways(
            "<show> {dayof} (calendar|schedule|agenda|appointments|meetings|events|plans)",
            "what's on {dayof} (calendar|schedule|agenda|program)",
            "{dayof} (calendar|schedule|agenda|appointments|meetings|events|plans)",
            "what are {dayof} (appointments|meetings|events|plans)",
            "(any|how many|are there any) meetings on {dayof} (calendar|schedule|agenda)",
            "what does {dayof} (calendar|schedule|agenda) look like",
            "(i need|i want|i'd like) {dayof} (schedule|agenda)",
            "how (full|busy|packed) is {dayof} (calendar|schedule|agenda)",
        ),
        held_out=("what's (there |)in {dayof} diary", "let me see {dayof} (schedule|appointments)"),
    ),
    call(
        "get_events",
        {"day": "$week"},
        weight=0.4,
        train=_ways(
            "what's (on |in |)<calendar> {week}",
            "what (do i have|have i got|am i doing)( planned| scheduled| going on|) {week}",
            "<show> <calendar> for {week}",
            "<show> (my|the|our) <things> (for |){week}",
            "am i (free|busy) {week}",
            "do i have (anything|any meetings|any appointments|plans)( planned|) {week}",
            "what's (happening|planned|coming up) {week}",
            "what does {week} look like",
            "how many (meetings|appointments) do i have {week}",
            "what's on {week}",
        ),
        held_out=("have i got any appointments {week}", "how does {week} look"),
    ),
    call(
        "get_events",
        {},
        weight=0.8,
        train=_ways(
            "what's (on |in )<calendar>",
            "<show> <calendar>",
            "<show> (my|the|our) <things>",
            "(what|which) (appointments|meetings|events|plans) do i have",
            "what are my <things>",
            "do i have (any |)(appointments|meetings|events|plans)( coming up|)",
            "(what|when) is my next (appointment|meeting|event)",
            "(what's|when's) my next (appointment|meeting|event)",
            "what's (next|coming up) (on|in) <calendar>",
            "what's coming up",
            "is there (anything|something) (on|in) <calendar>",
            "(my |)(calendar|schedule|appointments|agenda)",
            "have i got (any |)(appointments|meetings|anything in my diary)",
            "what does <calendar> (say|look like)",
            "(any|are there any) (upcoming |)(appointments|meetings|events)",
            "what do i have (planned|scheduled|coming up|on my calendar)",
            "list my <things>",
            "how (busy|full) is <calendar>",
            "am i (free|busy)",
            "what's my schedule( like|)",
            "when (do|will) i (have|see) my next (meeting|appointment)",
            "i (want|need|would like) to see <calendar>",
        ),
        held_out=(
            "let me see my (calendar|diary|schedule)",
            "what have i got planned",
            "take a look (at|into) my (calendar|diary)",
            "what's the next thing (on|in) my (calendar|diary)",
        ),
    ),
    call(
        "get_time",
        {},
        weight=0.8,
        train=_ways(
            "(what time is it|what's the time|what is the time)( now| right now| at the moment| exactly|)",
            "(tell me|give me|show me|say) the (time|current time|exact time|clock time)( now|)",
            "(the |)time( please| now|)",
            "(do you know|can you tell me|do you have|have you got|you got) the time",
            "(do you know|can you tell me|tell me|i wonder|i'd like to know) what time it is",
            "(how late is it|what hour is it|how late have we got it)",
            "what does the clock say",
            "current time",
            "clock",
            "(check|read) the (time|clock)",
            "(i need|i want) to know the time",
            "what's the (current|exact|local|right) time( here| now|)",
            "what time (do we have|have we got|have you got|do you have|do you make it)",
            "(got|have) the time",
            "is it late( already|)",
            "what time are we (at|on)",
            "what's the hour",
            "what time is it (here|in here|where i am)",
            "i (lost|don't have|forgot) my watch, what time is it",
        ),
        held_out=(
            "let me know the time",
            "what's the clock (say|showing)",
            "could i have the time",
            "i'd like to know the time",
            "what time might it be",
        ),
    ),
    call(
        "get_time",
        {"place": "$city"},
        weight=1.2,
        train=_ways(
            "(what time is it|what's the time|what is the time) (now |right now |)<in town>",
            "<in town> what time is it( now|)",
            "(the |)(current |local |)time in {city}",
            "{city} time",
            "(tell me|give me|show me) the (current |local |)time <in town>",
            "how late is it in {city}",
            "(do you know|can you tell me|tell me|i'd like to know) what time it is in {city}",
            "(do you know|i need|check) the time in {city}",
            "what's the (local|current|exact) time in {city}( now|)",
            "what (time|hour) do they have in {city}",
            "what does the clock say in {city}",
            "what hour is it in {city}",
            "is it (late|night|day|morning|evening) in {city}( now|)",
            "time (right |)now in {city}",
            "(i need|i want) to know (the time|what time it is) in {city}",
            "what's {city} time( right now|)",
            "clock in {city}",
            "i want to call someone in {city}, what time is it there",
            "if i call {city} now, what time is it there",
            "what time of day is it in {city}",
            "what's the time (like |)over in {city}",
            "they live in {city}, what time is it there",
            "how (early|late) is it (now |)in {city}",
        ),
        held_out=(
            "(what time|how late) have they got in {city}",
            "let me know the time in {city}",
            "which time is it (now |)in {city}",
            "in {city}, what does the clock show",
            "what's the hour in {city}",
        ),
    ),
    call(
        "get_date",
        {},
        weight=1.0,
        train=_ways(
            "(what's|what is) the date( today| now| please|)",
            "(what|which) (day|date) is it( today| now|)",
            "(what's|what is) today's date",
            "(tell me|give me|show me|say) (the date|today's date|the current date|what day it is|today's day)",
            "(what|which) day (of the week |of the month |)is (it|today|it today)",
            "(today's|the|current) date( please|)",
            "date( today|)",
            "(do you know|can you tell me|tell me) (what day it is|the date|what date it is|today's date)",
            "what (day|date) (do we have|have we got|are we on)( today|)",
            "is (it|today) (monday|tuesday|wednesday|thursday|friday|saturday|sunday)( today|)",
            "(what|which) (month|year|week) is it( now|)",
            "what (month|year) are we in",
            "(what's|what is) (the day|the day today|today)",
            "what's the (current|exact) (date|day)",
            "how many days into the month are we",
            "(i need|i want) (to know |)(the date|today's date)",
            "what day of the month is it",
            "check the date",
            "i (forgot|don't know) what day it is",
            "what's the date (of |)today",
        ),
        held_out=(
            "let me know (the date|what day it is)",
            "today is which (day|date)",
            "could i have (the date|today's date)",
            "which weekday is it",
            "what's the calendar date",
        ),
    ),
    calls(
        (("get_time", {"place": "$city"}), ("get_time", {"place": "$city2"})),
        weight=0.3,
        train=(
            "(what time is it|what's the time) in {city} and (in |){city2}",
            "(the |)time in {city} and (in |){city2}",
            "(tell me|give me) the time in {city} and (in |){city2}",
            "how late is it in {city} and (in |){city2}",
        ),
        held_out=("what hour is it in {city} and {city2}",),
    ),
    calls(
        (("get_time", {}), ("get_date", {})),
        weight=0.3,
        train=(
            "(what's|tell me|give me) the time and (the |)date",
            "what time and date is it",
            "time and date( please|)",
            "what time is it and what('s| is) the date",
            "what time and what day is it",
        ),
        held_out=("let me know the time and the date",),
    ),
)
