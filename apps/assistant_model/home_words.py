"""The words that the templates of light, sockets and heating share."""

from __future__ import annotations

from apps.assistant_model.wording import wording, words

_PARTS = {
    "turn": "(turn|switch|put)",
    "the": "(the|the|the|the|my|our|)",
    "light": "(light|light|lights|lights|lighting)",
    "lights": "(light|lights)",
    "light is": "(light is|lights are)",
    "want": "(i want|i'd like|i need|we need|we want|i would like)",
    "too": "(too|so|really|very|a bit|pretty|way too|)",
    "here": "(| in here| in here| in this house)",
    "everywhere": "(everywhere|in the whole house|in all (the |)rooms|throughout the house|all over the house|"
    "in every room|in the entire (house|flat|apartment)|in the house)",
    "all lights": "(all (the |of the |my |)lights|every (single |)light|the lights <everywhere>|all the lamps)",
    "a bit": "(|a bit|a little|a little bit|slightly|some|a notch|a touch)",
    "step": "(by |){light_step}",
    "deg": "{degrees}(| degrees| degrees)",
    "heating": "(heating|heating|heat|radiator|radiators|thermostat)",
    "heater": "(heating|heating|heat|radiator|radiators|central heating|floor heating)",
    "cold": "(cold|cold|cold|chilly|cool|nippy)",
    "hot": "(hot|hot|warm|warm)",
}

ways = wording(_PARTS)

# Open words beside those that all templates share.
SLOTS: dict[str, tuple[str, ...]] = {
    "own_room": words(  # rooms said without an article
        "Emma's room, emma's room, Ben's office, ben's bedroom, mum's study, dad's office, grandma's room, Paul's "
        "den, anna's bathroom, Leo's room, leo's nursery, Mia's bedroom, tom's workshop, Sarah's office, jack's room, "
        "Olivia's room, sam's garage, Nina's studio, granny's kitchen, Max's room, Lucy's bedroom, noah's playroom, "
        "Tim's study, bedroom two, room 3, bedroom one, room 12, bathroom 2, office b"
    ),
    "own_device": words(  # devices that tell their room, owner or kind
        "bedroom fan, kitchen radio, garage freezer, office printer, kids tv, hall charger, living room tv, desk "
        "heater, office fan, guest room fan, garden fountain, patio heater, phone charger, bike charger, laptop "
        "charger, espresso machine, milk frother, bedroom tv, kitchen kettle, cellar dehumidifier, nursery "
        "humidifier, 3d printer, fish tank filter, ceiling fan, tumble dryer, egg boiler, hair dryer, curling iron, "
        "hot plate, sound system, record player, hi-fi, water pump, sandwich toaster, electric grill, air fryer, "
        "second monitor, baby monitor, heating pad, car charger, disco ball, lava lamp, string lights, desk lamp, "
        "reading lamp, salt lamp, night lamp, star projector, smart plug, plug 2, socket 3, extension lead"
    ),
    "shade": words(
        "magenta, cyan, lilac, lavender, crimson, gold, teal, lime, violet, indigo, mint, peach, salmon, coral, "
        "ivory, cream, navy, sky blue, dark red, light green, deep purple, pale yellow, soft pink, hot pink, "
        "daylight, candlelight, soft white, sunset orange, forest green, ice blue, neon green, rose, bright red, "
        "pastel blue"
    ),
}  # fmt: skip
# Words for a few values, each with its ways to be said.
_TENS = {5: "five", 10: "ten", 15: "fifteen", 20: "twenty", 25: "twenty five", 30: "thirty", 40: "forty", 50: "fifty"}
_FEW = {2: "two", 3: "three", 4: "four", 5: "five"}
CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "where": tuple((place, (place,)) for place in ("upstairs", "downstairs", "outside")),
    "light_step": tuple(
        (n, (f"{n} percent", f"{n} %", f"{n}%", f"{word} percent", f"{n} percent", f"{n}")) for n, word in _TENS.items()
    ),
    "light_full": (
        (100, ("full brightness", "maximum brightness", "full power", "the maximum", "the max", "its brightest")),
        (50, ("half brightness", "half power", "half", "half strength")),
    ),
    "heat_step": (
        (1, ("a degree", "one degree", "1 degree", "a degree", "1")),
        (2, ("a couple of degrees",)),
        *(
            (n, (f"{n} degrees", f"{word} degrees", f"{n} degrees", f"{word} degrees", f"{n}"))
            for n, word in _FEW.items()
        ),
    ),
    "typed_degrees": tuple((n, (f"{n}°", f"{n}°C", f"{n} °C", f"{n} C", f"{n}C", f"{n}c")) for n in range(10, 31)),
}
