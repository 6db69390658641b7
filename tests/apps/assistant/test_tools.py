"""Each built-in tool: what it does, what it says, and how it refuses. Called as a person types calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from apps.assistant_model.tools import OFFERED
from edge.assistant import Assistant
from edge.assistant.machine import ACTIONS, SETTINGS, Machine
from edge.assistant.tools import LEARNT
from tests.apps.assistant.conftest import Clock, yes
from tests.apps.assistant.scripted import ScriptedModel, in_turn

Make = Callable[..., Assistant]
Says = Callable[[str], str]


class FakeMachine:
    """A machine with some programs."""

    def __init__(self, programs: dict[str, str], code: int = 0) -> None:
        self.programs, self.code, self.ran = programs, code, list[tuple[str, ...]]()
        self.machine = Machine(which=lambda name: name if name in programs else None, run=self.run)

    def run(self, command: Sequence[str]) -> tuple[int, str]:
        self.ran.append(tuple(command))
        return self.code, self.programs[command[0]]


@pytest.fixture
def fake() -> FakeMachine:
    return FakeMachine({"wpctl": "Volume: 0.40", "brightnessctl": "x,backlight,40,50%,80", "nmcli": "", "loginctl": ""})


@pytest.fixture
def assistant(make: Make, clock: Clock, fake: FakeMachine) -> Assistant:
    return make(ScriptedModel(in_turn()), clock=clock, consent=yes, machine=fake.machine)


@pytest.fixture
def says(assistant: Assistant) -> Says:
    def ask(request: str) -> str:
        turn = assistant.ask(request)
        assert turn.status == "done", turn.error
        return turn.answer

    return ask


def test_the_model_is_offered_what_it_learnt(assistant: Assistant) -> None:
    """Names, descriptions, arguments and their types, in the order of the model's own list."""
    assert LEARNT == tuple(tool.name for tool in OFFERED) == tuple(tool.name for tool in assistant.offered)
    for tool in OFFERED:
        offered = assistant.tools[tool.name]
        properties = offered.parameters["properties"]
        assert offered.description == tool.description
        assert [(name, about["type"], about["description"]) for name, about in properties.items()] == [
            (argument.name, argument.type, argument.description) for argument in tool.arguments
        ]


def test_every_tool_has_a_sound_schema(assistant: Assistant) -> None:
    for tool in assistant.tools.values():
        assert tool.parameters["type"] == "object"
        assert tool.parameters["additionalProperties"] is False
        assert set(tool.parameters["required"]) <= set(tool.parameters["properties"])
        json.dumps(tool.as_function())


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("/set_timer duration=90s label=tea", "The tea timer is set for 1 minute 30 seconds."),
        ("/set_timer duration=never", "“never” is no length of time such as 20m or 1h30m."),
        ("/set_timer", "set_timer: duration is missing."),
        ("/set_timer duration=5m colour=red", "set_timer: there is no argument 'colour'; there are duration, label."),
        ("/check_timer", "No timer is running."),
        ("/cancel_timer label=tea", "No timer is running."),
        ("/set_alarm time=06:30", "The alarm is set for 06:30 tomorrow."),
        ("/set_alarm time=06:30 day=weekdays",
         "The alarm is set for 06:30 tomorrow, and again on Monday, Tuesday, Wednesday, Thursday, Friday."),
        ("/set_alarm time=09:00 day=today", "today at 09:00 is over."),
        ("/cancel_alarm", "There is no such alarm. None is set."),
        ("/add_reminder text='call mum' delay=20m", "I will remind you today at 10:20: call mum."),
        ("/add_reminder text='call mum' day=tomorrow", "I will remind you tomorrow at 09:00: call mum."),
        ("/add_reminder text='call mum'", "I will remind you today at 13:00: call mum."),
        ("/add_reminder text=' '", "add_reminder: text is empty."),
        ("/list_alarms", "Nothing is set."),
        ("/cancel_reminder text=mum", "There is no such reminder: none."),
        ("/add_to_list list=shopping items=milk,bread", "milk and bread are on the shopping list now."),
        ("/read_list list=shopping", "There is no shopping list. There is none yet."),
        ("/remove_from_list list=shopping items=milk", "There is no shopping list. There is none yet."),
        ("/add_note text='the gate code is 4471'", "The note is written."),
        ("/find_notes query=gate", "No note holds “gate”."),
        ("/remove_note query=gate", "0 notes hold “gate”; it must be one."),
        ("/get_events day=friday", "Nothing is in the calendar on Friday."),
        ("/add_event title=dentist day=friday time=14:00", "dentist is in the calendar on Friday at 14:00."),
        ("/add_event title=gym day=weekdays", "An event needs one day; “weekdays” is several."),
        ("/remove_event title=dentist", "0 coming events are called “dentist”; it must be one."),
        ("/get_time", "It is 10:00."),
        ("/get_time place=Atlantis", "I do not know the time zone of Atlantis."),
        ("/get_date", "Today is Wednesday, 6 May 2026."),
        ("/count_days to=12-24", "It is 232 days (33 weeks and 1 days) from 2026-05-06 to 2026-12-24."),
        ("/add_to_day span='3 weeks'", "That is Wednesday, 27 May 2026."),
        ("/add_to_day day=2026-01-31 span='1 month'", "That is Saturday, 28 February 2026."),
        ("/add_to_day span='99999 years'", "99999 years from 2026-05-06 is beyond the calendar."),
        ("/get_weekday day=2026-12-24", "24 December 2026 is a Thursday."),
        ("/calculate expression=45*20/100", "45*20/100 = 9"),
        ("/calculate expression=1/0", "Nothing can be divided by zero."),
        ("/convert_units value=5 from=mi to=km", "5 mi is 8.04672 km."),
        ("/convert_units value=5 from=mi to=kg", "“mi” and “kg” measure different things."),
        ("/get_weather place=Oslo", "There is no forecast here: this assistant works without a network."),
        ("/set_light room=kitchen state=on", "The light in the kitchen is on, 100 percent."),
        ("/set_light room=kitchen", "What should the light do: on, off, brightness, colour?"),
        ("/set_light room=kitchen brightness=140", "set_light: brightness is 140; it must be from 0 to 100."),
        ("/set_socket device=kettle state=on", "The kettle is on."),
        ("/set_socket device=kettle state=maybe", "set_socket: state is 'maybe'; it must be one of on, off."),
        ("/set_heating room=bedroom temperature=18", "Heating: bedroom: 18 degrees."),
        ("/set_heating room=bedroom change=15", "Heating: bedroom: 35 degrees."),
        ("/set_heating room=bedroom", "To what temperature?"),
        ("/get_home room=cellar", "There is no cellar in the home."),
        ("/play_media what=jazz room=kitchen", "The simulated home plays jazz in the kitchen."),
        ("/control_media action=pause", "Nothing is playing."),
        ("/set_volume level=30", "The volume is at 30 percent."),
        ("/set_volume change=20", "The volume is at 60 percent."),
        ("/set_volume", "How loud?"),
        ("/set_screen change=-20", "The brightness is at 30 percent."),
        ("/set_setting name=wifi state=off", "Wifi is off."),
        ("/set_setting name=teleport state=on",
         "I do not know the setting “teleport”; I know airplane mode, bluetooth, "
         "dark mode, do not disturb, location, microphone, night light, wifi."),
        ("/set_setting name=dark_mode state=on", "This machine has no program for dark mode (looked for: gsettings)."),
        ("/system_action action=lock", "The computer is locked."),
        ("/system_action action=sleep", "This machine has no program for sleep (looked for: systemctl)."),
        ("/open_app name=Spotify", "No app called Spotify is installed here."),
        ("/list_files", "There are no files."),
        ("/read_file path=todo.txt", "“todo.txt”: there is no such file or folder."),
        ("/write_file path=a/b.txt text=hello", "a/b.txt is written, 5 bytes."),
        ("/search_files query=rent", "No file holds “rent”."),
        ("/no_such_tool", ""),
    ],
)  # fmt: skip
def test_what_tools_say(assistant: Assistant, request_: str, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/nowhere")
    monkeypatch.setenv("XDG_DATA_DIRS", "/nowhere")
    turn = assistant.ask(request_)
    if request_ == "/no_such_tool":
        assert (turn.status, turn.error) == ("failed", "There is no tool no_such_tool; /help lists them.")
    else:
        assert (turn.answer, turn.error) == (answer, None)


def test_timers_by_name(says: Says, assistant: Assistant, clock: Clock) -> None:
    says("/set_timer duration=10m label=tea")
    says("/set_timer duration=20m label=cake")
    clock.now += 60
    assert says("/check_timer label=cake") == "The cake timer: 19 minutes left."
    assert says("/cancel_timer").startswith("There are 2 such timers: tea (9 minutes left), cake")
    assert says("/cancel_timer label=tea") == "The tea timer is stopped."
    assert [timer["label"] for timer in assistant.timers.all()] == ["cake"]
    assert says("/cancel_timer") == "The cake timer is stopped."


def test_alarms_by_time_and_day(says: Says) -> None:
    says("/set_alarm time=06:00")
    says("/set_alarm time=07:00 day=friday")
    assert says("/cancel_alarm").startswith("There are 2 alarms: 06:00 tomorrow, 07:00 on Friday")
    assert says("/cancel_alarm day=friday") == "The alarm for 07:00 on Friday is removed."
    assert says("/cancel_alarm time=06:00") == "The alarm for 06:00 tomorrow is removed."


def test_lists_and_notes(says: Says, assistant: Assistant) -> None:
    says("/add_to_list list=Shopping items=milk,bread")
    assert (
        says("/add_to_list list=shopping items=Milk,eggs")
        == "eggs is on the shopping list now. Milk was on it already."
    )
    assert says("/remove_from_list list=shopping items=BREAD") == "bread is off the shopping list."
    assert says("/remove_from_list list=shopping items=caviar") == "caviar is not on the shopping list."
    assert says("/read_list list=shopping") == "- milk\n- eggs"
    says("/add_note text='Straße 7'")
    says("/add_note text='100% sure'")
    assert says("/find_notes query=STRASSE") == "- Straße 7"
    assert says("/find_notes query=%") == "- 100% sure"
    assert says("/remove_note query=sure") == "The note is removed: 100% sure."
    assert [note["text"] for note in assistant.notes.all()] == ["Straße 7"]


def test_calendar(says: Says) -> None:
    says("/add_event title=dentist day=friday time=14:00")
    says("/add_event title=birthday day=friday")
    assert says("/get_events day='this week'") == "- on Friday: birthday\n- on Friday at 14:00: dentist"
    assert says("/remove_event title=dent") == "dentist is out of the calendar."


def test_home(says: Says, assistant: Assistant, clock: Clock) -> None:
    says("/set_light room='Wine Cellar' brightness=40 color=red")
    says("/set_light room=all change=-20")
    rooms = {room["name"]: room for room in assistant.home.picture()["rooms"]}
    assert rooms["Wine Cellar"]["light"] == {"on": True, "brightness": 20, "color": "red"}
    assert not rooms["kitchen"]["light"]["on"]
    says("/set_heating room=kitchen temperature=25")
    before = assistant.home.picture()["rooms"][1]["heating"]["temperature"]
    clock.now += 600
    after = assistant.home.picture()["rooms"][1]["heating"]["temperature"]
    assert before < after < 25
    assert says("/set_heating temperature=30 change=15").endswith("45 degrees is not between 5 and 35.")
    assert assistant.home.picture()["rooms"][0]["heating"]["target"] == 20, "a refused change leaves all rooms"
    says("/play_media what=jazz")
    assert says("/control_media action=stop") == "Stopped."


def test_a_home_does_not_grow_without_end(says: Says, assistant: Assistant) -> None:
    for number in range(50):
        says(f"/set_socket device=plug{number} state=on")
    assert len(assistant.home.picture()["sockets"]) == 40


def test_machine_commands(says: Says, fake: FakeMachine) -> None:
    says("/set_volume level=30")
    says("/set_setting name='airplane mode' state=on")
    says("/system_action action=lock")
    assert fake.ran == [
        ("wpctl", "set-volume", "@DEFAULT_AUDIO_SINK@", "30%"),
        ("nmcli", "radio", "all", "off"),
        ("loginctl", "lock-session"),
    ]
    fake.code, fake.programs["loginctl"] = 1, "Access denied\nmore"
    assert says("/system_action action=lock") == "loginctl could not do lock: Access denied"


def test_no_command_is_a_shell() -> None:
    commands = [way for ways in ACTIONS.values() for way in ways]
    commands += [way for ways in SETTINGS.values() for pair in ways for way in pair]
    assert not [way for way in commands if way[0] in ("sh", "bash", "env", "sudo")]


def test_apps_are_found_by_their_entries(assistant: Assistant, fake: FakeMachine, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    folder = tmp_path / "applications"
    folder.mkdir()
    (folder / "org.edge.Paint.desktop").write_text("[Desktop Entry]\nName=Paint Box\nExec=rm -rf %f\n")
    (folder / "hidden.desktop").write_text("[Desktop Entry]\nName=Hidden\nNoDisplay=true\n")
    (folder / "broken.desktop").write_bytes(b"\xff\xfe[")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    fake.programs["gtk-launch"] = ""
    assert assistant.ask("/open_app name=paint").answer == "Paint Box is opening."
    assert fake.ran == [("gtk-launch", "org.edge.Paint")]
    assert assistant.ask("/open_app name=hidden").answer.startswith("No app called hidden")


def test_other_towns(says: Says) -> None:
    zoneinfo = pytest.importorskip("zoneinfo")
    if "Asia/Tokyo" not in zoneinfo.available_timezones():
        pytest.skip("this machine has no time zones")
    utc = datetime.now().astimezone().utcoffset()
    assert utc is not None
    answer = says("/get_time place=Tokyo")
    assert answer.startswith("It is ") and answer.endswith(" in Tokyo.")
    assert says("/get_time place='San Francisco'").endswith(" in San Francisco.")


def test_help_lists_all(says: Says, assistant: Assistant) -> None:
    assert len(says("/help").splitlines()) == len(assistant.tools)


def test_a_tool_that_breaks_or_hangs(make: Make) -> None:
    import threading

    from edge.assistant import Result, Tool, parameters

    def broken(arguments: dict[str, Any]) -> Result:
        raise ZeroDivisionError("no")

    release = threading.Event()

    def hangs(arguments: dict[str, Any]) -> Result:
        release.wait(20)
        return Result("late")

    tools = [Tool("broken", "b", parameters(), broken), Tool("hangs", "h", parameters(), hangs, seconds=0.1)]
    assistant = make(ScriptedModel(in_turn()), tools=tools)
    assert assistant.ask("/broken").answer == "broken failed: ZeroDivisionError: no"
    assert assistant.ask("/hangs").answer == "hangs took longer than 0.1 seconds; it may still be done."
    release.set()
