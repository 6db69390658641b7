"""Tools that are not shipped, and ways to ask for them.

They stand in some lists of training: there a request for one is a call, elsewhere the same request is refused.
"""

from __future__ import annotations

from apps.assistant_model.templates import Arguments, Template, call
from apps.assistant_model.tools import Argument, Tool


def _tool(name: str, description: str, *arguments: Argument) -> Tool:
    return Tool(name, description, arguments)


def _texts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


_ROOM = Argument("room", "room")
_DOOR = Argument("door", "which door")
_PERSON = Argument("person", "who")
_PLACE = Argument("place", "where to")
_DISH = Argument("dish", "dish")
_WORD = Argument("word", "word")

EXTRA_TOOLS: tuple[Tool, ...] = (
    # House and garden
    _tool("lock_door", "lock a door", _DOOR),
    _tool("unlock_door", "unlock a door", _DOOR),
    _tool("open_blinds", "open the blinds", _ROOM),
    _tool("close_blinds", "close the blinds", _ROOM),
    _tool("open_garage", "open the garage door"),
    _tool("start_vacuum", "send the vacuum robot", _ROOM),
    _tool("mow_lawn", "send the mowing robot"),
    _tool("water_plants", "water the garden", Argument("bed", "which plants")),
    _tool("feed_pet", "fill a pet's bowl", Argument("pet", "which pet")),
    _tool("run_dishwasher", "wash the dishes"),
    _tool("set_oven", "heat the oven", Argument("temperature", "degrees", "integer")),
    _tool("brew_coffee", "make coffee", Argument("cups", "how many cups", "integer")),
    _tool("run_bath", "fill the bath tub", Argument("temperature", "degrees of the water", "integer")),
    _tool("set_fan_speed", "speed of the fan", Argument("level", "1 to 6", "integer")),
    _tool("set_humidifier", "humidity of the air wanted", Argument("humidity", "percent", "integer")),
    _tool("get_temperature", "measure the temperature in a room", _ROOM),
    _tool("get_humidity", "measure the humidity in a room", _ROOM),
    _tool("show_camera", "show a surveillance camera", _ROOM),
    _tool("arm_alarm_system", "arm the burglar alarm"),
    # The device in the hand
    _tool("find_phone", "make the phone ring"),
    _tool("take_photo", "take a photo"),
    _tool("start_recording", "record the voice"),
    _tool("scan_document", "scan a page"),
    _tool("print_file", "print a file", Argument("name", "which file")),
    # People
    _tool("send_message", "send somebody a text message", _PERSON, Argument("text", "what to say")),
    _tool("call_person", "phone somebody", _PERSON),
    _tool("send_mail", "write an email", _PERSON, Argument("subject", "what it is about")),
    _tool("check_mail", "look for new emails"),
    # Knowledge
    _tool("translate_text", "translate", Argument("text", "words to translate"), Argument("language", "into which")),
    _tool("define_word", "meaning of a word", _WORD),
    _tool("spell_word", "spell a word", _WORD),
    _tool("search_web", "search the internet", Argument("query", "what for")),
    _tool("get_news", "news of the day", Argument("topic", "topic")),
    _tool("get_stock_price", "price of a share", Argument("company", "company")),
    _tool("get_score", "result of a match", Argument("team", "team")),
    _tool("get_recipe", "how to cook a dish", _DISH),
    _tool("tell_fortune", "read the horoscope", Argument("sign", "star sign")),
    _tool("roll_dice", "roll dice", Argument("count", "how many", "integer")),
    _tool("flip_coin", "heads or tails"),
    # On the way
    _tool("navigate_to", "show the way to a place", _PLACE),
    _tool("check_traffic", "traffic on the way", _PLACE),
    _tool("check_train", "next train", _PLACE),
    _tool("hail_taxi", "send for a taxi", _PLACE),
    _tool("start_car", "warm the car up"),
    _tool("charge_car", "charge the electric car"),
    # Errands and health
    _tool("track_parcel", "where a parcel is", Argument("shop", "who sent it")),
    _tool("book_table", "book a table in a restaurant", Argument("place", "restaurant"),
          Argument("day", "day, like friday or 05-03"), Argument("time", "time, like 18:30")),
    _tool("order_food", "have food delivered", _DISH),
    _tool("buy_ticket", "buy a ticket", Argument("event", "what for")),
    _tool("log_expense", "keep track of money spent", Argument("amount", "how much", "number"),
          Argument("what", "what it was spent on")),
    _tool("log_weight", "keep track of the body weight", Argument("weight", "kilos", "number")),
    _tool("start_workout", "begin a workout", Argument("kind", "which sport")),
)  # fmt: skip

EXTRA_DESCRIPTIONS: dict[str, tuple[str, ...]] = {
    "lock_door": _texts("locks up; bolt a door of the house; smart lock: close"),
    "unlock_door": _texts("smart lock: release; let somebody in by a door; take a door off the lock"),
    "open_blinds": _texts("raise blinds or curtains; let the sun in; pull the shades up"),
    "close_blinds": _texts("lower blinds or curtains; keep the sun out; pull the shades down"),
    "open_garage": _texts("garage gate up; lets the car out of the garage; garage door opener"),
    "start_vacuum": _texts("clean the floor; robot that hoovers; vacuum a room"),
    "mow_lawn": _texts("cut the grass; lawn mower; robot for the lawn"),
    "water_plants": _texts("garden sprinklers; irrigation; give the plants water"),
    "feed_pet": _texts("pet feeder; food for cat, dog or fish; give an animal its meal"),
    "run_dishwasher": _texts("dishwasher programme; clean the plates; does the washing-up"),
    "set_oven": _texts("preheat for baking; oven temperature; bring the oven to some degrees"),
    "brew_coffee": _texts("barista; prepare cups of coffee; fresh coffee from the machine"),
    "run_bath": _texts("let water into the bath; prepare a hot bath; bath tub filler"),
    "set_fan_speed": _texts("how fast the fan turns; ventilation level; fan faster or slower, in steps"),
    "set_humidifier": _texts("moisten the air; target humidity; how moist the air should be"),
    "get_temperature": _texts("room thermometer; reads how warm a room is; indoor sensor for degrees"),
    "get_humidity": _texts("room hygrometer; reads how damp a room is; indoor sensor for moisture"),
    "show_camera": _texts("live picture of a room; security cameras; look through a camera at home"),
    "arm_alarm_system": _texts("guard the house; security system on; protect against burglars"),
    "find_phone": _texts("locate a lost phone; where the phone is; rings the mobile"),
    "take_photo": _texts("shoot a picture; press the camera's button; snapshot of people or places"),
    "start_recording": _texts("voice recorder; record what is heard; sound recording"),
    "scan_document": _texts("scanner; paper into a file; read in a sheet of paper"),
    "print_file": _texts("put a document on paper; send to the printer; print-out of a document"),
    "send_message": _texts("text a person; chat message; tell somebody something by phone"),
    "call_person": _texts("make a call; ring a person up; dial somebody's number"),
    "send_mail": _texts("email a person; compose a mail; new mail to somebody"),
    "check_mail": _texts("unread mail; read the inbox; is there new mail"),
    "translate_text": _texts("say it in another language; interpreter; words in a foreign language"),
    "define_word": _texts("dictionary; explain a term; what a word means"),
    "spell_word": _texts("letters of a word; how a word is written; spelling help"),
    "search_web": _texts("web search; look things up online; search engine"),
    "get_news": _texts("headlines; what happened in the world; latest reports"),
    "get_stock_price": _texts("stock market quote; what a company's share costs; share prices"),
    "get_score": _texts("sports results; how a team played; final score of a game"),
    "get_recipe": _texts("cookbook; ingredients and steps of a meal; cooking instructions"),
    "tell_fortune": _texts("what the stars say; astrology; fortune teller"),
    "roll_dice": _texts("throw a die; random dice; numbers from one to six by chance"),
    "flip_coin": _texts("toss a coin; decide by a coin; random yes or no"),
    "navigate_to": _texts("route planner; directions; guide the driver to a destination"),
    "check_traffic": _texts("jams on the road; road conditions; how busy the streets are"),
    "check_train": _texts("train departures; railway timetable; when the train leaves"),
    "hail_taxi": _texts("order a cab; ride service; get picked up by a driver"),
    "start_car": _texts("get the car ready to drive; car heater and engine; defrost the car"),
    "charge_car": _texts("load the car's battery; wallbox; fill up the electric vehicle"),
    "track_parcel": _texts("delivery status; follow a package; when a shipment arrives"),
    "book_table": _texts("restaurant reservation; reserve seats for dinner; table for eating out"),
    "order_food": _texts("food delivery; takeaway; have a meal brought"),
    "buy_ticket": _texts("tickets for shows and matches; get admission; box office"),
    "log_expense": _texts("household accounts; write spending into the budget; money diary"),
    "log_weight": _texts("weight diary; enter what the scales say; body weight record"),
    "start_workout": _texts("exercise tracking; start training; fitness session"),
}

SLOTS: dict[str, tuple[str, ...]] = {
    "contact": _words(
        "Anna, anna, Ben, ben, Clara, clara, David, emma, Emma, Felix, grace, Henry, ida, Jack, jack, Kate, liam, "
        "Maria, maria, Noah, olivia, Paul, paul, Rosa, Sam, sam, tina, Victor, Wendy, Tom, tom, Sophie, Mr Miller, "
        "mrs jones, Aunt Lucy, aunt lucy, uncle joe, Doctor Klein, mum, Mum, dad, grandma, Julia Stone, peter black, "
        "Yusuf, aisha, Carlos, Ingrid, mei, Priya, Oleg, Fatima, Nick, nora, Zoe, leo"
    ),
    "kin": _words(  # said with "my"
        "sister, brother, boss, wife, husband, doctor, dentist, landlord, neighbour, teacher, colleague, aunt, uncle, "
        "cousin, lawyer, accountant, hairdresser, best friend, flatmate, grandma, grandpa, daughter, son, girlfriend, "
        "boyfriend, mother, father, coach, parents, office, tax adviser, godmother, tenant"
    ),
    "message": _words(
        "i'm late, i'll be there in ten minutes, the train is cancelled, dinner is ready, i'm on my way, we are at "
        "home, the meeting is moved, i can't come, i miss you, i love you, the keys are with ben, the car is fixed, "
        "lunch is at one, i'll call back later, it was a lovely evening, the parcel is here, we need to talk, i "
        "found a flat, the film starts at eight, i left the office, i'm stuck in traffic, the kids are asleep, "
        "we can meet on "
        "friday, the answer is yes, i got the job, we won, the cat is back, i forgot the wine, you can have the car, "
        "the plumber is here, my phone was off, the flowers are lovely, i found your scarf, the door is open"
    ),
    "subject": _words(  # subjects of mails
        "invoice, contract, meeting, new budget, holiday plans, report, broken heating, interview, rent, project, "
        "offer, wedding, presentation, repair, missing parcel, school trip, deadline, payment, garden party, "
        "insurance, lease, training course, job application, conference, website, order, delivery, complaint, tax "
        "return, summer camp"
    ),
    "tongue": _words(
        "French, french, German, german, Spanish, spanish, Italian, italian, Portuguese, dutch, Dutch, Polish, "
        "swedish, Danish, Norwegian, finnish, Greek, greek, Turkish, turkish, Arabic, arabic, Hebrew, Hindi, hindi, "
        "Chinese, chinese, Japanese, japanese, Korean, korean, Russian, ukrainian, Czech, hungarian, Romanian, Thai, "
        "vietnamese, Welsh, irish, Latin, latin, Swahili, Icelandic, croatian"
    ),
    "saying": _words(
        "good morning, thank you, where is the station, how much is this, i love you, happy birthday, good night, "
        "excuse me, can i pay please, i don't understand, cheers, good luck, see you tomorrow, water, bread, cat, my "
        "name is paul, i'm lost, two beers please, how are you, where is the toilet, apple tree, butterfly, get well "
        "soon, congratulations, i'm vegetarian, help, the train is late, nice to meet you, sorry, railway, one way "
        "ticket, i have a reservation, friendship, washing machine, welcome"
    ),
    "term": _words(
        "serendipity, ubiquitous, necessary, rhythm, entrepreneur, photosynthesis, ephemeral, accommodation, inertia, "
        "bureaucracy, mortgage, irony, pneumonia, restaurant, metaphor, beautiful, inflation, onomatopoeia, "
        "conscience, obsolete, plethora, embarrass, algorithm, nostalgia, diarrhoea, fuchsia, questionnaire, benign, "
        "quarantine, ambiguous, stoic, lieutenant, mnemonic, vicarious, zeitgeist, cappuccino, paradox, gauge, "
        "hierarchy, tariff"
    ),
    "web_topic": _words(
        "cheap flights to oslo, second hand bikes, vegan restaurants, how to tie a tie, best laptops, dog names, "
        "garden furniture, train strike, opening hours of the museum, holiday cottages, used cars, electric scooters, "
        "how to fix a tap, knitting patterns, jobs in berlin, chess openings, camping sites, guitar lessons, old "
        "maps, cinema programme, plumbers nearby, running shoes, history of rome, solar panels, piano tuners, ski "
        "resorts, what bees eat, language courses, wedding venues, moon landing, flat prices, beard oil, hotel deals, "
        "tide times"
    ),
    "news_topic": _words(
        "politics, sport, football, technology, science, economics, elections, business, music, health, europe, "
        "africa, climate, formula one, space, tennis, stock markets, education, farming, cinema, strikes, travel, "
        "energy, artificial intelligence, royal weddings, local news, world affairs, housing, tax, cycling, fashion, "
        "japan"
    ),
    "venue": _words(  # said with "the"
        "airport, train station, hospital, library, town hall, beach, stadium, zoo, museum, city centre, university, "
        "nearest pharmacy, next petrol station, swimming pool, cinema, castle, harbour, car park, bakery, post "
        "office, nearest supermarket, bus station, football ground, garden centre, police station, ferry, shopping "
        "centre, lake, concert hall, theatre, market, vet, climbing hall, old bridge, exhibition centre"
    ),
    "meal": _words(
        "sushi, pad thai, lasagne, pizza, ramen, tacos, chicken curry, fish and chips, burgers, falafel, dumplings, "
        "paella, spaghetti carbonara, fried rice, tomato soup, kebab, spring rolls, onion soup, pancakes, risotto, "
        "chili con carne, noodles with tofu, caesar salad, moussaka, goulash, apple pie, tiramisu, ravioli, gnocchi, "
        "roast duck, chicken wings, vegetable stew, butter chicken, banana bread, cheesecake, shepherd's pie, waffles"
    ),
    "diner": _words(
        "Luigi's, luigi's, Nando's, Chez Paul, chez marie, Casa Lola, Blue Lagoon, blue moon, Bella Italia, bella "
        "napoli, Golden Dragon, golden lotus, Sakura, tandoori palace, Mamma Mia, Red Lion, Old Mill, trattoria roma, "
        "Thai Garden, thai house, La Piazza, el toro, Jade Temple, Green Olive, Harbour Grill, riverside inn, Zum "
        "Adler, Café Central, Taj Mahal, taverna athena, Peking Garden, Pizza Express"
    ),
    "outlay": _words(
        "lunch, petrol, groceries, bus tickets, parking, coffee, haircuts, books, shoes, train tickets, dinner, "
        "flowers, medicine, taxis, cinema tickets, stamps, electricity, birthday presents, school fees, gym "
        "membership, cat food, paint, car repair, clothes, phone bill, toys, bakery, beer, newspapers, laundry, vet, "
        "cleaning"
    ),
    "pet": _words(
        "cat, dog, goldfish, hamster, rabbit, parrot, guinea pig, turtle, fish, canary, chickens, kitten, puppy, "
        "cats, dogs, rabbits, budgies, horse, hedgehog, ferret, gecko, snake, ducks, lizard, mice, pony, tortoise, "
        "goat"
    ),
    "plot": _words(
        "roses, tomatoes, balcony plants, greenhouse, lawn, herbs, orchids, flower beds, hedge, vegetable patch, "
        "cactus, back garden, front garden, strawberries, window boxes, fruit trees, raised beds, tulips, basil, "
        "ferns, palm, lemon tree, terrace plants, house plants, pumpkins, lettuce, raspberries, bonsai, flower pots, "
        "young trees"
    ),
    "door": _words(
        "front door, back door, patio door, cellar door, side door, garden gate, main entrance, kitchen door, shed "
        "door, balcony door, office door, gate, door to the garage, porch door, attic door, terrace door, basement "
        "door, entrance door, stable door, workshop door, bike shed, guest house, door of the flat, bedroom door, "
        "yard gate"
    ),
    "file": _words(
        "report, invoice, boarding pass, thesis, contract, shopping plan, letter to the bank, recipe book, holiday "
        "photos, cv, tax form, train tickets, map, lease, homework, crossword, invitation, slides, manual, colouring "
        "page, timetable, insurance papers, poster, song text, sewing pattern, address labels, minutes, birth "
        "certificate"
    ),
    "show": _words(
        "opera, cup final, museum, football match, zoo, concert, ballet, musical, circus, car show, jazz festival, "
        "film, play, castle tour, tennis final, book fair, exhibition, aquarium, comedy night, boat trip, derby, "
        "planetarium, flower show, magic show, ice hockey game, theme park, puppet theatre, science museum, poetry "
        "slam, rodeo"
    ),
    "club": _words(
        "Arsenal, arsenal, chelsea, Liverpool, liverpool, Barcelona, barcelona, Real Madrid, bayern munich, Juventus, "
        "ajax, Celtic, Benfica, everton, Lakers, lakers, Bulls, yankees, Red Sox, giants, packers, Cowboys, dodgers, "
        "Rangers, Manchester United, leeds united, Inter Milan, porto, Dortmund, all blacks, Maple Leafs, England, "
        "brazil, Boca Juniors"
    ),
    "firm": _words(
        "Apple, apple, Google, google, Microsoft, microsoft, Amazon, Tesla, tesla, toyota, Ford, volkswagen, Siemens, "
        "siemens, Samsung, Sony, sony, Nintendo, ikea, Lego, Nestle, coca cola, Starbucks, Nike, nike, netflix, "
        "Disney, Boeing, airbus, Intel, nvidia, Shell, IBM, Philips, nokia, Zalando, Pfizer, bosch, Vodafone, "
        "unilever"
    ),
    "exercise": _words(
        "yoga, running, rowing, cycling, swimming, pilates, boxing, strength, stretching, skipping, hiking, cardio, "
        "interval, core, dance, climbing, spinning, kettlebell, push up, full body, leg day, walking, jogging, "
        "aerobics, balance, judo, crossfit, weights, back, warm up"
    ),
    "star": _words(
        "aries, taurus, gemini, cancer, leo, virgo, libra, scorpio, sagittarius, capricorn, aquarius, pisces, Aries, "
        "Taurus, Gemini, Cancer, Leo, Virgo, Libra, Scorpio, Sagittarius, Capricorn, Aquarius, Pisces"
    ),
}  # fmt: skip

_NUMBERS = ("one", "two", "three", "four", "five", "six")


def _steps(value: int) -> tuple[int, tuple[str, ...]]:
    return value, (str(value), _NUMBERS[value - 1])


def _degrees(value: int) -> tuple[int, tuple[str, ...]]:
    return value, (f"{value}", f"{value} degrees", f"{value}°")


CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "one_to_six": tuple(_steps(value) for value in range(1, 7)),
    "two_to_six": tuple(_steps(value) for value in range(2, 7)),
    "oven_degrees": tuple(_degrees(value) for value in range(100, 255, 5)),
    "bath_degrees": tuple(_degrees(value) for value in range(33, 43)),
}

_WEIGHT = 2.0  # so that one of these tools is asked for about half as often as a shipped one beside it


def _call(tool: str, arguments: Arguments, *, train: tuple[str, ...], held_out: tuple[str, ...]) -> Template:
    return call(tool, arguments, train=train, held_out=held_out, weight=_WEIGHT)


_BLINDS = "(blinds|curtains|shutters|shades)"
_COIN = "(euros|pounds|dollars|bucks|quid)"

_HOUSE = (
    _call("lock_door", {"door": "$door"},
          train=("lock the {door}", "lock up the {door}", "(bolt|secure) the {door}", "the {door} should be locked",
                 "make sure the {door} is locked", "i forgot to lock the {door}", "put the lock on the {door}",
                 "close and lock the {door}", "i (want|need) the {door} locked", "{door}, lock it",
                 "keep the {door} locked",
                 "have the {door} locked", "is the {door} locked, if not lock it"),
          held_out=("get the {door} locked", "the {door} needs locking", "double lock the {door}")),
    _call("lock_door", {},
          train=("lock the door", "lock up the house", "lock up for the night", "lock every door", "lock all the doors",
                 "(bolt|secure) the door", "i forgot to lock the door", "make sure the door is locked",
                 "lock the house",
                 "doors locked", "i didn't lock up"),
          held_out=("get the door locked", "see that the doors are locked")),
    _call("unlock_door", {"door": "$door"},
          train=("unlock the {door}", "unbolt the {door}", "take the lock off the {door}", "i need the {door} unlocked",
                 "the {door} should be unlocked", "release the lock of the {door}", "undo the lock on the {door}",
                 "{contact} is here, unlock the {door}", "let {contact} in by the {door}", "have the {door} unlocked",
                 "{door}, unlock it", "leave the {door} unlocked", "make sure the {door} is unlocked"),
          held_out=("get the {door} unlocked", "the {door} needs unlocking", "unlock that {door}")),
    _call("open_blinds", {"room": "$room"},
          train=(f"(open|raise|lift) the {_BLINDS} in the {{room}}", f"(open|raise) the {{room}} {_BLINDS}",
                 f"{_BLINDS} up in the {{room}}", f"pull up the {_BLINDS} in the {{room}}", f"{{room}} {_BLINDS} up",
                 f"pull the {_BLINDS} up in the {{room}}", "let the sun into the {room}", f"{{room}} {_BLINDS} open",
                 "draw back the curtains in the {room}", f"i want the {_BLINDS} in the {{room}} open",
                 f"in the {{room}} open the {_BLINDS}", f"get the {_BLINDS} in the {{room}} open",
                 f"the {{room}} {_BLINDS} should be open"),
          held_out=(f"wind up the {_BLINDS} in the {{room}}", f"could the {_BLINDS} in the {{room}} go up",
                    f"have the {{room}} {_BLINDS} opened")),
    _call("open_blinds", {},
          train=(f"(open|raise|lift) the {_BLINDS}", f"{_BLINDS} (up|open)", f"(pull|draw) the {_BLINDS} up",
                 f"pull up the {_BLINDS}", "let the sun in", "let the daylight in", "draw back the curtains",
                 f"i want the {_BLINDS} open", f"get the {_BLINDS} up", "let the morning sun in"),
          held_out=(f"wind up the {_BLINDS}", f"have all the {_BLINDS} opened")),
    _call("close_blinds", {"room": "$room"},
          train=(f"(close|shut|lower) the {_BLINDS} in the {{room}}", f"(close|shut|lower) the {{room}} {_BLINDS}",
                 f"{_BLINDS} down in the {{room}}", f"pull down the {_BLINDS} in the {{room}}",
                 f"{{room}} {_BLINDS} down",
                 f"let the {_BLINDS} down in the {{room}}", "draw the curtains in the {room}",
                 f"{{room}} {_BLINDS} closed",
                 "keep the sun out of the {room}", f"i want the {_BLINDS} in the {{room}} closed",
                 f"in the {{room}} close the {_BLINDS}", f"the {{room}} {_BLINDS} should be closed"),
          held_out=(f"have the {{room}} {_BLINDS} closed", f"could the {_BLINDS} in the {{room}} go down",
                    f"roll down the {_BLINDS} in the {{room}}")),
    _call("close_blinds", {},
          train=(f"(close|shut|lower) the {_BLINDS}", f"{_BLINDS} (down|closed|shut)", f"pull the {_BLINDS} down",
                 f"pull down the {_BLINDS}", "draw the curtains", "keep the sun out", f"let the {_BLINDS} down",
                 f"i want the {_BLINDS} closed", "the neighbours can see in, close the curtains"),
          held_out=(f"roll down the {_BLINDS}", f"have all the {_BLINDS} closed")),
    _call("open_garage", {},
          train=("open the garage", "open the garage door", "open up the garage", "garage door open", "garage door up",
                 "raise the garage door", "i want to drive out, open the garage", "i'm coming home, open the garage",
                 "lift the garage door", "open the garage gate", "get the garage door open", "let me into the garage",
                 "i need the garage open", "the garage door should be open"),
          held_out=("have the garage door opened", "i'm in the drive, open the garage", "the garage has to open")),
    _call("start_vacuum", {"room": "$room"},
          train=("(vacuum|hoover) the {room}", "(vacuum|hoover) the floor in the {room}", "clean the {room} floor",
                 "send the (robot|vacuum robot) to the {room}", "let the robot clean the {room}", "sweep the {room}",
                 "the {room} needs (vacuuming|hoovering|sweeping)", "i want the {room} (vacuumed|hoovered)",
                 "robot, clean the {room}", "the floor in the {room} is dirty", "there are crumbs all over the {room}",
                 "get the {room} (vacuumed|hoovered)", "have the robot vacuum the {room}"),
          held_out=("the {room} wants a hoover", "give the {room} a vacuum",
                    "get the dust off the floor in the {room}")),
    _call("start_vacuum", {},
          train=("(vacuum|hoover) the (floor|house|flat|carpet|place)", "clean the (floor|floors|carpet)",
                 "do the hoovering",
                 "do the vacuuming", "send the vacuum robot out", "let the robot clean", "sweep the floor",
                 "time to (vacuum|hoover)", "the floor is dirty", "start vacuuming", "the carpet needs hoovering",
                 "get the floor cleaned", "(vacuum|hoover) everywhere"),
          held_out=("give the floor a vacuum", "let the robot vacuum the whole flat", "the floors want a clean")),
    _call("mow_lawn", {},
          train=("mow the lawn", "mow the grass", "cut the grass", "cut the lawn", "send the mower out",
                 "trim the lawn",
                 "the grass is too (long|high)", "let the robot mow", "the lawn needs (mowing|cutting)", "do the lawn",
                 "start mowing", "i want the lawn mown", "get the grass cut", "time to mow"),
          held_out=("give the lawn a trim", "the grass needs a cut", "have the lawn mown")),
    _call("water_plants", {"bed": "$plot"},
          train=("water the {plot}", "give the {plot} (some |)water", "the {plot} (need|needs) water",
                 "sprinkle the {plot}", "the {plot} (is|are) (dry|thirsty|too dry)", "the {plot} need watering",
                 "irrigate the {plot}", "let the {plot} have some water", "i want the {plot} watered",
                 "get the {plot} watered", "start watering the {plot}", "sprinklers for the {plot}"),
          held_out=("the {plot} could do with water", "have the {plot} watered", "pour some water on the {plot}")),
    _call("water_plants", {},
          train=("water the (plants|flowers|garden)", "give the (plants|flowers|garden) some water", "water everything",
                 "the (plants|flowers) need water", "irrigate the garden", "the (plants|flowers) are (dry|thirsty)",
                 "start watering", "the garden needs watering", "do the watering", "get the plants watered"),
          held_out=("the flowers could do with water", "have the garden watered")),
    _call("feed_pet", {"pet": "$pet"},
          train=("feed the {pet}", "feed my {pet}", "give the {pet} (some |its |)food", "the {pet} (is|are) hungry",
                 "give my {pet} something to eat", "fill the bowl of the {pet}", "food for the {pet}",
                 "the {pet} wants dinner",
                 "the {pet} needs feeding", "dinner for the {pet}", "i forgot to feed the {pet}",
                 "the {pet} has to eat",
                 "let the {pet} eat"),
          held_out=("get the {pet} fed", "the {pet} would like breakfast", "put out food for the {pet}")),
    _call("run_dishwasher", {},
          train=("wash the dishes", "do the dishes", "do the washing up", "clean the plates", "the dishes are dirty",
                 "start the dishwasher programme", "start a dishwasher cycle", "wash the plates and glasses",
                 "the dishwasher is full, let it wash", "i want the dishes (washed|done)", "the dishes need washing",
                 "begin the eco wash of the dishwasher", "get the dishes done", "let the dishwasher do its cycle"),
          held_out=("get the plates washed", "the washing up needs doing", "have the dishes washed")),
    _call("set_oven", {"temperature": "$oven_degrees"},
          train=("set the oven to {oven_degrees}", "preheat the oven to {oven_degrees}",
                 "heat the oven to {oven_degrees}",
                 "oven (to|at) {oven_degrees}", "put the oven (on|at) {oven_degrees}",
                 "turn the oven to {oven_degrees}",
                 "preheat to {oven_degrees}", "i need the oven at {oven_degrees}", "heat up the oven to {oven_degrees}",
                 "the oven should be at {oven_degrees}", "get the oven to {oven_degrees}", "bake at {oven_degrees}",
                 "oven temperature {oven_degrees}", "bring the oven up to {oven_degrees}"),
          held_out=("let the oven heat to {oven_degrees}", "i want {oven_degrees} in the oven",
                    "oven, {oven_degrees}")),
    _call("brew_coffee", {"cups": "$two_to_six"},
          train=("(make|brew) {two_to_six} (cups of coffee|coffees)", "make me {two_to_six} coffees",
                 "{two_to_six} coffees",
                 "{two_to_six} cups of coffee", "coffee for {two_to_six}", "(make|brew) coffee for {two_to_six} people",
                 "prepare {two_to_six} cups of coffee", "i'd like {two_to_six} cups of coffee",
                 "pour {two_to_six} coffees",
                 "we'd like {two_to_six} coffees", "make us {two_to_six} cups of coffee"),
          held_out=("get {two_to_six} coffees ready", "{two_to_six} of us would like coffee",
                    "cook up {two_to_six} coffees")),
    _call("brew_coffee", {"cups": 1},
          train=("(make|brew) (me |)(a|one) (cup of |)coffee", "prepare a cup of coffee", "a cup of coffee",
                 "one coffee",
                 "pour me a coffee", "make a single cup of coffee", "i'd like a cup of coffee",
                 "one cup of coffee for me",
                 "i'd love a cup of coffee"),
          held_out=("get a cup of coffee ready", "i could do with a cup of coffee")),
    _call("brew_coffee", {},
          train=("(make|brew) (some |)coffee", "make me some coffee", "get the coffee going", "start brewing coffee",
                 "prepare coffee", "put the coffee on", "make fresh coffee", "brew a fresh pot",
                 "let's have coffee made",
                 "coffee time, make some"),
          held_out=("cook some coffee", "have coffee made for us")),
    _call("run_bath", {"temperature": "$bath_degrees"},
          train=("run (me |)a bath at {bath_degrees}", "fill the (bath|tub|bath tub) at {bath_degrees}",
                 "a bath at {bath_degrees}",
                 "bath water at {bath_degrees}", "prepare a bath of {bath_degrees}", "draw a bath at {bath_degrees}",
                 "i want a bath at {bath_degrees}", "i'd like a bath of {bath_degrees}", "{bath_degrees} bath",
                 "let in a bath of {bath_degrees}"),
          held_out=("get a bath ready at {bath_degrees}", "fill the tub with water of {bath_degrees}")),
    _call("run_bath", {},
          train=("run (me |)a bath", "fill the (bath|tub|bath tub)", "prepare a bath", "draw (me |)a bath",
                 "i want a bath",
                 "i'd like (a|to take a) bath", "let the water in for a bath", "run the bath", "a hot bath"),
          held_out=("get a bath ready", "let me have a bath")),
    _call("set_fan_speed", {"level": "$one_to_six"},
          train=("set the fan (speed |)to {one_to_six}", "fan speed {one_to_six}",
                 "fan (on|to|at) (level|speed|step) {one_to_six}",
                 "put the fan (on|at) (level|speed|step) {one_to_six}",
                 "turn the fan to (level|speed|step) {one_to_six}",
                 "i want fan speed {one_to_six}", "run the fan at (level|speed) {one_to_six}", "fan level {one_to_six}",
                 "change the fan speed to {one_to_six}", "ventilation (to |at |)level {one_to_six}",
                 "the fan should be on speed {one_to_six}"),
          held_out=("have the fan blow at level {one_to_six}", "take the fan to speed {one_to_six}",
                    "let the fan spin at speed {one_to_six}")),
    _call("set_humidifier", {"humidity": "$percent"},
          train=("set the (humidity|humidifier) to {percent}", "humidity (to|at) {percent}",
                 "humidifier (to|at) {percent}",
                 "i want {percent} humidity", "bring the humidity (up |down |)to {percent}",
                 "keep the humidity at {percent}",
                 "put the humidifier (on|at) {percent}", "air humidity {percent}", "moisten the air to {percent}",
                 "the humidity should be {percent}", "make the air {percent} humid", "humidify to {percent}"),
          held_out=("get the humidity to {percent}", "let the humidifier go to {percent}",
                    "i'd like the air at {percent} humidity")),
    _call("get_temperature", {"room": "$room"},
          train=("what's the temperature in the {room}", "how (warm|cold|hot) is it in the {room}",
                 "how (warm|cold) is the {room}",
                 "measure the temperature in the {room}", "tell me the temperature in the {room}",
                 "read the {room} thermometer",
                 "what does the thermometer in the {room} say", "how many degrees (is it|are there) in the {room}",
                 "what's the {room} temperature", "which temperature does the {room} have",
                 "what temperature is the {room}",
                 "check the temperature in the {room}", "check how warm it is in the {room}"),
          held_out=("how many degrees does the {room} have", "give me the temperature of the {room}",
                    "is the {room} warm or cold")),
    _call("get_humidity", {"room": "$room"},
          train=("what's the humidity in the {room}", "how (humid|damp|dry|moist) is (the air|it) in the {room}",
                 "how (humid|damp) is the {room}", "measure the humidity in the {room}",
                 "tell me the humidity in the {room}",
                 "read the {room} hygrometer", "what's the {room} humidity", "check the humidity in the {room}",
                 "is the air in the {room} too dry", "is it too damp in the {room}", "air moisture in the {room}",
                 "what does the hygrometer in the {room} say"),
          held_out=("give me the humidity of the {room}", "how much moisture is in the {room}",
                    "find out how damp the {room} is")),
    _call("show_camera", {"room": "$room"},
          train=("show (me |)the (camera in the {room}|{room} camera)", "show me what the {room} camera sees",
                 "let me see the {room} camera", "camera picture of the {room}", "live view of the {room}",
                 "live picture from the {room}",
                 "i want to see what's going on in the {room}", "security camera in the {room}", "look into the {room}",
                 "show me who is in the {room}", "check the camera in the {room}", "video of the {room}",
                 "show me the {room}",
                 "put the {room} camera on the screen"),
          held_out=("let me have a look at the {room}", "what can the camera in the {room} see",
                    "pull up the {room} camera")),
    _call("arm_alarm_system", {},
          train=("arm the (house|alarm system|security system|burglar alarm)", "guard the house",
                 "activate the burglar alarm",
                 "put the house on guard", "guard my home", "watch the house while i'm away",
                 "turn on the burglar alarm",
                 "switch on the security system", "protect the house", "we're leaving, arm the house",
                 "burglar alarm on",
                 "security system on", "the house should be guarded tonight"),
          held_out=("get the burglar alarm armed", "keep the burglars out", "enable the security system")),
)  # fmt: skip

_HAND = (
    _call("find_phone", {},
          train=("where's my (phone|mobile)", "where is my (phone|mobile|cell phone)", "find my (phone|mobile)",
                 "ring my (phone|mobile)",
                 "make my phone ring", "i (lost|can't find|have lost|misplaced) my (phone|mobile)", "locate my phone",
                 "help me find my phone", "where did i (leave|put) my phone", "let my phone ring",
                 "my phone is (lost|gone|missing)",
                 "look for my phone", "have you seen my phone", "give my phone a ring"),
          held_out=("track down my phone", "my mobile has disappeared", "where could my phone be")),
    _call("take_photo", {},
          train=("take a (photo|picture|selfie|snapshot)", "take a (photo|picture) of (me|us|this)",
                 "shoot a (photo|picture)", "snap a (photo|picture)",
                 "photograph (me|us|this|that)", "i want a (photo|picture|selfie)", "make a photo",
                 "say cheese and take a picture",
                 "get a (photo|picture|shot) of us", "group photo", "a selfie",
                 "let's take a (photo|selfie)"),
          held_out=("shoot a selfie of us", "capture this moment in a photo", "press the shutter")),
    _call("start_recording", {},
          train=("start (recording|a recording|a voice recording)", "record (this|me|my voice|what i say|us)",
                 "begin recording", "begin a recording",
                 "make a (recording|voice recording|sound recording)", "record the (conversation|interview|lecture)",
                 "recording on",
                 "i want to record (this|something|my voice)", "record audio", "start the voice recorder",
                 "tape (this|the conversation)", "get this on tape"),
          held_out=("let the recorder run", "tape what we say", "record our talk")),
    _call("scan_document", {},
          train=("scan (this|the|a) (page|document|letter|sheet|receipt|form|paper)", "scan (this|it)", "make a scan",
                 "start a scan",
                 "do a scan of this letter", "i need a scan of this", "i want to scan (this|something|a document)",
                 "digitise this page",
                 "put this page through the scanner", "read in this document", "scan the papers",
                 "a scan of this page"),
          held_out=("get this page scanned", "run a scan of the letter", "this receipt has to be scanned")),
    _call("print_file", {"name": "$file"},
          train=("print the {file}", "print my {file}", "print out the {file}", "print (off|out) my {file}",
                 "send the {file} to the printer",
                 "i need the {file} on paper", "i need a printout of the {file}", "make a printout of the {file}",
                 "get the {file} printed",
                 "i want to print the {file}", "the {file}, print it", "put the {file} on paper",
                 "a paper copy of the {file}",
                 "run off the {file} on the printer"),
          held_out=("i'd like the {file} printed", "have my {file} printed out", "give me a hard copy of the {file}")),
)  # fmt: skip

_PEOPLE = (
    _call("send_message", {"person": "$contact", "text": "$message"},
          train=("tell {contact} (that |){message}", "text {contact} (that |){message}",
                 "message {contact} (that |){message}",
                 "send {contact} a (message|text) (saying|that) {message}",
                 "send a (message|text) to {contact} (saying|that) {message}",
                 "let {contact} know (that |){message}", "write (to |){contact} (that |){message}",
                 "text {contact}: {message}",
                 "send {message} to {contact}", "inform {contact} that {message}", "whatsapp {contact} that {message}",
                 "message to {contact}: {message}", "say to {contact} {message}",
                 "drop {contact} a line saying {message}"),
          held_out=("pass on to {contact} that {message}", "shoot {contact} a text that {message}",
                    "{contact} should know that {message}")),
    _call("send_message", {"person": "$kin", "text": "$message"},
          train=("tell my {kin} (that |){message}", "text my {kin} (that |){message}",
                 "message my {kin} (that |){message}",
                 "send my {kin} a (message|text) (saying|that) {message}",
                 "send a (message|text) to my {kin} saying {message}",
                 "let my {kin} know (that |){message}", "write my {kin} that {message}", "text my {kin}: {message}",
                 "send {message} to my {kin}", "inform my {kin} that {message}"),
          held_out=("pass on to my {kin} that {message}", "my {kin} should know that {message}")),
    _call("send_message", {"person": "$contact", "text": "$fact"},
          train=("text {contact}: {fact}", "message {contact}: {fact}", "send {contact} a (message|text): {fact}",
                 "message to {contact}: {fact}", "send {contact} this message: {fact}", "text to {contact}: {fact}",
                 "write to {contact}: {fact}", "send a text to {contact}: {fact}"),
          held_out=("new message for {contact}: {fact}", "text this to {contact}: {fact}")),
    _call("call_person", {"person": "$contact"},
          train=("call {contact}", "phone {contact}", "ring {contact}", "give {contact} a (call|ring)",
                 "dial {contact}", "ring up {contact}",
                 "call {contact} on the phone", "make a call to {contact}", "i want to (talk|speak) to {contact}",
                 "get {contact} on the phone",
                 "start a (call|video call) with {contact}", "i need to (call|phone|ring) {contact}",
                 "put me through to {contact}",
                 "call up {contact}", "video call {contact}", "connect me (with|to) {contact}"),
          held_out=("get me {contact} on the line", "place a call to {contact}", "let me speak with {contact}")),
    _call("call_person", {"person": "$kin"},
          train=("call my {kin}", "phone my {kin}", "ring my {kin}", "give my {kin} a (call|ring)", "dial my {kin}",
                 "call up my {kin}",
                 "make a call to my {kin}", "i want to (talk|speak) to my {kin}", "get my {kin} on the phone",
                 "video call my {kin}",
                 "i need to (call|phone|ring) my {kin}", "put me through to my {kin}", "connect me with my {kin}"),
          held_out=("get me my {kin} on the line", "place a call to my {kin}")),
    _call("send_mail", {"person": "$contact", "subject": "$subject"},
          train=("(email|mail) {contact} about the {subject}", "send {contact} (a mail|an email) about the {subject}",
                 "send (a mail|an email) to {contact} about the {subject}",
                 "write {contact} an email about the {subject}",
                 "write an email to {contact} about the {subject}", "compose a mail to {contact} about the {subject}",
                 "new mail to {contact} about the {subject}", "an email to {contact} about my {subject}",
                 "send {contact} an email with the subject {subject}", "i want to email {contact} about the {subject}",
                 "email {contact} regarding the {subject}", "drop {contact} an email about the {subject}"),
          held_out=("get an email off to {contact} about the {subject}",
                    "fire off a mail to {contact} concerning the {subject}",
                    "about the {subject}, email {contact}")),
    _call("send_mail", {"person": "$kin", "subject": "$subject"},
          train=("(email|mail) my {kin} about the {subject}", "send my {kin} (a mail|an email) about the {subject}",
                 "send an email to my {kin} about the {subject}", "write an email to my {kin} about the {subject}",
                 "new mail to my {kin} about the {subject}", "email my {kin} regarding the {subject}"),
          held_out=("get an email off to my {kin} about the {subject}", "drop my {kin} an email about the {subject}")),
    _call("send_mail", {"person": "$contact"},
          train=("(email|mail) {contact}", "send {contact} (a mail|an email)", "send (a mail|an email) to {contact}",
                 "write an email to {contact}", "compose an email to {contact}", "new mail to {contact}",
                 "i want to email {contact}",
                 "start a mail to {contact}", "write {contact} an email"),
          held_out=("get an email off to {contact}", "draft an email for {contact}")),
    _call("check_mail", {},
          train=("(do i have|have i got|is there) (any |)(new |)(mail|email|emails)",
                 "check my (mail|mails|email|emails|inbox)", "any new (mail|mails|emails)",
                 "read (me |)my (emails|mails|inbox)", "what's in my inbox", "did i get (any |)(mail|emails)",
                 "new emails", "unread mail",
                 "how many unread emails do i have", "did anybody email me", "has anyone written me an email",
                 "look in my inbox",
                 "anything in my inbox", "are there new emails"),
          held_out=("have any emails come in", "go through my inbox", "is there anything unread in my mailbox")),
)  # fmt: skip

_KNOWLEDGE = (
    _call("translate_text", {"text": "$saying", "language": "$tongue"},
          train=("translate {saying} (to|into) {tongue}", "how do you say {saying} in {tongue}",
                 "what's {saying} in {tongue}",
                 "say {saying} in {tongue}", "what is {saying} in {tongue}",
                 "what's the {tongue} for {saying}",
                 "what's the {tongue} word for {saying}",
                 "tell me how to say {saying} in {tongue}", "how would i say {saying} in {tongue}",
                 "i need {saying} in {tongue}",
                 "give me the {tongue} translation of {saying}", "turn {saying} into {tongue}"),
          held_out=("how does one say {saying} in {tongue}", "render {saying} in {tongue}",
                    "{saying}, translated into {tongue}")),
    _call("define_word", {"word": "$term"},
          train=("define {term}", "what does {term} mean", "what does the word {term} mean",
                 "what's the meaning of {term}", "meaning of {term}",
                 "definition of {term}", "explain the word {term}", "give me (a|the) definition of {term}",
                 "what is meant by {term}",
                 "look up {term} in the dictionary", "look up the word {term}", "tell me what {term} means",
                 "dictionary entry for {term}",
                 "i don't know the word {term}"),
          held_out=("what might {term} mean", "what's the definition of the word {term}",
                    "{term}, what does that mean")),
    _call("spell_word", {"word": "$term"},
          train=("spell {term}", "how do you spell {term}", "how is {term} (spelled|spelt|written)",
                 "spell the word {term}",
                 "how do you write {term}", "what's the spelling of {term}", "spelling of {term}",
                 "how to spell {term}",
                 "tell me how to spell {term}", "letter by letter, {term}", "i can't spell {term}",
                 "what letters are in {term}",
                 "spell {term} for me", "how many letters does {term} have, spell it"),
          held_out=("what's the right spelling of {term}", "how would you spell {term}", "spell out {term}")),
    _call("search_web", {"query": "$web_topic"},
          train=("search (the web|the internet|online|google) for {web_topic}", "google {web_topic}",
                 "look up {web_topic} (online|on the internet|on the web)",
                 "web search {web_topic}", "do a web search for {web_topic}",
                 "search for {web_topic} (online|on the web|on the internet)",
                 "find {web_topic} (online|on the internet|on the web)", "go online and look for {web_topic}",
                 "internet search for {web_topic}",
                 "what does the internet say about {web_topic}", "have a look online for {web_topic}",
                 "check the web for {web_topic}"),
          held_out=("see what google says about {web_topic}", "browse the web for {web_topic}",
                    "on the internet, find {web_topic}")),
    _call("get_news", {"topic": "$news_topic"},
          train=("(what's the |)(latest |)news about {news_topic}", "what's the news on {news_topic}",
                 "give me the (latest |)news about {news_topic}",
                 "read me the news about {news_topic}", "tell me the latest (on|about) {news_topic}",
                 "headlines about {news_topic}",
                 "what's new in {news_topic}", "is there any news about {news_topic}",
                 "what's happening in {news_topic}",
                 "news from {news_topic}", "catch me up on {news_topic}", "what do the papers say about {news_topic}"),
          held_out=("any breaking news on {news_topic}", "bring me up to date on {news_topic}",
                    "show me reports about {news_topic}")),
    _call("get_news", {},
          train=("what's in the news", "(read|tell|give) me the (news|headlines)", "what are the headlines",
                 "today's headlines",
                 "what's the latest news", "any news today", "what happened in the world (today|)", "is there any news",
                 "latest news",
                 "headlines", "what do the papers say", "news update", "what's going on in the world"),
          held_out=("what made the headlines", "catch me up on the news", "bring me up to date with the world")),
    _call("get_stock_price", {"company": "$firm"},
          train=("what's the (stock price|share price|price) of {firm} (stock|shares)",
                 "how (is|are) {firm} (stock|shares) doing", "{firm} stock price",
                 "{firm} share price", "how much is a {firm} share", "what does a {firm} share cost",
                 "stock price of {firm}", "share price of {firm}",
                 "what's {firm} trading at", "how is {firm} doing on the stock market", "price of a {firm} share",
                 "check {firm} stock",
                 "what are {firm} shares worth", "quote for {firm} stock", "did {firm} stock go up"),
          held_out=("where does {firm} stock stand", "how high is the {firm} share",
                    "is {firm} up on the stock market")),
    _call("get_score", {"team": "$club"},
          train=("did {club} win", "how did {club} play", "what's the {club} score", "{club} score",
                 "what was the {club} result",
                 "how did {club} do (last night|yesterday|today|)", "score of the {club} (game|match)",
                 "has {club} won the (game|match)",
                 "what's the score in the {club} (game|match)", "how did the {club} (game|match) end",
                 "did {club} lose", "is {club} winning", "tell me the {club} score", "have {club} won"),
          held_out=("how did it go for {club}", "how many points did {club} get",
                    "what's the final score for {club}")),
    _call("get_recipe", {"dish": "$meal"},
          train=("recipe for {meal}", "(give|find|show|read) me a recipe for {meal}",
                 "how do (i|you) (make|cook|prepare) {meal}", "how to (make|cook) {meal}",
                 "{meal} recipe", "i want to (cook|make) {meal}", "what do i need to cook {meal}",
                 "what goes into {meal}", "how is {meal} made",
                 "i need a recipe for {meal}", "teach me to (cook|make) {meal}", "what do they put in {meal}",
                 "ingredients of {meal}",
                 "a good recipe for {meal}"),
          held_out=("walk me through cooking {meal}", "which ingredients do i need for {meal}",
                    "what's a nice recipe for {meal}")),
    _call("tell_fortune", {"sign": "$star"},
          train=("horoscope for {star}", "{star} horoscope", "what's the horoscope for {star}",
                 "read (me |)the horoscope for {star}",
                 "what do the stars say for {star}", "i'm a {star}, what's my horoscope",
                 "read me the {star} horoscope",
                 "what does the horoscope say for {star}", "tell the fortune of {star}",
                 "what will today bring for {star}",
                 "how are the stars for {star}"),
          held_out=("what's in the stars for {star}", "my sign is {star}, tell my fortune", "the stars for {star}")),
    _call("tell_fortune", {},
          train=("tell (me |)my fortune", "read (me |)my (horoscope|fortune|palm)", "what's my horoscope",
                 "my horoscope", "what do the stars say",
                 "what does my horoscope say", "will i be lucky today", "look into your crystal ball",
                 "read the tea leaves",
                 "tell me my future"),
          held_out=("what do the stars have in store for me", "foretell my future")),
    _call("roll_dice", {"count": "$two_to_six"},
          train=("roll {two_to_six} dice", "throw {two_to_six} dice", "{two_to_six} dice",
                 "roll the dice {two_to_six} times", "cast {two_to_six} dice",
                 "i need to roll {two_to_six} dice", "shake {two_to_six} dice", "let {two_to_six} dice roll",
                 "a roll of {two_to_six} dice"),
          held_out=("give {two_to_six} dice a roll", "toss {two_to_six} dice")),
    _call("roll_dice", {},
          train=("roll (a|the) (die|dice)", "throw (a|the) (die|dice)", "roll the dice for me", "let the dice roll",
                 "dice roll", "dice",
                 "i need a dice roll", "cast the die", "shake the dice", "my turn, roll the dice"),
          held_out=("give the dice a roll", "toss the die")),
    _call("flip_coin", {},
          train=("(flip|toss|throw) a coin", "heads or tails", "coin (flip|toss)", "do a coin (flip|toss)",
                 "flip the coin", "let a coin decide",
                 "i call heads, flip a coin", "decide by coin", "spin a coin", "let's flip (a coin|for it)",
                 "let's toss for it",
                 "i need a coin flip", "decide it with a coin"),
          held_out=("have a coin tossed", "call it, heads or tails", "give a coin a flip")),
)  # fmt: skip

_WAY = (
    _call("navigate_to", {"place": "$city"},
          train=("navigate to {city}", "(directions|route|the way) to {city}", "give me directions to {city}",
                 "how do i get to {city}", "bring me to {city}",
                 "show me the way to {city}", "guide me to {city}", "find the (way|route) to {city}", "drive to {city}",
                 "what's the way to {city}",
                 "start navigation to {city}", "i want to drive to {city}", "plan a route to {city}",
                 "lead me to {city}",
                 "how far is it to {city}"),
          held_out=("get me to {city}", "which way is {city}", "set a course for {city}")),
    _call("navigate_to", {"place": "$venue"},
          train=("navigate to the {venue}", "(directions|route|the way) to the {venue}",
                 "give me directions to the {venue}", "how do i get to the {venue}",
                 "bring me to the {venue}", "show me the way to the {venue}", "guide me to the {venue}",
                 "find the (way|route) to the {venue}",
                 "where do i go for the {venue}", "what's the way to the {venue}", "start navigation to the {venue}",
                 "lead me to the {venue}",
                 "plan a route to the {venue}", "how far is it to the {venue}"),
          held_out=("get me to the {venue}", "which way is the {venue}", "set a course for the {venue}")),
    _call("navigate_to", {"place": "home"},
          train=("take me home", "navigate home", "(directions|route|the way) home", "show me the way home",
                 "guide me home", "how do i get home",
                 "start navigation home", "lead me home"),
          held_out=("get me home", "find the way back home")),
    _call("check_traffic", {"place": "$city"},
          train=("how's the traffic to {city}", "how is the traffic (to|on the way to) {city}", "traffic to {city}",
                 "is there (a jam|a traffic jam|traffic) on the way to {city}",
                 "is the road to {city} (clear|free|busy)", "are there jams on the way to {city}",
                 "check the traffic to {city}", "traffic report for {city}",
                 "how busy is the road to {city}", "how are the roads to {city}"),
          held_out=("what's the traffic like towards {city}", "will i get stuck in traffic on the way to {city}")),
    _call("check_traffic", {},
          train=("how's the traffic", "how is the traffic (today|now|)", "traffic report", "is there a lot of traffic",
                 "are there (any |)traffic jams",
                 "check the traffic", "are the roads (clear|busy|free)", "what's the traffic like",
                 "is there a jam on my way", "traffic news"),
          held_out=("how busy are the streets", "will i get stuck in traffic")),
    _call("check_train", {"place": "$city"},
          train=("when does the (next |)train to {city} (leave|go|depart)", "(when's|when is) the next train to {city}",
                 "next train to {city}",
                 "trains to {city}", "is the train to {city} (on time|late|delayed|cancelled)",
                 "is there a train to {city}", "train times to {city}",
                 "what time is the train to {city}", "train connections to {city}", "check the trains to {city}",
                 "which platform for the train to {city}",
                 "i need a train to {city}", "when can i take a train to {city}"),
          held_out=("how late is the train to {city}", "look up the trains to {city}",
                    "by train to {city}, when is the next one")),
    _call("hail_taxi", {"place": "$city"},
          train=("(get|order|hail|send|book) (me |)a (taxi|cab) to {city}", "i need a (taxi|cab) to {city}",
                 "taxi to {city}", "cab to {city}",
                 "call (me |)a (taxi|cab) to {city}", "find me a ride to {city}", "i want a taxi to {city}",
                 "book a ride to {city}"),
          held_out=("have a cab take me to {city}", "send for a taxi to {city}")),
    _call("hail_taxi", {"place": "$venue"},
          train=("(get|order|hail|send|book) (me |)a (taxi|cab) to the {venue}", "i need a (taxi|cab) to the {venue}",
                 "taxi to the {venue}",
                 "cab to the {venue}", "call (me |)a (taxi|cab) to the {venue}", "find me a ride to the {venue}",
                 "i want a taxi to the {venue}",
                 "book a ride to the {venue}", "a taxi to the {venue}"),
          held_out=("have a cab take me to the {venue}", "send for a taxi to the {venue}")),
    _call("hail_taxi", {},
          train=("(get|order|hail|call|send|book) (me |us |)a (taxi|cab)", "i need a (taxi|cab)", "taxi", "cab",
                 "we need a (taxi|cab)", "find me a ride",
                 "i want a (taxi|cab)", "a taxi", "order an uber", "get us a ride"),
          held_out=("send for a taxi", "have a cab pick me up")),
    _call("start_car", {},
          train=("(warm|heat) my car up", "get the car (ready|warm)", "defrost the (car|windscreen)", "preheat the car",
                 "the car windows are frozen",
                 "start the engine (of the car|)", "start the car's engine", "heat the car before i leave",
                 "de-ice the car",
                 "i'm leaving soon, get the car warm", "make the car nice and warm", "thaw the windscreen",
                 "get the ice off the car",
                 "the car should be warm when i leave"),
          held_out=("prepare the car for the drive", "have the car warm by the time i leave",
                    "melt the ice on the windscreen")),
    _call("charge_car", {},
          train=("charge the (car|electric car|ev|tesla)", "charge my car", "start charging the car",
                 "charge the car's battery", "charge the car overnight",
                 "the car needs charging", "the car is nearly empty, charge it", "load up the car's battery",
                 "let the car charge",
                 "begin charging the ev", "fill up the electric car", "i want the car charged", "get the car charged",
                 "the car should be charged"),
          held_out=("have the car charged", "the ev needs a charge", "top up the car's battery")),
)  # fmt: skip

_ERRANDS = (
    _call("track_parcel", {"shop": "$firm"},
          train=("where's my (parcel|package|order|delivery) from {firm}",
                 "where is my (parcel|package|order|delivery) from {firm}",
                 "track (my|the) (parcel|package|order|delivery) from {firm}",
                 "when does my {firm} (parcel|package|order|delivery) (arrive|come)",
                 "track my {firm} (parcel|package|order|delivery)",
                 "has my {firm} (parcel|package|order|delivery) been sent",
                 "when will the (parcel|package|order|delivery) from {firm} (arrive|be here)",
                 "what's the status of my {firm} order",
                 "follow my {firm} package", "is the {firm} delivery on its way", "where's my {firm} (parcel|package)"),
          held_out=("how far is my {firm} parcel", "did {firm} ship my order", "locate the package from {firm}")),
    _call("track_parcel", {},
          train=("(where's|where is) my (parcel|package|order|delivery)",
                 "track (my|the) (parcel|package|order|delivery|shipment)", "parcel tracking",
                 "when does my (parcel|package|order|delivery) (arrive|come)",
                 "has my (parcel|package|order) been sent", "delivery status",
                 "when will the (parcel|package) (arrive|be here)", "follow my package",
                 "what's the status of my (parcel|order)",
                 "is my (parcel|package) on its way", "any news of my parcel"),
          held_out=("how far is my parcel", "locate my package", "has the parcel been delivered")),
    _call("book_table", {"place": "$diner", "*": "$when"},
          train=("(book|reserve) a table at {diner} {when}", "(book|reserve) {when} a table at {diner}",
                 "a table at {diner} {when}",
                 "{when} (book|reserve) a table at {diner}", "get (me |us |)a table at {diner} {when}",
                 "make a reservation at {diner} {when}",
                 "i want a table at {diner} {when}", "we'd like to eat at {diner} {when}, book a table",
                 "table at {diner} {when}",
                 "book us in at {diner} {when}", "reservation at {diner} {when}",
                 "i'd like to reserve a table at {diner} {when}",
                 "reserve seats at {diner} {when}"),
          held_out=("see if {diner} has a table {when}", "have a table reserved at {diner} {when}",
                    "get a reservation at {diner} {when}")),
    _call("book_table", {"place": "$diner"},
          train=("(book|reserve) a table at {diner}", "a table at {diner}", "get (me |us |)a table at {diner}",
                 "make a reservation at {diner}",
                 "i want a table at {diner}", "i want to eat at {diner}, book a table", "reservation at {diner}",
                 "book us in at {diner}",
                 "i'd like to reserve a table at {diner}"),
          held_out=("see if {diner} has a table", "have a table reserved at {diner}")),
    _call("book_table", {"*": "$when"},
          train=("(book|reserve) a table {when}", "(book|reserve) a table in a restaurant {when}",
                 "{when} (book|reserve) a table",
                 "get us a table {when}", "make a dinner reservation {when}", "make a restaurant reservation {when}",
                 "we want to eat out {when}, book a table", "reserve a restaurant table {when}",
                 "find us a table {when}"),
          held_out=("have a table reserved {when}", "we need a restaurant table {when}")),
    _call("order_food", {"dish": "$meal"},
          train=("order {meal}", "order (me |us |)(some |){meal}", "get (me |us |){meal} delivered",
                 "have {meal} delivered", "i want to order {meal}",
                 "let's order {meal}", "order {meal} for dinner", "get {meal} from the takeaway", "{meal} to go",
                 "i'd like {meal} delivered",
                 "have them bring {meal}", "order in {meal}", "we want {meal} delivered", "order takeaway {meal}",
                 "a delivery of {meal}"),
          held_out=("have some {meal} sent over", "get {meal} brought to the door", "i'd like to order {meal}")),
    _call("buy_ticket", {"event": "$show"},
          train=("(buy|get|book) (me |us |)a ticket (for|to) the {show}",
                 "(buy|get|book) (me |us |)tickets (for|to) the {show}", "tickets (for|to) the {show}",
                 "i want (a ticket|tickets) (for|to) the {show}", "i need (a ticket|tickets) (for|to) the {show}",
                 "order tickets for the {show}",
                 "reserve a ticket for the {show}", "i'd like (a ticket|tickets) for the {show}",
                 "get a seat for the {show}",
                 "are there tickets for the {show}, get one", "book seats for the {show}"),
          held_out=("purchase a ticket for the {show}", "have a ticket for the {show} booked",
                    "sort out tickets for the {show}")),
    _call("log_expense", {"amount": "$amount", "what": "$outlay"},
          train=(f"i spent {{amount}} {_COIN} on {{outlay}}",
                 f"(log|record|track|book) {{amount}} {_COIN} (for|on) {{outlay}}",
                 f"log an expense of {{amount}} {_COIN} for {{outlay}}",
                 f"expense of {{amount}} {_COIN} for {{outlay}}",
                 f"{{amount}} {_COIN} spent on {{outlay}}", f"i paid {{amount}} {_COIN} for {{outlay}}",
                 f"we spent {{amount}} {_COIN} on {{outlay}}",
                 f"new expense, {{amount}} {_COIN} for {{outlay}}",
                 f"enter {{amount}} {_COIN} for {{outlay}} in my expenses",
                 f"{{outlay}} cost me {{amount}} {_COIN}", f"just paid {{amount}} {_COIN} for {{outlay}}",
                 f"log {{outlay}}, {{amount}} {_COIN}",
                 f"book {{amount}} {_COIN} under {{outlay}}"),
          held_out=(f"{{amount}} {_COIN} went on {{outlay}}", f"file an expense of {{amount}} {_COIN} for {{outlay}}",
                    f"i've spent {{amount}} {_COIN} on {{outlay}}")),
    _call("log_weight", {"weight": "$amount"},
          train=("i weigh {amount} (kilos|kg)", "log my weight (as|at) {amount} (kilos|kg|)",
                 "my weight is {amount} (kilos|kg|)", "log {amount} (kilos|kg) body weight",
                 "record my weight, {amount} (kilos|kg)", "the scales say {amount}",
                 "today i weigh {amount} (kilos|kg)", "weight today {amount}",
                 "i'm at {amount} kilos", "log a weight of {amount}", "enter my weight as {amount} kilos",
                 "track my weight, {amount} kilos",
                 "i weighed {amount} kilos this morning"),
          held_out=("the scales show {amount} kilos", "i'm {amount} kilos now",
                    "my body weight is {amount} kilos, log it")),
    _call("start_workout", {"kind": "$exercise"},
          train=("start (a|my|the) {exercise} (workout|session|training)",
                 "begin (a|my|the) {exercise} (workout|session|training)", "{exercise} workout",
                 "let's do a {exercise} workout", "i want to do a {exercise} (workout|session)",
                 "track my {exercise} (workout|session|training)",
                 "time for a {exercise} workout", "get me started with a {exercise} workout",
                 "log a {exercise} workout", "start {exercise} training",
                 "i'm starting a {exercise} session", "record a {exercise} workout"),
          held_out=("get going with a {exercise} session", "kick off my {exercise} training",
                    "count this as a {exercise} workout")),
    _call("start_workout", {},
          train=("start (a|my|the) (workout|training|exercise session)", "begin (a|my|the) workout",
                 "i want to (exercise|work out)", "workout time",
                 "let's (exercise|work out)", "track my workout", "start exercising", "time to (exercise|work out)",
                 "get me moving"),
          held_out=("kick off my workout", "get going with the training")),
)  # fmt: skip

EXTRA: tuple[Template, ...] = _HOUSE + _HAND + _PEOPLE + _KNOWLEDGE + _WAY + _ERRANDS
