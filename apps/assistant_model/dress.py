"""What people put around and into a request: politeness, fillers, corrections, slips of the finger, capitals."""

from __future__ import annotations

import re
from random import Random

from apps.assistant_model.templates import Piece, join
from apps.assistant_model.values import Draw

# Slots that may be said wrong first and then right.
CORRECTED = frozenset("room device time clock duration degrees percent level city artist label list color".split())
CORRECTION_SHARE = 0.015  # of such slots
TYPO_SHARE = 0.018  # of pieces between slots
FILLER_SHARE = 0.015
CASED_SHARE = 0.4

_CORRECTIONS = (
    " no ", ", no, ", " no wait ", ", wait, ", " sorry ", ", sorry, ", " i mean ", ", i mean ", " or rather ",
    ", actually ", " uh no ", " no make that ", ", make that ", ", no, make it ", " scratch that ",
)  # fmt: skip
_FILLERS = ("um", "uh", "like", "you know", "er", "well", "kind of", "erm", "hmm")
_BEFORE = (
    "please", "hey", "hey there", "ok", "okay", "um", "so", "well", "now", "computer", "assistant", "hi", "right",
    "alright", "yo", "listen", "hello", "oh and", "also", "and", "next", "then", "just", "hey assistant", "ok computer",
    "uh",    "good morning", "thanks, now", "excuse me", "sorry to bother you", "good evening", "hmm", "quick one",
)  # fmt: skip
_BEFORE_VERB = (
    "please", "please", "can you", "could you", "would you", "could you please", "can you please", "i'd like you to",
    "would you please", "would you mind", "i need you to", "i want you to", "please can you", "can we", "could we",
    "will you", "be so kind and", "would it be possible to", "do me a favour and", "quickly", "go ahead and", "kindly",
    "let's", "can u", "could you quickly", "you should", "you can", "you may", "make sure to", "i would like you to",
)  # fmt: skip
# Requests that begin with one of these are no commands: nobody says "could you" before them.
_NO_VERB = frozenset(
    (
        "i i'd i'm i've i'll we we'd we're we've you your it it's its he she they is are was will would could can do "
        "does did am has have any some no not the a an my our this that these those there here what what's whats when "
        "when's where which who how how's hows why if in on at for from to by with after before every all each more "
        "less too as one two and or but so hello hi hey thanks thank bye good sorry please today tomorrow next new "
        "time quick first half"
    ).split()
)
_AFTER = (
    "please", "thanks", "thank you", "for me", "now", "right now", "will you", "would you", "if you can", "ok", "okay",
    "if possible", "quickly", "cheers", "please and thank you", "when you can", "would you please", "if you don't mind",
    "mate", "alright", "asap", "this instant", "thanks a lot", "buddy", "again",
)  # fmt: skip
_I = re.compile(r"\bi(?=$|\W)")


def corrected(pieces: list[Piece], draw: Draw) -> list[Piece]:
    """Now and then a slot said wrong first: "the kitchen, no, the bedroom"."""
    changed: list[Piece] = []
    for piece in pieces:
        if piece.slot in CORRECTED and draw.rng.random() < CORRECTION_SHARE:
            wrong = draw.again().slot(piece.slot)
            if wrong != piece.text:
                article = changed and changed[-1].text.endswith("the ") and draw.rng.random() < 0.5
                between = draw.rng.choice(_CORRECTIONS) + ("the " if article else "")
                changed += [Piece(wrong, piece.slot), Piece(between)]
        changed.append(piece)
    return changed


def dressed(pieces: list[Piece], rng: Random, cased: bool) -> str:
    """The request as one text."""
    pieces = [Piece(_literal(piece.text, rng, cased)) if piece.slot is None else piece for piece in pieces]
    before = after = ""
    if rng.random() < 0.28:
        command = pieces[0].slot is None and pieces[0].text.split(" ")[0].lower().strip(",") not in _NO_VERB
        if command and rng.random() < 0.7:
            before = rng.choice(_BEFORE_VERB) + " "
        if not before or rng.random() < 0.15:
            before = rng.choice(_BEFORE) + rng.choice([" ", " ", " ", ", "]) + before
    if rng.random() < 0.16:
        after = rng.choice([" ", " ", ", "]) + rng.choice(_AFTER)
    text = join([Piece(_with_i(before, cased)), *pieces, Piece(after)])
    if cased and (before or pieces[0].slot is None):
        text = text[0].upper() + text[1:]
    if rng.random() < (0.75 if cased else 0.15):
        text += rng.choice([".", ".", ".", "!", "?"])
    return text


def _literal(text: str, rng: Random, cased: bool) -> str:
    if rng.random() < TYPO_SHARE:
        text = _mistyped(text, rng)
    if rng.random() < FILLER_SHARE and " " in text.strip():
        words = text.split(" ")
        words.insert(rng.randrange(1, len(words)), rng.choice(_FILLERS) + rng.choice(["", ","]))
        text = " ".join(words)
    return _with_i(text, cased)


def _with_i(text: str, cased: bool) -> str:
    return _I.sub("I", text) if cased else text


def _mistyped(text: str, rng: Random) -> str:
    """One slip in a word of four letters or more: two letters swapped, one dropped, doubled, or a neighbour hit."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if not long:
        return text
    at = rng.choice(long)
    word, i = words[at], rng.randrange(1, len(words[at]) - 1)
    slips = (
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        word[:i] + word[i + 1 :],
        word[:i] + word[i] + word[i:],
        word[:i] + rng.choice("aeionrst") + word[i + 1 :],
    )
    words[at] = rng.choice(slips)
    return " ".join(words)
