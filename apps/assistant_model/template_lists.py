"""Ways to ask for lists and notes."""

from __future__ import annotations

from apps.assistant_model.templates import Template, call
from apps.assistant_model.wording import wording, words

_PARTS = {
    "list": "(the|the|my|my|our) {list} list",
    "named": "(the|my|our) {own_list} list",
    "put": "(add|put|write|stick|pop|get)",  # "... on the list"
    "shop": "(shop|store|supermarket|market|grocery store|shops)",
    "notes": "(my|my|the|our) notes",
    "about": "(about|about|on)",
}
_ways = wording(_PARTS)

# Open words beside those that all templates share.
SLOTS: dict[str, tuple[str, ...]] = {
    "own_list": words(  # names of lists
        "to-do, wish, bucket, birthday, camping, supermarket, baby, garden, diy, chores, reading, watch, movie, beach, "
        "ski trip, dinner, bbq, guest, school, office, summer, housework, repair, task, groceries, picnic, moving, "
        "vegetable, pharmacy, hiking, weekend trip, Costco, Ikea, Lidl, Paris trip, emergency, cleaning, present"
    ),
    "note_topic": words(  # what notes are about
        "boiler, wifi password, spare key, garage code, car insurance, door code, gas meter, garden hose, bike lock, "
        "holiday plans, kitchen paint, tax number, plumber, electrician, new sofa, moving house, roof, attic window, "
        "school trip, birthday cake, pasta sauce, lentil recipe, running shoes, tyre pressure, landlord, old laptop, "
        "guest list, gift ideas, book title, wine from sunday, meeting with the bank, water filter, printer ink, "
        "parking spot, lamp size, passport number, vaccination, doctor's advice, train to the coast, red paint, "
        "alarm code, dishwasher, interview, cat food, shoe size, camping stove, router, heating costs, visa, dentist"
    ),
    "someone": words(  # people that notes are about
        "Anna, anna, Ben, ben, Clara, david, David, Emma, felix, Grace, henry, Ida, jack, Kate, liam, Maria, noah, "
        "Olivia, paul, Rosa, sam, Tina, victor, Wendy, mum, dad, grandma, aunt lucy, Aunt Lucy, uncle joe, Mr Smith, "
        "Dr Brown, mrs miller, Peter Jones, Sofia, omar, Yuki, Chen, priya, Lars, Nadia, ahmed, Elena, Jorge"
    ),
}  # fmt: skip

_ADDING = (
    call(
        "add_to_list", {"list": "$list", "items": "$items"}, weight=2.0,
        train=_ways(
            "add {items} to <list>", "put {items} on <list>", "<put> {items} on <list>", "{items} on <list>",
            "{items} to <list>", "add to <list> {items}", "add to <list>: {items}", "write {items} on <list>",
            "(stick|pop|get|throw|chuck) {items} on(to|) <list>", "jot {items} down on <list>", "on <list> put {items}",
            "on <list>, add {items}", "include {items} (in|on) <list>", "note {items} on <list>",
            "the {list} list needs {items}", "i (need|want) {items} on the {list} list",
            "we need {items} on the {list} list", "{list} list {items}", "{list} list: {items}", "{list} list, {items}",
            "{list} list, add {items}", "for the {list} list, {items}", "for the {list} list add {items}",
            "{items} for the {list} list", "save {items} (to|on) <list>", "{items} should be on the {list} list",
            "{items} has to go on the {list} list", "{items} needs to go on my {list} list",
            "i'd like {items} on my {list} list", "add {items} to {list} list", "add {items} to <list> too",
            "(also |)put down {items} on <list>", "i forgot {items} on the {list} list",
            "{items} also (goes|belongs) on <list>", "append {items} to <list>",
            "{items} is missing from the {list} list", "put {items} on a list called {list}",
            "add {items} to the list called {list}", "i want to add {items} to my {list} list",
            "make a {list} list with {items}", "start a {list} list with {items}",
            "create a {list} list with {items} (on it|)", "let <list> have {items}", "put {items} down for <list>",
            "add {items} to the list for {list}",
        ),
        held_out=_ways(
            "to <list> add {items}", "i want {items} added to the {list} list", "have {items} put on <list>",
            "enter {items} (in|on) <list>", "make sure {items} is on <list>", "new {list} list: {items}",
            "mark down {items} on <list>", "don't leave {items} off <list>",
        ),
    ),
    call(
        "add_to_list", {"list": "$own_list", "items": "$items"}, weight=0.8,
        train=_ways(
            "add {items} to <named>", "put {items} on <named>", "<put> {items} on <named>", "{items} on <named>",
            "{own_list} list: {items}", "{own_list} list, add {items}", "on <named> put {items}",
            "the {own_list} list needs {items}", "write {items} on <named>", "include {items} (in|on) <named>",
            "i (need|want) {items} on the {own_list} list", "start a {own_list} list with {items}",
            "{items} should be on the {own_list} list", "for the {own_list} list, {items}", "append {items} to <named>",
        ),
        held_out=_ways(
            "to <named> add {items}", "enter {items} (in|on) <named>", "i want {items} added to my {own_list} list",
        ),
    ),
    call(
        "add_to_list", {"list": "shopping", "items": "$items"}, weight=1.6,
        train=_ways(
            "add {items} to (the|my|our) list", "put {items} on (the|my|our) list", "<put> {items} on (the|my) list",
            "{items} on the list", "{items} to the list", "add {items}", "on the list put {items}",
            "add to the list {items}", "write {items} on (the|my) list", "jot down {items} on my list", "list: {items}",
            "note {items} on the list", "(stick|pop|get|throw|chuck) {items} on(to|) the list",
            "include {items} (in|on) the list", "i need {items} on my list", "{items} should (be|go) on the list",
            "i forgot {items}, put it on the list", "put down {items} on the list", "{items} needs to go on the list",
            "also {items} on the list", "the list needs {items}", "add {items} to the shopping",
            "put {items} on the shopping", "add {items} to what we need to buy", "{items} is missing from the list",
            "i want {items} on the list", "we need {items} on the list",
        ),
        held_out=_ways(
            "to the list add {items}", "i want {items} added to the list", "have {items} put on the list",
            "enter {items} on the list", "append {items} to (the|my) list",
        ),
    ),
    call(
        "add_to_list", {"list": "shopping", "items": "$items"}, weight=1.8,
        train=_ways(
            "we need {items}", "i need {items}", "we('re| are) out of {items}", "i'm out of {items}", "out of {items}",
            "we('ve| have) run out of {items}", "we ran out of {items}", "i ran out of {items}", "we need more {items}",
            "i (have to|need to|must|should|want to) buy {items}", "we (have to|need to|must|should) buy {items}",
            "buy {items}", "we (have to|need to|must|should) get {items}", "there's no more {items}",
            "there's no {items} left", "we need to buy {items} (soon|)", "we have no (more |){items}",
            "we've no {items} left", "we don't have any {items} (left|any more|)", "no {items} left", "no more {items}",
            "we('re| are) (running|getting) low on {items}", "running low on {items}",
            "we're (almost|nearly) out of {items}", "get {items} from the <shop>", "(buy|get) {items} at the <shop>",
            "we need {items} from the <shop>", "i need {items} from the <shop>",
            "next time we're at the <shop> get {items}", "next time we shop get {items}",
            "(pick|picking) up {items} from the <shop>", "we could (do with|use) {items}",
            "we used up the last {items}", "shopping: {items}", "to buy: {items}", "things to buy: {items}",
            "groceries: {items}", "we are missing {items}", "the kids want {items} from the shop",
            "when i go shopping i need {items}", "for shopping: {items}", "we require {items}",
        ),
        held_out=_ways(
            "there are no more {items}", "i've run out of {items}", "we haven't got any {items} (left|)",
            "i'm low on {items}", "when we go to the <shop> we should get {items}", "we'll need {items}",
            "must buy {items}", "looks like we need {items}",
        ),
    ),
)  # fmt: skip

_REMOVING_AND_READING = (
    call(
        "remove_from_list", {"list": "$list", "items": "$items"}, weight=1.2,
        train=_ways(
            "remove {items} from <list>", "take {items} off <list>", "delete {items} from <list>",
            "cross {items} off <list>", "cross off {items} (on|from) <list>", "strike {items} off <list>",
            "tick {items} off <list>", "check {items} off <list>", "scratch {items} off <list>",
            "get {items} off <list>", "take {items} (from|out of|down from) <list>", "erase {items} from <list>",
            "drop {items} from <list>", "{items} can come off the {list} list",
            "i don't need {items} on the {list} list (any more|anymore|)", "{items} off <list>",
            "{items} can be removed from the {list} list", "from <list> remove {items}", "from <list>, delete {items}",
            "{list} list, remove {items}", "{list} list: delete {items}", "{list} list, take off {items}",
            "no {items} on the {list} list", "we don't need {items} on the {list} list (any more|anymore|)",
            "clear {items} (from|off) <list>", "wipe {items} off <list>", "i don't want {items} on my {list} list",
            "remove {items} on <list>", "{items} shouldn't be on <list>", "{items} is done, take it off <list>",
            "off <list> with {items}", "rub {items} off <list>", "kick {items} off <list>",
            "i already have {items}, take it off the {list} list", "i've got {items}, so off the {list} list",
        ),
        held_out=_ways(
            "strike {items} from <list>", "i want {items} (off|gone from) <list>", "take off {items} from <list>",
            "cut {items} from <list>", "have {items} removed from <list>", "{items} should come off <list>",
        ),
    ),
    call(
        "remove_from_list", {"list": "$own_list", "items": "$items"}, weight=0.4,
        train=_ways(
            "remove {items} from <named>", "take {items} off <named>", "delete {items} from <named>",
            "cross {items} off <named>", "{items} can come off the {own_list} list", "tick {items} off <named>",
            "i don't need {items} on the {own_list} list any more", "{own_list} list, remove {items}",
        ),
        held_out=_ways("strike {items} from <named>", "i want {items} off <named>"),
    ),
    call(
        "remove_from_list", {"list": "shopping", "items": "$items"}, weight=0.7,
        train=_ways(
            "remove {items} from (the|my|our) list", "take {items} off (the|my|our) list",
            "delete {items} from (the|my) list", "cross {items} off the list", "strike {items} off (the|my) list",
            "tick {items} off the list", "check {items} off (the|my) list", "scratch {items} off the list",
            "get {items} off the list", "{items} can come off the list", "from the list remove {items}",
            "{items} off the list", "drop {items} from the list",
            "we don't need {items} on the list (any more|anymore|)",
            "i (already |)bought {items}, take it off the list", "erase {items} from the list",
            "i've got {items} already, cross it off the list", "we have {items}, take it off the list",
            "we don't need to buy {items} (any more|anymore|)", "i don't need to buy {items} (any more|anymore)",
            "i already bought {items}", "we already have {items}, remove it from the list",
        ),
        held_out=_ways(
            "strike {items} from the list", "{items} should come off the list", "i want {items} off the list",
            "cut {items} from the list",
        ),
    ),
    call(
        "read_list", {"list": "$list"}, weight=1.3,
        train=_ways(
            "what's on <list>", "what is on <list>", "read <list>", "read me <list>", "read out <list>",
            "read <list> (out|aloud|to me|back to me|back)", "show <list>", "show me <list>",
            "tell me what's on <list>", "tell me <list>", "open <list>", "let me (see|hear) <list>", "{list} list",
            "list everything on <list>", "list what's on <list>", "what do (i|we) have on <list>",
            "what have (i|we) got on <list>", "what did (i|we) put on <list>", "is there anything on <list>",
            "what's still on <list>", "what's left on <list>", "my {list} list", "what all is on <list>",
            "give me <list>", "display <list>", "check <list>", "look at <list>", "pull up <list>",
            "what does <list> say", "what are the (things|items|entries) on <list>", "go through <list>",
            "go over <list> with me", "how does <list> look", "say what's on <list>",
            "which (things|items) are on <list>", "i('d like| want) to (see|hear) <list>",
            "do (i|we) have anything on <list>", "recite <list>", "what's in <list>", "what was on <list>",
            "which things did i put on <list>", "remind me what's on <list>", "bring up <list>",
            "are {items} on <list>", "did i put {items} on <list>", "run through <list>",
        ),
        held_out=_ways(
            "what things are on <list>", "what do we still need from <list>", "i need to know what's on <list>",
            "can i hear <list>", "tell me everything on <list>", "read me what's on <list>", "view <list>",
            "is {items} on <list>",
        ),
    ),
    call(
        "read_list", {"list": "$own_list"}, weight=0.5,
        train=_ways(
            "what's on <named>", "read <named>", "read me <named>", "show me <named>", "tell me what's on <named>",
            "what is on <named>", "open <named>", "let me (see|hear) <named>", "{own_list} list",
            "what do i have on <named>", "is there anything on <named>", "what's left on <named>", "read out <named>",
            "what did i put on <named>",
        ),
        held_out=_ways("read me what's on <named>", "what things are on <named>", "view <named>"),
    ),
    call(
        "read_list", {"list": "shopping"}, weight=0.6,
        train=_ways(
            "what do (i|we) (need|have|still have|still need) to buy", "what do (i|we) need from the <shop>",
            "what do (i|we) need at the <shop>", "what should i buy", "what's on the list", "what's on (my|our) list",
            "read (me |out |)(the|my|our) list", "show (me |)(the|my|our) list", "tell me what's on (the|my) list",
            "i'm at the <shop>, what do (i|we) need", "what groceries do (i|we) need", "what is there to buy",
            "what should i get (at|from) the <shop>", "is there anything to buy", "what are we out of",
            "what else do we need to buy", "i'm going shopping, what do we need", "what did i want to buy",
            "read the shopping to me", "what was i going to buy",
        ),
        held_out=_ways(
            "i'm off to the <shop>, what should i get", "tell me what we need to buy",
            "what do i have to get from the supermarket", "let me hear the list", "do we need anything from the shop",
        ),
    ),
)  # fmt: skip

_WRITING_NOTES = (
    call(
        "add_note", {"text": "$fact"}, weight=2.2,
        train=_ways(
            "take a note {fact}", "take a note(:|,) {fact}", "take a note that {fact}", "take note that {fact}",
            "take (this |)down(:|,|) {fact}", "note {fact}", "note(:|,) {fact}", "note that {fact}", "note down {fact}",
            "note down that {fact}", "note this down(:|,|) {fact}", "note this(:|,) {fact}", "make a note {fact}",
            "make a note(:|,) {fact}", "make a note that {fact}", "make a note (of this|saying)(:|,|) {fact}",
            "make note that {fact}", "write down {fact}", "write down(:|,) {fact}", "write down that {fact}",
            "write this down(:|,|) {fact}", "write (a|me a) note(:|,|) {fact}", "write in my notes that {fact}",
            "new note {fact}", "new note(:|,) {fact}", "add a note(:|,|) {fact}", "add a note that {fact}",
            "add a note saying (that |){fact}", "add to my notes(:|,|) {fact}", "add to my notes that {fact}",
            "save a note(:|,|) {fact}", "save this note(:|,|) {fact}", "save the note {fact}",
            "save (this|that)(:|,) {fact}", "save a note that {fact}", "remember that {fact}",
            "remember this(:|,) {fact}", "remember(:|,) {fact}", "remember {fact}", "keep in mind that {fact}",
            "keep a note that {fact}", "jot down {fact}", "jot down that {fact}", "jot this down(:|,|) {fact}",
            "jot (this|something) down, {fact}", "put in my notes that {fact}", "put this in my notes(:|,) {fact}",
            "note to self(:|,|) {fact}", "note to myself(:|,|) {fact}", "memo(:|,|) {fact}",
            "create a note(:|,|) {fact}", "create a note saying (that |){fact}", "for the record, {fact}",
            "{fact}, note that down", "{fact}, write that down", "{fact}, make a note of that", "{fact}, remember that",
            "i want to note (down |)that {fact}", "i want to remember that {fact}", "i need to remember that {fact}",
            "i'd like to note that {fact}", "store a note(:|,|) {fact}", "log that {fact}",
            "my notes should say that {fact}", "record that {fact}", "leave a note that {fact}",
            "start a note(:|,|) {fact}", "put down that {fact}", "quick note(:|,|) {fact}", "a note(:|,|) {fact}",
        ),
        held_out=_ways(
            "put down a note(:|,|) {fact}", "let me note (down |)that {fact}", "store (this|that)(:|,) {fact}",
            "make a new note(:|,|) {fact}", "take down that {fact}", "save in my notes that {fact}",
            "{fact}, put that in my notes", "write a note saying (that |){fact}", "write into my notes(:|,) {fact}",
            "keep this in mind(:|,) {fact}", "record a note(:|,|) {fact}", "{fact}, save that as a note",
        ),
    ),
    call(
        "add_note", {"text": "$todo"}, weight=0.4,
        train=_ways(
            "make a note to {todo}", "take a note to {todo}", "write a note to {todo}", "write down to {todo}",
            "note down to {todo}", "note to {todo}", "add a note to {todo}", "note to self to {todo}",
            "new note to {todo}", "save a note to {todo}", "jot down to {todo}",
        ),
        held_out=_ways("create a note to {todo}", "put in my notes to {todo}"),
    ),
)  # fmt: skip


def _finding(slot: str, said: str, weight: float) -> Template:
    """Looking for notes on what `slot` holds, `said` with or without an article."""
    ways = wording(_PARTS | {"it": said})
    return call(
        "find_notes", {"query": f"${slot}"}, weight=weight,
        train=ways(
            "what did (i|we) write about <it>", "what did (i|we) (note|write down|jot down|say) about <it>",
            "what have i (written|noted) about <it>", "what did i note down (on|about) <it>",
            "find (my |the |a |)(note|notes) <about> <it>", "find notes (about|on|with|mentioning) <it>",
            "find what i wrote about <it>", "find my note (with|mentioning) <it>", "search <notes> for <it>",
            "search for <it> in <notes>", "look for <it> in <notes>", "look up <it> in <notes>",
            "look in <notes> for <it>", "look through <notes> for <it>", "check <notes> for <it>",
            "go through <notes> for <it>", "is there anything <about> <it> in <notes>",
            "do i have (a note|any notes|notes|anything written) <about> <it>", "is there a note <about> <it>",
            "are there (any |)notes <about> <it>", "show (me |)(my |the |)(note|notes) <about> <it>",
            "show me what i wrote about <it>", "show me everything i noted about <it>",
            "read (me |)my (note|notes) <about> <it>", "which (note|notes) (mentions|mention|is about|are about) <it>",
            "tell me what i wrote about <it>", "tell me what my notes say about <it>", "what do <notes> say about <it>",
            "what's in <notes> about <it>", "what do i have in <notes> about <it>",
            "what was (my|the) note <about> <it>", "what was that note about <it>", "where's my note <about> <it>",
            "where did i write (something |)about <it>", "remind me what i wrote about <it>", "notes <about> <it>",
            "my (note|notes) <about> <it>", "note about <it>, where is it",
            "pull up (my |the |)(note|notes) <about> <it>", "open (my|the) note <about> <it>",
            "get (me |)my notes <about> <it>", "i wrote something about <it>, find it",
            "i'm looking for (a|my|the) note <about> <it>", "i need (my|the) (note|notes) <about> <it>",
            "did i (write|note) (anything|something) (down |)about <it>", "bring up notes on <it>", "search notes <it>",
            "find <it> in <notes>", "have i got (a note|notes) on <it>", "any notes <about> <it>",
            "the note about <it>", "look for (a note|notes) <about> <it>", "search for (a note|notes) <about> <it>",
            "i made a note about <it>, show it to me",
        ),
        held_out=ways(
            "what had i written about <it>", "scan <notes> for <it>", "fetch my notes <about> <it>",
            "what notes do i have <about> <it>", "let me see my notes <about> <it>",
            "does <it> (appear|come up) in <notes>", "in <notes>, look for <it>",
            "give me (my |the |)notes <about> <it>", "have i written anything about <it>",
            "i want to read my notes <about> <it>",
        ),
    )  # fmt: skip


_FINDING_NOTES = (
    _finding("note_topic", "(the |my |the |our |){note_topic}", 1.2),
    _finding("someone", "{someone}", 0.5),
    _finding("city", "{city}", 0.3),
    _finding("device", "(the |my |our ){device}", 0.4),
    call(
        "find_notes", {"query": "$note_topic"}, weight=0.5,
        train=_ways(
            "find the note with the (word|words) {note_topic}",
            "find notes (containing|that contain|that mention) {note_topic}",
            "search my notes for the (word|words|phrase) {note_topic}", "which notes contain {note_topic}",
            "look for the word {note_topic} in my notes", "find every note with {note_topic} in it",
            "show me notes with the word {note_topic}", "find the note that says {note_topic}",
            "search notes for {note_topic}", "find the note where i mentioned the {note_topic}",
            "look for notes with {note_topic} in them", "find all notes mentioning the {note_topic}",
            "search all (my |)notes for {note_topic}", "find the note i made about the {note_topic}",
            "find the note i wrote about the {note_topic}", "where did i mention the {note_topic} in my notes",
        ),
        held_out=_ways(
            "which of my notes has the word {note_topic}", "look for notes containing {note_topic}",
            "find notes where i mention the {note_topic}",
        ),
    ),
)  # fmt: skip

LISTS: tuple[Template, ...] = _ADDING + _REMOVING_AND_READING + _WRITING_NOTES + _FINDING_NOTES
