"""Ways to ask for light, sockets and heating: sockets stand here, the others in modules of their own."""

from __future__ import annotations

from apps.assistant_model.home_words import CHOICES, SLOTS, ways
from apps.assistant_model.template_heating import HEATING
from apps.assistant_model.template_light import LIGHT
from apps.assistant_model.template_light_more import LIGHT_MORE
from apps.assistant_model.templates import Template, call, calls

__all__ = ["CHOICES", "HOME", "SLOTS"]

_SOCKETS = (
    call(
        "set_socket", {"device": "$device", "state": "$state"}, weight=3.0,
        train=ways(
            "<turn> {state} <the> {device}", "<turn> <the> {device} {state}", "<turn> the {device} {state}",
            "{device} {state}", "the {device} {state}", "<turn> {state} the (socket|plug|outlet) for the {device}",
            "{state} with the {device}", "<turn> the {device} (socket|plug|outlet) {state}",
            "<turn> {state} the {device} (socket|plug|outlet)", "{device} (socket|plug) {state}",
            "<turn> the (socket|plug|outlet|switch) of the {device} {state}", "power {state} <the> {device}",
            "power the {device} {state}", "<want> <the> {device} {state}",
            "<want> the {device} (to be |)(switched|turned|powered) {state}",
            "the {device} (should|must|has to) be {state}", "make sure the {device} is {state}",
            "set <the> {device} to {state}", "have the {device} (switched|turned) {state}", "get the {device} {state}",
            "make the {device} go {state}", "power to the {device} {state}", "flip the {device} {state}",
            "the socket (of|for|with) the {device} {state}", "i forgot to <turn> {state} the {device}",
            "let's have the {device} {state}", "<turn> the power (of|for|to) the {device} {state}",
            "<turn> {state} that {device}", "that {device}, <turn> it {state}", "the {device}, <turn> it {state}",
            "time to <turn> {state} the {device}", "the {device} can go {state}",
            "<turn> {state} the {device} (at the wall|over there|in the corner)",
            "you can <turn> {state} the {device} now",
        ),
        held_out=ways(
            "see that the {device} is {state}", "the {device} needs to be {state}",
            "the plug for the {device} should be {state}", "i'd prefer the {device} {state}",
            "flick {state} the {device}", "{state}, the {device}",
        ),
    ),
    call(
        "set_socket", {"device": "$own_device", "state": "$state"}, weight=1.4,
        train=ways(
            "<turn> {state} <the> {own_device}", "<turn> <the> {own_device} {state}", "{own_device} {state}",
            "the {own_device} {state}", "<want> the {own_device} {state}", "make sure the {own_device} is {state}",
            "power {state} the {own_device}", "<turn> {state} the socket for the {own_device}",
            "get the {own_device} {state}", "have the {own_device} turned {state}",
            "the {own_device} should be {state}", "set the {own_device} to {state}",
            "i forgot to <turn> {state} the {own_device}",
        ),
        held_out=ways(
            "flick {state} the {own_device}", "see that the {own_device} is {state}",
            "the {own_device} needs to be {state}",
        ),
    ),
    call(
        "set_socket", {"device": "$device", "state": "on"}, weight=0.9,
        train=ways(
            "start <the> {device}", "start up the {device}", "fire up the {device}",
            "get the {device} (going|running|started)", "power up the {device}", "activate the {device}",
            "i need the {device} running", "run the {device}", "let the {device} run",
            "give the {device} (some |)power", "the {device} needs power", "enable the {device}",
            "i want to use the {device}", "i'm about to use the {device}", "boot up the {device}",
            "the {device} should (run|start)", "stick the {device} on", "pop the {device} on", "plug in the {device}",
            "i'd like the {device} (going|running)", "set the {device} going",
            "the {device} is off, turn it (back |)on", "let there be power for the {device}",
            "time to start the {device}",
        ),
        held_out=ways(
            "get that {device} (going|running)", "warm up the {device}", "set the {device} running",
            "kick off the {device}",
        ),
    ),
    call(
        "set_socket", {"device": "$device", "state": "off"}, weight=0.9,
        train=ways(
            "shut off <the> {device}", "shut the {device} off", "shut down the {device}", "stop <the> {device}",
            "kill the {device}", "cut the power to the {device}", "cut power to the {device}",
            "power down the {device}", "deactivate the {device}", "disable the {device}",
            "i don't need the {device} (any more|anymore|any longer|now|)", "i'm (done|finished) with the {device}",
            "no power for the {device}", "i left the {device} on", "i forgot to unplug the {device}",
            "the {device} is still (on|running)", "we left the {device} running", "unplug the {device}",
            "the {device} can stop (now|)", "take the power off the {device}", "i think i left the {device} on",
            "the {device} is on for nothing", "nobody needs the {device} now",
            "the {device} is finished, switch it off", "stop running the {device}",
            "we don't need the {device} any more",
        ),
        held_out=ways(
            "shut that {device} off", "i've left the {device} (on|running)", "we're done with the {device}",
            "halt the {device}",
        ),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "$state"}),
         ("set_socket", {"device": "$device2", "state": "$state"})),
        weight=1.2,
        train=ways(
            "<turn> {state} the {device} and the {device2}", "<turn> the {device} and (the |){device2} {state}",
            "{device} and {device2} {state}", "the {device} and the {device2} {state}",
            "<turn> {state} the {device} and {device2}", "power {state} the {device} and the {device2}",
            "<want> the {device} and the {device2} {state}", "<turn> {state} both the {device} and the {device2}",
            "{device} {state}, {device2} {state}", "<turn> {state} the {device} and also the {device2}",
            "<turn> the {device} {state} and the {device2} (too|as well)",
            "make sure the {device} and the {device2} are {state}", "<turn> {state} the {device}, the {device2} too",
            "get the {device} and {device2} {state}", "<turn> {state} the sockets for the {device} and the {device2}",
            "the {device} and the {device2} should be {state}", "<turn> {state} my {device} and my {device2}",
            "the {device} {state} and the {device2} {state} too",
        ),
        held_out=ways(
            "set the {device} and the {device2} to {state}", "have the {device} and (the |){device2} turned {state}",
            "both {device} and {device2} {state}", "<turn> {state} the {device} plus the {device2}",
        ),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "off"}), ("set_socket", {"device": "$device2", "state": "off"})),
        weight=0.3,
        train=ways(
            "shut off the {device} and the {device2}", "stop the {device} and the {device2}",
            "i left the {device} and the {device2} on", "shut down the {device} and the {device2}",
            "cut the power to the {device} and the {device2}", "kill the {device} and the {device2}",
            "i'm done with the {device} and the {device2}",
        ),
        held_out=ways("i don't need the {device} and the {device2} any more", "unplug the {device} and the {device2}"),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "on"}), ("set_socket", {"device": "$device2", "state": "on"})),
        weight=0.3,
        train=ways(
            "start the {device} and the {device2}", "get the {device} and the {device2} going",
            "fire up the {device} and the {device2}", "power up the {device} and (the |){device2}",
            "run the {device} and the {device2}", "activate the {device} and the {device2}",
        ),
        held_out=ways("i need the {device} and the {device2} running"),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "on"}), ("set_socket", {"device": "$device2", "state": "off"})),
        weight=0.4,
        train=ways(
            "<turn> the {device} on and the {device2} off", "{device} on, {device2} off",
            "<turn> on the {device} and off the {device2}", "{device} on and {device2} off",
            "<want> the {device} on and the {device2} off", "start the {device} and stop the {device2}",
            "<turn> on the {device} but (turn |)off the {device2}",
        ),
        held_out=ways("get the {device} on and the {device2} off", "fire up the {device} and shut off the {device2}"),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "$state"}),
         ("set_socket", {"device": "$device2", "state": "$state"}),
         ("set_socket", {"device": "$device3", "state": "$state"})), weight=0.3,
        train=ways(
            "<turn> {state} the {device}, the {device2} and the {device3}", "{device}, {device2} and {device3} {state}",
            "<turn> the {device}, {device2} and {device3} {state}",
            "<want> the {device}, the {device2} and the {device3} {state}",
        ),
        held_out=ways("power {state} the {device}, the {device2} and the {device3}"),
    ),
    calls(
        (("set_light", {"room": "$room", "state": "$state"}), ("set_socket", {"device": "$device", "state": "$state"})),
        weight=0.6,
        train=ways(
            "<turn> {state} the {room} <lights> and the {device}",
            "<turn> the {room} <lights> and the {device} {state}", "{room} <lights> and {device} {state}",
            "<turn> {state} the <lights> in the {room} and the {device}",
            "<want> the {room} <lights> and the {device} {state}",
            "<turn> the <lights> in the {room} {state} and the {device} too",
        ),
        held_out=ways("get the {room} <lights> and the {device} {state}"),
    ),
    calls(
        (("set_socket", {"device": "$device", "state": "$state"}), ("set_light", {"room": "$room", "state": "$state"})),
        weight=0.6,
        train=ways(
            "<turn> {state} the {device} and the {room} <lights>",
            "<turn> the {device} and the {room} <lights> {state}", "{device} and {room} <lights> {state}",
            "<turn> {state} the {device} and the <lights> in the {room}",
            "<want> the {device} and the {room} <lights> {state}",
            "<turn> {state} the {device}, and the {room} lights as well",
        ),
        held_out=ways("power {state} the {device} and the {room} <lights>"),
    ),
)  # fmt: skip

HOME: tuple[Template, ...] = LIGHT + LIGHT_MORE + _SOCKETS + HEATING
