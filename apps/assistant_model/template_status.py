"""Ways to ask how things stand at home, on this computer and with what rings; taking reminders and notes back."""

from __future__ import annotations

from apps.assistant_model.templates import Template, ask, call
from apps.assistant_model.wording import wording

_PARTS = {
    "pc": "(this|the|my) (computer|machine|laptop|pc|device|system)",
    "drop": "(cancel|delete|remove|drop|scrap|clear)",
    "memory": "(memory|ram|disk space|storage|free space|space on the disk)",
    "lit": "(light|lights|lamp|lamps)",
    "home": "(at home|in the house|in the home|here|around the house)",
    "the": "(the|my|that|the)",
}
_ways = wording(_PARTS)

_RINGING = (
    call(
        "list_alarms", {}, weight=1.8,
        train=_ways(
            "(which|what|how many) (alarms|reminders) (are set|do i have|are there|have i set)",
            "(list|show|read) (me |)(all |)(my|the) (alarms|reminders)", "show (me |)(my|all|all my) alarms",
            "(which|what) alarms and timers (are set|do i have|are there)", "(my|the) (alarms|reminders)",
            "(which|what) reminders (are coming up|are set|do i have)", "what reminders have i got",
            "list (my|all|all my|the) (alarms|reminders|timers and alarms)", "do i have any (alarms|reminders)( set|)",
            "are (there|) any (alarms|reminders) (set|coming up)", "is (there|) an alarm set", "is any alarm set",
            "did i set (an alarm|any alarms|a reminder|any reminders)",
            "have i set (an alarm|any alarms|any reminders)",
            "tell me (my|all my) (alarms|reminders)", "what (alarms|reminders) are active", "overview of my alarms",
            "show (me |)everything that (is set|will ring)", "what will ring( today|)", "what is going to ring",
            "when (does|will) my (next |)alarm (ring|go off)", "what time is my alarm( set for|)",
            "which alarms are on",
            "when is my next (alarm|reminder)", "what's my next (alarm|reminder)", "show (me |)my timers and alarms",
            "what timers and reminders are (set|there)", "let me see my (alarms|reminders)",
            "check my (alarms|reminders)",
            "when am i being woken", "what time will you wake me", "read out my (alarms|reminders)", "alarm overview",
            "what are you going to remind me of", "what did i ask you to remind me of", "my reminders please",
            "timers, alarms and reminders", "what have i set",
        ),
        held_out=_ways(
            "are there any reminders waiting", "which reminders are waiting",
            "give me (a list|an overview) of my alarms",
            "what alarms have i got going", "let me know which alarms are set", "what's set to ring",
            "i want to see (all |)my reminders",
        ),
    ),
    call(
        "cancel_reminder", {"text": "$todo"}, weight=1.8,
        train=_ways(
            "<drop> <the> reminder to {todo}", "<drop> <the> reminder (that i have|that i need) to {todo}",
            "(don't|do not|no need to) remind me to {todo} (any more|anymore|after all|)",
            "you (don't have|don't need) to remind me to {todo}( any more| anymore|)", "stop reminding me to {todo}",
            "forget <the> reminder to {todo}", "take (away|off|out) the reminder to {todo}", "no reminder to {todo}",
            "i no longer need <the> reminder to {todo}", "i don't need <the> reminder to {todo}( any more| anymore|)",
            "i already did it, <drop> <the> reminder to {todo}", "the reminder to {todo} can go",
            "kill the reminder to {todo}",
            "get rid of <the> reminder to {todo}", "<drop> <the> reminder(:|,) {todo}", "<drop> reminder to {todo}",
            "reminder to {todo}, <drop> it", "i want to (cancel|delete|remove) <the> reminder to {todo}",
            "the reminder to {todo} is not needed (any more|anymore)", "<drop> the reminder called {todo}",
            "i (won't|don't have to) {todo}, <drop> the reminder", "never mind reminding me to {todo}",
            "i did {todo}, <drop> the reminder", "erase <the> reminder to {todo}", "dismiss the reminder to {todo}",
            "call off <the> reminder to {todo}", "turn off <the> reminder to {todo}", "undo the reminder to {todo}",
        ),
        held_out=_ways(
            "strike <the> reminder to {todo}", "i don't have to be reminded to {todo}( any more|)",
            "wipe the reminder to {todo}",
            "let go of the reminder to {todo}", "you can skip reminding me to {todo}",
            "have the reminder to {todo} removed",
        ),
    ),
    call(
        "cancel_reminder", {"text": "$matter"}, weight=1.2,
        train=_ways(
            "<drop> <the> reminder (about|for|of) (the |my |){matter}", "<drop> <the> {matter} reminder",
            "(don't|do not) remind me (about|of) (the |my |){matter}( any more| anymore| after all|)",
            "stop reminding me (about|of) (the |my |){matter}", "no reminder (about|for) the {matter}",
            "i don't need <the> reminder (about|for) (the |my |){matter}( any more|)",
            "<drop> the reminder with {matter}",
            "you don't have to remind me (about|of) (the |my |){matter}",
            "forget the reminder about (the |my |){matter}",
            "the {matter} reminder can go", "the reminder (about|for) the {matter} can go",
            "{matter} reminder, <drop> it",
            "get rid of <the> reminder (about|for) (the |my |){matter}", "take away the reminder about the {matter}",
            "i no longer need <the> {matter} reminder", "<drop> reminder {matter}", "erase the {matter} reminder",
            "the {matter} is done, <drop> the reminder", "call off the {matter} reminder",
            "turn off the {matter} reminder",
            "the {matter} reminder is not needed any more", "kill the reminder (about|for) the {matter}",
            "i want to (cancel|delete|remove) the {matter} reminder", "dismiss the {matter} reminder",
            "<drop> (the|my) reminder that is about (the |my |){matter}",
        ),
        held_out=_ways(
            "strike the {matter} reminder", "wipe the reminder about (the |my |){matter}",
            "skip the reminder for the {matter}",
            "i don't have to be reminded (about|of) the {matter}",
        ),
    ),
    ask(
        "which_reminder", "cancel_reminder", {"text": "$todo"}, weight=0.7,
        replies=("{todo}", "to {todo}", "the one to {todo}", "the reminder to {todo}", "that i have to {todo}"),
        train=_ways("(cancel|delete|remove) (a|the|my|that|one of my) reminder",
                    "i don't need (a|that|the) reminder any more",
                    "get rid of a reminder", "i want to (cancel|delete|remove) a reminder", "a reminder can go",
                    "take a reminder away", "i have to delete a reminder", "one of my reminders can go",
                    "erase a reminder",
                    "drop (a|the) reminder", "a reminder is not needed any more"),
        held_out=("strike a reminder", "i'd like a reminder removed", "there's a reminder i don't need"),
    ),
)  # fmt: skip


def _removing_notes(slot: str, said: str, weight: float) -> Template:
    """Deleting the note that holds some words, `said` with or without an article."""
    ways = wording(_PARTS | {"it": said, "about": "(about|about|on|with)"})
    return call(
        "remove_note", {"query": f"${slot}"}, weight=weight,
        train=ways(
            "<drop> <the> note <about> <it>", "<drop> (my|the) notes <about> <it>", "delete the note <about> <it>",
            "(erase|throw away|bin|trash|discard|tear up) <the> note <about> <it>", "delete my note <about> <it>",
            "get rid of <the> note <about> <it>", "i don't need <the> note <about> <it>( any more| anymore|)",
            "<the> note <about> <it> can go", "<the> note <about> <it> is (old|out of date|wrong), delete it",
            "take <the> note <about> <it> (away|out)", "remove what i (wrote|noted) about <it>",
            "delete what i wrote about <it>",
            "forget what i (noted|wrote down) about <it>", "forget <the> note <about> <it>",
            "note about <it>, delete it",
            "from my notes (delete|remove) the one <about> <it>", "in my notes, delete the one <about> <it>",
            "i no longer need <the> note <about> <it>", "<drop> the note that (mentions|says something about) <it>",
            "<the> note <about> <it> should be deleted", "find the note <about> <it> and delete it",
            "wipe <the> note <about> <it>", "i want <the> note <about> <it> (gone|deleted|removed)",
            "you can delete <the> note <about> <it>", "clear the note <about> <it>", "strike <the> note <about> <it>",
            "i made a note about <it>, delete it", "that note <about> <it>, remove it",
        ),
        held_out=ways(
            "do away with <the> note <about> <it>", "have <the> note <about> <it> deleted",
            "let <the> note <about> <it> disappear",
            "burn <the> note <about> <it>", "out with the note <about> <it>",
        ),
    )  # fmt: skip


_NOTES = (
    _removing_notes("note_topic", "(the |my |the |our |){note_topic}", 1.5),
    _removing_notes("someone", "{someone}", 0.6),
    _removing_notes("device", "(the |my |){device}", 0.4),
    ask(
        "which_note", "remove_note", {"query": "$sought"}, weight=0.6,
        replies=("{sought}", "the one about {sought}", "about the {sought}", "the {sought} note",
                 "the note about {sought}"),
        train=_ways("(delete|erase|remove|throw away) (a|the|my|that|one of my) note", "i don't need a note any more",
                    "get rid of (a|that) note", "i want to (delete|remove) a note", "one of my notes can go",
                    "tear up that note", "bin a note", "a note can go", "i have to delete a note", "clear a note"),
        held_out=("discard one of my notes", "i'd like a note deleted", "there's a note i don't need"),
    ),
)  # fmt: skip

_COMPUTER = (
    call(
        "system_info", {}, weight=2.4,
        train=_ways(
            "how much <memory> (do i have|is left|have i got|is free|is there)",
            "how full is (the|my) (disk|hard drive|drive)",
            "how much <memory> does <pc> have( left|)", "how (hot|warm) is <pc>", "how's <pc> doing",
            "how is <pc> doing",
            "how (hot|warm) is the (cpu|processor|chip)", "temperature of (the cpu|<pc>)",
            "is <pc> (hot|too hot|overheating)",
            "is (the|my) (disk|drive|hard disk|memory) (full|nearly full|almost full)",
            "is there enough <memory>( left|)",
            "system (info|information|status|report)", "(computer|machine) status", "status of <pc>", "info about <pc>",
            "tell me (about|the state of) <pc>", "how much battery (is left|do i have|is there|have i got)",
            "what's the battery level", "battery level", "how full is the battery", "battery status",
            "check the battery",
            "is the battery (full|low|empty|nearly empty)", "battery percentage", "how long will the battery last",
            "what's the charge of the battery", "how's the battery", "do i need to charge( <pc>|)",
            "tell me the battery level", "how many percent has the battery", "is <pc> charging",
            "does <pc> need charging",
            "how much of the (memory|ram|disk) is (used|in use|taken|full)", "what's using up the (disk|memory)",
            "(show|check|tell me) the (memory|disk|battery|temperature) of <pc>", "memory usage", "disk usage",
            "ram usage",
            "show (me |)(the |)(system information|system status|disk space|free memory|memory usage)",
            "do i have enough <memory>( left|)", "am i running out of <memory>", "how healthy is <pc>", "check <pc>",
            "what's the temperature of <pc>", "how many gigabytes are (free|left)", "free (memory|disk space)",
            "what's the state of (<pc>|the disk|the battery|the memory)",
        ),
        held_out=_ways(
            "how charged is this thing", "what percentage is the battery at", "is there enough battery",
            "how many gigabytes do i have left", "is <pc> running hot", "what shape is <pc> in",
            "any room left on the disk",
            "let me know how much memory is free",
        ),
    ),
)  # fmt: skip

_HOME = (
    call(
        "get_home", {}, weight=1.8,
        train=_ways(
            "what's (switched |turned |)on <home>", "what is (still |)on <home>",
            "what's (still |)(switched|turned) on",
            "is anything (still |)(on|switched on|running)( <home>|)",
            "(which|what) (devices|things) are (still |)on( <home>|)",
            "which <lit> are (on|off|still on)( <home>|)", "are (any|the|all the) <lit> (on|still on|off)( <home>|)",
            "(is|are) the (heating|{device}) (on|off|still on)", "is the {device} (on|off|running|still running)",
            "did i (leave|turn off|switch off) the ({device}|lights|heating)(| on)",
            "did i leave (anything|something) on",
            "did i (forget to switch off|leave on) (anything|something)( <home>|)",
            "show (me |)the (state of the |)(home|house)",
            "what's the (state|status) of the (home|house)", "home status", "status of the (house|home)",
            "house overview",
            "how's the house", "tell me what's on( <home>|)", "what have i left on", "which sockets are on",
            "list what's (switched |turned |)on( <home>|)", "is everything (switched |turned |)off( <home>|)",
            "are all the lights off", "check (the house|what's on <home>)", "what's running <home>",
            "give me an overview of the (home|house)", "is the light (still |)on anywhere",
            "which rooms have (their |the |)lights on",
            "in which rooms is the (light|heating) on", "is the heating (on|running) anywhere",
            "let me see the (home|house)",
            "what devices are on( right now| at the moment|)", "have i left (a light|the lights|anything) on",
        ),
        held_out=_ways(
            "check whether the {device} is on", "did someone leave the {device} on", "what's the state of the heating",
            "is there anything burning electricity <home>", "anything left on <home>",
            "which devices are running right now",
            "let me know what's switched on",
        ),
    ),
    call(
        "get_home", {"room": "$room"}, weight=1.8,
        train=_ways(
            "(is|are) the (light|lights|heating) (on|off|still on) in the {room}",
            "(is|are) the {room} (light|lights|heating|lamp) (on|off|still on)",
            "what's (switched |turned |)on in the {room}",
            "what is (still |)on in the {room}", "is anything (still |)(on|switched on) in the {room}",
            "did i (leave|turn off|switch off) the (light|lights|heating) in the {room}", "how's the {room}",
            "did i (leave|turn off|switch off) the {room} (light|lights|heating)", "did i leave the {room} light on",
            "is the <lit> in the {room} (on|off|still on)", "which (lights|things|devices) are on in the {room}",
            "what's the (state|status) of the {room}", "status of the {room}", "{room} status", "show (me |)the {room}",
            "show (me |)the state of the {room}", "tell me what's on in the {room}", "is it (dark|lit) in the {room}",
            "check the {room}", "check (the lights|the heating|what's on) in the {room}", "is the {room} (lit|dark)",
            "is there (a light|light|anything) on in the {room}", "is the heating (running|on) in the {room}",
            "are the {room} lights (still |)(on|burning)", "how bright is (it|the light) in the {room}",
            "what is the (light|heating) in the {room} set to", "is the {room} (being heated|heated)",
            "what's going on in the {room}", "have i left anything on in the {room}", "look into the {room}",
            "in the {room}, what's on", "is everything off in the {room}", "how are things in the {room}",
        ),
        held_out=_ways(
            "tell me if the lights are off in the {room}", "check whether the {room} light is on",
            "is a lamp burning in the {room}", "anything left on in the {room}", "give me the state of the {room}",
            "i want to know if the {room} heating is on",
        ),
    ),
)  # fmt: skip

STATUS: tuple[Template, ...] = _RINGING + _NOTES + _COMPUTER + _HOME
