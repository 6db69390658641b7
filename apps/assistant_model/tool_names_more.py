"""The same as `tool_names.py`, for the tools that the assistant app offers besides the shipped ones."""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


MORE_NAMES: dict[str, tuple[str, ...]] = {
    "list_alarms": _names(
        "alarms.list show_alarms pending_alarms what_rings listAlarms alarm_overview all_alarms ringing_list due_list "
        "timers_and_alarms upcoming_rings getAlarms"
    ),
    "cancel_reminder": _names(
        "reminder.cancel delete_reminder reminderRemove drop_reminder unremind stop_reminding remove_nudge "
        "reminders.delete cancelReminder forget_reminder clear_reminder"
    ),
    "remove_note": _names(
        "note.delete delete_note noteRemove erase_note notes.remove drop_memo trash_note memo.delete bin_note unnote "
        "removeMemo tear_note"
    ),
    "remove_event": _names(
        "event.delete cancel_event calendarRemove calendar.delete drop_appointment delete_appointment unschedule "
        "eventCancel appointment.cancel agenda_remove clear_event"
    ),
    "count_days": _names(
        "days.between day_count daysBetween date_difference days_until to_go_days date.diff howManyDays day_distance "
        "days_apart diff_days"
    ),
    "add_to_day": _names(
        "date.add day_shift dateAfter shift_date date_plus move_date day.offset later_date addDays date_from_now "
        "day_after_span"
    ),
    "get_weekday": _names(
        "weekday.of dayOfWeek day_of_week which_weekday date.weekday weekdayFor tell_weekday week_day name_of_day"
    ),
    "list_files": _names(
        "files.list ls dir folder_contents listFolder show_files directory file_names browse_files folder.show "
        "dirListing enumerate_files"
    ),
    "read_file": _names(
        "file.read cat open_text showFile get_file file_text load_file view_file fileContents type_out file.show "
        "fetch_file"
    ),
    "search_files": _names(
        "files.search grep find_in_files searchFolder file_search look_in_files text_search findText files.query "
        "scan_files search_documents"
    ),
    "write_file": _names(
        "file.write save_file put_file writeText store_file file_save create_file newFile dump_text file.create "
        "save_text"
    ),
    "system_info": _names(
        "system.status machine_state sysinfo computerStatus health hardware_info pc_status device.health status_report "
        "resources machine.info vitals"
    ),
    "get_home": _names(
        "home.state house_status homeState show_home home_overview rooms.state what_is_on house.status home_status "
        "devices_on homeReport"
    ),
}

MORE_DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "list_alarms": _texts(
        "what is going to ring; all pending alarms and reminders; overview of alarms, reminders and timers; "
        "which alarms "
        "are on"
    ),
    "cancel_reminder": _texts(
        "take a reminder back; delete a reminder; do not remind any more; strike a task from the reminders"
    ),
    "remove_note": _texts("throw a note away; erase what was written down; bin one of the notes; take a note out"),
    "remove_event": _texts(
        "cancel an appointment; delete a calendar entry; strike an event from the calendar; an appointment is off"
    ),
    "count_days": _texts(
        "how many days until a date; number of days between two dates; countdown to a day; how far apart two days are"
    ),
    "add_to_day": _texts(
        "date after a span of days or weeks; count on from a day; what date it will be after some weeks; shift a date"
    ),
    "get_weekday": _texts(
        "weekday of a date; on which weekday a day falls; name of the day for a date; date to weekday"
    ),
    "list_files": _texts("which files there are; contents of a folder; names of all files; look into a folder"),
    "read_file": _texts("show the text of a file; what a file says; open a text file; contents of one file"),
    "search_files": _texts(
        "find words in files; which file mentions something; full text search of the files; look for words in a folder"
    ),
    "write_file": _texts("save text in a file; create a text file; put words into a file; store a text on disk"),
    "system_info": _texts(
        "how this computer is doing; free memory and disk space; state of the machine and its battery; hardware status"
    ),
    "get_home": _texts(
        "state of lights, sockets and heating; which lights and devices are on; overview of the house; "
        "what runs in a room"
    ),
}

MORE_ARGUMENT_NAMES: dict[tuple[str, str], tuple[str, ...]] = {
    ("cancel_reminder", "text"): _names("task reminder_text what about matter subject words"),
    ("remove_note", "query"): _names("words about topic note_text search which content"),
    ("remove_event", "title"): _names("event appointment name what entry subject called"),
    ("count_days", "from"): _names("start since first begin_day from_day start_date"),
    ("count_days", "to"): _names("end until last end_day to_day target_date"),
    ("add_to_day", "day"): _names("start base_day origin start_day begin"),
    ("add_to_day", "span"): _names("length distance offset shift by how_long"),
    ("get_weekday", "day"): _names("date which_day of when date_given calendar_day"),
    ("list_files", "folder"): _names("directory dir where path_of in_folder location"),
    ("read_file", "path"): _names("file filename name which_file document file_path"),
    ("search_files", "query"): _names("words text term what keyword needle"),
    ("search_files", "folder"): _names("directory dir where in_folder within location"),
    ("write_file", "path"): _names("file filename name target document file_path"),
    ("write_file", "text"): _names("content contents body words data what"),
    ("write_file", "replace"): _names("overwrite force over may_replace clobber anew"),
    ("get_home", "room"): _names("where place area room_name zone which_room"),
}

MORE_ARGUMENT_DESCRIPTIONS: dict[tuple[str, str], tuple[str, ...]] = {
    ("cancel_reminder", "text"): _texts("what it reminds of; words of the reminder; the task; which reminder"),
    ("remove_note", "query"): _texts("words of the note; what the note is about; topic of the note; which note"),
    ("remove_event", "title"): _texts("name of the event; which appointment; event's name; words of the entry"),
    ("count_days", "from"): _texts("day to begin with; start, today if left out; the earlier day"),
    ("count_days", "to"): _texts("day to end with; the later day; day to count to, like 12-25"),
    ("add_to_day", "day"): _texts("day to begin with; start, today if left out; date to go on from"),
    ("add_to_day", "span"): _texts(
        "how far, like 2 weeks; length, like 10 days or -1 month; days, weeks, months or years"
    ),
    ("get_weekday", "day"): _texts("which day; weekday, date or tomorrow; the date or weekday; date to look up"),
    ("list_files", "folder"): _texts("which folder; directory to look into; name of the folder"),
    ("read_file", "path"): _texts("which file; name of the file, with its folder; file to read, like letters/anna.txt"),
    ("search_files", "query"): _texts("what to search for; search words; text to find"),
    ("search_files", "folder"): _texts("which folder; directory to look into; only in this folder"),
    ("write_file", "path"): _texts(
        "which file; name of the file, with its folder; where to save it, like letters/anna.txt"
    ),
    ("write_file", "text"): _texts("words to keep; text to save; content of the file"),
    ("write_file", "replace"): _texts("true to overwrite; whether to write over an old file; may the old text go"),
    ("get_home", "room"): _texts("which room; name of the room; part of the house; room to look at"),
}
