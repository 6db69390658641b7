"""Ways to switch system settings."""

from __future__ import annotations

from apps.assistant_model.templates import Template, call, calls
from apps.assistant_model.wording import wording

_Choices = tuple[tuple[str | int, tuple[str, ...]], ...]

_PARTS: _Choices = (  # what takes an article or none
    ("wifi", ("wifi", "wifi", "wi-fi", "wi fi", "wlan", "wireless")),
    ("bluetooth", ("bluetooth", "bluetooth", "blue tooth")),
    ("night_light", ("night light", "blue light filter", "blue light filter")),
    ("battery_saver", ("battery saver", "power saver", "energy saver", "battery saver")),
    ("notifications", ("notifications", "notifications", "desktop notifications")),
    ("microphone", ("microphone", "mic", "microphone")),
    ("camera", ("camera", "webcam", "web cam")),
)
_MODES: _Choices = (  # what takes none
    ("airplane_mode", ("airplane mode", "flight mode", "aeroplane mode", "plane mode", "airplane mode")),
    ("dark_mode", ("dark mode", "dark mode", "dark theme")),
    ("do_not_disturb", ("do not disturb", "do not disturb mode", "don't disturb", "do-not-disturb")),
    ("night_light", ("night light mode", "night light")),
    ("battery_saver", ("power saving", "power saving mode", "battery saver mode", "low power mode", "battery saving")),
)
# The settings, parted into two for wordings that name two at once.
_NET: _Choices = (
    ("wifi", ("wifi", "the wifi", "wi-fi")),
    ("bluetooth", ("bluetooth",)),
    ("airplane_mode", ("airplane mode", "flight mode")),
)
_QUIET: _Choices = (
    ("notifications", ("notifications", "my notifications")),
    ("microphone", ("the microphone", "the mic")),
    ("camera", ("the webcam", "the camera")),
    ("dark_mode", ("dark mode",)),
    ("do_not_disturb", ("do not disturb",)),
    ("night_light", ("the night light", "night light")),
    ("battery_saver", ("battery saver", "power saving")),
)
CHOICES: dict[str, _Choices] = {
    "setting_part": _PARTS,
    "setting_mode": _MODES,
    "setting_net": _NET,
    "setting_quiet": _QUIET,
}

_ways = wording({
    "turn": "(turn|turn|turn|switch|switch|flip)",
    "want": "(i want|i'd like|i need|we need|i would like|i want to have)",
})  # fmt: skip


def _about(thing: str, *patterns: str) -> tuple[str, ...]:
    return _ways(*(pattern.replace("@", thing) for pattern in patterns))


_STATE = (
    "<turn> {state} @", "<turn> {state} @", "<turn> @ {state}", "<turn> @ {state}", "@ {state}", "@ {state}",
    "<want> @ {state}", "set @ to {state}", "toggle @ {state}", "@ (should|must|has to) be {state}",
    "make sure @ is {state}", "put @ {state}", "have @ (turned|switched) {state}",
    "<want> @ (turned|switched|to be) {state}", "make @ {state}", "@ to {state}", "go to settings and <turn> {state} @",
    "i want to <turn> {state} @", "i forgot to <turn> {state} @", "{state} with @",
    "<turn> {state} @ on (the|this|my) (computer|laptop|phone|pc|device)", "change @ to {state}",
    "in the settings <turn> @ {state}", "let me have @ {state}", "let's <turn> @ {state}", "setting @ {state}",
    "power {state} @", "<turn> @ {state} (for the meeting|for a while|until later|tonight)",
)  # fmt: skip
_STATE_HELD_OUT = (
    "get @ {state}",
    "see that @ is {state}",
    "i'd prefer @ {state}",
    "click @ {state}",
    "it's time to <turn> @ {state}",
)
_ON = (
    "enable @", "enable @", "activate @", "activate @", "start @", "use @",
    "i (want|need|would like) to (use|enable|activate) @", "fire up @", "<turn> @ back on", "<turn> on @ again",
    "allow @", "(bring|get) @ back", "let me use @", "i can't do without @, <turn> it on",
    "i need @ (running|enabled|active)", "@ isn't on, <turn> it on", "why is @ off, <turn> it on", "make @ work",
    "@ back on", "reactivate @", "have @ enabled", "engage @", "let's use @",
)  # fmt: skip
_ON_HELD_OUT = ("re-enable @", "get @ going", "@ enabled", "@ should be active", "wake up @")
_OFF = (
    "disable @", "disable @", "deactivate @", "deactivate @", "stop @", "kill @", "shut off @", "shut @ off",
    "no more @", "cut @", "block @", "end @", "i don't (want|need|use) @( anymore| any more| any longer|)",
    "we don't need @( anymore| now|)", "get rid of @", "i'm done with @", "<turn> @ off again",
    "i want to (disable|deactivate) @", "@ isn't needed", "@ is still on, <turn> it off", "have @ disabled",
    "without @", "i want @ (disabled|gone)", "suspend @", "@ can go off",
)  # fmt: skip
_OFF_HELD_OUT = ("@ disabled", "let's do without @", "quit @", "@ should go off", "pull the plug on @")
_THE = "(|the|the|my) {setting_part}"
_OWN_ON = (
    "(go|switch|change) (in|in|)to @",
    "enter @",
    "@",
    "put (the|my) (phone|laptop|computer) (in|into|on) @",
    "give me @",
    "go @",
)
_OWN_OFF = (
    "(leave|exit|end) @",
    "(go|get|come) out of @",
    "take (the|my) (phone|laptop|computer) (out of|off) @",
    "back from @",
    "no @",
)

# What asks for a setting without its name: setting, state, wordings, wordings held out.
_SAID: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("do_not_disturb", "on",
     ("(don't|do not) disturb me", "i don't want to be disturbed",
      "i (need|have|want) to (focus|concentrate), (don't|do not) disturb me", "no interruptions",
      "(let nobody|nobody should|don't let anyone) disturb me", "i don't want any interruptions",
      "i must not be disturbed", "keep me undisturbed", "don't interrupt me", "i want to work undisturbed",
      "i'm in a meeting, don't disturb me", "stop disturbing me", "i wish not to be disturbed"),
     ("i'd rather not be disturbed", "please no disturbance", "let me work undisturbed")),
    ("do_not_disturb", "off",
     ("you (can|may) disturb me again", "i can be disturbed again", "interruptions are (ok|okay|fine) again",
      "people (can|may) disturb me again", "i'm done focusing, you can disturb me", "it's ok to disturb me (again|now)",
      "let people disturb me again", "my meeting is over, you can disturb me again"),
     ("i may be disturbed again", "you're allowed to disturb me now")),
    ("notifications", "off",
     ("(silence|mute|hide|stop|pause) (the |my |all |all my |)(notifications|alerts|pop-ups)",
      "no (more |)(notifications|alerts|pop-ups)", "stop (showing|sending) (me |)notifications",
      "i don't want (any |to see any )(notifications|alerts)( anymore|)", "don't show me (any |)(notifications|alerts)",
      "these notifications are annoying, stop them", "keep notifications away",
      "i get too many notifications, stop them"),
     ("spare me the notifications", "make the notifications go away", "i've had enough notifications")),
    ("notifications", "on",
     ("(unmute|show|allow|bring back) (the |my |all |)(notifications|alerts)( again|)",
      "show me (my |)notifications again", "let notifications through( again|)",
      "i want (to see |to get |)notifications( again|)", "start showing notifications again",
      "i need to see my notifications again", "notify me again", "i want to be notified again"),
     ("let me get notifications again", "i miss my notifications, bring them back")),
    ("airplane_mode", "on",
     ("i'm (on|boarding|getting on) (a|the|my) (plane|flight), flight mode",
      "we're about to take off, (airplane|flight) mode", "the plane is taking off, put it in flight mode",
      "make (the laptop|the phone|it) ready for the flight",
      "put (it|everything|the device) in (flight|airplane|aeroplane) mode", "prepare for take off, flight mode",
      "i'm flying, use airplane mode"),
     ("boarding now, airplane mode", "my flight leaves, go into flight mode")),
    ("airplane_mode", "off",
     ("we('ve| have) landed, (leave|end|exit) (airplane|flight) mode", "the plane has landed, flight mode off",
      "i've landed, no more flight mode", "take it out of (flight|airplane) mode",
      "the flight is over, end flight mode", "no longer in flight mode", "i'm off the plane, stop airplane mode"),
     ("touched down, airplane mode off", "my flight landed, get out of flight mode")),
    ("dark_mode", "on",
     ("(switch|change|go|swap) to (the |)dark (mode|theme|colours|colors|design)",
      "(use|i want|i'd like|i prefer) (the |a |)dark (mode|theme|colours|colors)", "dark theme", "make the theme dark",
      "(set|put) the theme to dark", "show everything in dark mode", "dark colours for the windows",
      "change the theme to dark", "the light theme hurts my eyes, go dark mode"),
     ("everything in the dark theme", "let's go for dark mode", "dark design")),
    ("dark_mode", "off",
     ("(switch|change|go|swap|go back) to (the |)(light|bright) (mode|theme|colours|colors|design)",
      "(use|i want|i'd like|i prefer) (the |a |)(light|bright) (mode|theme|colours|colors)", "light (mode|theme)",
      "make the theme light", "(set|put) the theme to light", "bright theme", "change the theme to light",
      "back to the light theme", "light mode on"),
     ("everything in the light theme", "let's go for light mode", "light design")),
    ("battery_saver", "on",
     ("save (some |the |my |)(battery|power|energy)",
      "(the|my) battery is (low|almost empty|nearly empty|running out|dying), save power",
      "make the battery last (longer|as long as possible)", "use less (power|battery|energy)",
      "i need to save (battery|power)", "i want to save (battery|power|energy)", "go easy on the battery",
      "start saving (battery|power)", "stretch the battery"),
     ("spare the battery", "conserve (power|battery)")),
    ("battery_saver", "off",
     ("stop saving (battery|power|energy)", "no need to save (battery|power) (anymore|any more|now)",
      "i'm plugged in, stop saving (battery|power)", "(the|my) battery is full, stop saving power",
      "you don't have to save (battery|power|energy)", "i don't need to save (battery|power) anymore",
      "quit saving power"),
     ("no more saving power", "there's no need to save power")),
    ("wifi", "on",
     ("connect (me |)to (the |)(wifi|wi-fi|wireless|internet)", "connect the (wifi|wi-fi)", "go online",
      "get (me |us |)online", "i need (the |)internet", "i have no (internet|wifi), turn it on",
      "reconnect (to |)(the |)(wifi|wi-fi)", "join the (wifi|wireless network)", "turn on (the |)internet",
      "(switch|turn) the internet on", "i want to be online", "wireless network on"),
     ("hook me up to the wifi", "bring me online")),
    ("wifi", "off",
     ("disconnect (me |)from (the |)(wifi|wi-fi|wireless|internet)", "disconnect the (wifi|wi-fi)", "go offline",
      "cut the (internet|wifi)( connection|)", "(turn|switch) (the |)internet off", "turn off (the |)internet",
      "i want to be offline", "take me offline", "drop the wifi( connection|)", "leave the wifi",
      "wireless network off"),
     ("unhook me from the wifi", "bring me offline")),
    ("microphone", "off",
     ("mute (the|my) (microphone|mic)", "mute (me|myself)", "(nobody|no one) should hear me",
      "i don't want (anyone|them|people) to hear me", "stop listening through the (mic|microphone)",
      "silence (the|my) (mic|microphone)", "mic mute", "i need to cough, mute my mic", "mute me in the call"),
     ("keep my mic muted", "they must not hear me")),
    ("microphone", "on",
     ("unmute (the|my) (microphone|mic)", "unmute (me|myself)", "(everyone|they) should hear me",
      "i want (them|people|everyone) to hear me", "they can't hear me, turn on the mic", "open (the|my) mic",
      "my mic is muted, turn it on", "i want to speak in the call, unmute me"),
     ("let them hear me", "take my mic off mute")),
    ("camera", "off",
     ("(nobody|no one) should see me", "i don't want (anyone|them|people) to see me", "stop (the |my )(camera|webcam)",
      "hide me from the camera", "cover the (camera|webcam)", "i look terrible, camera off", "no video of me",
      "block (the|my) (camera|webcam)"),
     ("they must not see me", "keep my webcam off")),
    ("camera", "on",
     ("(everyone|they) should see me", "i want (them|people|everyone) to see me",
      "they can't see me, turn on the camera", "start (my|the) webcam", "show me on camera", "let the camera see me",
      "uncover the (camera|webcam)"),
     ("let them see me", "my webcam should be on")),
    ("night_light", "on",
     ("(less|no|reduce the|filter the|cut the) blue light( on the screen|)", "make the (screen|display) colours warmer",
      "warmer (colours|colors) on the (screen|display)", "make the screen (more |)(yellow|orange|warm)",
      "warm screen colours", "filter (out |)blue light", "i want a warmer screen"),
     ("give the screen a warmer tone", "take the blue out of the screen")),
    ("night_light", "off",
     ("(normal|usual) (colours|colors) on the screen( again|)", "the screen is too (yellow|orange), make it normal",
      "make the (screen|display) colours (normal|cold|cooler) again", "no more (orange|yellow) screen",
      "stop filtering (the |)blue light", "bring back the blue light", "stop the warm screen colours"),
     ("back to normal screen colours", "the screen looks orange, stop that")),
)  # fmt: skip

SETTINGS: tuple[Template, ...] = (
    *(call("set_setting", {"name": f"${slot}", "state": "$state"}, weight=weight,
           train=_about(thing, *_STATE), held_out=_about(thing, *_STATE_HELD_OUT))
      for slot, thing, weight in (("setting", "{setting}", 0.5), ("setting_part", _THE, 0.9), ("setting_mode",
                                                                                               "{setting_mode}", 0.8))),
    *(call("set_setting", {"name": f"${slot}", "state": state}, weight=weight, train=_about(thing, *train),
           held_out=_about(thing, *held_out))
      for state, train, held_out in (("on", _ON, _ON_HELD_OUT), ("off", _OFF, _OFF_HELD_OUT))
      for slot, thing, weight in (("setting", "{setting}", 0.25), ("setting_part", _THE, 0.4), ("setting_mode",
                                                                                                "{setting_mode}",
                                                                                                0.3))),
    call("set_setting", {"name": "$setting_mode", "state": "on"}, weight=0.2,
         train=_about("{setting_mode}", *_OWN_ON), held_out=_about("{setting_mode}", "all of it in @ now",
                                                                   "i could use @", "over to @")),
    call("set_setting", {"name": "$setting_mode", "state": "off"}, weight=0.2,
         train=_about("{setting_mode}", *_OWN_OFF), held_out=_about("{setting_mode}", "drop @", "let's get out of @",
                                                                    "@ is over")),
    *(call("set_setting", {"name": name, "state": state}, weight=0.12, train=train, held_out=held_out) for name, state,
      train, held_out in _SAID),
    calls((("set_setting", {"name": "$setting_net", "state": "$state"}), ("set_setting", {"name": "$setting_quiet",
                                                                                          "state": "$state"})),
                                                                                          weight=0.25,
          train=_about("{setting_net} and {setting_quiet}", "<turn> {state} @", "<turn> @ {state}", "@ {state}",
                       "<want> @ {state}", "set @ to {state}", "make sure @ are {state}", "have @ turned {state}",
                       "i want to <turn> {state} @", "@ should be {state}", "{state} with @",
                       "<turn> both @ {state}"),
          held_out=_about("{setting_net} and {setting_quiet}", "get @ {state}", "@ both {state}",
                          "let's have @ {state}")),
    calls((("set_setting", {"name": "$setting_quiet", "state": "$state"}), ("set_setting", {"name": "$setting_net",
                                                                                            "state": "$state"})),
                                                                                            weight=0.15,
          train=_about("{setting_quiet} and {setting_net}", "<turn> {state} @", "<turn> @ {state}", "@ {state}",
                       "<want> @ {state}", "i want to <turn> {state} @"),
          held_out=_about("{setting_quiet} and {setting_net}", "get @ {state}", "let's have @ {state}")),
)  # fmt: skip
