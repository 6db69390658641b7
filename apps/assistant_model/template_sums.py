"""Ways to ask for sums and for conversions of units."""

from __future__ import annotations

import re
from collections.abc import Iterator

from apps.assistant_model.spoken_numbers import number_words
from apps.assistant_model.templates import Template, call
from apps.assistant_model.values import is_held_out

_Choices = tuple[tuple[str | int, tuple[str, ...]], ...]
_SIGN = re.compile(r"[-+*/×÷%]|\bx\b|}x{")  # stands between digits, not between words

# Sums that `{expr}` does not say: forms of two numbers, with the expression.
_ORDERS = (
    ("{a}+{b}", ("add {a} and {b}", "add {a} and {b} together", "sum up {a} and {b}", "add up {a} and {b}",
                 "add {a} to {b}")),
    ("{h}-{l}", ("subtract {l} from {h}", "take {l} (away |)from {h}", "deduct {l} from {h}", "take {l} off {h}")),
    ("{a}*{b}", ("multiply {a} by {b}", "multiply {a} and {b}", "multiply {a} with {b}", "take {a} times {b}")),
    ("{h}/{n}", ("divide {h} by {n}", "divide {h} by {n}", "split {h} by {n}", "divide {h} among {n} people")),
    ("{h}/{n}", ("split {h} (between|among) {n} people", "share {h} between {n} people", "split {h} {n} ways")),
    ("{a}*2", ("double {a}",)),
    ("{a}/2", ("halve {a}", "take half of {a}")),
    ("{a}*{a}", ("square {a}", "multiply {a} by itself")),
    ("{a}*3", ("triple {a}",)),
    ("{a}*{p}/100", ("take {p} percent of {a}", "take {p}% of {a}")),
    ("{a}+{b}+{c}", ("add {a}, {b} and {c}", "add up {a}, {b} and {c}", "add {a} and {b} and {c}",
                     "sum up {a}, {b} and {c}")),
)  # fmt: skip
_NAMES = (
    ("{a}+{b}", ("the sum of {a} and {b}", "the total of {a} and {b}", "{a} added to {b}", "{a} and {b} together",
                 "{a} + {b}")),
    ("{h}-{l}", ("the difference between {h} and {l}", "{h} less {l}", "{h} take away {l}", "{h} - {l}")),
    ("{h}-{l}", ("{l} from {h}", "{l} subtracted from {h}", "{l} taken from {h}", "{l} off {h}")),
    ("{a}*{b}", ("the product of {a} and {b}", "{a} multiplied by {b}", "{a} x {b}", "{a}x{b}", "{a} by {b}")),
    ("{a}*{b}", ("{a} (lots|sets|groups) of {b}", "{a} times {b}", "{a} multiplied with {b}", "{a} × {b}",
                 "{a} * {b}")),
    ("{h}/{n}", ("{h} split by {n}", "{h} divided by {n}", "{h} divided into {n} parts", "{h} ÷ {n}", "{h} / {n}")),
    ("{h}/{n}", ("{h} divided (between|among) {n} people", "{h} shared by {n} people",
                 "a share of {h} for {n} people")),
    ("{a}*2", ("double {a}", "twice {a}", "the double of {a}", "twice as much as {a}")),
    ("{a}/2", ("half of {a}", "half {a}", "one half of {a}", "a half of {a}")),
    ("{a}/3", ("a third of {a}", "one third of {a}")),
    ("{a}/4", ("a quarter of {a}", "one quarter of {a}", "a fourth of {a}")),
    ("{a}/5", ("a fifth of {a}", "one fifth of {a}")),
    ("{a}/10", ("a tenth of {a}", "one tenth of {a}")),
    ("{a}*{a}", ("{a} squared", "the square of {a}", "{a} to the power of two", "{a} times itself", "{a} times {a}")),
    ("{a}*{a}*{a}", ("{a} cubed", "the cube of {a}", "{a} to the power of three")),
    ("{a}*3", ("triple {a}", "the triple of {a}")),
    ("{a}*{p}/100", ("{p} percent of {a}", "{p}% of {a}", "{p} per cent of {a}", "a {p} percent tip on {a}")),
    ("{a}*{p}/100", ("{p} percent of {a} (euros|dollars|pounds)", "a tip of {p} percent on {a}", "{p}% tax on {a}")),
    ("{a}+{b}+{c}", ("{a} plus {b} plus {c}", "the sum of {a}, {b} and {c}", "{a} and {b} and {c}", "{a} + {b} + {c}")),
    ("{h}-{l}-{n}", ("{h} minus {l} minus {n}", "{h} less {l} less {n}", "{h} take away {l} take away {n}",
                     "{h} - {l} - {n}")),
    ("{a}*{b}*{c}", ("{a} times {b} times {c}", "{a} x {b} x {c}", "the product of {a}, {b} and {c}",
                     "{a} by {b} by {c}")),
    ("{a}*{b}+{c}", ("{a} times {b} plus {c}", "{a} x {b} + {c}", "{a} multiplied by {b} plus {c}")),
    ("{a}*{b}-{c}", ("{a} times {b} minus {c}", "{a} x {b} - {c}", "{a} multiplied by {b} minus {c}")),
    ("{h}/{n}+{c}", ("{h} divided by {n} plus {c}", "{h} over {n} plus {c}")),
    ("{d}*{b}", ("{d} times {b}", "{d} x {b}", "{d} multiplied by {b}", "{d}*{b}")),
    ("{d}+{e}", ("{d} plus {e}", "{d} + {e}", "the sum of {d} and {e}", "{d} and {e}", "{d}+{e}")),
    ("{e}-{d}", ("{e} minus {d}", "{e} - {d}", "{e} take away {d}", "{e} less {d}")),
    ("{e}/{b}", ("{e} divided by {b}", "{e} / {b}", "{e} over {b}")),
)  # fmt: skip
_BOUGHT = (
    ("{n}*{b}", ("{n} tickets at {b} (euros|pounds|dollars) each", "{n} books at {b} each",
                 "{n} boxes with {b} in each")),
    ("{n}*{b}", ("{n} hours at {b} (euros|pounds|dollars) an hour", "{n} nights at {b} a night", "{n} rows of {b}")),
    ("{n}*{b}", ("{n} packs of {b}", "{n} weeks at {b} a week", "{n} bottles for {b} each",
                 "{n} people paying {b} each")),
)  # fmt: skip


def _operands() -> Iterator[int]:
    """Numbers spread over two digits, some of one or three; what tests new values is left out."""
    at = 1
    while True:
        at = at * 37 % 1009
        number = at if at % 7 == 0 else 2 + at % 14 if at % 3 == 0 else 10 + at % 90
        if number > 1 and not is_held_out(f"operand {number}"):
            yield number


def _sums(forms: tuple[tuple[str, tuple[str, ...]], ...], each: int) -> _Choices:
    """`each` sums per form, their numbers in digits and in words by turns."""
    numbers = _operands()
    made: list[tuple[str, tuple[str, ...]]] = []
    for expression, ways in forms:
        for turn in range(each):
            a, b, c = (next(numbers) for _ in range(3))
            values = {"a": a, "b": b, "c": c, "l": min(a, b), "h": max(a, b), "n": 2 + c % 11, "p": 5 * (1 + c % 19)}
            shown = {key: str(value) for key, value in values.items()}
            words = {key: number_words(value) for key, value in values.items()}
            for key, whole, tenths in (("d", a, 1 + b % 9), ("e", b, 1 + a % 9)):
                shown[key] = f"{whole}.{tenths}"
                words[key] = f"{number_words(whole)} point {number_words(tenths)}" if turn % 4 else shown[key]
            said = tuple(way.format_map(shown if turn % 2 or _SIGN.search(way) else words) for way in _plain(ways))
            made.append((expression.format_map(shown), said))
    return tuple(made)


def _plain(ways: tuple[str, ...]) -> tuple[str, ...]:
    """A slot's phrase holds no choices: each way with a choice becomes several."""
    plain: list[str] = []
    for way in ways:
        head, _, rest = way.partition("(")
        options, _, tail = rest.partition(")")
        plain += [f"{head}{option}{tail}" for option in options.split("|")] if rest else [way]
    return tuple(plain)


CHOICES: dict[str, _Choices] = {
    "sum_order": _sums(_ORDERS, 24),
    "sum_name": _sums(_NAMES, 24),
    "sum_bought": _sums(_BOUGHT, 24),
    # Units that the shared slots do not write so, apart by origin: a conversion takes one of each.
    "metric_length": (("km", ("km", "kms", "kilometres", "kilometers")), ("m", ("m", "metres", "meters")),
                      ("cm", ("cm", "cms", "centimetres", "centimeters")), ("mm", ("mm", "millimetres",
                                                                                   "millimeters"))),
    "imperial_length": (("mi", ("miles", "mi")), ("ft", ("feet", "ft")), ("in", ("inches", "inches", "inch")),
                        ("yd", ("yards", "yd", "yds"))),
    "metric_mass": (("kg", ("kg", "kgs", "kilos", "kilograms", "kilogrammes")), ("g", ("g", "grams", "grammes"))),
    "imperial_mass": (("lb", ("lb", "lbs", "pounds")), ("oz", ("oz", "ounces")), ("st", ("stone", "stones", "st"))),
    "metric_volume": (("l", ("l", "litres", "liters", "litre")), ("ml", ("ml", "mls", "millilitres", "milliliters"))),
    "imperial_volume": (("gal", ("gallons", "gal")), ("pt", ("pints", "pt")), ("cup", ("cups",)),
                        ("tbsp", ("tablespoons", "tbsp", "table spoons")), ("tsp", ("teaspoons", "tsp", "tea spoons"))),
    "metric_speed": (("km/h", ("km/h", "kmh", "kph", "kilometres per hour", "kilometers an hour",
                               "kilometres an hour")),),
    "imperial_speed": (("mph", ("mph", "miles per hour", "miles an hour")), ("kn", ("knots", "kn"))),
    "metric_heat": (("c", ("celsius", "degrees celsius", "c", "°c", "°C", "degrees c", "centigrade",
                           "degrees centigrade")),),
    "imperial_heat": (("f", ("fahrenheit", "degrees fahrenheit", "f", "°f", "°F", "degrees f")),),
    "digits": tuple((n, (str(n),)) for n in (*range(1, 60), *range(60, 500, 7)) if not is_held_out(f"amount {n}")),
}  # fmt: skip

_ASKED = (
    "what is <x>", "what's <x>", "what's <x>", "calculate <x>", "how much is <x>", "<x>", "work out <x>", "tell me <x>",
    "what do (you|i|we) get for <x>", "compute <x>", "what does <x> (make|equal|give|come to|add up to|amount to)",
    "<x> equals", "<x> is (what|how much)", "how much (does|would) <x> (make|be|give|come to)", "i need (to know |)<x>",
    "whats <x>", "<x> =", "figure out <x>", "(do|try) <x>", "can you tell me what <x> is",
    "do you know (what <x> is|<x>)", "help me with <x>", "quick, what's <x>",
    "(i'd like|i want) to know (what <x> is|<x>|how much <x> is)", "what's the (result|answer) (of|to|for) <x>",
    "the result of <x>", "how many is <x>", "could you do the maths, <x>", "do the (maths|math|sum), <x>",
    "what would <x> be", "tell me how much <x> is", "i have to (work out|calculate) <x>", "use the calculator, <x>",
    "what number is <x>", "give me <x>", "for my homework, what's <x>", "i forgot how much <x> is", "evaluate <x>",
    "please calculate, <x>", "count <x>", "<x>, how much is that", "<x>, what's that", "find <x>", "reckon <x>",
)  # fmt: skip
_ASKED_HELD_OUT = (
    "how much do you get for <x>", "can you work out what <x> is", "solve <x>", "what might <x> come out at",
    "let me know what <x> is", "i'm wondering what <x> is", "get me the answer to <x>", "<x> makes what",
    "run the numbers, <x>",
)  # fmt: skip
_CONVERTED = (
    "convert <n> <u> to <o>", "convert <n> <u> (to|into|in) <o>", "how many <o> are <n> <u>", "<n> <u> in <o>",
    "what is <n> <u> in <o>", "what's <n> <u> in <o>", "how much is <n> <u> in <o>", "<n> <u> to <o>",
    "how many <o> is <n> <u>", "turn <n> <u> into <o>", "what are <n> <u> in <o>",
    "how many <o> are (there |)in <n> <u>", "how many <o> (make|do you get for|go into) <n> <u>",
    "(change|translate|switch) <n> <u> (to|into) <o>", "tell me (what |)<n> <u> (is |)in <o>", "i need <n> <u> in <o>",
    "in <o>, what is <n> <u>", "<n> <u> is how many <o>", "<n> <u> as <o>", "<n> <u> equals how many <o>",
    "what does <n> <u> (make|come to|equal) in <o>", "how much is <n> <u> if you want <o>",
    "(i'd like|i want) (to know |)<n> <u> in <o>", "express <n> <u> in <o>", "<n> <u>, how many <o> is that",
    "how many <o> does <n> <u> (make|equal)", "work out <n> <u> in <o>", "i have <n> <u>, how many <o> is that",
    "<n> <u> into <o>", "how many <o> would <n> <u> be", "what would <n> <u> be in <o>",
    "the recipe says <n> <u>, what is that in <o>", "calculate <n> <u> in <o>", "do you know how many <o> <n> <u> is",
    "from <n> <u> to <o>", "in <o> how much is <n> <u>", "what's that in <o>, <n> <u>", "how many <o> equal <n> <u>",
    "it says <n> <u>, what's that in <o>", "<n> <u> = how many <o>", "show me <n> <u> in <o>", "make <n> <u> into <o>",
)  # fmt: skip
_CONVERTED_HELD_OUT = (
    "give me <n> <u> in <o>", "what's the equivalent of <n> <u> in <o>", "<n> <u> makes how many <o>",
    "let me have <n> <u> in <o>", "i only know <o>, how much is <n> <u>", "put <n> <u> into <o>",
    "how would you say <n> <u> in <o>",
)  # fmt: skip


def _sum(what: str, *patterns: str) -> tuple[str, ...]:
    return tuple(pattern.replace("<x>", what) for pattern in patterns)


def _converted(amount: str, unit: str, other: str, *patterns: str) -> tuple[str, ...]:
    return tuple(p.replace("<n>", amount).replace("<u>", unit).replace("<o>", other) for p in patterns)


def _asked(slot: str, weight: float) -> Template:
    return call("calculate", {"expression": f"${slot}"}, weight=weight,
                train=_sum(f"{{{slot}}}", *_ASKED), held_out=_sum(f"{{{slot}}}", *_ASKED_HELD_OUT))  # fmt: skip


_SUMS: tuple[Template, ...] = (
    _asked("expr", 1.8),
    _asked("sum_name", 1.3),
    call("calculate", {"expression": "$sum_order"}, weight=0.7,
         train=_sum("{sum_order}", "<x>", "<x>", "<x>", "help me <x>", "(i want|i need|i'd like|i have) to <x>",
                    "what (do i|do you|do we) get if (i|you|we) <x>", "what happens (if|when) (you|i) <x>",
                    "what's the result if (you|i) <x>", "how much is it if you <x>", "go and <x>",
                    "(try|could you) <x>", "what do i get when i <x>", "if i <x>, what do i get",
                    "tell me what you get if you <x>", "let's <x>", "what is it when you <x>", "calculate, <x>",
                    "how much is it if i <x>", "do the sum, <x>", "<x> and tell me the result",
                    "<x>, how much is that"),
         held_out=_sum("{sum_order}", "suppose you <x>, what comes out", "what comes out if you <x>",
                       "<x> and give me the answer", "when i <x> how much is that")),
    call("calculate", {"expression": "$sum_bought"}, weight=0.2,
         train=_sum("{sum_bought}", "how much (is|are|do i pay for|does it cost for) <x>", "what do <x> cost",
                    "what's the price of <x>", "what (is|are) <x>", "how much for <x>", "<x>, how much is that",
                    "<x>, what's the total", "what's the total for <x>", "work out <x>", "calculate <x>",
                    "how much do <x> come to", "<x>"),
         held_out=_sum("{sum_bought}", "what do i owe for <x>", "what would <x> cost", "add it up, <x>")),
    call("calculate", {"expression": "$expr"}, weight=0.3,
         train=("if i have {expr}, what is that", "how much is it, {expr}", "maths question, {expr}",
                "what's {expr}, i can't work it out", "my sum is {expr}", "the sum is {expr}", "i'm stuck on {expr}",
                "is it true that you can do {expr}", "add this up, {expr}", "work this out, {expr}", "one more, {expr}",
                "and {expr}", "now {expr}", "next sum, {expr}", "new sum, {expr}", "what about {expr}",
                "how about {expr}"),
         held_out=("here's a sum, {expr}", "and what's {expr} then", "this one, {expr}")),
)  # fmt: skip

_KINDS = ("length", "mass", "volume", "speed", "heat")
_SHORT = (  # a unit glued to its number, with what it may be turned into
    ("km", "km", "mi", "miles"), ("km", "km", "m", "metres"), ("cm", "cm", "in", "inches"), ("cm", "cm", "ft", "feet"),
    ("m", "m", "ft", "feet"), ("m", "m", "yd", "yards"), ("ft", "ft", "m", "metres"), ("ft", "ft", "cm", "cm"),
    ("kg", "kg", "lb", "pounds"), ("kg", "kg", "st", "stone"), ("lb", "lbs", "kg", "kg"), ("lb", "lb", "kg", "kilos"),
    ("g", "g", "oz", "ounces"), ("oz", "oz", "g", "grams"), ("l", "l", "pt", "pints"), ("l", "l", "gal", "gallons"),
    ("ml", "ml", "cup", "cups"), ("ml", "ml", "tbsp", "tbsp"), ("c", "c", "f", "fahrenheit"), ("f", "f", "c",
                                                                                               "celsius"),
    ("c", "°c", "f", "°f"), ("f", "°F", "c", "°C"), ("km/h", "kmh", "mph", "mph"), ("km/h", "km/h", "mph",
                                                                                    "miles per hour"),
    ("mph", "mph", "km/h", "km/h"), ("mm", "mm", "in", "inches"), ("in", "in", "cm", "cm"), ("mi", "mi", "km", "km"),
)  # fmt: skip
_ONE = (  # one of a unit and what it is asked in
    (1, "mi", "(a|one|1) mile", "km", "kilometres"),
    (1, "mi", "(a|one|1) mile", "m", "metres"),
    (1, "mi", "(a|one|1) mile", "ft", "feet"),
    (1, "km", "(a|one|1) kilometre", "mi", "miles"),
    (1, "km", "(a|one|1) kilometer", "m", "meters"),
    (1, "ft", "(a|one|1) foot", "in", "inches"),
    (1, "in", "(an|one|1) inch", "cm", "centimetres"),
    (1, "in", "(an|one|1) inch", "mm", "millimetres"),
    (1, "yd", "(a|one|1) yard", "ft", "feet"),
    (1, "m", "(a|one|1) metre", "ft", "feet"),
    (1, "m", "(a|one|1) meter", "cm", "centimeters"),
    (1, "kg", "(a|one|1) kilo", "lb", "pounds"),
    (1, "kg", "(a|one|1) (kilogram|kg)", "g", "grams"),
    (1, "lb", "(a|one|1) pound", "oz", "ounces"),
    (1, "lb", "(a|one|1) pound", "g", "grams"),
    (1, "oz", "(an|one|1) ounce", "g", "grams"),
    (1, "st", "(a|one|1) stone", "kg", "kilos"),
    (1, "l", "(a|one|1) litre", "ml", "millilitres"),
    (1, "l", "(a|one|1) liter", "cup", "cups"),
    (1, "gal", "(a|one|1) gallon", "l", "litres"),
    (1, "pt", "(a|one|1) pint", "ml", "millilitres"),
    (1, "cup", "(a|one|1) cup", "ml", "ml"),
    (1, "cup", "(a|one|1) cup", "tbsp", "tablespoons"),
    (1, "tbsp", "(a|one|1) tablespoon", "tsp", "teaspoons"),
    (1, "tbsp", "(a|one|1) tablespoon", "ml", "millilitres"),
    (1, "kn", "(a|one|1) knot", "km/h", "kilometres per hour"),
)
_CONVERSIONS: tuple[Template, ...] = (
    call("convert_units", {"value": "$amount", "from": "$unit", "to": "$other"}, weight=1.8,
         train=_converted("{amount}", "{unit}", "{other}", *_CONVERTED),
         held_out=_converted("{amount}", "{unit}", "{other}", *_CONVERTED_HELD_OUT)),
    *(call("convert_units", {"value": "$amount", "from": f"${one}_{kind}", "to": f"${other}_{kind}"}, weight=0.12,
           train=_converted("{amount}", f"{{{one}_{kind}}}", f"{{{other}_{kind}}}", *_CONVERTED),
           held_out=_converted("{amount}", f"{{{one}_{kind}}}", f"{{{other}_{kind}}}", *_CONVERTED_HELD_OUT))
      for kind in _KINDS for one, other in (("metric", "imperial"), ("imperial", "metric"))),
    *(call("convert_units", {"value": "$-amount", "from": f"${one}_heat", "to": f"${other}_heat"}, weight=0.08,
           train=_converted("minus {amount}", f"{{{one}_heat}}", f"{{{other}_heat}}", *_CONVERTED),
           held_out=_converted("minus {amount}", f"{{{one}_heat}}", f"{{{other}_heat}}", *_CONVERTED_HELD_OUT))
      for one, other in (("metric", "imperial"), ("imperial", "metric"))),
    *(call("convert_units", {"value": "$digits", "from": unit, "to": other}, weight=0.02,
           train=_converted("{digits}", short, said, *(p.replace("<n> <u>", "<n><u>") for p in _CONVERTED)),
           held_out=_converted("{digits}", short, said, *(p.replace("<n> <u>", "<n><u>") for p in _CONVERTED_HELD_OUT)))
      for unit, short, other, said in _SHORT),
    *(call("convert_units", {"value": value, "from": unit, "to": other}, weight=0.02,
           train=_converted(one, "", said, "how many <o> (are |)in <n>", "how many <o> are there in <n>", "<n> in <o>",
                            "what's <n> in <o>", "how much is <n> in <o>", "convert <n> to <o>",
                            "how many <o> (make|make up|go into) <n>", "how many <o> is <n>",
                            "how many <o> does <n> have", "<n> to <o>", "<n> is how many <o>", "how many <o> to <n>",
                            "tell me how many <o> (there are |are |)in <n>", "what is <n> in <o>"),
           held_out=_converted(one, "", said, "how many <o> are contained in <n>", "what's the number of <o> in <n>",
                               "give me <n> in <o>"))
      for value, unit, one, other, said in _ONE),
)  # fmt: skip

SUMS: tuple[Template, ...] = _SUMS + _CONVERSIONS
