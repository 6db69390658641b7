"""This computer as tools: what it has, volume, screen, settings, apps, sleep; and what it cannot have offline."""

from __future__ import annotations

import configparser
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from edge.assistant.days import said_seconds
from edge.assistant.errors import ToolFailure
from edge.assistant.machine import SETTINGS, Machine
from edge.assistant.tool import Arguments, Result, Tool, parameters
from edge.sensors import hottest, temperatures

__all__ = ["machine_tools"]

_PERCENT = {"type": "integer", "description": "percent", "minimum": 0, "maximum": 100}
_MORE = {"type": "integer", "description": "percent more or less", "minimum": -100, "maximum": 100}
_STATE = {"type": "string", "description": "on or off", "enum": ["on", "off"]}
_ACTIONS = ("lock", "sleep", "restart", "shutdown", "screenshot")
_NO_WEATHER = "There is no forecast here: this assistant works without a network."


def machine_tools(machine: Machine, workspace: Path, clock: Callable[[], float]) -> list[Tool]:
    tools = _MachineTools(machine, workspace, clock)
    name = {"type": "string", "description": "setting", "maxLength": 40}
    app = {"type": "string", "description": "app", "minLength": 1, "maxLength": 100}
    action = {"type": "string", "description": "lock, sleep, restart, shutdown or screenshot", "enum": list(_ACTIONS)}
    return [
        Tool("set_volume", "change the volume", parameters(level=_PERCENT, change=_MORE), tools.set_volume, "setting",
             resource="volume"),
        Tool("set_screen", "screen brightness", parameters(brightness=_PERCENT, change=_MORE), tools.set_screen,
             "setting", resource="screen"),
        Tool("set_setting", "switch a system setting", parameters("name", "state", name=name, state=_STATE),
             tools.set_setting, "setting", resource="setting"),
        Tool("open_app", "open an app", parameters("name", name=app), tools.open_app, "setting"),
        Tool("system_action", "act on this computer", parameters("action", action=action), tools.act, "setting",
             may_remember=False, resource="system"),
        Tool("system_info", "memory, disk, battery and temperature of this computer", parameters(), tools.info),
        Tool("get_weather", "weather forecast", parameters(place="town", day="day, like friday or 05-03"),
             tools.weather, why_not=lambda: _NO_WEATHER),
    ]  # fmt: skip


class _MachineTools:
    def __init__(self, machine: Machine, workspace: Path, clock: Callable[[], float]) -> None:
        self._machine = machine
        self._workspace = workspace
        self._clock = clock

    def set_volume(self, given: Arguments) -> Result:
        return self._set_level(given, "volume", "level", "How loud?")

    def set_screen(self, given: Arguments) -> Result:
        return self._set_level(given, "brightness", "brightness", "How bright?")

    def set_setting(self, given: Arguments) -> Result:
        name = given["name"].strip().casefold().replace(" ", "_").replace("-", "")
        if name not in SETTINGS:
            known = ", ".join(sorted(key.replace("_", " ") for key in SETTINGS))
            raise ToolFailure(f"I do not know the setting “{given['name']}”; I know {known}.")
        self._machine.switch(name, given["state"] == "on")
        return Result(f"{name.replace('_', ' ').capitalize()} is {given['state']}.", {name: given["state"] == "on"})

    def open_app(self, given: Arguments) -> Result:
        wanted = given["name"].casefold().strip()
        apps = dict(_apps())
        name = next((n for n in apps if n.casefold() == wanted), None) or next(
            (n for n in apps if wanted in n.casefold()), None
        )
        if name is None:
            raise ToolFailure(f"No app called {given['name']} is installed here.")
        self._machine.do("open", apps[name], said="opening apps")
        return Result(f"{name} is opening.", {"app": name})

    def act(self, given: Arguments) -> Result:
        action = given["action"]
        if action == "screenshot":
            stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self._clock()))
            target = self._workspace / f"screenshot-{stamp}.png"
            self._machine.do(action, str(target), said="screenshots")
            return Result(f"The screenshot is {target.name} in the workspace.", {"path": target.name})
        self._machine.do(action)
        said = {"lock": "locked", "sleep": "going to sleep", "restart": "restarting", "shutdown": "shutting down"}
        return Result(f"The computer is {said[action]}.", {"action": action})

    def info(self, given: Arguments) -> Result:
        memory, disk = psutil.virtual_memory(), shutil.disk_usage(self._workspace)
        up = max(0.0, self._clock() - psutil.boot_time())
        lines = [
            f"Memory: {_gib(memory.available)} of {_gib(memory.total)} available.",
            f"Disk: {_gib(disk.free)} of {_gib(disk.total)} free.",
            f"Running for {said_seconds(up)}.",
        ]
        data: dict[str, float] = {
            "memory_available": memory.available,
            "memory_total": memory.total,
            "disk_free": disk.free,
        }
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        if battery is not None:
            lines.append(f"Battery: {battery.percent:.0f} percent{', charging' if battery.power_plugged else ''}.")
            data["battery_percent"] = round(battery.percent)
        hot = hottest(temperatures())
        if hot is not None:
            lines.append(f"Temperature: {hot[1]:.0f} °C ({hot[0]}).")
            data["celsius"] = hot[1]
        return Result("\n".join(lines), data)

    def weather(self, given: Arguments) -> Result:
        raise ToolFailure(_NO_WEATHER)

    def _set_level(self, given: Arguments, what: str, key: str, question: str) -> Result:
        if key not in given and "change" not in given:
            raise ToolFailure(question)
        level = given[key] if key in given else self._machine.percent(f"get {what}") + given["change"]
        level = min(100, max(0, level))
        self._machine.do(what, str(level))
        return Result(f"The {what} is at {level} percent.", {what: level})


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def _apps() -> Iterator[tuple[str, str]]:
    """(name, id) of installed apps, by the desktop entries of freedesktop.org."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    folders = [home, *(os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")]
    for folder in folders:
        for file in sorted(Path(folder, "applications").glob("*.desktop")):
            parser = configparser.ConfigParser(interpolation=None, strict=False)
            try:
                parser.read(file, encoding="utf-8")
                entry = parser["Desktop Entry"]
                if entry.get("NoDisplay", "false") != "true":
                    yield entry["Name"], file.stem
            except (configparser.Error, KeyError, UnicodeDecodeError, OSError):
                continue
