"""What this machine lets a program switch, through the programs that desktops bring for it; nothing runs in a shell."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edge.assistant.errors import ToolFailure

__all__ = ["Machine"]

Command = tuple[str, ...]
_SECONDS = 10.0

# Ways to do a thing, in order; the first whose program is there is taken. {} is filled by the tool.
ACTIONS: Mapping[str, tuple[Command, ...]] = {
    "lock": (("loginctl", "lock-session"), ("xdg-screensaver", "lock")),
    "sleep": (("systemctl", "suspend"),),
    "restart": (("systemctl", "reboot"),),
    "shutdown": (("systemctl", "poweroff"),),
    "screenshot": (
        ("grim", "{}"),
        ("gnome-screenshot", "-f", "{}"),
        ("scrot", "{}"),
        ("spectacle", "-b", "-n", "-o", "{}"),
    ),
    "open": (("gtk-launch", "{}"), ("gio", "launch", "{}")),
    "volume": (
        ("wpctl", "set-volume", "@DEFAULT_AUDIO_SINK@", "{}%"),
        ("pactl", "set-sink-volume", "@DEFAULT_SINK@", "{}%"),
        ("amixer", "-q", "set", "Master", "{}%"),
    ),
    "get volume": (
        ("wpctl", "get-volume", "@DEFAULT_AUDIO_SINK@"),
        ("pactl", "get-sink-volume", "@DEFAULT_SINK@"),
        ("amixer", "get", "Master"),
    ),
    "brightness": (("brightnessctl", "-q", "set", "{}%"), ("light", "-S", "{}"), ("xbacklight", "-set", "{}")),
    "get brightness": (("brightnessctl", "-m", "info"), ("light", "-G"), ("xbacklight", "-get")),
}


def _ways(*commands: str, on: str, off: str) -> tuple[tuple[Command, Command], ...]:
    """Each command with what switches on and what switches off behind it."""
    return tuple(((*command.split(), on), (*command.split(), off)) for command in commands)


def _radio(name: str) -> tuple[Command, Command]:
    return ("rfkill", "unblock", name), ("rfkill", "block", name)


_GNOME = "gsettings set org.gnome"
# Settings by name: ways of (on, off).
SETTINGS: Mapping[str, tuple[tuple[Command, Command], ...]] = {
    "wifi": (*_ways("nmcli radio wifi", on="on", off="off"), _radio("wlan")),
    "bluetooth": (*_ways("bluetoothctl power", on="on", off="off"), _radio("bluetooth")),
    "airplane_mode": (*_ways("nmcli radio all", on="off", off="on"), (_radio("all")[1], _radio("all")[0])),
    "microphone": _ways(
        "wpctl set-mute @DEFAULT_AUDIO_SOURCE@", "pactl set-source-mute @DEFAULT_SOURCE@", on="0", off="1"
    ),
    "dark_mode": _ways(f"{_GNOME}.desktop.interface color-scheme", on="prefer-dark", off="default"),
    "do_not_disturb": _ways(f"{_GNOME}.desktop.notifications show-banners", on="false", off="true"),
    "night_light": _ways(f"{_GNOME}.settings-daemon.plugins.color night-light-enabled", on="true", off="false"),
    "location": _ways(f"{_GNOME}.system.location enabled", on="true", off="false"),
}


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Exit code and what it printed."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {_SECONDS:g} seconds"
    except OSError as error:
        return 1, str(error.strerror)
    return done.returncode, (done.stdout if done.returncode == 0 else done.stderr or done.stdout).strip()


@dataclass(frozen=True, slots=True)
class Machine:
    """which and run are another machine's in tests."""

    which: Callable[[str], str | None] = shutil.which
    run: Callable[[Sequence[str]], tuple[int, str]] = field(default=_run)

    def do(self, what: str, value: str = "", *, said: str = "") -> str:
        """One of ACTIONS; what the program printed. ToolFailure: no program for it, or it failed."""
        return self._first(said or what, [tuple(part.replace("{}", value) for part in way) for way in ACTIONS[what]])

    def switch(self, setting: str, on: bool) -> None:
        """One of SETTINGS."""
        self._first(setting.replace("_", " "), [ways[0 if on else 1] for ways in SETTINGS[setting]])

    def percent(self, what: str) -> int:
        """Of "get volume" or "get brightness"."""
        text = self.do(what, said=what.removeprefix("get "))
        if match := re.search(r"(\d{1,3})%", text):
            return min(100, int(match[1]))
        if match := re.search(r"\d+\.\d+|\d+", text):
            value = float(match[0])
            return min(100, round(value * 100 if text.startswith("Volume:") else value))
        raise ToolFailure(f"This machine does not tell its {what.removeprefix('get ')}.")

    def _first(self, said: str, ways: Sequence[Sequence[str]]) -> str:
        way = next((way for way in ways if self.which(way[0]) is not None), None)
        if way is None:
            names = ", ".join(dict.fromkeys(way[0] for way in ways))
            raise ToolFailure(f"This machine has no program for {said} (looked for: {names}).")
        code, text = self.run(way)
        if code != 0:
            line = next(iter(text.splitlines()), "") or f"exit code {code}"
            raise ToolFailure(f"{way[0]} could not do {said}: {line[:200]}")
        return text
