"""Ways to make lights brighter or dimmer, and to ask for the lights of several rooms at once."""

from __future__ import annotations

from apps.assistant_model.home_words import ways
from apps.assistant_model.templates import Template, call, calls

_LIGHT_CHANGES = (
    call(
        "set_light", {"room": "$room", "change": 20}, weight=1.2,
        train=ways(
            "make the {room} <light> <a bit> brighter", "make it <a bit> brighter in <the> {room}",
            "brighten (up |)the {room}", "<a bit> brighter in the {room}", "make the {room} <a bit> brighter",
            "brighten the {room} <lights> <a bit>", "turn up the {room} <lights>", "turn the {room} <light> up <a bit>",
            "turn up the <lights> in the {room} <a bit>", "turn the <lights> in the {room} up",
            "raise the {room} <lights> <a bit>", "raise the light in the {room}",
            "(a bit |a little |)more light in <the> {room}", "<want> (a bit |)more light in the {room}",
            "{room} <light> <a bit> brighter", "<want> it <a bit> brighter in the {room}",
            "<want> the {room} <lights> <a bit> brighter", "{room} <lights> up <a bit>",
            "increase the brightness in the {room}", "increase the {room} brightness <a bit>",
            "it's not bright enough in the {room}", "the {room} isn't bright enough",
            "the <light is> too dim in the {room}", "the {room} <light is> too dim", "up the {room} lights",
            "give me more light in the {room}", "bring the {room} <lights> up <a bit>", "boost the {room} <lights>",
        ),
        held_out=ways(
            "the <lights> in the {room} could be <a bit> brighter", "brighter <lights> in the {room}",
            "the {room} needs more light", "push the {room} <lights> up", "increase the light in the {room} <a bit>",
        ),
    ),
    call(
        "set_light", {"room": "$room", "change": -20}, weight=1.3,
        train=ways(
            "make the {room} <light> <a bit> dimmer", "make it <a bit> (dimmer|darker) in <the> {room}",
            "dim the {room} <light> <a bit>", "dim the <lights> in <the> {room} <a bit>", "dim the {room}",
            "dim the {room} <a bit>", "turn down the {room} <lights>", "turn the {room} <light> down <a bit>",
            "turn down the <lights> in the {room} <a bit>", "{room} <light> <a bit> dimmer",
            "turn the <lights> in the {room} down", "lower the {room} <lights> <a bit>",
            "lower the light in the {room}", "(a bit |a little |)less light in <the> {room}",
            "<want> (a bit |)less light in the {room}", "{room} <lights> down <a bit>",
            "<want> it <a bit> dimmer in the {room}", "<want> the {room} <lights> <a bit> dimmer",
            "tone down the {room} <lights>", "reduce the brightness in the {room}",
            "reduce the {room} brightness <a bit>", "it's <too> bright in <the> {room}",
            "the {room} is (too|so|way too) bright", "the {room} <light is> too bright",
            "the <light is> too bright in the {room}", "dim it <a bit> in the {room}",
            "bring the {room} <lights> down <a bit>", "soften the {room} <lights>",
            "the light in the {room} hurts my eyes", "<want> the {room} <lights> dimmed <a bit>",
            "darken the {room} <a bit>",
        ),
        held_out=ways(
            "the <lights> in the {room} could be <a bit> dimmer", "softer <lights> in the {room}",
            "dimmer <lights> in the {room}", "it's blinding in the {room}", "take the {room} <lights> down <a bit>",
            "decrease the light in the {room}",
        ),
    ),
    call(
        "set_light", {"room": "$room", "change": "$light_step"}, weight=0.8,
        train=ways(
            "make the {room} <light> {light_step} brighter", "turn the {room} <light> up <step>",
            "turn up the {room} <lights> <step>", "brighten the {room} (<lights> |)by {light_step}",
            "raise the {room} <lights> by {light_step}", "{room} <lights> up <step>",
            "increase the {room} <lights> by {light_step}", "increase the brightness in the {room} by {light_step}",
            "<want> the {room} <lights> {light_step} brighter", "{light_step} more light in the {room}",
            "{room} <lights> {light_step} brighter", "turn the <lights> in the {room} up <step>",
            "make it {light_step} brighter in the {room}", "{light_step} brighter in the {room}",
        ),
        held_out=ways(
            "bring the {room} <lights> up <step>", "add {light_step} to the {room} <lights>",
            "push the {room} <lights> up <step>",
        ),
    ),
    call(
        "set_light", {"room": "$room", "change": "$-light_step"}, weight=0.8,
        train=ways(
            "make the {room} <light> {light_step} dimmer", "turn the {room} <light> down <step>",
            "turn down the {room} <lights> <step>", "dim the {room} (<lights> |)by {light_step}",
            "lower the {room} <lights> by {light_step}", "{room} <lights> down <step>",
            "reduce the {room} <lights> by {light_step}", "reduce the brightness in the {room} by {light_step}",
            "<want> the {room} <lights> {light_step} dimmer", "{light_step} less light in the {room}",
            "{room} <lights> {light_step} dimmer", "turn the <lights> in the {room} down <step>",
            "make it {light_step} darker in the {room}", "dim the <lights> in the {room} by {light_step}",
            "decrease the {room} <lights> by {light_step}",
        ),
        held_out=ways(
            "bring the {room} <lights> down <step>", "take {light_step} off the {room} <lights>",
            "{light_step} dimmer in the {room}",
        ),
    ),
    call(
        "set_light", {"room": "all", "change": 20}, weight=0.4,
        train=ways(
            "make <all lights> <a bit> brighter", "turn up <all lights>", "turn <all lights> up <a bit>",
            "brighten <all lights>", "brighten up the whole house", "more light <everywhere>",
            "<want> it <a bit> brighter <everywhere>", "lights up <everywhere>",
        ),
        held_out=ways("raise <all lights> <a bit>", "all the lights <a bit> brighter"),
    ),
    call(
        "set_light", {"room": "all", "change": -20}, weight=0.4,
        train=ways(
            "dim <all lights> <a bit>", "dim all lights", "make <all lights> <a bit> dimmer",
            "turn <all lights> down <a bit>", "turn down <all lights>", "less light <everywhere>",
            "it's too bright <everywhere>", "dim the (whole |)house", "<want> it <a bit> dimmer <everywhere>",
            "lights down <everywhere>",
        ),
        held_out=ways("lower <all lights> <a bit>", "all the lights <a bit> dimmer"),
    ),
    call(
        "set_light", {"room": "all", "change": "$-light_step"}, weight=0.2,
        train=ways(
            "dim <all lights> by {light_step}", "turn <all lights> down <step>",
            "make <all lights> {light_step} dimmer", "reduce <all lights> by {light_step}",
            "lights {light_step} down <everywhere>",
        ),
        held_out=ways("lower <all lights> by {light_step}"),
    ),
)  # fmt: skip

_LIGHTS_OF_TWO = (
    calls(
        (("set_light", {"room": "$room", "state": "$state"}), ("set_light", {"room": "$room2", "state": "$state"})),
        weight=1.2,
        train=ways(
            "<turn> {state} the {room} and {room2} <lights>", "<turn> {state} the {room} and the {room2} <lights>",
            "<turn> the {room} and (the |){room2} lights {state}", "{room} and {room2} <lights> {state}",
            "<turn> {state} the lights in the {room} and (the |){room2}",
            "lights {state} in the {room} and (the |){room2}",
            "<turn> the lights in the {room} and (the |){room2} {state}",
            "<want> the {room} and {room2} lights {state}", "<turn> {state} the {room} light and the {room2} light",
            "in the {room} and the {room2} <turn> the lights {state}",
            "<turn> {state} the lights in (both |)the {room} and in the {room2}",
            "the {room} and {room2} lights {state}", "<turn> {state} the {room} lights and also the {room2} lights",
            "{room} light {state}, {room2} light {state} too",
            "<turn> the {room} light {state} and the {room2} one (too|as well)",
            "<turn> {state} the {room} lights, {room2} as well",
            "<turn> {state} the {room} light, and the same in the {room2}",
            "make sure the {room} and the {room2} lights are {state}",
            "<want> lights {state} in the {room} and (in |)the {room2}",
            "<turn> {state} both the {room} and the {room2} light",
        ),
        held_out=ways(
            "get the {room} and {room2} lights {state}", "lights {state}, {room} and {room2}",
            "have the lights {state} in the {room} and (the |){room2}",
            "<turn> {state} the lights in the {room} plus the {room2}",
        ),
    ),
    calls(
        (("set_light", {"room": "$room", "state": "$state"}), ("set_light", {"room": "$room2", "state": "$state"}),
         ("set_light", {"room": "$room3", "state": "$state"})), weight=0.3,
        train=ways(
            "<turn> {state} the {room}, {room2} and {room3} lights", "{room}, {room2} and {room3} lights {state}",
            "<turn> the lights in the {room}, the {room2} and the {room3} {state}",
            "<turn> {state} the lights in the {room}, {room2} and {room3}",
        ),
        held_out=ways("lights {state} in the {room}, the {room2} and the {room3}"),
    ),
    calls(
        (("set_light", {"room": "$room", "state": "on"}), ("set_light", {"room": "$room2", "state": "off"})),
        weight=0.5,
        train=ways(
            "<turn> on the {room} light and off the {room2} light", "{room} <lights> on, {room2} <lights> off",
            "<turn> the {room} <lights> on and the {room2} <lights> off", "{room} <lights> on and {room2} <lights> off",
            "<want> the {room} <lights> on and the {room2} <lights> off",
            "lights on in the {room} and off in the {room2}",
            "<turn> on the lights in the {room} and turn off the ones in the {room2}",
            "the {room} light on, the {room2} one off",
        ),
        held_out=ways(
            "<turn> the lights on in the {room} and off in the {room2}",
            "get the {room} light on and the {room2} light off",
        ),
    ),
    calls(
        (("set_light", {"room": "$room", "brightness": "$percent"}),
         ("set_light", {"room": "$room2", "brightness": "$percent"})),
        weight=0.4,
        train=ways(
            "dim the {room} and {room2} lights to {percent}", "set the {room} and the {room2} lights to {percent}",
            "{room} and {room2} lights (at|to) {percent}", "dim the lights in the {room} and the {room2} to {percent}",
            "<want> the {room} and {room2} lights at {percent}",
            "put the lights in the {room} and {room2} at {percent}",
        ),
        held_out=ways(
            "bring the {room} and the {room2} lights to {percent}", "lights at {percent} in the {room} and the {room2}",
        ),
    ),
    calls(
        (("set_light", {"room": "$room", "brightness": "$percent"}),
         ("set_light", {"room": "$room2", "brightness": "$percent2"})),
        weight=0.4,
        train=ways(
            "dim the {room} lights to {percent} and the {room2} lights to {percent2}",
            "set the {room} light to {percent} and the {room2} light to {percent2}",
            "{room} lights at {percent}, {room2} lights at {percent2}",
            "{room} lights {percent} and {room2} lights {percent2}",
            "<want> the {room} lights at {percent} and the {room2} at {percent2}",
        ),
        held_out=ways("put the {room} lights at {percent} and the {room2} ones at {percent2}"),
    ),
    calls(
        (("set_light", {"room": "$room", "color": "$color"}), ("set_light", {"room": "$room2", "color": "$color"})),
        weight=0.4,
        train=ways(
            "make the {room} and {room2} lights {color}", "set the {room} and the {room2} lights to {color}",
            "{color} light in the {room} and the {room2}", "turn the lights in the {room} and {room2} {color}",
            "change the {room} and {room2} lights to {color}", "<want> the {room} and the {room2} lights in {color}",
        ),
        held_out=ways(
            "make the lights {color} in the {room} and the {room2}", "put the {room} and {room2} lights on {color}",
        ),
    ),
    calls(
        (("set_light", {"room": "$room", "color": "$color"}), ("set_light", {"room": "$room2", "color": "$color2"})),
        weight=0.3,
        train=ways(
            "make the {room} lights {color} and the {room2} lights {color2}",
            "{room} lights {color}, {room2} lights {color2}", "set the {room} to {color} and the {room2} to {color2}",
            "{color} light in the {room} and {color2} in the {room2}",
            "turn the {room} light {color} and the {room2} light {color2}",
        ),
        held_out=ways("change the {room} lights to {color} and the {room2} ones to {color2}"),
    ),
    calls(
        (("set_light", {"room": "$room", "change": -20}), ("set_light", {"room": "$room2", "change": -20})), weight=0.3,
        train=ways(
            "dim the {room} and {room2} lights <a bit>", "dim the lights in the {room} and the {room2}",
            "turn down the {room} and (the |){room2} lights", "make the {room} and {room2} lights dimmer",
            "it's too bright in the {room} and (in |)the {room2}",
        ),
        held_out=ways("lower the {room} and the {room2} lights"),
    ),
    calls(
        (("set_light", {"room": "$room", "change": 20}), ("set_light", {"room": "$room2", "change": 20})), weight=0.2,
        train=ways(
            "brighten the {room} and (the |){room2}", "turn up the lights in the {room} and the {room2}",
            "make the {room} and {room2} lights <a bit> brighter", "more light in the {room} and the {room2}",
        ),
        held_out=ways("raise the {room} and the {room2} lights"),
    ),
)  # fmt: skip

LIGHT_MORE: tuple[Template, ...] = _LIGHT_CHANGES + _LIGHTS_OF_TWO
