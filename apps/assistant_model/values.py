"""Slot values: the words that fill templates, and the rule that keeps some of them out of training.

A value is held out when the CRC of its text falls into one class of eight, so the split depends on nothing but the
value itself. Made-up words drawn in training teach copying of words never seen.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from apps.assistant_model import spoken

Split = Literal["train", "held_out"]
Value = str | int | float | list[str] | dict[str, str] | dict[str, int]

MADE_UP_SHARE = 0.5  # of open words in training


def is_held_out(value: str) -> bool:
    """Whether training never sees this value."""
    return zlib.crc32(value.encode()) % 8 == 0


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


OPEN: dict[str, tuple[str, ...]] = {
    "room": _words(
        "kitchen, bedroom, living room, bathroom, hall, hallway, office, study, garage, garden, attic, cellar, "
        "basement, dining room, guest room, nursery, kids room, playroom, laundry room, utility room, porch, patio, "
        "terrace, balcony, conservatory, landing, stairs, entrance, corridor, workshop, shed, pantry, library, lounge, "
        "den, loft, gym, music room, spare room, toilet, shower room, dressing room, main bedroom, front room, "
        "back room, upstairs, downstairs, driveway, greenhouse, studio"
    ),
    "device": _words(
        "fan, kettle, coffee machine, coffee maker, tv, television, heater, lamp, radio, toaster, printer, router, "
        "charger, dehumidifier, humidifier, air purifier, washing machine, dryer, dishwasher, iron, vacuum, monitor, "
        "speaker, aquarium pump, christmas tree, electric blanket, rice cooker, slow cooker, oven, microwave, freezer, "
        "fridge, fountain, projector, game console, amplifier, soldering iron, sewing machine, bread maker, "
        "treadmill, towel rail, water heater, sprinkler, pond pump, desk fan, bedside lamp, floor lamp, fairy lights"
    ),
    "item": _words(
        "milk, eggs, bread, butter, cheese, apples, bananas, oranges, lemons, rice, pasta, flour, sugar, salt, pepper, "
        "coffee, tea, honey, jam, yogurt, oat milk, tomatoes, potatoes, onions, garlic, carrots, lettuce, spinach, "
        "mushrooms, chicken, beef, salmon, tuna, olive oil, vinegar, mustard, ketchup, cereal, oats, nuts, almonds, "
        "chocolate, biscuits, ice cream, juice, sparkling water, wine, beer, toilet paper, kitchen roll, soap, "
        "shampoo, toothpaste, washing powder, bin bags, batteries, light bulbs, candles, matches, cat food, dog food, "
        "nappies, tissues, foil, sponges, cucumbers, peppers, beans, lentils, chickpeas, noodles, soup, stock cubes, "
        "avocados, grapes, strawberries, raspberries, pears, plums, melon, broccoli, cauliflower, celery, ginger, "
        "basil, parsley, tofu, sausages, bacon, ham, cream, sour cream, crisps, crackers, peanut butter, maple syrup, "
        "baking powder, vanilla, raisins, dates, walnuts, a screwdriver, sandpaper, paint, nails, glue, stamps, "
        "envelopes, printer paper, pens, a birthday card, wrapping paper, sun cream, plasters, painkillers, "
        "sunglasses, "
        "a toothbrush, socks, an umbrella, a phone charger, a water bottle, a towel, a tent, a torch"
    ),
    "list": _words("shopping, grocery, to do, packing, christmas, party, hardware, holiday, work, gift, weekend, book"),
    "artist": _words(
        "abba, queen, the beatles, mozart, bach, beethoven, chopin, vivaldi, miles davis, nina simone, john coltrane, "
        "david bowie, prince, madonna, adele, coldplay, radiohead, daft punk, the rolling stones, pink floyd, "
        "led zeppelin, bob marley, johnny cash, dolly parton, ella fitzgerald, louis armstrong, frank sinatra, "
        "elton john, stevie wonder, fleetwood mac, the cure, blondie, kraftwerk, portishead, bjork, sigur ros, "
        "norah jones, amy winehouse, ray charles, aretha franklin, bob dylan, joni mitchell, leonard cohen, debussy"
    ),
    "genre": _words(
        "jazz, rock, pop, classical music, blues, folk, country music, reggae, techno, soul, funk, hip hop, salsa, "
        "piano music, dance music, lounge music, metal, disco, film music, nature sounds, rain sounds, white noise, "
        "birdsong, christmas songs, lullabies, guitar music, relaxing music, workout music, the news, the radio"
    ),
    "city": _words(
        "london, paris, berlin, madrid, rome, vienna, prague, lisbon, dublin, oslo, stockholm, helsinki, copenhagen, "
        "amsterdam, brussels, zurich, geneva, warsaw, budapest, athens, istanbul, cairo, nairobi, lagos, cape town, "
        "tokyo, kyoto, seoul, beijing, shanghai, hong kong, singapore, bangkok, jakarta, manila, sydney, melbourne, "
        "auckland, new york, boston, chicago, denver, seattle, toronto, montreal, vancouver, mexico city, lima, "
        "bogota, "
        "santiago, buenos aires, rio de janeiro, mumbai, delhi, dubai, hamburg, munich, cologne, edinburgh, glasgow, "
        "cardiff, belfast, york, bristol, leeds, oxford, cambridge, milan, naples, venice, florence, turin, seville"
    ),
    "app": _words(
        "browser, calculator, terminal, mail, calendar, editor, file manager, photos, music player, chat, settings, "
        "notes, maps, spreadsheet, word processor, camera, task manager, paint program, firefox, spotify, slack, zoom, "
        "thunderbird, gimp, blender, inkscape, steam, whatsapp, teams, excel, photoshop, obsidian"
    ),
    "person": _words(
        "anna, ben, clara, david, emma, felix, grace, henry, ida, jack, kate, liam, maria, noah, olivia, paul, rosa, "
        "sam, tina, victor, wendy, mum, dad, grandma, the dentist, the plumber, my boss, my sister, my brother, "
        "the landlord, the doctor, the bank, aunt lucy, uncle joe, the school, the garage, the vet, the neighbours"
    ),
    "label": _words(
        "pasta, egg, tea, pizza, laundry, oven, cake, rice, nap, workout, bread, soup, potato, homework, meditation, "
        "parking, break, chicken, washing, cookie, reading, stretching, coffee, roast, game"
    ),
    "title": _words(
        "dentist, team meeting, lunch, dinner, yoga, haircut, piano lesson, football practice, doctor, job interview, "
        "stand up, project review, birthday party, parents evening, board meeting, swimming, coffee, choir, car "
        "service, book club, barbecue, planning call, training, wedding, concert, theatre, massage, school play, "
        "eye test, budget review, tennis, chess club, house viewing, vaccination, workshop, conference call"
    ),
    "color": _words("red, green, blue, yellow, orange, purple, pink, white, warm white, cool white, turquoise, amber"),
}

_OPEN_LISTS = tuple(OPEN.values())
_VERBS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("call", OPEN["person"]),
    ("text", OPEN["person"]),
    ("write to", OPEN["person"]),
    ("buy", OPEN["item"]),
    ("pick up", OPEN["item"]),
    ("order", OPEN["item"]),
    ("water", _words("the plants, the roses, the lawn, the tomatoes, the herbs, the orchids")),
    ("feed", _words("the cat, the dog, the fish, the birds, the hamster, the rabbits")),
    ("take out", _words("the rubbish, the bins, the recycling, the compost, the trash")),
    ("pay", _words("the rent, the electricity bill, the phone bill, the gas bill, the invoice, the parking fine")),
    ("check", _words("the oven, the post, the tyres, the calendar, the backup, the heating, the door, the windows")),
    ("clean", _words("the windows, the kitchen, the car, the fridge, the bathroom, the grill, the filter")),
    ("send", _words("the report, the parcel, the invoice, the photos, the invitations, the contract, the form")),
    ("book", _words("a table, the flights, a taxi, the hotel, the train, tickets, a haircut, a room")),
    ("finish", _words("the slides, the essay, the report, my homework, the painting, the budget, the letter")),
    ("take", _words("my medicine, the pills, vitamins, a break, the car to the garage, the cake out, a walk")),
    ("bring", _words("the laptop, a packed lunch, the keys, the passport, cash, the library books, an umbrella")),
    ("fix", _words("the bike, the tap, the fence, the shelf, the printer, the door handle")),
)
_FACTS = _words(
    "the spare key is under the pot, the meeting went well, the car is on level three, anna likes tulips, "
    "the wifi guest code is on the fridge, we need a new hose, the boiler was serviced, the red paint is too dark, "
    "ben is allergic to nuts, the parcel is at the neighbours, the train was late again, the cake needs less sugar, "
    "ask clara about the garden, the lock on the shed sticks, look at the new laptop, the filter fits the old machine, "
    "the plumber comes back next week, move the desk to the window, the blue folder is in the office, "
    "grandma wants a puzzle, the kids grew two shoe sizes, try the bakery by the station, the rent goes up"
)

_UNIT_GROUPS: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = (
    (("km", ("kilometres", "kilometers", "km")), ("mi", ("miles",)), ("m", ("metres", "meters")), ("ft", ("feet",)),
     ("in", ("inches",)), ("cm", ("centimetres", "centimeters", "cm")), ("yd", ("yards",)), ("mm", ("millimetres",))),
    (("kg", ("kilograms", "kilos", "kg")), ("lb", ("pounds",)), ("g", ("grams",)), ("oz", ("ounces",)),
     ("st", ("stone",))),
    (("l", ("litres", "liters")), ("ml", ("millilitres", "ml")), ("gal", ("gallons",)), ("cup", ("cups",)),
     ("pt", ("pints",)), ("tbsp", ("tablespoons",)), ("tsp", ("teaspoons",))),
    (("c", ("celsius", "degrees celsius")), ("f", ("fahrenheit", "degrees fahrenheit"))),
    (("km/h", ("kilometres per hour", "km per hour")), ("mph", ("miles per hour",)), ("kn", ("knots",))),
)  # fmt: skip
_SETTINGS = (
    ("wifi", ("wifi", "wi-fi", "the wifi", "wireless")),
    ("bluetooth", ("bluetooth",)),
    ("airplane_mode", ("airplane mode", "flight mode", "aeroplane mode")),
    ("dark_mode", ("dark mode", "the dark theme")),
    ("do_not_disturb", ("do not disturb", "don't disturb mode")),
    ("night_light", ("the night light", "night light", "the blue light filter")),
    ("battery_saver", ("battery saver", "power saving", "the power saver")),
    ("notifications", ("notifications", "the notifications")),
    ("microphone", ("the microphone", "the mic")),
    ("camera", ("the webcam", "my webcam")),
)
_OPERATORS = (
    ("+", ("plus", "and", "+")),
    ("-", ("minus", "take away", "-")),
    ("*", ("times", "multiplied by", "*")),
    ("/", ("divided by", "over", "/")),
)
_SYLLABLES = "ba ber bo cal dan del do en fa fen gar gil ha hol im jo ka kel la lin lo mar mel mi nar no or pel pi ra \
rin ro sa sel so ta tel tor u va ven vi wes yan zo".split()


@dataclass(slots=True)
class Draw:
    """The slots of one request: each name is drawn once, so a template may use it twice."""

    rng: Random
    split: Split
    phrases: dict[str, str] = field(default_factory=dict[str, str])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    unseen: bool = False  # a value was drawn that training never sees

    def keep(self, value: str) -> bool:
        held_out = is_held_out(value)
        if held_out and self.split == "held_out":
            self.unseen = True
        return held_out == (self.split == "held_out")

    def slot(self, name: str) -> str:
        """The phrase of slot `name`; a trailing digit makes a second slot of the same kind."""
        if name not in self.phrases:
            kind = name.rstrip("0123456789")
            phrase, value = _KINDS[kind](self) if kind in _KINDS else self.open_word(kind)
            self.phrases[name], self.values[name] = phrase, value
        return self.phrases[name]

    def open_word(self, kind: str) -> tuple[str, str]:
        """A word of an open kind, now and then a made-up one."""
        if self.split == "train" and self.rng.random() < MADE_UP_SHARE:
            word = self.made_up()
        else:
            word = self.pick(OPEN[kind])
        return word, word

    def pick(self, words: tuple[str, ...]) -> str:
        """A word of the split; a list too short to have held-out words is drawn from whole."""
        own = [word for word in words if is_held_out(word) == (self.split == "held_out")]
        word = self.rng.choice(own or words)
        self.keep(word)
        return word

    def _any_word(self) -> str:
        texts = [text for text in self.rng.choice(_OPEN_LISTS) if not is_held_out(text)]
        return self.rng.choice([word for text in texts for word in text.split() if len(word) > 3])

    def made_up(self) -> str:
        while True:
            if self.rng.random() < 0.4:
                word = "".join(self.rng.choice(_SYLLABLES) for _ in range(self.rng.randint(2, 3)))
            else:  # the head of one real word and the tail of another
                one, other = (self._any_word() for _ in range(2))
                word = one[: self.rng.randint(2, 4)] + other[self.rng.randint(1, 3) :]
            if self.rng.random() < 0.3:
                word += f" {self._any_word()}"
            if self.keep(word):
                return word


def _number(kind: str, low: int, high: int, step: int = 1) -> Callable[[Draw], tuple[str, Value]]:
    def draw(d: Draw) -> tuple[str, Value]:
        number = spoken.draw_number(d.rng, d.keep, kind, low, high, step)
        return spoken.say_number(d.rng, number), number

    return draw


def _percent(d: Draw) -> tuple[str, Value]:
    phrase, number = _number("percent", 0, 100)(d)
    return phrase + d.rng.choice([" percent", " percent", "%", ""]), number


def _todo(d: Draw) -> tuple[str, Value]:
    while True:
        verb, objects = d.rng.choice(_VERBS)
        thing = d.made_up() if d.split == "train" and d.rng.random() < 0.4 else d.rng.choice(objects)
        text = f"{verb} {thing}"
        if (d.split == "held_out" or not is_held_out(thing)) and d.keep(text):
            return text, text


def _fact(d: Draw) -> tuple[str, Value]:
    if d.rng.random() < 0.5:
        return _todo(d)
    text = d.pick(_FACTS)
    if d.split == "train" and d.rng.random() < 0.6:
        words = text.split()
        words[d.rng.randrange(len(words))] = d.made_up()
        if d.keep(" ".join(words)):
            text = " ".join(words)
    return text, text


def _items(d: Draw) -> tuple[str, Value]:
    """One to three things to put on a list, and the list of them."""
    count = d.rng.choice([1, 1, 1, 2, 2, 3])
    names: list[str] = []
    while len(names) < count:
        word = d.open_word("item")[0]
        if word not in names:
            names.append(word)
    joint = d.rng.choice([" and ", " and ", ", and "]) if count > 2 else " and "
    phrase = names[0] if count == 1 else ", ".join(names[:-1]) + joint + names[-1]
    return phrase, list(names)


def _choice(options: tuple[tuple[str, tuple[str, ...]], ...]) -> Callable[[Draw], tuple[str, Value]]:
    """A closed set: one of the values, said in one of its ways. Both splits hold all of them."""

    def draw(d: Draw) -> tuple[str, Value]:
        value, ways = d.rng.choice(options)
        return d.rng.choice(ways), value

    return draw


def _unit(d: Draw) -> tuple[str, Value]:
    """A unit and, for the slot `{other}`, another one of its group."""
    (value, ways), (other, other_ways) = d.rng.sample(d.rng.choice(_UNIT_GROUPS), 2)
    d.phrases["other"], d.values["other"] = d.rng.choice(other_ways), other
    return d.rng.choice(ways), value


def _other_unit(d: Draw) -> tuple[str, Value]:
    d.slot("unit")
    return d.phrases["other"], d.values["other"]


def _expression(d: Draw) -> tuple[str, Value]:
    sign, ways = d.rng.choice(_OPERATORS)
    left = spoken.draw_number(d.rng, d.keep, "operand", 2, 300 if d.rng.random() < 0.3 else 99)
    right = spoken.draw_number(d.rng, d.keep, "operand", 2, 99)
    said = [way for way in ways if way != "and"] if sign == "+" else list(ways)
    if d.rng.random() < 0.7:
        return f"{spoken.say_number(d.rng, left)} {d.rng.choice(said)} {spoken.say_number(d.rng, right)}", (
            f"{left}{sign}{right}"
        )
    percent = spoken.draw_number(d.rng, d.keep, "operand", 2, 99)
    return (
        f"{spoken.say_number(d.rng, percent)} percent of {spoken.say_number(d.rng, left)}",
        f"{left}*{percent}/100",
    )


_KINDS: dict[str, Callable[[Draw], tuple[str, Value]]] = {
    "state": _choice((("on", ("on",)), ("off", ("off",)))),
    "percent": _percent,
    "level": _number("level", 0, 100, 5),
    "degrees": _number("degrees", 15, 26),
    "few": _number("few", 2, 5),
    "amount": _number("amount", 1, 250),
    "time": lambda d: spoken.time_of_day(d.rng, d.keep),
    "day": lambda d: spoken.day(d.rng, d.keep),
    "onday": lambda d: spoken.on_day(d.rng, d.keep),
    "when": lambda d: spoken.moment(d.rng, d.keep),
    "duration": lambda d: spoken.duration(d.rng, d.keep),
    "todo": _todo,
    "fact": _fact,
    "items": _items,
    "unit": _unit,
    "other": _other_unit,
    "expr": _expression,
    "setting": _choice(_SETTINGS),
}
CLOSED_KINDS = frozenset({"state", "setting", "unit", "other"})  # no values are held out of these
