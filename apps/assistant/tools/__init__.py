"""The built-in tools. The bundled model learnt them under these names, with these arguments and in this order."""

from __future__ import annotations

from collections.abc import Callable

from edge.assistant.home import Home
from edge.assistant.machine import Machine
from edge.assistant.store import Store
from edge.assistant.timers import Timers
from edge.assistant.tool import Tool
from edge.assistant.tools.calendar import Calendar, calendar_tools
from edge.assistant.tools.files import file_tools
from edge.assistant.tools.home import home_tools
from edge.assistant.tools.lists import Lists, Notes, list_tools
from edge.assistant.tools.machine import machine_tools
from edge.assistant.tools.sums import sum_tools
from edge.assistant.tools.timing import timing_tools
from edge.assistant.workspace import Workspace

__all__ = ["LEARNT", "Toolbox", "built_in_tools"]

# In the order of the list that the bundled model was trained behind; the first 28 are also its template's own.
LEARNT: tuple[str, ...] = (
    "set_light", "set_socket", "set_heating", "set_timer", "check_timer", "cancel_timer", "set_alarm", "cancel_alarm",
    "add_reminder", "add_to_list", "remove_from_list", "read_list", "add_note", "find_notes", "play_media",
    "control_media", "set_volume", "get_weather", "get_events", "add_event", "calculate", "convert_units",
    "set_setting", "set_screen", "open_app", "system_action", "get_time", "get_date", "list_alarms", "cancel_reminder",
    "remove_note", "remove_event", "count_days", "add_to_day", "get_weekday", "list_files", "read_file",
    "search_files", "write_file", "system_info", "get_home",
)  # fmt: skip


class Toolbox:
    """What the built-in tools work on."""

    learnt = LEARNT

    def __init__(
        self, store: Store, timers: Timers, home: Home, workspace: Workspace, machine: Machine,
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        self.timers, self.home, self.workspace, self.machine, self.clock = timers, home, workspace, machine, clock
        self.notes, self.lists, self.calendar = Notes(store, clock), Lists(store), Calendar(store, clock)


def built_in_tools(box: Toolbox) -> list[Tool]:
    """In the order of `LEARNT`."""
    tools = [
        *timing_tools(box.timers, box.clock),
        *list_tools(box.lists, box.notes),
        *calendar_tools(box.calendar),
        *sum_tools(),
        *file_tools(box.workspace),
        *machine_tools(box.machine, box.workspace.root, box.clock),
        *home_tools(box.home),
    ]
    by_name = {tool.name: tool for tool in tools}
    return [by_name[name] for name in LEARNT]
