"""The words that fill the slots of refused requests."""

from __future__ import annotations

SLOTS: dict[str, tuple[str, ...]] = {
    "country": (
        "france", "germany", "spain", "italy", "portugal", "poland", "norway", "sweden", "finland", "denmark",
        "iceland", "ireland", "scotland", "greece", "turkey", "egypt", "kenya", "nigeria", "morocco", "ghana", "peru",
        "chile", "brazil", "argentina", "bolivia", "mexico", "canada", "cuba", "japan", "china", "india", "nepal",
        "mongolia", "vietnam", "thailand", "indonesia", "australia", "new zealand", "fiji", "hungary", "austria",
        "switzerland", "belgium", "romania", "bulgaria", "croatia", "ukraine", "georgia", "jordan", "south africa",
        "madagascar", "kazakhstan",
    ),
    "famous": (
        "albert einstein", "marie curie", "isaac newton", "charles darwin", "leonardo da vinci", "napoleon",
        "cleopatra", "julius caesar", "william shakespeare", "jane austen", "charles dickens", "agatha christie",
        "mark twain", "abraham lincoln", "barack obama", "winston churchill", "nelson mandela", "mahatma gandhi",
        "queen victoria", "queen elizabeth", "martin luther king", "pablo picasso", "vincent van gogh", "frida kahlo",
        "michelangelo", "galileo", "aristotle", "plato", "socrates", "columbus", "marco polo", "neil armstrong",
        "amelia earhart", "steve jobs", "bill gates", "elon musk", "taylor swift", "tom hanks", "meryl streep",
        "charlie chaplin", "marilyn monroe", "lionel messi", "serena williams", "usain bolt", "roger federer",
        "stephen hawking", "ada lovelace", "alan turing", "nikola tesla",
    ),
    "animal": (
        "cat", "dog", "horse", "cow", "elephant", "giraffe", "lion", "tiger", "bear", "penguin", "whale", "dolphin",
        "shark", "snake", "spider", "frog", "owl", "eagle", "parrot", "swan", "rabbit", "hedgehog", "squirrel",
        "beaver", "kangaroo", "koala", "camel", "crocodile", "turtle", "snail", "bee", "ant", "octopus", "jellyfish",
        "bat", "panda", "gorilla", "monkey", "zebra", "llama", "goat", "pig", "duck", "rat", "dragon", "unicorn",
        "dinosaur", "cheetah", "seal", "otter",
    ),
    "landmark": (
        "eiffel tower", "statue of liberty", "great wall", "taj mahal", "colosseum", "big ben", "tower bridge",
        "golden gate bridge", "leaning tower of pisa", "acropolis", "sphinx", "grand canyon", "niagara falls",
        "mount everest", "kilimanjaro", "louvre", "brandenburg gate", "stonehenge", "machu picchu", "panama canal",
        "suez canal", "white house", "kremlin", "sahara", "amazon", "great barrier reef", "mount rushmore",
        "notre dame", "buckingham palace", "empire state building",
    ),
    "invention": (
        "telephone", "light bulb", "wheel", "steam engine", "printing press", "internet", "computer", "radio",
        "television", "penicillin", "dynamite", "bicycle", "car", "aeroplane", "telescope", "microscope", "paper",
        "gunpowder", "compass", "zip", "toothbrush", "fork", "pencil", "camera", "refrigerator", "vacuum cleaner",
        "helicopter", "battery", "electricity", "gravity", "dna", "x rays", "chocolate", "football", "ice cream",
        "glasses",
    ),
    "event": (
        "the berlin wall fall", "the titanic sink", "world war two end", "world war one start",
        "the roman empire fall", "rome burn", "the dinosaurs die out", "the moon landing happen",
        "the french revolution start", "the great fire of london happen", "columbus reach america", "the euro start",
        "the soviet union collapse", "the black death reach europe", "pompeii get destroyed",
        "the first olympics take place", "the ice age end", "the queen die", "the civil war end", "napoleon lose",
        "the internet begin", "the vikings come to england", "the pyramids get built", "man first fly",
        "the first train run",
    ),
    "topic": (
        "photosynthesis", "gravity", "quantum physics", "relativity", "evolution", "climate change", "democracy",
        "inflation", "blockchain", "artificial intelligence", "machine learning", "nuclear energy", "black holes",
        "the big bang", "dark matter", "the water cycle", "global warming", "plate tectonics", "electricity",
        "magnetism", "dna", "the stock market", "capitalism", "socialism", "philosophy", "buddhism",
        "the renaissance", "impressionism", "algebra", "geometry", "trigonometry", "chemistry", "the immune system",
        "the nervous system", "digestion", "recycling", "renewable energy", "space travel", "the solar system",
        "volcanoes", "earthquakes", "the rainforest", "the ozone layer", "cryptocurrency", "karma", "feminism",
        "the middle ages", "opera", "ballet", "yoga", "meditation",
    ),
    "dish": (
        "pancakes", "lasagne", "spaghetti carbonara", "risotto", "paella", "pizza", "sushi", "tacos", "chili",
        "curry", "pad thai", "goulash", "pea soup", "tomato soup", "apple pie", "cheesecake", "tiramisu",
        "banana bread", "sourdough", "scones", "waffles", "omelette", "scrambled eggs", "mashed potatoes",
        "roast beef", "fried rice", "dumplings", "ratatouille", "moussaka", "hummus", "guacamole", "coleslaw",
        "meatballs", "fish and chips", "shepherd's pie", "quiche", "brownies", "muffins", "pumpkin soup", "stir fry",
        "burritos", "kebab",
    ),
    "ingredient": (
        "milk", "eggs", "butter", "cheese", "apples", "bananas", "lemons", "rice", "pasta", "flour", "sugar", "honey",
        "yogurt", "tomatoes", "potatoes", "onions", "garlic", "carrots", "spinach", "mushrooms", "chicken", "beef",
        "salmon", "tuna", "olive oil", "mustard", "oats", "almonds", "chocolate", "lentils", "chickpeas", "beans",
        "noodles", "avocados", "grapes", "broccoli", "tofu", "bacon", "cream", "peanut butter", "asparagus",
        "pumpkin", "cabbage", "venison",
    ),
    "pest": (
        "ants", "mice", "rats", "moths", "fleas", "bed bugs", "wasps", "mosquitoes", "cockroaches", "slugs", "snails",
        "spiders", "fruit flies", "woodworm", "lice", "ticks", "mould", "weeds", "moss", "pigeons", "moles", "aphids",
        "silverfish", "termites", "nettles",
    ),
    "sport": (
        "football", "soccer", "tennis", "golf", "cricket", "rugby", "basketball", "baseball", "ice hockey",
        "handball", "volleyball", "badminton", "table tennis", "swimming", "boxing", "judo", "karate", "skiing",
        "snowboarding", "curling", "cycling", "rowing", "sailing", "surfing", "climbing", "fencing", "darts",
        "snooker", "water polo", "gymnastics", "formula one", "athletics",
    ),
    "team": (
        "arsenal", "chelsea", "liverpool", "manchester united", "manchester city", "everton", "real madrid",
        "barcelona", "bayern munich", "juventus", "inter milan", "ajax", "celtic", "benfica", "the lakers",
        "the bulls", "the yankees", "the red sox", "the patriots", "the cowboys", "the packers", "the giants",
        "england", "germany", "brazil", "argentina", "the all blacks", "the springboks", "the maple leafs",
        "the rangers", "our team", "the dodgers",
    ),
    "game": (
        "chess", "poker", "hangman", "tic tac toe", "twenty questions", "i spy", "hide and seek", "truth or dare",
        "monopoly", "scrabble", "go", "backgammon", "checkers", "bridge", "solitaire", "minesweeper", "tetris",
        "rock paper scissors", "charades", "sudoku", "bingo", "dominoes", "connect four", "battleships", "ludo",
        "canasta", "blackjack", "trivial pursuit", "word association", "tag",
    ),
    "company": (
        "apple", "google", "microsoft", "amazon", "tesla", "toyota", "ford", "volkswagen", "bmw", "siemens", "bosch",
        "samsung", "sony", "nintendo", "ikea", "lego", "nestle", "unilever", "coca cola", "pepsi", "starbucks",
        "nike", "adidas", "netflix", "disney", "boeing", "airbus", "intel", "nvidia", "shell", "ibm", "visa",
        "philips", "nokia", "ryanair",
    ),
    "film": (
        "titanic", "casablanca", "jaws", "star wars", "the godfather", "the matrix", "inception", "avatar", "frozen",
        "the lion king", "toy story", "finding nemo", "jurassic park", "pulp fiction", "forrest gump", "gladiator",
        "alien", "psycho", "vertigo", "back to the future", "home alone", "die hard", "top gun", "rocky", "grease",
        "mary poppins", "bambi", "the hobbit", "the lord of the rings", "harry potter", "game of thrones",
        "breaking bad", "friends", "the crown", "sherlock", "dune", "amelie", "parasite", "barbie", "oppenheimer",
    ),
    "ailment": (
        "headache", "cold", "fever", "cough", "sore throat", "migraine", "backache", "toothache", "stomach ache",
        "rash", "nosebleed", "sunburn", "blister", "bruise", "sprained ankle", "flu", "hay fever", "hangover",
        "ear infection", "insomnia", "heartburn", "diarrhoea", "constipation", "nausea", "cramp", "stiff neck",
        "wasp sting", "tick bite", "eczema", "anxiety", "asthma", "food poisoning", "cold sore", "splinter",
    ),
    "feast": (  # whose date is another every year, or that no calendar knows
        "easter", "thanksgiving", "my birthday", "the summer holidays", "mother's day", "father's day",
        "the world cup", "the olympics", "spring", "summer", "autumn", "winter", "the wedding", "the exams", "payday",
        "black friday", "hanukkah", "ramadan", "diwali", "carnival", "pancake day", "our anniversary",
    ),
    "plant": (
        "tomatoes", "roses", "tulips", "potatoes", "basil", "lavender", "orchids", "strawberries", "carrots",
        "onions", "garlic", "sunflowers", "daffodils", "geraniums", "hydrangeas", "raspberries", "pumpkins", "beans",
        "peas", "lettuce", "chillies", "rosemary", "mint", "bamboo", "ivy", "cactus", "lemons", "apples", "cherries",
        "blackcurrants",
    ),
}  # fmt: skip

CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "sign": tuple(
        (sign, (sign,))
        for sign in (
            "aries", "taurus", "gemini", "cancer", "leo", "virgo", "libra", "scorpio", "sagittarius", "capricorn",
            "aquarius", "pisces",
        )
    ),
}  # fmt: skip
