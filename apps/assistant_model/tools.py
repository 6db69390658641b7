"""The tools that the bundled model is given when nobody gives it others, and the sentences that it may say.

Everything else speaks of a tool by its name here; what a prompt calls it may differ (`tool_list.py`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: its name, what it holds, and its JSON schema type."""

    name: str
    description: str
    type: str = "string"


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool; arguments that a request does not name are left out of the call."""

    name: str
    description: str
    arguments: tuple[Argument, ...] = ()


def _tool(name: str, description: str, *arguments: Argument) -> Tool:
    return Tool(name, description, arguments)


_ROOM = Argument("room", "room, or all")
_DAY = Argument("day", "day, like friday or 05-03")
_TIME = Argument("time", "time, like 18:30")
_LIST = Argument("list", "name of the list")
_ITEMS = Argument("items", "things on the list", "array")
_STATE = Argument("state", "on or off")

TOOLS: tuple[Tool, ...] = (
    _tool("set_light", "switch, dim or colour lights", _ROOM, _STATE,
          Argument("brightness", "percent", "integer"), Argument("color", "colour"),
          Argument("change", "percent more or less", "integer")),
    _tool("set_socket", "switch a device on or off", Argument("device", "device"), _STATE),
    _tool("set_heating", "heat or cool a room", _ROOM, Argument("temperature", "degrees", "integer"),
          Argument("change", "degrees more or less", "integer"), _STATE),
    _tool("set_timer", "start a timer", Argument("duration", "length, like 1h30m"),
          Argument("label", "what it is for")),
    _tool("check_timer", "time left on a timer", Argument("label", "what it is for")),
    _tool("cancel_timer", "stop a timer", Argument("label", "what it is for")),
    _tool("set_alarm", "set an alarm", _TIME, _DAY),
    _tool("cancel_alarm", "remove an alarm", _TIME, _DAY),
    _tool("add_reminder", "remind of something later", Argument("text", "what to do"), _DAY, _TIME,
          Argument("delay", "time from now, like 20m")),
    _tool("add_to_list", "put things on a list", _LIST, _ITEMS),
    _tool("remove_from_list", "take things off a list", _LIST, _ITEMS),
    _tool("read_list", "read a list out", _LIST),
    _tool("add_note", "write a note", Argument("text", "what to write")),
    _tool("find_notes", "search the notes", Argument("query", "words to look for")),
    _tool("play_media", "play music or sound", Argument("what", "artist, song, style or station"),
          Argument("room", "room")),
    _tool("control_media", "control what is playing", Argument("action", "pause, resume, stop, next or previous")),
    _tool("set_volume", "change the volume", Argument("level", "percent", "integer"),
          Argument("change", "percent more or less", "integer")),
    _tool("get_weather", "weather forecast", Argument("place", "town"), _DAY),
    _tool("get_events", "look into the calendar", _DAY),
    _tool("add_event", "put an event into the calendar", Argument("title", "what it is"), _DAY, _TIME),
    _tool("calculate", "work out a sum", Argument("expression", "sum, like 3*4")),
    _tool("convert_units", "convert units", Argument("value", "number", "number"), Argument("from", "unit it is in"),
          Argument("to", "unit wanted")),
    _tool("set_setting", "switch a system setting", Argument("name", "setting"), _STATE),
    _tool("set_screen", "screen brightness", Argument("brightness", "percent", "integer"),
          Argument("change", "percent more or less", "integer")),
    _tool("open_app", "open an app", Argument("name", "app")),
    _tool("system_action", "act on this computer", Argument("action", "lock, sleep, restart, shutdown or screenshot")),
    _tool("get_time", "clock time", Argument("place", "town")),
    _tool("get_date", "date today"),
)  # fmt: skip

# What the assistant app offers besides: behind its list of all of them the model is trained and tested too.
_PATH = Argument("path", "file, like notes/plan.txt")
_FOLDER = Argument("folder", "folder, all if left out")

MORE_TOOLS: tuple[Tool, ...] = (
    _tool("list_alarms", "show timers, alarms and reminders that are set"),
    _tool("cancel_reminder", "remove a reminder", Argument("text", "what to do")),
    _tool("remove_note", "delete a note", Argument("query", "words to look for")),
    _tool("remove_event", "take an event out of the calendar", Argument("title", "what it is")),
    _tool("count_days", "days from one day to another", Argument("from", "first day, today if left out"),
          Argument("to", "day, like friday or 05-03")),
    _tool("add_to_day", "which day is some time later or earlier",
          Argument("day", "day to count from, today if left out"),
          Argument("span", "like 3 weeks, 45 days, -2 months")),
    _tool("get_weekday", "which day of the week a date is", _DAY),
    _tool("list_files", "list the files of a folder", _FOLDER),
    _tool("read_file", "read a file", _PATH),
    _tool("search_files", "search the files", Argument("query", "words to look for"), _FOLDER),
    _tool("write_file", "write a file", _PATH, Argument("text", "what to write"),
          Argument("replace", "whether a file of this name may be replaced", "boolean")),
    _tool("system_info", "memory, disk, battery and temperature of this computer"),
    _tool("get_home", "what is switched on in the home", _ROOM),
)  # fmt: skip
OFFERED = TOOLS + MORE_TOOLS

REFUSAL = "Sorry, I have no tool for that."

# What is asked when a request leaves out what a tool cannot do without, by the name that templates use.
QUESTIONS: dict[str, str] = {
    "room": "Which room?",
    "device": "Which device?",
    "temperature": "To what temperature?",
    "duration": "For how long?",
    "alarm_time": "At what time?",
    "reminder": "What should I remind you of?",
    "add_items": "What should I put on the list?",
    "remove_items": "What should I take off the list?",
    "note": "What should I write down?",
    "search": "What should I look for?",
    "media": "What should I play?",
    "volume": "How loud?",
    "event": "What is the event called?",
    "event_day": "When is it?",
    "sum": "What should I work out?",
    "units": "What should I convert?",
    "app": "Which app?",
    "which_note": "Which note?",
    "which_reminder": "Which reminder?",
    "which_event": "Which event?",
    "which_file": "Which file?",
    "which_day": "Which day?",
}

TALK: dict[str, str] = {
    "hello": "Hello! What can I do for you?",
    "thanks": "You're welcome.",
    "bye": "Goodbye.",
    "how_are_you": "I'm fine, thank you.",
    "who_are_you": "I'm a small assistant that runs on this device.",
    "what_can_you_do": "I can use the tools I was given: just say what you need.",
    "joke": "Why did the light go out? It was off duty.",
    "sorry": "No problem.",
    "praise": "Glad to help.",
    "love": "That's kind of you.",
    "never_mind": "All right.",
}
