"""The words that fill slots, as people say them, in lower case."""

from __future__ import annotations


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
        "birdsong, christmas songs, lullabies, guitar music, relaxing music, workout music"
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

VERBS: tuple[tuple[str, tuple[str, ...]], ...] = (
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
FACTS = _words(
    "the spare key is under the pot, the meeting went well, the car is on level three, anna likes tulips, "
    "the wifi guest code is on the fridge, we need a new hose, the boiler was serviced, the red paint is too dark, "
    "ben is allergic to nuts, the parcel is at the neighbours, the train was late again, the cake needs less sugar, "
    "ask clara about the garden, the lock on the shed sticks, look at the new laptop, the filter fits the old machine, "
    "the plumber comes back next week, move the desk to the window, the blue folder is in the office, "
    "grandma wants a puzzle, the kids grew two shoe sizes, try the bakery by the station, the rent goes up"
)

UNIT_GROUPS: tuple[tuple[tuple[str, tuple[str, ...]], ...], ...] = (
    (("km", ("kilometres", "kilometers", "km")), ("mi", ("miles",)), ("m", ("metres", "meters")), ("ft", ("feet",)),
     ("in", ("inches",)), ("cm", ("centimetres", "centimeters", "cm")), ("yd", ("yards",)), ("mm", ("millimetres",))),
    (("kg", ("kilograms", "kilos", "kg")), ("lb", ("pounds",)), ("g", ("grams",)), ("oz", ("ounces",)),
     ("st", ("stone",))),
    (("l", ("litres", "liters")), ("ml", ("millilitres", "ml")), ("gal", ("gallons",)), ("cup", ("cups",)),
     ("pt", ("pints",)), ("tbsp", ("tablespoons",)), ("tsp", ("teaspoons",))),
    (("c", ("celsius", "degrees celsius")), ("f", ("fahrenheit", "degrees fahrenheit"))),
    (("km/h", ("kilometres per hour", "km per hour")), ("mph", ("miles per hour",)), ("kn", ("knots",))),
)  # fmt: skip
SETTINGS = (
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
OPERATORS = (
    ("+", ("plus", "and", "+")),
    ("-", ("minus", "take away", "-")),
    ("*", ("times", "multiplied by", "*")),
    ("/", ("divided by", "over", "/")),
)
SYLLABLES = "ba ber bo cal dan del do en fa fen gar gil ha hol im jo ka kel la lin lo mar mel mi nar no or pel pi ra \
rin ro sa sel so ta tel tor u va ven vi wes yan zo".split()

# Words that tell what is wanted where they stand alone, and nothing where they are part of a thing's name.
MISLEADING = tuple(
    "light heating timer list alarm note radio volume screen weather event reminder music calendar clock heat lamp "
    "sound water time day calculator song phone app message book mail".split()
)

# Kinds of slots whose words are names, written with capitals where people write capitals at all ...
PROPER = frozenset({"artist", "city", "person", "app"})
# ... except these.
COMMON = frozenset(
    "the my mum dad grandma dentist plumber boss sister brother landlord doctor bank school garage vet neighbours and "
    "of de browser calculator terminal mail calendar editor file manager photos music player chat settings notes maps "
    "spreadsheet word processor camera task paint program".split()
)

FACT_FORMS: tuple[str, ...] = (
    "{person} likes {thing}", "{person} does not eat {thing}", "{person} wants {thing} for christmas",
    "the {device} is in the {room}", "the {device} in the {room} is broken", "the {device} makes a strange noise",
    "the code for the {device} is {digits}", "{person} borrowed the {device}", "the {room} needs new {thing}",
    "{person} lives in {city}", "{person} arrives from {city} on the {digits} bus",
    "the flight to {city} is at gate {digits}", "{city} was lovely", "the wine came from {city}",
    "{person} moved to {city} last year", "my size is {digits}", "the {title} went well", "the {title} was boring",
    "next {title} bring {thing}", "{person} is late for the {title}", "{thing} was cheaper at the market",
    "we still have {thing} in the {room}", "never buy {thing} again", "the keys are under the {thing}",
    "locker number {digits}", "the gas meter reads {digits}", "{title} moved to room {digits}",
    "{app} needs an update", "the password of {app} has to change", "{artist} are on tour",
    "listen to {artist} some day",
)  # fmt: skip
TODO_TAILS: tuple[str, ...] = (
    "about the {title}",
    "for {person}",
    "with {person}",
    "before the {title}",
    "after the {title}",
    "in {city}",
    "for the {room}",
    "and {thing}",
    "from the {room}",
    "because of the {device}",
)
