"""Ways to ask for files of the assistant's folder: listing, reading, searching and writing them.

Slots: `path` ("notes/plan.txt", also said with "dot" and "slash"), `folder`, `topic_in_file`.
"""

from __future__ import annotations

from random import Random

from apps.assistant_model.templates import Template, ask, call
from apps.assistant_model.values import Draw, SlotMaker, Value
from apps.assistant_model.wording import wording, words

_STEMS = words(
    "plan, notes, todo, shopping, budget, report, letter, diary, recipe, recipes, ideas, draft, summary, invoice, "
    "list, "
    "journal, readme, agenda, minutes, contacts, addresses, speech, story, poem, chapter, thesis, essay, homework, "
    "packing, guests, inventory, log, results, data, config, settings, backup, schedule, menu, garden, trip, holiday, "
    "tax, rent, contract, offer, order, cv, application, quotes, books, films, songs, lyrics, script, outline, review, "
    "meeting, project, goals, habits, workout, expenses, income, passwords, measurements, plants, birthdays, gifts"
)
_FOLDERS = words(
    "notes, letters, recipes, work, home, school, travel, projects, drafts, archive, private, documents, lists, ideas, "
    "garden, family, music, taxes, invoices, reports, meetings, diary, holiday, club, house, photos, scripts, texts, "
    "books, health, car, kids, plans, old, backup"
)
_EXTENSIONS = ("txt", "txt", "txt", "txt", "md", "md", "md", "csv", "json", "html", "log", "py", "ini")

# What people look for in files.
SLOTS: dict[str, tuple[str, ...]] = {
    "topic_in_file": words(
        "invoice, budget, rent, deadline, password, boiler, insurance, pancakes, sourdough, tomatoes, birthday, "
        "wedding, holiday, flight, hotel, passport, dentist, landlord, garden, roses, tax return, salary, contract, "
        "interview, meeting, chapter two, summary, conclusion, address, phone number, serial number, warranty, "
        "measurements, paint, curtains, car repair, bike, tent, packing, menu, guests, speech, poem, lyrics, chords, "
        "exercise, workout, vaccination, allergy, recipe, lasagne, olive oil, to do, error, version, licence, "
        "Anna, anna, Ben, Clara, grandma, Berlin, lisbon, Oslo, christmas, easter"
    ),
}

_PARTS = {
    "file": "(the file|file|the file|the text file|my file)",
    "files": "(my|the|our) (files|documents|files)",
    "read": "(read|read|open|show|show me|read me|read out|display|print out|give me)",
    "save": "(save|write|put|store)",
    "new": "(a file|a new file|a text file|the file|a file called|a new file called|a file named)",
}
_ways = wording(_PARTS)


def _word(d: Draw, known: tuple[str, ...]) -> str:
    if d.invents and d.rng.random() < 0.35:
        return d.made_up().replace(" ", d.rng.choice(("_", "-", "")))
    return d.rng.choice(known)


def _name(d: Draw) -> str:
    pick, rng = d.rng.random(), d.rng
    stem = _word(d, _STEMS)
    if pick < 0.18:
        stem += rng.choice(("_", "-")) + _word(d, _STEMS)
    elif pick < 0.3:
        stem += rng.choice(("", "_", "-")) + str(rng.choice((1, 2, 3, 7, 12, 2023, 2024, 2025, 2026)))
    return f"{stem}.{rng.choice(_EXTENSIONS)}"


def _path(d: Draw) -> tuple[str, Value]:
    """A name, often in a folder; what is kept out of training is the whole path."""
    while True:
        path = _name(d)
        for _ in range(d.rng.choice((0, 0, 0, 1, 1, 2) if d.rng.random() < 0.9 else (1, 2))):
            path = f"{_word(d, _FOLDERS)}/{path}"
        if d.keep(f"path {path}"):
            return _spoken(d.rng, path), path


def _folder(d: Draw) -> tuple[str, Value]:
    while True:
        folder = _word(d, _FOLDERS)
        if d.rng.random() < 0.2:
            folder += f"/{d.rng.choice((2023, 2024, 2025, 2026)) if d.rng.random() < 0.4 else _word(d, _FOLDERS)}"
        if d.keep(f"folder {folder}"):
            return folder, folder


def _spoken(rng: Random, path: str) -> str:
    if rng.random() < 0.06:
        path = path.replace(".", " dot ")
        return path.replace("/", " slash ") if rng.random() < 0.7 else path
    return path


MAKERS: dict[str, SlotMaker] = {"path": _path, "folder": _folder}

_LISTING = (
    call(
        "list_files", {}, weight=1.2,
        train=_ways(
            "list <files>", "list (all |)(the |my |)files", "show (me |)<files>", "show (me |)all (the |my |)files",
            "(which|what) files (are there|do i have|have i got|are in the workspace|can you see)", "what files exist",
            "(how many|which) documents (are there|do i have)", "what's in (my|the|your) (workspace|folder)",
            "what is in (my|the|your) (workspace|files)", "give me (a|the) list of (my|the|all) files", "my files",
            "tell me (which|what) files (there are|i have)", "file list", "directory listing",
            "list the (folder|workspace)",
            "let me see (my|the) files", "do i have any files", "are there any files", "i want to see (my|the) files",
            "look into the (workspace|folder)", "show the (workspace|folder contents|contents of the workspace)",
            "list everything in the (workspace|folder)", "what documents do you have", "enumerate the files",
            "name (all |)the files", "list all documents", "which files can you (open|read)", "what have i saved",
            "show what's in the (workspace|folder)", "all files please",
        ),
        held_out=_ways(
            "let me have a list of the files", "which documents are lying around", "what files have you got",
            "print the names of all files", "i'd like to see what files there are",
        ),
    ),
    call(
        "list_files", {"folder": "$folder"}, weight=1.5,
        train=_ways(
            "list the files in {folder}", "list (the files in |)the {folder} folder", "list the folder {folder}",
            "show (me |)the files in {folder}", "show (me |)the {folder} folder", "show (me |)the folder {folder}",
            "what's in the {folder} folder", "what is in (the folder |){folder}", "what's in the folder {folder}",
            "(which|what) files are in {folder}", "(which|what) files are in the {folder} folder",
            "(which|what) documents are in the folder {folder}", "how many files are in the {folder} folder",
            "list everything in {folder}", "list the contents of {folder}", "contents of the folder {folder}",
            "the files of the {folder} folder", "look into the {folder} folder", "look in the folder {folder}",
            "open the folder {folder}", "open the {folder} folder", "files in {folder}", "folder {folder}, list it",
            "give me the files (in|of) {folder}", "what do i have in the folder {folder}",
            "go through the {folder} folder",
            "what did i save in the {folder} folder", "is there anything in the folder {folder}",
            "tell me what files are in {folder}", "let me see what's in the {folder} folder",
            "directory listing of {folder}",
            "what does the {folder} folder (contain|hold|have in it)",
        ),
        held_out=_ways(
            "which documents does the folder {folder} hold", "peek into the {folder} folder",
            "in {folder}, what files are there",
            "print the names of the files in {folder}", "let me have a list of what's in the {folder} folder",
        ),
    ),
    call(
        "read_file", {"path": "$path"}, weight=2.4,
        train=_ways(
            "<read> <file> {path}", "<read> {path}", "read (out |)(the file |){path} (to me|aloud|)",
            "what's in <file> {path}", "what is in {path}", "what's in {path}",
            "what does (the file |){path} (say|contain)",
            "what's written in {path}", "what did i write in {path}", "let me (see|hear|read) <file> {path}",
            "let me (see|hear) {path}", "i (want|need|would like) to (see|read|hear) <file> {path}",
            "contents of {path}",
            "tell me what's in <file> {path}", "tell me what {path} says", "show me what's in {path}",
            "show me the (text|content|contents) of {path}", "give me the (text|contents) of <file> {path}",
            "cat {path}",
            "{path}, read it", "{path}, what's in it", "file {path}, read it (out|to me)",
            "look into (the file |){path}",
            "look at (the file |){path}", "load (the file |){path}", "pull up <file> {path}", "bring up <file> {path}",
            "check (the file |){path}", "view (the file |){path}", "view {path}", "read me what {path} says",
            "have a look at {path}", "go through <file> {path}", "could i see {path}", "open up <file> {path}",
            "what's the text of {path}", "read the whole file {path}", "the file {path}, read it",
        ),
        held_out=_ways(
            "recite <file> {path}", "i'd like to know what <file> {path} says", "fetch <file> {path}",
            "read aloud what's in {path}", "print the text of {path}", "what stands in {path}",
        ),
    ),
    ask(
        "which_file", "read_file", {"path": "$path"}, weight=0.5,
        replies=("{path}", "{path}", "the file {path}", "{path} please", "read {path}", "the one called {path}"),
        train=("read (me |)a file", "open a file", "show me a file", "i want to read a file", "read one of my files",
               "i need to see a file", "read a document", "what's in that file", "read the file", "open the file",
               "open a (text file|document)", "show the file", "read out a file", "read something from my files",
               "let me hear a file"),
        held_out=("read aloud a file", "i'd like to open a file", "get me a file"),
    ),
)  # fmt: skip

_SEARCHING = (
    call(
        "search_files", {"query": "$topic_in_file"}, weight=1.8,
        train=_ways(
            "search <files> for {topic_in_file}", "search for {topic_in_file} in <files>",
            "search (in |)(all |)(the |)files for {topic_in_file}", "look for {topic_in_file} in <files>",
            "look through <files> for {topic_in_file}", "find {topic_in_file} in <files>",
            "file search {topic_in_file}",
            "find (the |all |)files (about|with|mentioning|containing|that mention|that contain) {topic_in_file}",
            "find the file (about|with|mentioning) {topic_in_file}", "find (a |)documents (about|with) {topic_in_file}",
            "which (file|files) (mention|mentions|contain|contains) {topic_in_file}",
            "which (file|document) (talks|is) about {topic_in_file}",
            "which file has (the word |){topic_in_file} in it",
            "in which file (is|did i write about) {topic_in_file}", "in which file did i mention {topic_in_file}",
            "is there (a|any) file (about|with|on) {topic_in_file}", "do any (of my |)files mention {topic_in_file}",
            "do i have (a|any) (file|files|document) (about|on|with) {topic_in_file}", "grep (for |){topic_in_file}",
            "go through <files> and look for {topic_in_file}", "check <files> for {topic_in_file}",
            "where in <files> is {topic_in_file}", "where in <files> did i write about {topic_in_file}",
            "which of my files mentions {topic_in_file}", "search files {topic_in_file}", "files about {topic_in_file}",
            "show me the files (about|that mention) {topic_in_file}", "search (my|the) documents for {topic_in_file}",
            "look for the word {topic_in_file} in <files>", "find every file with {topic_in_file}",
            "search the (workspace|folder) for {topic_in_file}", "i'm looking for a file (about|with) {topic_in_file}",
        ),
        held_out=_ways(
            "scan <files> for {topic_in_file}", "does any file contain {topic_in_file}",
            "locate {topic_in_file} in <files>",
            "hunt through <files> for {topic_in_file}", "give me all files where {topic_in_file} comes up",
        ),
    ),
    call(
        "search_files", {"query": "$topic_in_file", "folder": "$folder"}, weight=1.3,
        train=_ways(
            "search the {folder} folder for {topic_in_file}", "search the folder {folder} for {topic_in_file}",
            "search (for |){topic_in_file} in the {folder} folder",
            "search (for |){topic_in_file} in the folder {folder}",
            "look for {topic_in_file} in the {folder} folder", "look for {topic_in_file} in the folder {folder}",
            "look through the {folder} folder for {topic_in_file}", "look in the {folder} folder for {topic_in_file}",
            "find {topic_in_file} in the {folder} folder", "find {topic_in_file} in the files (in|of) {folder}",
            "find files (about|with) {topic_in_file} in the folder {folder}",
            "find (the |)files in {folder} (about|with|that mention) {topic_in_file}",
            "grep {topic_in_file} in {folder}",
            "which (file|files) in {folder} (mention|mentions|contain|contains) {topic_in_file}",
            "which (file|files) in the {folder} folder (mention|mentions|has|have) {topic_in_file}",
            "is there a file (about|with) {topic_in_file} in the {folder} folder",
            "in the {folder} folder, search for {topic_in_file}", "in the folder {folder}, find {topic_in_file}",
            "in the {folder} folder, which files mention {topic_in_file}", "search {folder} for {topic_in_file}",
            "search files in {folder} for {topic_in_file}", "check the {folder} folder for {topic_in_file}",
            "go through the {folder} folder and look for {topic_in_file}",
            "do any files in the {folder} folder mention {topic_in_file}",
            "search all files in {folder} for {topic_in_file}",
            "where in the {folder} folder is {topic_in_file}",
            "look for the word {topic_in_file} in the folder {folder}",
        ),
        held_out=_ways(
            "scan the {folder} folder for {topic_in_file}",
            "does anything in the folder {folder} mention {topic_in_file}",
            "inside {folder}, look for {topic_in_file}", "hunt for {topic_in_file} in the {folder} folder",
        ),
    ),
)  # fmt: skip

_WRITING = (
    call(
        "write_file", {"path": "$path", "text": "$fact"}, weight=2.2,
        train=_ways(
            "write {fact} (to|into|in) <file> {path}", "<save> {fact} (in|into|to) {path}",
            "write {fact} (to|into) {path}",
            "write (a file |){path}(:|,) {fact}", "write a file {path} (with|saying|that says) {fact}",
            "create (a file |the file |){path} with {fact}",
            "create <new> {path} (saying|with the text|that says) {fact}",
            "create (a file |){path} with the text {fact}", "make <new> {path} (with|saying|that says) {fact}",
            "make <new> {path} with the text {fact}", "new file {path}(:|,) {fact}", "new file {path} with {fact}",
            "save (a file |){path} with (the text |){fact}", "save (this|that) (to|in|as) {path}(:|,) {fact}",
            "save {fact} as {path}", "save {fact} to (the|a) file {path}", "put {fact} (in|into) <file> {path}",
            "put (this|that) (in|into) {path}(:|,) {fact}", "store {fact} in <file> {path}",
            "in (the file |){path}, write {fact}",
            "into (the file |){path} write {fact}", "{path} should say {fact}", "the file {path} should say {fact}",
            "write (this |)to {path}(:|,) {fact}", "write down {fact} in {path}", "file {path}(:|,) {fact}",
            "start <new> {path} with {fact}", "i (want|need) <new> {path} (saying|that says|with) {fact}",
            "write the text {fact} (to|into) {path}", "note {fact} in the file {path}",
            "save the text {fact} (as|in) {path}",
        ),
        held_out=_ways(
            "let there be a file {path} that says {fact}", "generate a file {path} with {fact}",
            "enter {fact} into the file {path}",
            "{fact}, save that (as|in) {path}", "fill <new> {path} with {fact}", "have {fact} written to {path}",
        ),
    ),
    call(
        "write_file", {"path": "$path", "text": "$fact", "replace": True}, weight=1.0,
        train=_ways(
            "overwrite {path} with {fact}", "overwrite <file> {path} with {fact}", "replace {path} with {fact}",
            "replace <file> {path} with {fact}", "replace the (text|contents|content) of {path} (with|by) {fact}",
            "replace what's in {path} (with|by) {fact}", "overwrite what's in {path} with {fact}",
            "overwrite {path}(:|,) {fact}", "replace {path}(:|,) {fact}", "write {fact} over {path}",
            "write {path} anew(:|,) {fact}", "rewrite {path} (as|with|to say) {fact}",
            "rewrite <file> {path}(:|,) {fact}",
            "write {fact} to {path} and replace (it|the old one|what's there)",
            "write {fact} (to|into) {path}, replace the (old|existing) file",
            "save {fact} (as|in|to) {path} and overwrite (it|the old one|what's there)",
            "save {fact} as {path}, overwrite the (old|existing) (file|one)", "change <file> {path} to {fact}",
            "{path} should now say {fact}, replace the old text", "replace the old {path} with {fact}",
            "put {fact} into {path} instead of what's there", "write {path} again with {fact}, replace it",
            "the file {path} may be replaced, write {fact}", "swap the text of {path} for {fact}",
            "overwrite the (old|existing) file {path} with {fact}",
        ),
        held_out=_ways(
            "exchange the text in {path} for {fact}", "let {fact} replace what {path} says",
            "write over {path} with {fact}",
            "drop the old text of {path} and write {fact}",
        ),
    ),
    ask(
        "which_file", "write_file", {"path": "$path", "text": "$fact"}, weight=0.5,
        replies=("{path}", "{path}", "in {path}", "call it {path}", "the file {path}", "{path} please", "as {path}"),
        train=("write {fact} (to|into|in) a file", "save {fact} (to|in) a (new |)file",
               "put {fact} (in|into) a (new |)file",
               "create a file (with|saying|that says) {fact}", "make a (new |)file (saying|that says|with) {fact}",
               "make a text file with {fact}", "new file(:|,) {fact}", "save the text {fact} in a file",
               "store {fact} in a file", "i want {fact} in a file", "start a file with {fact}"),
        held_out=("get {fact} into a file", "have {fact} saved to a file", "a file that says {fact}"),
    ),
)  # fmt: skip

FILES: tuple[Template, ...] = _LISTING + _SEARCHING + _WRITING
