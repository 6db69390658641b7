"""Ways to ask for reminders: now, after some time, on a day, or again and again."""

from __future__ import annotations

from apps.assistant_model.templates import Template, call, calls
from apps.assistant_model.wording import wording, words

_PARTS = {
    "set": "(set|add|create|make|set up) (a|another|) reminder",
    "need": "(i need|i want|i'd like|give me) a reminder",
    "remind": "(remind me|don't let me forget|make sure i remember)",
    "must": "(i have to|i need to|i must|i've got to|i should|i want to)",
    "way": "(remind me|don't let me forget|make sure i (don't forget|remember)|set a reminder|give me a nudge)",
}
_ways = wording(_PARTS)


def _when(phrase: str, *patterns: str) -> tuple[str, ...]:
    return wording(_PARTS | {"when": phrase})(*patterns)


_TO_DO = (
    "<remind> to {todo} <when>",
    "<remind> <when> to {todo}",
    "<when>(,|) remind me to {todo}",
    "remind me <when>(,| that) (i have to|i need to|i must|i should) {todo}",
    "remind me (that i have to|that i need to|that i must|i have to|i need to) {todo} <when>",
    "<set> <when> to {todo}",
    "<set> to {todo} <when>",
    "(set |)reminder(,|) {todo} <when>",
    "(set |)reminder <when>(,|) (to |){todo}",
    "<need> <when> to {todo}",
    "<need> to {todo} <when>",
    "<must> {todo} <when>(,|) <way>",
    "<when> <must> {todo}(,|) <way>",
    "(tell|alert|notify|prompt|nudge|ping) me <when> to {todo}",
    "(tell|alert|notify|prompt|nudge|ping) me to {todo} <when>",
    "<when> (tell|alert|notify|prompt|nudge) me to {todo}",
    "(don't let me forget|let me not forget) <when> to {todo}",
    "help me remember to {todo} <when>",
    "{todo} <when>, remind me",
    "remind me <when>: {todo}",
    "new reminder(,| to) {todo} <when>",
    "i (mustn't|must not|can't|shouldn't|don't want to) forget to {todo} <when>",
    "i (always |)forget to {todo}, remind me <when>",
    "make sure (that i|i) {todo} <when>, remind me",
    "(put|add) {todo} <when> (to|in|into|on) my reminders",
    "(leave|send|give) me a reminder (<when> to {todo}|to {todo} <when>)",
    "remember for me to {todo} <when>",
)
_TO_DO_HELD_OUT = (
    "i'd like to be reminded to {todo} <when>",
    "i want to be reminded <when> to {todo}",
    "<when> don't let me forget to {todo}",
    "please keep in mind that i have to {todo} <when> and remind me",
    "jog my memory <when> to {todo}",
    "<when> set a reminder to {todo}",
)
_ABOUT = (
    "remind me (about|of) (|the |my ){matter} <when>",
    "remind me <when> (about|of) (|the |my ){matter}",
    "<set> (about|for|of) (|the |my ){matter} <when>",
    "<set> <when> (about|for) (|the |my ){matter}",
    "<when> remind me (about|of) (|the |my ){matter}",
    "don't let me forget (the |my |){matter} <when>",
    "{matter} reminder <when>",
    "(i need|i want|i'd like) a reminder (about|for|of) (the |my |){matter} <when>",
    "(tell|alert|notify|ping) me <when> (about|of) (the |my |){matter}",
    "i (mustn't|can't|must not) forget (the |my |){matter}, remind me <when>",
)
_ABOUT_HELD_OUT = (
    "i'd like to be reminded (about|of) (the |my |){matter} <when>",
    "<when> a reminder (about|of) (the |my |){matter}",
)

SLOTS: dict[str, tuple[str, ...]] = {
    "matter": words(
        "meeting, dentist appointment, rent, laundry, birthday party, car insurance, medication, pills, bins, "
        "recycling, homework, parcel, school trip, doctor's appointment, electricity bill, phone bill, tax return, "
        "passport renewal, library books, car service, job interview, game, concert tickets, parents' evening, "
        "roast, cake, groceries, presentation, deadline, invoice, gas bill, vet appointment, permission slip, "
        "gym class, grocery pickup, sale, conference call, visa, subscription, parking ticket, prescription, "
        "laundry in the dryer, wedding gift, Anna's birthday, mum's present, lunch with Ben, football practice, "
        "yoga, flowers for Clara, swimming kit, dinner with Emma, medicine, water, plants, eye drops, vitamins, "
        "standup, training, cat food, dog walk"
    ),
}

REMINDERS: tuple[Template, ...] = (
    call(
        "add_reminder",
        {"text": "$todo", "*": "$when"},
        weight=2.2,
        train=_when("{when}", *_TO_DO),
        held_out=_when("{when}", *_TO_DO_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "*": "$daytime"},
        weight=0.8,
        train=_when("{daytime}", *_TO_DO[:14]),
        held_out=_when("{daytime}", *_TO_DO_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "*": "$fordaytime"},
        weight=0.5,
        train=_ways(
            "<set> for {fordaytime} to {todo}",
            "(set |)reminder for {fordaytime}(,|) (to |){todo}",
            "<need> for {fordaytime} to {todo}",
            "<set> to {todo} for {fordaytime}",
            "for {fordaytime}, remind me to {todo}",
            "new reminder for {fordaytime}, {todo}",
        ),
        held_out=(
            "for {fordaytime} i need a reminder to {todo}",
            "get a reminder ready for {fordaytime}, {todo}",
        ),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "day": "$day"},
        weight=0.5,
        train=_ways(
            "<set> for {day} to {todo}",
            "(set |)reminder for {day}(,|) (to |){todo}",
            "<need> for {day} to {todo}",
            "<set> to {todo} for {day}",
            "new reminder for {day}, {todo}",
        ),
        held_out=("for {day} i need a reminder to {todo}",),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "time": "$time"},
        weight=0.6,
        train=_ways(
            "<set> for {time} to {todo}",
            "(set |)reminder for {time}(,|) (to |){todo}",
            "<need> for {time} to {todo}",
            "<set> to {todo} for {time}",
            "when it's {time}(,|) (remind|tell) me to {todo}",
            "new reminder for {time}, {todo}",
        ),
        held_out=("once it's {time} remind me to {todo}", "for {time} i need a reminder to {todo}"),
    ),
    call(
        "add_reminder",
        {"text": "$todo"},
        weight=1.0,
        train=_ways(
            "<remind> to {todo}",
            "<set> to {todo}",
            "remind me (that i have to|that i need to|that i must|i have to|i need to) {todo}",
            "(set |)reminder(,|) {todo}",
            "<need> to {todo}",
            "<must> {todo}(,|) <way>",
            "i must remember to {todo}",
            "help me remember to {todo}",
            "i (mustn't|must not|can't|shouldn't|don't want to) forget to {todo}",
            "let me not forget to {todo}",
            "{todo}, remind me",
            "remind me: {todo}",
            "new reminder(,| to) {todo}",
            "i (always |keep |)(forget|forgetting) to {todo}, remind me",
            "(put|add) {todo} (to|in|into|on) my reminders",
            "(leave|send|give) me a reminder to {todo}",
            "remember for me to {todo}",
            "could do with a reminder to {todo}",
        ),
        held_out=(
            "i'd like to be reminded to {todo}",
            "i want to be reminded that i have to {todo}",
            "jog my memory to {todo}",
            "i'll need to {todo}, remind me of it",
        ),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "delay": "$duration"},
        weight=1.7,
        train=_ways(
            *_when("in {duration}", *_TO_DO),
            "(in {duration} from now|{duration} from now)(,|) remind me to {todo}",
            "remind me to {todo} (after {duration}|{duration} from now)",
            "after {duration}(,|) (remind|tell) me to {todo}",
            "remind me (after {duration}|{duration} from now) to {todo}",
            "<set> for {duration} from now to {todo}",
            "give me {duration} and then remind me to {todo}",
            "wait {duration} and (then |)remind me to {todo}",
            "when {duration} (has|have) passed remind me to {todo}",
        ),
        held_out=(
            *_when("in {duration}", *_TO_DO_HELD_OUT),
            "let {duration} pass, then remind me to {todo}",
        ),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "delay": "$aspan"},
        weight=0.2,
        train=_ways(
            "set {aspan} reminder to {todo}",
            "(make|create|add) {aspan} reminder to {todo}",
            "(i need|give me) {aspan} reminder to {todo}",
            "{aspan} reminder to {todo}",
        ),
        held_out=("set up {aspan} reminder to {todo}",),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "day": "$repeat"},
        weight=0.9,
        train=_ways(
            *_when("{repeat}", *_TO_DO[:24]),
            "(set|add|create|make) a (recurring|repeating|regular) reminder {repeat} to {todo}",
            "(recurring|repeating) reminder {repeat}, {todo}",
        ),
        held_out=_when("{repeat}", *_TO_DO_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "day": "every day"},
        weight=0.3,
        train=_when("(every|each) (evening|night|afternoon)", *_TO_DO[:24]),
        held_out=_when("(every|each) (evening|night|afternoon)", *_TO_DO_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "day": "$repeated"},
        weight=0.3,
        train=_ways(
            "(set|add|create|make|set up) a {repeated} reminder to {todo}",
            "{repeated} reminder to {todo}",
            "(i need|i want|i'd like|give me) a {repeated} reminder to {todo}",
            "{repeated} reminder, {todo}",
        ),
        held_out=("a {repeated} reminder would help me to {todo}",),
    ),
    call(
        "add_reminder",
        {"text": "$todo", "*": "$repeatat"},
        weight=0.8,
        train=_ways(
            *_when("{repeatat}", *_TO_DO[:24]),
            "(set|add|create|make) a (recurring|repeating|regular) reminder {repeatat} to {todo}",
        ),
        held_out=_when("{repeatat}", *_TO_DO_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$fact", "*": "$when"},
        weight=0.6,
        train=_ways(
            "remind me {when} that {fact}",
            "{when} remind me that {fact}",
            "(tell|alert|notify) me {when} that {fact}",
            "<set> {when} that {fact}",
            "don't let me forget {when} that {fact}",
            "{when} (tell|alert|notify) me that {fact}",
            "reminder {when}: {fact}",
            "{fact}, remind me {when}",
        ),
        held_out=("i want to be reminded {when} that {fact}", "{when} don't let me forget that {fact}"),
    ),
    call(
        "add_reminder",
        {"text": "$fact", "delay": "$duration"},
        weight=0.3,
        train=_ways(
            "remind me in {duration} that {fact}",
            "in {duration} remind me that {fact}",
            "(tell|alert|notify) me in {duration} that {fact}",
            "<set> in {duration} that {fact}",
            "{duration} from now remind me that {fact}",
            "reminder in {duration}: {fact}",
            "{fact}, remind me in {duration}",
        ),
        held_out=("i want to be reminded in {duration} that {fact}",),
    ),
    call(
        "add_reminder",
        {"text": "$fact"},
        weight=0.3,
        train=_ways(
            "remind me that {fact}",
            "<set> that {fact}",
            "reminder: {fact}",
            "don't let me forget that {fact}",
            "make sure i remember that {fact}",
            "help me remember that {fact}",
        ),
        held_out=("i want to be reminded that {fact}",),
    ),
    call(
        "add_reminder",
        {"text": "$matter", "*": "$when"},
        weight=0.6,
        train=_when("{when}", *_ABOUT),
        held_out=_when("{when}", *_ABOUT_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$matter", "delay": "$duration"},
        weight=0.3,
        train=_ways(*_when("in {duration}", *_ABOUT), "after {duration} remind me (about|of) the {matter}"),
        held_out=_when("in {duration}", *_ABOUT_HELD_OUT),
    ),
    call(
        "add_reminder",
        {"text": "$matter"},
        weight=0.4,
        train=_when("", *(pattern for pattern in _ABOUT if pattern.endswith(" <when>"))),
        held_out=_when("", *_ABOUT_HELD_OUT[:1]),
    ),
    calls(
        (("add_reminder", {"text": "$todo"}), ("add_reminder", {"text": "$todo2"})),
        weight=0.3,
        train=_ways(
            "remind me to {todo} and to {todo2}",
            "(set|add) (two |)reminders to {todo} and to {todo2}",
            "don't let me forget to {todo} and to {todo2}",
            "two reminders, {todo} and {todo2}",
            "remind me to {todo} and also to {todo2}",
        ),
        held_out=("i want to be reminded to {todo} and to {todo2}",),
    ),
)
