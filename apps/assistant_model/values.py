"""Slot values, and the rule that keeps some of them out of training.

A value is held out when the CRC of its text falls into one class of eight, so the split depends on nothing but the
value itself. Made-up words drawn in training teach copying of words never seen.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Literal

from apps.assistant_model import spoken_days, spoken_lengths, spoken_times
from apps.assistant_model.spoken_numbers import Keep, draw_number, number_words, say_number
from apps.assistant_model.words import (
    COMMON,
    FACT_FORMS,
    FACTS,
    MISLEADING,
    OPEN,
    OPERATORS,
    PROPER,
    SETTINGS,
    SYLLABLES,
    TODO_TAILS,
    UNIT_GROUPS,
    VERBS,
)

Split = Literal["train", "held_out"]
Value = str | int | float | list[str] | dict[str, str]
SlotMaker = Callable[["Draw"], tuple[str, Value]]  # the phrase, and the value it stands for
Choices = tuple[tuple[str | int, tuple[str, ...]], ...]  # the values of a closed set, each with its ways to be said

MADE_UP_SHARE = 0.4  # of open words in training
TINY_SUM_SHARE = 0.15  # of sums in training: with 0, 1 or two short numbers
OTHER_TIME_SHARE = 0.6  # of times in training that do not count down to an hour: drawn once more, until one does
_ARTICLES = ("a", "an", "the", "some")
_INNER_SLOT = re.compile(r"\{(\w+)\}")
_COUNTED_DOWN = re.compile(r"\b(to|till|quarter of)\b")  # "ten to seven": rare, and harder than "six fifty"


def is_held_out(value: str) -> bool:
    """Whether training never sees this value."""
    return zlib.crc32(value.lower().encode()) % 8 == 0


@dataclass(slots=True)
class Draw:
    """The slots of one request: each name is drawn once, so a template may use it twice."""

    rng: Random
    split: Split
    makers: Mapping[str, SlotMaker]
    cased: bool = False
    invents: bool = False  # made-up words among the values, to learn copying by
    phrases: dict[str, str] = field(default_factory=dict[str, str])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    unseen: bool = False  # a value was drawn that training never sees

    def keep(self, value: str) -> bool:
        """Whether a value belongs to the split. Remembers that one was unseen."""
        held_out = is_held_out(value)
        if held_out and self.split == "held_out":
            self.unseen = True
        return held_out == (self.split == "held_out")

    def slot(self, name: str) -> str:
        """The phrase of slot `name`; a trailing digit makes a second slot of the same kind."""
        if name not in self.phrases:
            self.phrases[name], self.values[name] = self._new(name.rstrip("0123456789"))
        return self.phrases[name]

    def _new(self, kind: str) -> tuple[str, Value]:
        """A phrase and value unlike those drawn before: {room} and {room2} are two rooms."""
        taken = [value for name, value in self.values.items() if name.rstrip("0123456789") == kind]
        split = self.split
        try:
            for tries in range(40):
                if tries == 20:  # only one value of this kind was held out: the second is a known one
                    self.split = "train"
                phrase, value = self.makers[kind](self)
                if value not in taken:
                    return phrase, value
        finally:
            self.split = split
        raise ValueError(f"slot {kind} finds no second value")

    def again(self) -> Draw:
        """A fresh draw under the same rules."""
        return Draw(self.rng, self.split, self.makers, self.cased, self.invents)

    def word(self, kind: str, words: tuple[str, ...]) -> str:
        """One of `words` that belongs to the split, now and then a made-up one."""
        made_up = self.invents and self.rng.random() < MADE_UP_SHARE
        word = self.made_up() if made_up else self.pick(words)
        return self.capital(word) if kind in PROPER else word

    def pick(self, words: tuple[str, ...]) -> str:
        """A word of the split; a list too short to have held-out words is drawn from whole."""
        own = _of_split(words, self.split)
        word = self.rng.choice(own or words)
        self.keep(word)
        return word

    def capital(self, name: str) -> str:
        """A proper name as this request writes it."""
        if not self.cased:
            return name
        return " ".join(part if part in COMMON else part[:1].upper() + part[1:] for part in name.split(" "))

    def made_up(self) -> str:
        while True:
            pick = self.rng.random()
            one, other = self.rng.choice(_trained_words()), self.rng.choice(_trained_words())
            if pick < 0.35:
                word = "".join(self.rng.choice(SYLLABLES) for _ in range(self.rng.randint(2, 3)))
            elif pick < 0.7:  # the head of one real word and the tail of another
                word = one[: self.rng.randint(2, 4)] + other[self.rng.randint(1, 3) :]
            else:  # known words in a new pair, often one that elsewhere tells what is wanted: "light hook"
                word = self.rng.choice(MISLEADING) if self.rng.random() < 0.4 else one
            if pick > 0.7 or self.rng.random() < 0.25:
                word += f" {other}"
            if self.keep(word):
                return word


@cache
def _of_split(words: tuple[str, ...], split: Split) -> tuple[str, ...]:
    return tuple(word for word in words if is_held_out(word) == (split == "held_out"))


@cache
def _trained_words() -> tuple[str, ...]:
    texts = [text for words in OPEN.values() for text in words if not is_held_out(text)]
    return tuple(dict.fromkeys(word for text in texts for word in text.split() if len(word) > 3))


_MOMENTS: dict[str, Callable[[Random, Keep], tuple[str, str] | spoken_times.When]] = {
    "time": spoken_times.time_of_day,
    "clock": spoken_times.clock,
    "day": spoken_times.day,
    "onday": spoken_times.on_day,
    "plainday": spoken_times.plain_on_day,
    "when": spoken_times.moment,
    "daytime": spoken_times.day_and_time,
    "fordaytime": spoken_times.day_and_time_after_for,
    "repeat": spoken_times.repeat,
    "repeatat": spoken_times.repeat_at,
    "date": spoken_days.calendar_date,
    "farday": spoken_days.far_day,
    "dayspan": spoken_days.day_span,
}


def standard_slots() -> dict[str, SlotMaker]:
    """The makers of the slots that all templates share."""
    makers: dict[str, SlotMaker] = open_slots(OPEN)
    makers |= closed_slots({"state": (("on", ("on",)), ("off", ("off",))), "setting": SETTINGS})
    makers |= {
        "percent": _percent,
        "level": _number("level", 0, 100, 5),
        "degrees": _number("degrees", 10, 30),
        "few": _number("few", 2, 5),
        "amount": _amount,
        "duration": lambda d: spoken_lengths.duration(d.rng, d.keep),
        "span": lambda d: spoken_lengths.span(d.rng, d.keep),
        "aspan": lambda d: spoken_lengths.a_span(d.rng, d.keep),
        "todo": _todo,
        "fact": _fact,
        "items": _items,
        "task": _task,
        "unit": _unit,
        "other": _other_unit,
        "expr": _expression,
    }
    return makers | {kind: _moment(said) for kind, said in _MOMENTS.items()}


def open_slots(words: Mapping[str, tuple[str, ...]]) -> dict[str, SlotMaker]:
    """Slots whose phrase is their value."""
    return {kind: _open(kind, chosen) for kind, chosen in words.items()}


def closed_slots(choices: Mapping[str, Choices]) -> dict[str, SlotMaker]:
    """Slots with few values, each said in several ways. Both splits hold all of them."""
    return {kind: _choice(options) for kind, options in choices.items()}


def _open(kind: str, words: tuple[str, ...]) -> SlotMaker:
    def draw(d: Draw) -> tuple[str, Value]:
        word = d.word(kind, words)
        return word, word

    return draw


def _choice(options: Choices) -> SlotMaker:
    def draw(d: Draw) -> tuple[str, Value]:
        value, ways = d.rng.choice(options)
        return d.rng.choice(ways), value

    return draw


def _moment(say: Callable[[Random, Keep], tuple[str, str] | spoken_times.When]) -> SlotMaker:
    """Weekdays and months with capitals where the request has capitals; their values are the same."""
    names = (*spoken_times.WEEKDAYS, *spoken_times.MONTHS)

    def draw(d: Draw) -> tuple[str, Value]:
        phrase, value = say(d.rng, d.keep)
        while d.invents and _other_time(phrase, value) and d.rng.random() < OTHER_TIME_SHARE:
            phrase, value = say(d.rng, d.keep)
        if d.cased:
            parts = phrase.split(" ")
            phrase = " ".join(part.capitalize() if part.rstrip("s") in names else part for part in parts)
        return phrase, value

    return draw


def _other_time(phrase: str, value: str | dict[str, str]) -> bool:
    time = value.get("time", "") if isinstance(value, dict) else value
    return ":" in time and not _COUNTED_DOWN.search(phrase)


def _number(kind: str, low: int, high: int, step: int = 1) -> SlotMaker:
    def draw(d: Draw) -> tuple[str, Value]:
        number = draw_number(d.rng, d.keep, kind, low, high, step)
        return say_number(d.rng, number), number

    return draw


def _percent(d: Draw) -> tuple[str, Value]:
    if d.rng.random() < 0.06:
        said, number = d.rng.choice((("half", 50), ("max", 100), ("maximum", 100), ("full", 100), ("a quarter", 25)))
        return said, number
    phrase, value = _number("percent", 0, 100)(d)
    return phrase + d.rng.choice([" percent", " percent", "%" if phrase.isdigit() else "", ""]), value


def _amount(d: Draw) -> tuple[str, Value]:
    whole = draw_number(d.rng, d.keep, "amount", 1, 250)
    if d.rng.random() < 0.8 or whole > 50:
        return say_number(d.rng, whole), whole
    tenths = d.rng.choice((5, 5, d.rng.randint(1, 9)))
    if tenths == 5 and d.rng.random() < 0.4:
        return f"{number_words(whole)} and a half", whole + 0.5
    shown = f"{whole}.{tenths}"
    if d.rng.random() < 0.3:
        return f"{number_words(whole)} point {number_words(tenths)}", float(shown)
    return shown, float(shown)


def _todo(d: Draw) -> tuple[str, Value]:
    while True:
        verb, objects = d.rng.choice(VERBS)
        made_up = d.invents and d.rng.random() < MADE_UP_SHARE
        thing = d.made_up() if made_up else d.rng.choice(objects)
        text = f"{verb} {d.capital(thing) if objects is OPEN['person'] else thing}"
        if d.rng.random() < 0.2:
            text += " " + _with_words(d, d.rng.choice(TODO_TAILS))
        if (d.split == "held_out" or not is_held_out(thing)) and d.keep(text):
            return text, text


def _task(d: Draw) -> tuple[str, Value]:
    """A thing to do as the one entry of a list."""
    text, _ = _todo(d)
    return text, [text]


def _fact(d: Draw) -> tuple[str, Value]:
    pick = d.rng.random()
    if pick < 0.2:
        return _todo(d)
    while True:
        if pick < 0.5:
            text = d.pick(FACTS)
            if d.invents and d.rng.random() < 0.6:
                words = text.split()
                words[d.rng.randrange(len(words))] = d.made_up()
                text = " ".join(words)
        elif pick < 0.65 and d.invents:  # words without sense, which only copying gets right
            text = " ".join(d.rng.choice(_trained_words()) for _ in range(d.rng.randint(2, 7)))
        else:
            text = _with_words(d, d.rng.choice(FACT_FORMS))
        if d.keep(text):
            return text, text


def _with_words(d: Draw, form: str) -> str:
    """`form` with its slots filled by words of the training split, or made up: the whole text decides the split."""

    def fill(match: re.Match[str]) -> str:
        kind = match.group(1)
        if kind == "digits":
            return str(d.rng.randint(2, 9999))
        kind = "item" if kind == "thing" else kind
        made_up = d.invents and d.rng.random() < MADE_UP_SHARE
        word = d.made_up() if made_up else d.rng.choice(_of_split(OPEN[kind], "train"))
        return d.capital(word) if kind in PROPER else word

    return _INNER_SLOT.sub(fill, form)


def _items(d: Draw) -> tuple[str, Value]:
    """One to four things to put on a list, and the list of them without articles."""
    count = d.rng.choice([1, 1, 1, 2, 2, 3, 3, 4])
    said: list[str] = []
    names: list[str] = []
    while len(names) < count:
        word = d.word("item", OPEN["item"])
        first, _, rest = word.partition(" ")
        name = rest if first in _ARTICLES else word
        if name in names:
            continue
        if word == name and d.rng.random() < 0.25:
            word = f"{'some' if word.endswith('s') or d.rng.random() < 0.7 else 'a'} {name}"
        elif word == name and d.rng.random() < 0.12:
            number = d.rng.choice(("two", "three", "four", "six", "a dozen", "2", "3", "half a kilo of", "a bottle of"))
            word = name = f"{number} {name}"
            name = name.removeprefix("a ")
        said.append(word)
        names.append(name)
    last = d.rng.choice([" and ", " and ", ", and ", ", "]) if count > 2 else d.rng.choice([" and ", " and ", ", "])
    between = d.rng.choice([", ", ", ", " and ", " "]) if count > 2 and last == " and " else ", "
    phrase = said[0] if count == 1 else between.join(said[:-1]) + last + said[-1]
    return phrase, list(names)


def _unit(d: Draw) -> tuple[str, Value]:
    """A unit and, for the slot `{other}`, another one of its group."""
    (value, ways), (other, other_ways) = d.rng.sample(d.rng.choice(UNIT_GROUPS), 2)
    d.phrases["other"], d.values["other"] = d.rng.choice(other_ways), other
    return d.rng.choice(ways), value


def _other_unit(d: Draw) -> tuple[str, Value]:
    d.slot("unit")
    return d.phrases["other"], d.values["other"]


def _expression(d: Draw) -> tuple[str, Value]:
    sign, ways = d.rng.choice(OPERATORS)
    left = draw_number(d.rng, d.keep, "operand", 2, 999 if d.rng.random() < 0.3 else 99)
    right = draw_number(d.rng, d.keep, "operand", 2, 99)
    pick = d.rng.random()
    if d.invents and d.rng.random() < TINY_SUM_SHARE:
        left, right, pick = *_tiny_operands(d), 0.0
    if pick < 0.55:
        phrase = f"{say_number(d.rng, left)} {d.rng.choice(ways)} {say_number(d.rng, right)}"
        return _digits_alone(d, phrase), f"{left}{sign}{right}"
    if pick < 0.7:
        third, more = draw_number(d.rng, d.keep, "operand", 2, 50), d.rng.choice(OPERATORS)
        said = (f"{say_number(d.rng, n)}" for n in (left, right, third))
        a, b, c = said
        phrase = f"{a} {d.rng.choice(ways)} {b} {d.rng.choice(more[1])} {c}"
        return _digits_alone(d, phrase), f"{left}{sign}{right}{more[0]}{third}"
    if pick < 0.75:
        return f"{left}{sign}{right}", f"{left}{sign}{right}"
    if pick < 0.8:
        return f"half of {say_number(d.rng, left)}", f"{left}/2"
    if pick < 0.85:
        return f"{say_number(d.rng, right)} squared", f"{right}*{right}"
    shown = say_number(d.rng, right)
    mark = d.rng.choice([" percent", "%"]) if shown.isdigit() else " percent"
    return f"{shown}{mark} of {say_number(d.rng, left)}", f"{left}*{right}/100"


def _tiny_operands(d: Draw) -> tuple[int, int]:
    """0 or 1 and another number, or two of one digit, in any order."""
    small = d.rng.choice((0, 0, 0, 1, 1, draw_number(d.rng, d.keep, "operand", 2, 12)))
    other = draw_number(d.rng, d.keep, "operand", 0, 12 if d.rng.random() < 0.6 else 250)
    return (small, other) if d.rng.random() < 0.5 else (other, small)


def _digits_alone(d: Draw, phrase: str) -> str:
    """Operators written as signs, where no word stands between."""
    return phrase.replace(" ", "") if not re.search("[a-z]", phrase) and d.rng.random() < 0.3 else phrase
