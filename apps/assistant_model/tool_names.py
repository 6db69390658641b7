"""Other names and descriptions of the shipped tools and their arguments, for the tool lists of training.

A name means one tool only, and so does a description; a description of an argument means one argument of its tool.
"""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


NAMES: dict[str, tuple[str, ...]] = {
    "set_light": _names(
        "light.set home_lights ctl_lamp switchLights lamps lighting room_light adjust_lighting lightControl illuminate "
        "hue.control bulb lamp_state setLamp light_switch control_lights"
    ),
    "set_socket": _names(
        "switch_device plug.set powerPlug outlet socket_switch toggleAppliance device_power appliance smart_plug "
        "power.device plug_control mains_switch turnDevice ctl_socket appliance.toggle power_outlet"
    ),
    "set_heating": _names(
        "thermostat heating.set climate radiator setThermostat room_climate heat_control hvac adjustHeating "
        "climate.temperature warm_room central_heating ctl_heating boiler.control heater_target setClimate"
    ),
    "set_timer": _names(
        "countdown timer.start startTimer kitchen_timer start_countdown new_timer run_timer timer_create egg_timer "
        "tick_down create_countdown timers.add begin_timer timerNew launch_timer time_this"
    ),
    "check_timer": _names(
        "timer.left time_left timerStatus timer_remaining how_much_longer countdown.status query_timer get_timer "
        "remainingTime show_timer timer_check countdown_left timers.read inspect_countdown timer_progress"
    ),
    "cancel_timer": _names(
        "timer.stop stop_timer killTimer abort_countdown end_timer timers.delete remove_timer timer_off clearTimer "
        "dismiss_timer countdown.cancel drop_timer stopCountdown discard_timer"
    ),
    "set_alarm": _names(
        "wake_up alarm.set alarmClock wake_me new_alarm create_alarm wakeup_call setWakeTime alarms.add ring_at "
        "morning_alarm alarm_on clock.alarm wakeUpAt add_alarm schedule_wakeup"
    ),
    "cancel_alarm": _names(
        "alarm.cancel delete_alarm removeAlarm alarm_off alarms.delete no_alarm clear_alarm drop_alarm cancelWakeup "
        "unset_alarm wakeup.remove kill_alarm alarm_delete skip_alarm"
    ),
    "add_reminder": _names(
        "remind reminder.new remind_me createReminder nudge dont_forget reminders.add set_reminder memory_jogger "
        "new_reminder reminderFor remember_to reminder_create schedule_reminder notify_later jog_memory"
    ),
    "add_to_list": _names(
        "list.add addItems append_list shopping_add list_append put_on_list lists.put groceries_add insertItems "
        "extend_list list_insert write_on_list addToList enlist basket.add"
    ),
    "remove_from_list": _names(
        "list.remove removeItems strike_off list_delete take_off_list lists.drop cross_off uncheckItems delete_items "
        "tick_off list_strike shopping_remove removeFromList basket.remove drop_items"
    ),
    "read_list": _names(
        "list.show showList read_out_list lists.read get_list view_list list_items tellList list_contents "
        "what_is_listed open_list recite_list basket.view fetch_list"
    ),
    "add_note": _names(
        "note.new write_note takeNote jot jot_down notes.add memo save_note noteCreate new_memo write_down note_this "
        "memo.write make_note scribble"
    ),
    "find_notes": _names(
        "note.find search_notes notesSearch notes.query lookup_notes note_lookup findMemo memo.search seek_note "
        "read_notes show_notes grep_notes recall_note notes_about"
    ),
    "play_media": _names(
        "music.play playMusic play jukebox start_music stream media_play put_on_music audio.start playSong play_audio "
        "listen radio_play hear sound_system.play start_playback"
    ),
    "control_media": _names(
        "media.control playback player playerControl playback_keys media_key playback_action music_control "
        "player.command steer_playback playback_button mediaAction pause_or_skip music_remote"
    ),
    "set_volume": _names(
        "volume sound.level setLoudness loudness audio_volume volume.set change_volume sound_volume speakerVolume "
        "adjust_sound volume_control mixer gain adjustVolume"
    ),
    "get_weather": _names(
        "weather forecast weather.get getForecast weather_report check_weather meteo weather_forecast outlook "
        "climate_report rain_or_shine rain_check weather_now sky.forecast"
    ),
    "get_events": _names(
        "calendar.show agenda listEvents show_calendar read_calendar events.list my_day schedule.view appointments "
        "diary_read get_appointments whatsOn calendar_lookup check_agenda upcoming_events"
    ),
    "add_event": _names(
        "calendar.add new_event createEvent schedule_event events.create add_appointment book_slot diary_write "
        "calendarEntry plan_event event_new appointment.make put_in_calendar schedule_meeting"
    ),
    "calculate": _names(
        "calc math.eval compute sum arithmetic evaluate doMath solve calculator work_out reckon math eval_expression "
        "number_crunch solveSum"
    ),
    "convert_units": _names(
        "convert units.convert unitConverter conversion change_units measure.convert unit_convert convertMeasure "
        "translate_units units metric_imperial recalculate_unit conv to_unit"
    ),
    "set_setting": _names(
        "setting.set toggle_setting systemSetting preferences switch_setting settings.toggle config option_switch "
        "setOption sys_toggle quick_settings change_setting toggle_feature set_preference"
    ),
    "set_screen": _names(
        "screen.brightness display backlight setBrightness screen_bright monitor_brightness display.set dim_screen "
        "screenLevel adjust_display panel_light brighten_screen ctl_display screen_light"
    ),
    "open_app": _names(
        "app.open launch startApp run_program launch_app programs.start open_program application exec bring_up "
        "openApplication start_software apps.open run_app app_launcher"
    ),
    "system_action": _names(
        "system.do power_menu systemControl computer pc_action machine.command os_action session_control doSystem "
        "power_action computer_control host.action pcControl desk_command"
    ),
    "get_time": _names(
        "clock time.now current_time whatTime tell_time local_time clock.read world_clock timeIn time_of_day now "
        "get_clock ask_time zone_time"
    ),
    "get_date": _names(
        "date.today today current_date whatDay tell_date calendar_date todaysDate which_day date show_date day_today "
        "date.now fetch_date weekday"
    ),
}

DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "set_light": _texts(
        "controls lamps: on, off, brightness, colour; lamps in a room; turn the lighting on, off, up or down; "
        "room lighting; smart bulbs: power, dimming, hue; makes a room lighter, darker or coloured; "
        "control the lights at home; change how a room is lit; lights on, off, dimmed or tinted; operate ceiling lamps"
    ),
    "set_socket": _texts(
        "power for plugged-in appliances; turn an appliance on or off; smart plugs and what hangs on them; "
        "start or stop a household machine; gives a device power or cuts it; controls wall sockets; "
        "switches things like fan, kettle or tv; electric devices on and off; plug switch; power an outlet"
    ),
    "set_heating": _texts(
        "thermostat and radiators; make it warmer or cooler; sets how warm a room is; room temperature control; "
        "central heating: degrees, on, off; adjust the thermostat; turn the radiator up or down; "
        "indoor climate; warm up or cool down the house; heating target in celsius"
    ),
    "set_timer": _texts(
        "begin a countdown; counts down some minutes, then rings; new timer for a length of time; "
        "egg timer; start counting down; runs a countdown clock; measure off minutes or hours; "
        "make a kitchen timer; set a countdown going"
    ),
    "check_timer": _texts(
        "how much longer a timer runs; tells what remains of a countdown; timer status; read a running timer; "
        "minutes still to go on a countdown; looks at a running countdown; ask when a timer will ring; "
        "remaining timer time; see how far a timer is"
    ),
    "cancel_timer": _texts(
        "abort a countdown; end a running timer early; delete a timer; turn a timer off; drop a running countdown; "
        "get rid of a timer; timer no longer needed; switch off the countdown; kill a timer"
    ),
    "set_alarm": _texts(
        "wake somebody at a clock time; new alarm clock; wake-up call; ring in the morning; create an alarm; "
        "make the alarm clock ring; wakes you at an hour; schedule waking up; alarm for getting up"
    ),
    "cancel_alarm": _texts(
        "delete an alarm; turn off an alarm clock; no wake-up call after all; drop a planned alarm; "
        "stop an alarm from ringing; alarm not needed any more; unset the alarm clock; clear a wake-up time; "
        "take an alarm away"
    ),
    "add_reminder": _texts(
        "brings something back to mind; set a reminder; tells you later to do something; do not let me forget; "
        "reminders for tasks; nudge about a task at a moment; new reminder; remembers a task and speaks up; "
        "make sure a task is not forgotten"
    ),
    "add_to_list": _texts(
        "write items on a list; append to the shopping list; new list entries; put groceries on the list; "
        "add something to buy or do; extends a list; insert items into a list; fill the shopping list; "
        "enter things in a list"
    ),
    "remove_from_list": _texts(
        "cross items off; delete entries of a list; strike things from the shopping list; tick off what is done; "
        "drop items from a list; shorten a list; remove list entries; clear something off a list; "
        "items no longer wanted on a list"
    ),
    "read_list": _texts(
        "show what is on a list; tell the entries of a list; view a shopping or task list; list contents; "
        "look at a list; says what a list holds; get all items of a list; recite a list; what still stands on a list"
    ),
    "add_note": _texts(
        "jot something down; save a memo; take a note; keep a thought in writing; new memo; put words on paper; "
        "store a short text; writes down what is said; make a notebook entry"
    ),
    "find_notes": _texts(
        "look something up in the notebook; find a memo; find what was written down; notes about a subject; "
        "search written memos; read earlier notes; bring back an old note; query the notebook; which notes mention it"
    ),
    "play_media": _texts(
        "put on songs or radio; start music; listen to an artist, style or station; play a song; stream audio; "
        "music player: begin playing; turn some music on; hear songs, radio or sounds; start an album or playlist"
    ),
    "control_media": _texts(
        "pause, resume, stop or skip; buttons of the music player; playback control; skip or pause the song; "
        "halt, continue or skip the music; pause, stop or change the track; operate the running player; "
        "pause, stop and skip keys; what the player does next"
    ),
    "set_volume": _texts(
        "how loud the sound is; make it louder or quieter; sets the loudness; sound level of the speakers; "
        "mute or turn up; adjust audio loudness; volume up, down or to a level; speaker volume; "
        "change how loud music plays"
    ),
    "get_weather": _texts(
        "rain, sun and temperature outside; tells what the weather will be; forecast for a town; is it going to rain; "
        "outdoor conditions; weather report; looks up the forecast; how warm or wet it gets outside; "
        "sky and rain outlook"
    ),
    "get_events": _texts(
        "show appointments; what is planned for a day; read the diary; lists the events of a day; the day's agenda; "
        "check the schedule; appointments from the calendar; am I busy or free; upcoming meetings"
    ),
    "add_event": _texts(
        "new appointment; schedule a meeting; write an appointment in the diary; create a calendar entry; "
        "plan something for a day; book a calendar slot; enter an appointment; save a date in the schedule; "
        "arrange a meeting"
    ),
    "calculate": _texts(
        "does arithmetic; do the maths; pocket calculator; add, subtract, multiply, divide; evaluate an expression; "
        "solve a calculation; compute with numbers; answers number questions; percentages and sums"
    ),
    "convert_units": _texts(
        "miles to km, pounds to kg, etc.; change a measure to another unit; unit converter; "
        "lengths, weights, volumes, temperatures; turn one unit into another; how much in another unit; "
        "measurement conversion; express an amount in other units; metric and imperial"
    ),
    "set_setting": _texts(
        "toggle wifi, bluetooth and the like; system option on or off; turn a system feature on; "
        "computer preferences; dark mode, wifi, notifications; switch an option of the system; "
        "quick settings; enables or disables a system feature; change preferences"
    ),
    "set_screen": _texts(
        "how bright the display is; make the screen brighter or darker; backlight level; display brightness; "
        "dim the monitor; brightness of the monitor; adjust the backlight; screen light level; "
        "change how bright the monitor shines"
    ),
    "open_app": _texts(
        "start a program; launch software; run an application; open a program by name; bring up an application; "
        "starts apps; show an app's window; get a program running; program launcher"
    ),
    "system_action": _texts(
        "lock, restart or shut down; power menu of the pc; computer: sleep, lock, reboot; screenshots and power; "
        "operate the pc; put the pc to sleep or reboot it; turn the computer off or lock it; "
        "session and power commands; what the machine itself should do"
    ),
    "get_time": _texts(
        "what time it is; read the clock; current hour; time now, here or in a city; tell the time; "
        "local time anywhere; world clock; how late it is; hours and minutes now"
    ),
    "get_date": _texts(
        "which day it is; current date; day, month and year now; tell today's date; what weekday it is; "
        "today's day and month; the date right now; says what day we have; day of the month"
    ),
}

_AREAS = "area zone where place location space roomName chamber in_room at which_room spot"
_SWITCHES = "power on_off switch status onoff mode enabled turn position power_state"
_DAYS = "date when weekday on_day which_day day_or_date on calendar_day theDay on_date"
_TIMES = "at hour clock_time at_time hhmm clock time_of_day oclock atTime moment"
_LABELS = "name title called purpose tag what which_timer for_what timer_name caption id"
_LISTS = "list_name target name which_list listName to_list list_title which collection kind_of_list"
_ITEMS = "things entries what products goods item_list articles stuff elements lines"
_TOWNS = "city town location where area in_city region spot locality cityName"
_BY = "delta by relative adjust step difference more_or_less offset shift plus_minus"

ARGUMENT_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("set_light", "room"): _names(_AREAS),
    ("set_light", "state"): _names(_SWITCHES),
    ("set_light", "brightness"): _names(
        "level percent dim intensity luminosity bright dimmer light_level value strength"
    ),
    ("set_light", "color"): _names("colour hue tint shade tone light_color colorName paint rgb dye"),
    ("set_light", "change"): _names(_BY),
    ("set_socket", "device"): _names("appliance name plug what thing machine target socket outlet gadget which item"),
    ("set_socket", "state"): _names(_SWITCHES),
    ("set_heating", "room"): _names(_AREAS),
    ("set_heating", "temperature"): _names(
        "degrees temp celsius target setpoint to warmth value level target_temp heat"
    ),
    ("set_heating", "change"): _names(_BY),
    ("set_heating", "state"): _names(_SWITCHES),
    ("set_timer", "duration"): _names(
        "length time how_long period stretch timespan run_length run_for interval span for_time"
    ),
    ("set_timer", "label"): _names(_LABELS),
    ("check_timer", "label"): _names(_LABELS),
    ("cancel_timer", "label"): _names(_LABELS),
    ("set_alarm", "time"): _names(f"{_TIMES} wake_time ring_time"),
    ("set_alarm", "day"): _names(_DAYS),
    ("cancel_alarm", "time"): _names(f"{_TIMES} alarm_time"),
    ("cancel_alarm", "day"): _names(_DAYS),
    ("add_reminder", "text"): _names("what task about message todo subject content to_do body reminder thing note"),
    ("add_reminder", "day"): _names(_DAYS),
    ("add_reminder", "time"): _names(_TIMES),
    ("add_reminder", "delay"): _names(
        "in after wait in_time from_now later_by afterwards in_how_long countdown interval"
    ),
    ("add_to_list", "list"): _names(_LISTS),
    ("add_to_list", "items"): _names(_ITEMS),
    ("remove_from_list", "list"): _names(_LISTS.replace("to_list", "from_list")),
    ("remove_from_list", "items"): _names(_ITEMS),
    ("read_list", "list"): _names(_LISTS.replace("to_list", "what")),
    ("add_note", "text"): _names("content body note message what words memo sentence entry writing noteText"),
    ("find_notes", "query"): _names("search words about keyword q term text topic what subject search_for wanted"),
    ("play_media", "what"): _names("query song music name title media track audio search artist_or_song selection"),
    ("play_media", "room"): _names(_AREAS),
    ("control_media", "action"): _names("command do what operation button key verb step cmd instruction"),
    ("set_volume", "level"): _names("volume percent value loudness to target amount set_to absolute vol loud"),
    ("set_volume", "change"): _names(_BY),
    ("get_weather", "place"): _names(_TOWNS),
    ("get_weather", "day"): _names(_DAYS),
    ("get_events", "day"): _names(_DAYS),
    ("add_event", "title"): _names(
        "name what event subject summary description event_name appointment about heading entry"
    ),
    ("add_event", "day"): _names(_DAYS),
    ("add_event", "time"): _names(f"{_TIMES} start start_time"),
    ("calculate", "expression"): _names("sum formula expr math problem input calculation terms equation calc"),
    ("convert_units", "value"): _names("amount number quantity n x how_much figure how_many num magnitude"),
    ("convert_units", "from"): _names("source unit from_unit of in_unit given old_unit src unit_from start_unit"),
    ("convert_units", "to"): _names("target into to_unit result_unit wanted new_unit dest unit_to goal_unit as_unit"),
    ("set_setting", "name"): _names("setting option feature which key what preference item switch_name parameter"),
    ("set_setting", "state"): _names(_SWITCHES),
    ("set_screen", "brightness"): _names(
        "level percent value backlight intensity to how_bright absolute luminance set_to"
    ),
    ("set_screen", "change"): _names(_BY),
    ("open_app", "name"): _names("app program application software which what title appTitle target exe"),
    ("system_action", "action"): _names("command do what operation verb cmd task instruction request act"),
    ("get_time", "place"): _names(_TOWNS),
}

_ROOM_SAID = "which room; name of the room; part of the house; where in the house; room name"
_STATE_SAID = "on or off, as a word; switch position; the word on or off; whether it is on; power state"
_PERCENT_SAID = "0 to 100; level in percent; exact percentage; value between 0 and 100"
_DAY_SAID = "which day; weekday, date or tomorrow; day it is on; weekday or MM-DD; the date or weekday"
_TIME_SAID = "clock time; time of day; hour and minute; HH:MM; o'clock, 24 hours"
_LABEL_SAID = "name of the timer; what the timer is called; purpose, like tea; which timer; timer's label"
_LIST_SAID = "which list; list, like shopping; name the list has; kind of list; the list's title"
_TOWN_SAID = "city; which town; where, a town; name of the city; place on the map"
_APART = "plus or minus some percent; percent up or down; signed step; how much up or down; relative, or negative"

ARGUMENT_DESCRIPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("set_light", "room"): _texts(f"{_ROOM_SAID}; room to light, or all"),
    ("set_light", "state"): _texts(_STATE_SAID),
    ("set_light", "brightness"): _texts(f"{_PERCENT_SAID}; how bright, in percent; light level wanted"),
    ("set_light", "color"): _texts("colour of the light; colour name; like red or warm white; tint; which colour"),
    ("set_light", "change"): _texts(f"{_APART}; brighter or darker by"),
    ("set_socket", "device"): _texts(
        "which device; name of the appliance; what to switch; thing that is plugged in; the appliance; "
        "like fan or kettle"
    ),
    ("set_socket", "state"): _texts(_STATE_SAID),
    ("set_heating", "room"): _texts(f"{_ROOM_SAID}; room to heat or cool"),
    ("set_heating", "temperature"): _texts(
        "degrees wanted; target in celsius; how warm it should be; exact temperature; temperature to reach; like 21"
    ),
    ("set_heating", "change"): _texts(
        "degrees up or down; warmer or cooler by; plus or minus degrees; signed difference in degrees; "
        "relative, may be negative; like 2 or -2"
    ),
    ("set_heating", "state"): _texts(_STATE_SAID),
    ("set_timer", "duration"): _texts(
        "how long; length of time; minutes or hours, like 10m; time to count down; how long it runs; like 45s or 2h"
    ),
    ("set_timer", "label"): _texts(_LABEL_SAID),
    ("check_timer", "label"): _texts(_LABEL_SAID),
    ("cancel_timer", "label"): _texts(f"{_LABEL_SAID}; timer to stop"),
    ("set_alarm", "time"): _texts(f"{_TIME_SAID}; when it rings, like 07:00"),
    ("set_alarm", "day"): _texts(f"{_DAY_SAID}; day or repeat"),
    ("cancel_alarm", "time"): _texts(f"{_TIME_SAID}; time the alarm has"),
    ("cancel_alarm", "day"): _texts(f"{_DAY_SAID}; day of the alarm"),
    ("add_reminder", "text"): _texts(
        "what to remember; the task; what it is about; thing not to forget; task to be told of; words of the reminder"
    ),
    ("add_reminder", "day"): _texts(f"{_DAY_SAID}; day or repeat"),
    ("add_reminder", "time"): _texts(_TIME_SAID),
    ("add_reminder", "delay"): _texts(
        "how long from now; wait, like 20m; in how many minutes; minutes or hours until then; after this long; like 1h"
    ),
    ("add_to_list", "list"): _texts(f"{_LIST_SAID}; list to write on"),
    ("add_to_list", "items"): _texts(
        "what to put on it; things to add; new entries; the items; what to buy or do; goods or tasks"
    ),
    ("remove_from_list", "list"): _texts(f"{_LIST_SAID}; list to take from"),
    ("remove_from_list", "items"): _texts(
        "what to take off; things to remove; entries to strike; the items; what is done or bought; items to drop"
    ),
    ("read_list", "list"): _texts(f"{_LIST_SAID}; list to read"),
    ("add_note", "text"): _texts("words to keep; content of the note; the note itself; what to jot down; text to save"),
    ("find_notes", "query"): _texts("what to search for; search words; topic of the note; keyword; what it is about"),
    ("play_media", "what"): _texts(
        "what to hear; song, artist or genre; music wanted; what should play; name of song or band; music or station"
    ),
    ("play_media", "room"): _texts(f"{_ROOM_SAID}; room with the speaker"),
    ("control_media", "action"): _texts(
        "what the player should do; one of pause, resume, stop, next, previous; pause, next and so on; player command; "
        "button to press"
    ),
    ("set_volume", "level"): _texts(f"{_PERCENT_SAID}; volume wanted, in percent; how loud exactly"),
    ("set_volume", "change"): _texts(f"{_APART}; louder or quieter by"),
    ("get_weather", "place"): _texts(f"{_TOWN_SAID}; where the weather is asked for"),
    ("get_weather", "day"): _texts(f"{_DAY_SAID}; day of the forecast"),
    ("get_events", "day"): _texts(f"{_DAY_SAID}; day to look at"),
    ("add_event", "title"): _texts(
        "name of the event; what takes place; kind of appointment; event's name; what is planned; words for the entry"
    ),
    ("add_event", "day"): _texts(f"{_DAY_SAID}; day of the event"),
    ("add_event", "time"): _texts(f"{_TIME_SAID}; when it begins, like 14:00"),
    ("calculate", "expression"): _texts(
        "what to work out; numbers with + - * /; like 80*15/100; the calculation; arithmetic expression; formula"
    ),
    ("convert_units", "value"): _texts("how much; amount to convert; the number; quantity; how many of them"),
    ("convert_units", "from"): _texts("unit of the amount; unit to start from; given unit; old unit; unit it has now"),
    ("convert_units", "to"): _texts(
        "unit to end up with; new unit; unit of the answer; target unit; unit to turn it into"
    ),
    ("set_setting", "name"): _texts(
        "which setting; like wifi or dark_mode; name of the option; feature to switch; wifi, bluetooth and so on"
    ),
    ("set_setting", "state"): _texts(_STATE_SAID),
    ("set_screen", "brightness"): _texts(f"{_PERCENT_SAID}; screen level wanted; how bright exactly"),
    ("set_screen", "change"): _texts(f"{_APART}; brighter or darker by"),
    ("open_app", "name"): _texts("which app; name of the program; program to start; what to open; application name"),
    ("system_action", "action"): _texts(
        "what the computer should do; one of lock, sleep, restart, shutdown, screenshot; lock, restart and so on; "
        "command for the computer; thing to do with the pc"
    ),
    ("get_time", "place"): _texts(f"{_TOWN_SAID}; city to tell the time of"),
}
