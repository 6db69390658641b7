"""Ways to ask for lights, sockets, heating, timers, alarms, reminders, lists and notes.

`train` templates teach; `held_out` templates are only ever evaluated. `(a|b|)` is a choice, `{slot}` a value. In the
arguments "$slot" is the slot's value and the key "*" merges a slot whose value is itself a set of arguments.
"""

from __future__ import annotations

from apps.assistant_model.templates import Template, call

HOME: tuple[Template, ...] = (
    call(
        "set_light", {"room": "$room", "state": "$state"}, weight=2.0,
        train=(
            "turn {state} the {room} light(|s)", "turn the {room} light(|s) {state}", "switch {state} the {room} light",
            "switch the {room} lights {state}", "{room} light(|s) {state}", "put the {room} light(|s) {state}",
            "put {state} the light(|s) in the {room}", "turn the light(|s) in the {room} {state}",
            "i want the {room} light(|s) {state}", "light(|s) {state} in the {room}",
            "i'd like the light(|s) in the {room} {state}", "turn {state} the lamp in the {room}",
            "make sure the {room} light is {state}", "get the {room} lights {state}",
            "in the {room} turn {state} the light(|s)", "have the {room} light switched {state}",
            "set the {room} light(|s) to {state}",
        ),
        held_out=(
            "switch {state} the light(|s) in the {room}", "the {room} light(|s) should be {state}",
            "i need the {room} light(|s) turned {state}", "in the {room} switch the light(|s) {state}",
        ),
    ),
    call(
        "set_light", {"room": "$room", "state": "on"},
        train=(
            "it's (too |so |)dark in the {room}", "i can't see (anything|a thing) in the {room}", "light up the {room}",
            "some light in the {room}", "give me (some |)light in the {room}", "lights on for the {room}",
        ),
        held_out=("i need (some |)light in the {room}", "the {room} is too dark"),
    ),
    call(
        "set_light", {"room": "$room", "state": "off"},
        train=(
            "no more light in the {room}", "kill the {room} light(|s)", "lights out in the {room}",
            "nobody is in the {room} turn the light off", "i'm done in the {room} turn the light(|s) off",
            "shut off the {room} light(|s)",
        ),
        held_out=("shut off the light(|s) in the {room}", "kill the light(|s) in the {room}"),
    ),
    call(
        "set_light", {"room": "all", "state": "$state"}, weight=0.6,
        train=(
            "turn {state} all (the |)lights", "turn all the lights {state}", "all lights {state}",
            "every light {state}", "switch {state} every light", "turn the lights {state} everywhere",
            "turn {state} the lights in the whole house", "lights {state} everywhere",
        ),
        held_out=("switch all (the |)lights {state}", "turn every light {state}"),
    ),
    call(
        "set_light", {"room": "$room", "brightness": "$percent"},
        train=(
            "dim the {room} light(|s) to {percent}", "set the {room} light(|s) to {percent}",
            "{room} light(|s) (at|to) {percent}", "set the brightness in the {room} to {percent}",
            "make the {room} light(|s) {percent} bright", "bring the {room} lights (down|up) to {percent}",
            "put the light(|s) in the {room} at {percent}", "turn the {room} light(|s) (up|down) to {percent}",
        ),
        held_out=("dim the light(|s) in the {room} to {percent}", "i want the {room} light(|s) at {percent}"),
    ),
    call(
        "set_light", {"room": "$room", "color": "$color"},
        train=(
            "make the {room} light(|s) {color}", "turn the {room} light(|s) {color}",
            "set the {room} light(|s) to {color}", "{color} light in the {room}",
            "change the {room} light(|s) to {color}",
            "i want {color} light(|s) in the {room}", "light the {room} in {color}",
        ),
        held_out=("make the light(|s) in the {room} {color}", "give me {color} light in the {room}"),
    ),
    call(
        "set_socket", {"device": "$device", "state": "$state"}, weight=2.0,
        train=(
            "turn {state} the {device}", "turn the {device} {state}", "switch {state} the {device}",
            "switch the {device} {state}", "{device} {state}", "put the {device} {state}",
            "turn {state} the socket for the {device}", "power {state} the {device}", "the {device} should be {state}",
            "i want the {device} {state}", "make sure the {device} is {state}", "set the {device} to {state}",
            "have the {device} switched {state}",
        ),
        held_out=(
            "power the {device} {state}", "i need the {device} turned {state}", "get the {device} {state}",
            "switch the socket of the {device} {state}",
        ),
    ),
    call(
        "set_heating", {"room": "$room", "temperature": "$degrees"}, weight=1.3,
        train=(
            "set the {room} to {degrees} degrees", "set the heating in the {room} to {degrees}(| degrees)",
            "heat the {room} to {degrees}(| degrees)", "{room} heating (to|at) {degrees}",
            "make it {degrees} degrees in the {room}", "i want {degrees} degrees in the {room}",
            "turn the {room} heating (up|down) to {degrees}(| degrees)", "bring the {room} to {degrees} degrees",
            "warm the {room} up to {degrees} degrees", "keep the {room} at {degrees}(| degrees)",
        ),
        held_out=(
            "turn the heating in the {room} (up|down) to {degrees}(| degrees)",
            "the {room} should be {degrees} degrees",
            "heat up the {room} to {degrees} degrees",
        ),
    ),
    call(
        "set_heating", {"temperature": "$degrees"}, weight=0.6,
        train=(
            "set the heating to {degrees}(| degrees)", "heating (to|at) {degrees}(| degrees)",
            "make it {degrees} degrees in here", "set the thermostat to {degrees}(| degrees)",
            "turn the heating (up|down) to {degrees}(| degrees)", "i want it {degrees} degrees",
        ),
        held_out=("put the heating (at|on) {degrees}(| degrees)", "turn the thermostat (up|down) to {degrees}"),
    ),
    call(
        "set_heating", {"room": "$room", "change": 1},
        train=(
            "it's (too |so |)cold in the {room}", "make it warmer in the {room}", "make the {room} (a bit |)warmer",
            "warm up the {room}", "i'm freezing in the {room}", "turn up the heating in the {room}",
            "a bit warmer in the {room}", "turn the {room} heating up(| a bit)",
        ),
        held_out=("turn the heating up in the {room}", "the {room} is too cold"),
    ),
    call(
        "set_heating", {"room": "$room", "change": -1},
        train=(
            "it's (too |so |)(hot|warm) in the {room}", "make it cooler in the {room}",
            "make the {room} (a bit |)cooler", "cool down the {room}", "turn down the heating in the {room}",
            "a bit cooler in the {room}", "turn the {room} heating down(| a bit)", "i'm sweating in the {room}",
        ),
        held_out=("turn the heating down in the {room}", "the {room} is too (hot|warm)"),
    ),
    call(
        "set_heating", {"room": "$room", "state": "$state"}, weight=0.7,
        train=(
            "turn {state} the heating in the {room}", "turn the heating in the {room} {state}",
            "{room} heating {state}",
            "switch {state} the {room} heating", "heating {state} in the {room}", "turn the {room} radiator {state}",
        ),
        held_out=("switch the heating in the {room} {state}", "turn {state} the radiator in the {room}"),
    ),
    call(
        "set_timer", {"*": "$duration"}, weight=1.5,
        train=(
            "set a timer for {duration}", "timer for {duration}", "start a timer for {duration}", "timer {duration}",
            "{duration} timer", "set a {duration} timer", "count down {duration}", "start a {duration} timer",
            "give me a timer for {duration}", "tell me when {duration} are over", "let me know in {duration}",
            "set the timer to {duration}", "i need a timer for {duration}", "countdown of {duration}",
        ),
        held_out=(
            "start the timer for {duration}", "i need a {duration} timer", "give me a {duration} countdown",
            "tell me in {duration}",
        ),
    ),
    call(
        "set_timer", {"*": "$duration", "label": "$label"},
        train=(
            "set a {label} timer for {duration}", "{label} timer {duration}", "start a {label} timer for {duration}",
            "timer for the {label} {duration}", "set a timer for {duration} for the {label}",
            "{duration} for the {label}", "{label} timer for {duration}", "the {label} needs {duration}",
            "set a {duration} timer for the {label}", "set a timer called {label} for {duration}",
        ),
        held_out=("start a {duration} timer for the {label}", "give the {label} {duration}",
                  "{duration} {label} timer"),
    ),
    call(
        "cancel_timer", {"label": "$label"}, weight=0.6,
        train=(
            "cancel the {label} timer", "stop the {label} timer", "turn off the {label} timer",
            "delete the {label} timer", "i don't need the {label} timer anymore", "forget the {label} timer",
        ),
        held_out=("cancel the timer for the {label}", "remove the {label} timer"),
    ),
    call(
        "cancel_timer", {}, weight=0.4,
        train=("cancel the timer", "stop the timer", "delete my timer", "turn off the timer", "no more timer",
               "forget the timer", "timer off", "kill the timer"),
        held_out=("cancel my timer", "end the timer"),
    ),
    call(
        "set_alarm", {"time": "$time"}, weight=1.7,
        train=(
            "wake me (up |)at {time}", "set an alarm for {time}", "alarm at {time}", "set the alarm to {time}",
            "i have to get up at {time}", "get me up at {time}", "alarm for {time}", "set my alarm for {time}",
            "i need an alarm at {time}", "ring at {time}", "i want to wake up at {time}", "put the alarm on {time}",
        ),
        held_out=("i need to get up at {time}", "make an alarm for {time}", "set an alarm at {time}",
                  "i want to be woken at {time}"),
    ),
    call(
        "set_alarm", {"time": "$time", "day": "$onday"},
        train=(
            "wake me (up |)at {time} {onday}", "set an alarm for {time} {onday}", "{onday} wake me at {time}",
            "alarm {onday} at {time}", "set an alarm {onday} at {time}", "{onday} i have to get up at {time}",
            "i need an alarm {onday} at {time}", "wake me {onday} at {time}",
        ),
        held_out=("{onday} set an alarm for {time}", "get me up {onday} at {time}"),
    ),
    call(
        "cancel_alarm", {"time": "$time"}, weight=0.7,
        train=(
            "cancel the {time} alarm", "cancel the alarm at {time}", "delete the alarm for {time}",
            "turn off the alarm at {time}", "i don't need the alarm at {time}", "remove the {time} alarm",
        ),
        held_out=("cancel the alarm for {time}", "delete my {time} alarm"),
    ),
    call(
        "add_reminder", {"text": "$todo", "*": "$when"}, weight=2.0,
        train=(
            "remind me to {todo} {when}", "remind me {when} to {todo}", "{when} remind me to {todo}",
            "set a reminder {when} to {todo}", "set a reminder to {todo} {when}", "reminder {when} {todo}",
            "don't let me forget to {todo} {when}", "i have to {todo} {when} remind me",
            "add a reminder to {todo} {when}", "i must {todo} {when} remind me", "{when} i have to {todo} remind me",
            "tell me {when} to {todo}",
        ),
        held_out=("add a reminder {when} to {todo}", "make a reminder to {todo} {when}", "{when} tell me to {todo}",
                  "remind me that i have to {todo} {when}"),
    ),
    call(
        "add_reminder", {"text": "$todo"}, weight=0.8,
        train=(
            "remind me to {todo}", "don't let me forget to {todo}", "i must remember to {todo}",
            "set a reminder to {todo}", "reminder {todo}", "i have to {todo} remind me",
        ),
        held_out=("add a reminder to {todo}", "remind me that i have to {todo}"),
    ),
    call(
        "add_reminder", {"text": "$todo", "in": "$duration"},
        train=(
            "remind me in {duration} to {todo}", "remind me to {todo} in {duration}",
            "in {duration} remind me to {todo}", "set a reminder in {duration} to {todo}",
            "tell me in {duration} to {todo}", "reminder in {duration} {todo}",
        ),
        held_out=("set a reminder to {todo} in {duration}", "in {duration} tell me to {todo}"),
    ),
    call(
        "add_to_list", {"list": "$list", "items": "$items"}, weight=1.5,
        train=(
            "add {items} to the {list} list", "put {items} on the {list} list", "put {items} on my {list} list",
            "{items} on the {list} list", "add to my {list} list {items}", "write {items} on the {list} list",
            "the {list} list needs {items}", "on the {list} list put {items}", "i need {items} on the {list} list",
            "include {items} in the {list} list",
        ),
        held_out=("to the {list} list add {items}", "note {items} on the {list} list",
                  "i want {items} on my {list} list"),
    ),
    call(
        "add_to_list", {"list": "shopping", "items": "$items"}, weight=1.0,
        train=(
            "we need {items}", "we're out of {items}", "we are out of {items}", "i have to buy {items}",
            "there's no more {items}", "next time we shop get {items}", "buy {items}", "we ran out of {items}",
        ),
        held_out=("we need to buy {items}", "there are no more {items}"),
    ),
    call(
        "remove_from_list", {"list": "$list", "items": "$items"},
        train=(
            "remove {items} from the {list} list", "take {items} off the {list} list",
            "delete {items} from my {list} list", "cross {items} off the {list} list",
            "{items} can come off the {list} list", "i don't need {items} on the {list} list anymore",
        ),
        held_out=("strike {items} from the {list} list", "take {items} from my {list} list"),
    ),
    call(
        "read_list", {"list": "$list"},
        train=(
            "what's on the {list} list", "read the {list} list", "read me my {list} list", "show me the {list} list",
            "what is on my {list} list", "tell me what's on the {list} list", "open the {list} list",
        ),
        held_out=("read out the {list} list", "what do i have on the {list} list"),
    ),
    call(
        "add_note", {"text": "$fact"}, weight=1.2,
        train=(
            "take a note {fact}", "note {fact}", "make a note that {fact}", "write down {fact}", "note that {fact}",
            "new note {fact}", "write down that {fact}", "remember that {fact}", "add a note {fact}",
            "note down {fact}",
            "save a note {fact}",
        ),
        held_out=("make a note {fact}", "take a note that {fact}", "write a note {fact}"),
    ),
)  # fmt: skip
