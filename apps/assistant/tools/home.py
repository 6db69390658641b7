"""Lights, sockets, heating and music of the simulated home as tools."""

from __future__ import annotations

from edge.assistant.errors import ToolFailure
from edge.assistant.home import Home
from edge.assistant.tool import Arguments, Result, Tool, parameters

__all__ = ["home_tools"]

_ROOM = {"type": "string", "description": "room, or all", "minLength": 1, "maxLength": 40}
_STATE = {"type": "string", "description": "on or off", "enum": ["on", "off"]}
_PERCENT = {"type": "integer", "description": "percent", "minimum": 0, "maximum": 100}
_MORE = {"type": "integer", "description": "percent more or less", "minimum": -100, "maximum": 100}
_DEGREES = {"type": "integer", "description": "degrees", "minimum": 5, "maximum": 35}
_DEGREES_MORE = {"type": "integer", "description": "degrees more or less", "minimum": -15, "maximum": 15}
_ACTIONS = ("pause", "resume", "stop", "next", "previous")


def home_tools(home: Home) -> list[Tool]:
    tools = _HomeTools(home)
    device = {"type": "string", "description": "device", "minLength": 1, "maxLength": 40}
    color = {"type": "string", "description": "colour", "maxLength": 40}
    what = {"type": "string", "description": "artist, song, style or station", "minLength": 1, "maxLength": 200}
    room = {"type": "string", "description": "room", "minLength": 1, "maxLength": 40}
    action = {"type": "string", "description": "pause, resume, stop, next or previous", "enum": list(_ACTIONS)}
    return [
        Tool("set_light", "switch, dim or colour lights",
             parameters("room", room=_ROOM, state=_STATE, brightness=_PERCENT, color=color, change=_MORE),
             tools.set_light, "setting", resource="light"),
        Tool("set_socket", "switch a device on or off", parameters("device", "state", device=device, state=_STATE),
             tools.set_socket, "setting", resource="socket"),
        Tool("set_heating", "heat or cool a room",
             parameters(room=_ROOM, temperature=_DEGREES, change=_DEGREES_MORE, state=_STATE),
             tools.set_heating, "setting", resource="heating"),
        Tool("get_home", "what is switched on in the home", parameters(room=_ROOM), tools.get_home),
        Tool("play_media", "play music or sound", parameters("what", what=what, room=room), tools.play, "setting",
             resource="media"),
        Tool("control_media", "control what is playing", parameters("action", action=action), tools.control, "setting",
             resource="media"),
    ]  # fmt: skip


class _HomeTools:
    def __init__(self, home: Home) -> None:
        self._home = home

    def set_light(self, given: Arguments) -> Result:
        if not set(given) - {"room"}:
            raise ToolFailure("What should the light do: on, off, brightness, colour?")
        with self._home.change() as state:
            rooms = self._home.rooms(state, given["room"])
            for _, room in rooms:
                light = room["light"]
                if "color" in given:
                    light |= {"color": given["color"], "on": True}
                if "brightness" in given:
                    light |= {"brightness": given["brightness"], "on": given["brightness"] > 0}
                if "change" in given:
                    level = min(100, max(0, (light["brightness"] if light["on"] else 0) + given["change"]))
                    light |= {"brightness": level, "on": level > 0}
                if "state" in given:
                    light["on"] = given["state"] == "on"
                    if light["on"] and light["brightness"] == 0:
                        light["brightness"] = 100
            data = {name: dict(room["light"]) for name, room in rooms}
        return Result(" ".join(_said_light(name, light) for name, light in data.items()), data)

    def set_socket(self, given: Arguments) -> Result:
        with self._home.change() as state:
            device = self._home.socket(state, given["device"])
            state["sockets"][device] = given["state"] == "on"
        return Result(f"The {device} is {given['state']}.", {"device": device, "on": given["state"] == "on"})

    def set_heating(self, given: Arguments) -> Result:
        if not set(given) - {"room"}:
            raise ToolFailure("To what temperature?")
        with self._home.change() as state:
            rooms = self._home.rooms(state, given.get("room"))
            for name, room in rooms:
                target = given.get("temperature", room["heating"]["target"]) + given.get("change", 0)
                if not 5 <= target <= 35:
                    raise ToolFailure(f"{name}: {target} degrees is not between 5 and 35.")
                is_on = given["state"] == "on" if "state" in given else True
                self._home.heat(room["heating"], target=target, on=is_on)
            data = {name: {key: room["heating"][key] for key in ("on", "target")} for name, room in rooms}
        said = [f"{name}: {heating['target']} degrees" if heating["on"] else f"{name}: off"
                for name, heating in data.items()]  # fmt: skip
        return Result(f"Heating: {', '.join(said)}.", data)

    def get_home(self, given: Arguments) -> Result:
        picture = self._home.picture()
        wanted = given.get("room", "all").casefold()
        rooms = [room for room in picture["rooms"] if wanted == "all" or room["name"].casefold() == wanted]
        if not rooms:
            raise ToolFailure(f"There is no {given['room']} in the home.")
        lines = [f"{_said_light(room['name'], room['light'])} {room['heating']['temperature']} °C, "
                 f"heating {str(room['heating']['target']) + ' °C' if room['heating']['on'] else 'off'}."
                 for room in rooms]  # fmt: skip
        on = [socket["device"] for socket in picture["sockets"] if socket["on"]]
        if wanted == "all":
            lines.append(f"Switched on: {', '.join(on) or 'nothing'}.")
        return Result("\n".join(lines), picture)

    def play(self, given: Arguments) -> Result:
        with self._home.change() as state:
            state["media"] = {"what": given["what"], "room": given.get("room"), "state": "playing"}
        where = f" in the {given['room']}" if "room" in given else ""
        return Result(f"The simulated home plays {given['what']}{where}.", state["media"])

    def control(self, given: Arguments) -> Result:
        action = given["action"]
        with self._home.change() as state:
            media = state["media"]
            if media["what"] is None:
                raise ToolFailure("Nothing is playing.")
            media["state"] = {"pause": "paused", "stop": "stopped"}.get(action, "playing")
            if action == "stop":
                media |= {"what": None, "room": None}
        said = {"pause": "Paused.", "resume": "It goes on.", "stop": "Stopped."}
        return Result(said.get(action, f"The {action} one plays."), dict(media))


def _said_light(name: str, light: dict[str, object]) -> str:
    if not light["on"]:
        return f"The light in the {name} is off."
    color = f" and {light['color']}" if light["color"] else ""
    return f"The light in the {name} is on, {light['brightness']} percent{color}."
