"""Ways to ask for something and for its result to be kept: the second call refers to the first, as `$1.text`.

They are trained on only; the evaluation sets, older than them, stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterator

from apps.assistant_model.templates import Arguments, Template, calls
from apps.assistant_model.wording import wording

# What gives a result: a tool, its arguments, ways to ask for it, the nouns that its result has, and a weight.
_Source = tuple[str, Arguments, tuple[str, ...], str, float]

_SOURCES: tuple[_Source, ...] = (
    ("calculate", {"expression": "$expr"},
     ("calculate {expr}", "work out {expr}", "what is {expr}", "what's {expr}", "how much is {expr}", "compute {expr}",
      "tell me what {expr} is"), "result|answer|sum|number", 1.0),
    ("calculate", {"expression": "$sum_name"},
     ("calculate {sum_name}", "work out {sum_name}", "what is {sum_name}", "what's {sum_name}",
      "how much is {sum_name}", "find {sum_name}"), "result|answer|number", 0.5),
    ("convert_units", {"value": "$amount", "from": "$unit", "to": "$other"},
     ("convert {amount} {unit} (to|into) {other}", "what is {amount} {unit} in {other}",
      "what's {amount} {unit} in {other}", "how many {other} are {amount} {unit}", "turn {amount} {unit} into {other}",
      "tell me how much {amount} {unit} is in {other}"), "result|answer|number|figure", 1.0),
    ("count_days", {"to": "$farday"},
     ("how many days (until|till|to) {farday}", "how many days is it until {farday}", "count the days until {farday}",
      "how long is it until {farday}"), "result|answer|number|number of days", 0.35),
    ("add_to_day", {"span": "$dayspan"},
     ("what day is it in {dayspan}", "what date is it in {dayspan}", "which day is {dayspan} from now"),
     "result|answer|date|day", 0.3),
    ("get_weekday", {"day": "$date"},
     ("what day of the week is {date}", "which weekday is {date}"), "result|answer|day", 0.2),
    ("get_date", {}, ("what's the date (today|)", "what day is it today", "tell me the date"), "date|day", 0.2),
    ("get_time", {}, ("what time is it", "what's the time", "tell me the time"), "time", 0.2),
    ("get_events", {"day": "$day"},
     ("what's in my calendar {onday}", "what's on {onday}", "look up my appointments {onday}"),
     "appointments|list|answer", 0.3),
    ("read_list", {"list": "$list"},
     ("read the {list} list", "what's on the {list} list", "show me my {list} list"), "list|whole list", 0.3),
    ("system_info", {},
     ("how much memory is free", "how full is the disk", "how warm is this computer", "check the system"),
     "result|answer|figures", 0.3),
    ("get_home", {}, ("what's switched on at home", "what is on in the house", "check what is still on"),
     "result|answer|list", 0.3),
    ("find_notes", {"query": "$topic_in_file"},
     ("find my notes about {topic_in_file}", "what did i note about {topic_in_file}"), "result|note|answer", 0.2),
    ("search_files", {"query": "$topic_in_file"},
     ("search my files for {topic_in_file}", "which files mention {topic_in_file}"), "result|answer|list", 0.3),
    ("list_files", {}, ("list my files", "which files do i have"), "list|names|answer", 0.2),
)  # fmt: skip
_TRAINED: tuple[tuple[str, Arguments, float, tuple[str, ...]], ...] = (
    ("add_note", {}, 1.4,
     ("<s> and (note|write|jot) (it|that|<it>) down", "<s> and note (it|that|<it>)", "<s> and make a note of <it>",
      "<s> and then make a note of (it|that|<it>)", "<s>, then write (it|that|<it>) down",
      "<s> and save <it> as a note",
      "<s> and add <it> to my notes", "<s> and put <it> in (a note|my notes)", "<s>, and take a note of (it|<it>)",
      "<s> then write a note with <it>", "<s> and keep <it> in a note", "<s> and write a note with <it>",
      "<s>. then note (it|that|<it>) down", "note down <it>: <s>", "<s>, note <it>", "<s> and store <it> as a note",
      "<s>, i want (it|<it>) in my notes", "<s> and remember <it> in a note")),
    ("write_file", {"path": "$path"}, 0.9,
     ("<s> and (write|save|put|store) (it|that|<it>) (to|in|into) {path}",
      "<s> and (write|save|put|store) (it|<it>) (to|in|into) the file {path}",
      "<s>, then (write|save|put) <it> (to|in|into) {path}", "<s> and save <it> as {path}",
      "<s> and make a file {path} with <it>", "<s> and then write (it|<it>) to {path}", "<s>, <it> goes into {path}",
      "<s> and create {path} with <it>", "<s> and keep <it> in the file {path}")),
)  # fmt: skip
_HELD_OUT = {
    "add_note": ("<s> and leave me a note with <it>", "<s> and put that down in my notes"),
    "write_file": ("<s> and send <it> to {path}", "<s> and have <it> written to {path}"),
}


def _chains() -> Iterator[Template]:
    for tool, arguments, asked, nouns, weight in _SOURCES:
        said = wording({"s": f"({'|'.join(asked)})", "it": f"the ({nouns})"})
        for keeper, more, share, patterns in _TRAINED:
            if tool == "list_files" and keeper == "add_note":
                continue
            yield calls(
                ((tool, arguments), (keeper, {**more, "text": "$1.text"})),
                train=said(*patterns), held_out=said(*_HELD_OUT[keeper]), weight=weight * share,
            )  # fmt: skip


CHAINS: tuple[Template, ...] = tuple(_chains())
