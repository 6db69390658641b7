"""Ways to ask for the weather: with and without a place and a day."""

from __future__ import annotations

from apps.assistant_model.templates import Template, call, calls
from apps.assistant_model.wording import wording

# Days with a genitive: "tomorrow's weather".
CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "days": (
        ("today", ("today's", "tonight's", "this evening's", "this afternoon's")),
        ("tomorrow", ("tomorrow's", "tomorrow's", "tomorrow morning's", "tomorrow evening's")),
        ("weekend", ("the weekend's", "this weekend's")),
        ("monday", ("monday's", "Monday's")),
        ("tuesday", ("tuesday's", "Tuesday's")),
        ("wednesday", ("wednesday's", "Wednesday's")),
        ("thursday", ("thursday's", "Thursday's")),
        ("friday", ("friday's", "Friday's")),
        ("saturday", ("saturday's", "Saturday's")),
        ("sunday", ("sunday's", "Sunday's")),
    ),
}
_ways = wording({
    "what is": "(what's|what's|what is|whats)",
    "how is": "(how's|how is)",
    "will it": "(will it|will it|is it going to|is it gonna|is it supposed to|is it likely to)",
    "will there be": "(will there be|is there going to be|are we getting|do we get|do they expect|are we expecting)",
    "rain": "(rain|rain|rain|snow|snow|be raining|be snowing|pour|thunder|hail|freeze|storm|drizzle)",
    "some rain": "(rain|rain|snow|snow|frost|wind|a storm|storms|fog|sun|sunshine|thunder|a thunderstorm|hail|showers|"
    "clouds|a lot of rain|much rain|any rain|any snow|a heatwave|strong winds)",
    "warm": "(cold|cold|warm|warm|hot|sunny|sunny|windy|windy|dry|wet|cloudy|foggy|rainy|nice|mild|icy|stormy|chilly|"
    "freezing|humid|frosty|cool|snowy|fine|clear|muggy)",
    "raining": "(raining|raining|snowing|pouring|freezing|thundering|sunny|windy|cold|warm|hot|wet|cloudy|foggy|dry|"
    "icy|still raining|still snowing|nice)",
    "coat": "(an umbrella|an umbrella|an umbrella|a coat|a coat|a jacket|a raincoat|a warm coat|a hat|gloves|a scarf|"
    "sunglasses|sun cream|sunscreen|boots|wellies|a sweater|a jumper|warm clothes|winter tyres|my umbrella|rain gear)",
    "shorts": "(shorts|a t-shirt|a skirt|sandals|a coat|gloves|a jacket|a raincoat|boots|something warm)",
    "weather": "(weather|weather|weather|forecast|weather forecast|temperature|weather report)",
    "do": "(go for a walk|go running|go cycling|eat outside|have a barbecue|hang out the washing|go swimming|"
    "have a picnic|mow the lawn|sit outside|go to the beach|paint the fence|ride my bike|go hiking|wash the car)",
    "outing": "(a walk|a run|a picnic|a barbecue|a bike ride|the beach|skiing|a hike|sailing|the garden|swimming)",
})  # fmt: skip

# Whatever place or day stands for <at>: then of what will be, then of what is.
_ANY = (
    "<what is> the weather @", "<what is> the weather @", "<what is> the weather like @", "<how is> the weather @",
    "weather @", "the weather @", "weather forecast @", "weather report @", "<what is> the <weather> @",
    "tell me the <weather> @", "give me the <weather> @", "show me the <weather> @", "check the <weather> @",
    "i want to know the <weather> @", "i'd like (to know |to hear |)the <weather> @", "how about the weather @",
    "do you know (what the weather is like|how the weather is) @", "temperature @", "the temperature @", "forecast @",
    "<how is> the weather looking @", "how does the weather look @", "what does the (weather|sky) look like @",
    "what does the (forecast|weather report) say @", "i need the <weather> @", "tell me about the weather @",
    "what kind of weather (do we have|is there|can i expect) @", "look up the <weather> @",
    "any (rain|snow|wind|sun|frost|storms|fog|sunshine) @", "is the weather (good|bad|nice|okay|fine|awful|any good) @",
    "how many degrees @", "get me the weather @", "what about the weather @",
)  # fmt: skip
_FUTURE = (
    "<will it> <rain> @", "<will it> <rain> @", "<will it> be <warm> @", "<will it> be <warm> @",
    "<will there be> <some rain> @", "do (i|we) need <coat> @", "(will|do) (i|we) need <coat> @",
    "should (i|we) (take|bring|wear|pack) <coat> @",
    "how (cold|warm|hot|windy|sunny|wet|bad) (will it be|is it going to be|does it get) @",
    "what will the (weather|temperature) be @", "what will the weather be like @",
    "what's the weather going to be (like |)@",
    "(what|which) temperature(s|) (will we have|can i expect|do we get|will it be) @", "how will the weather be @",
    "is there a chance of <some rain> @", "(any|what are the) chance(s|) of <some rain> @", "can i wear <shorts> @",
    "can (i|we) <do> @", "<will it> stay dry @",
    "will the (sun (shine|be out|come out)|weather (hold|be good|be nice|stay nice)) @", "what should i wear @",
    "is <outing> a good idea @", "will the weather be (good|nice|bad|better|fine|right for <outing>) @",
    "is it (good |)weather for <outing> @", "<will it> get <warm> @",
    "how many degrees (will it be|will we have|do we get) @",
    "<will it> be (below zero|above twenty degrees|minus degrees|warm enough for <outing>|too cold for <outing>) @",
    "does it look like <some rain> @", "is (rain|snow|a storm|bad weather|sun|frost) (coming|expected|forecast) @",
    "could it <rain> @", "is it (beach|barbecue|picnic|umbrella|shorts|coat) weather @",
    "how high (will|does) the temperature get @",
)  # fmt: skip
_FUTURE_HELD_OUT = (
    "do they say it will <rain> @", "would <coat> be a good idea @", "what sort of weather will we get @",
    "are we in for <some rain> @", "will i get wet @", "how <warm> will it get @",
    "what are temperatures going to be @", "will (i|we) be needing <coat> @", "is it meant to be <warm> @",
)  # fmt: skip
_PRESENT = (
    "is it <raining> @", "is it <raining> @", "how (cold|warm|hot|windy|wet|sunny) is it @",
    "<what is> the temperature @", "is the sun (shining|out) @", "how many degrees (is it|are there|do we have) @",
    "what temperature is it @", "is there (snow|any snow|fog|a storm|ice|rain|wind|sun) @", "does it (rain|snow) @",
    "is it (really |very |so |)<warm> @", "is it (warm enough|too cold|too wet|dry enough) for <outing> @",
    "how strong is the wind @", "are there (clouds|any clouds|storms) @",
)  # fmt: skip
_PRESENT_HELD_OUT = (
    "what does the thermometer say @",
    "is there any rain falling @",
    "how <warm> is it (really|actually) @",
)
_ANY_HELD_OUT = (
    "what's happening with the weather @", "let me know the <weather> @", "what can you tell me about the weather @",
    "weather conditions @", "could i get the weather @", "i'm curious about the weather @",
)  # fmt: skip
_CITY_AND_DAY = (
    "(weather|forecast|weather forecast) for {city} {onday}", "<what is> the <weather> for {city} {onday}",
    "{city} weather {onday}", "{onday} what's the weather like in {city}",
    "i'm going to {city} {onday}, do i need <coat>", "{city} {onday} weather", "{onday} in {city}, <will it> <rain>",
    "in {city} {onday}, <will it> be <warm>", "{onday} i'm in {city}, what will the weather be like",
    "we're flying to {city} {onday}, what's the weather like", "i have to be in {city} {onday}, <will it> <rain>",
    "the forecast for {city} for {day}", "in {city}, what's the weather {onday}",
    "should i take <coat> to {city} {onday}", "do i need <coat> for {city} {onday}", "weather, {city}, {day}",
    "{city}, {day}, weather", "{onday} we drive to {city}, will there be <some rain>",
    "for {city}, what does the forecast say {onday}",
)  # fmt: skip
_CITY_AND_DAY_HELD_OUT = (
    "my train to {city} goes {onday}, will it <rain> there", "{onday} it's {city} for me, do i need <coat>",
    "{city} {onday}, how's the weather",
)  # fmt: skip
_CITY = (
    "<what is> it like in {city}", "<how is> it in {city}",
    "{city} weather", "weather {city}", "{city} (forecast|weather forecast|weather report|temperature)",
    "(weather|forecast|weather forecast) for {city}", "<what is> the <weather> for {city}",
    "in {city}, what's the weather like", "in {city}, is it <raining>", "in {city}, <will it> <rain>",
    "(how's|what's) the {city} weather", "<what is> the weather like (over|down|up) in {city}",
    "i'm going to {city}, do i need <coat>", "i'm flying to {city}, what's the weather like there",
    "we're going to {city}, <will it> <rain>", "should i take <coat> to {city}", "do i need <coat> for {city}",
    "what's it like outside in {city}", "what's the weather like in {city} (now|right now|at the moment)",
    "is it <raining> in {city} (now|right now|at the moment)", "{city}, what's the weather like there",
    "i'm off to {city}, what should i wear", "how cold is it in {city} (now|right now|at the moment)",
    "what should i pack for {city}", "my sister is in {city}, how's the weather there",
    "how's the weather over in {city}",
)  # fmt: skip
_CITY_HELD_OUT = (
    "i'm packing for {city}, do i need <coat>", "{city}: is it <raining>", "how's {city} doing weather-wise",
)  # fmt: skip
_DAY = (
    "(forecast|weather|weather forecast) for {day}", "<what is> the <weather> for {day}",
    "{onday} what's the weather like", "{onday} <will it> <rain>", "{onday}, do i need <coat>", "{day} weather",
    "{onday}, <will it> be <warm>", "{onday} i want to <do>, <will it> <rain>",
    "we want to <do> {onday}, will the weather be good", "i'm going out {onday}, do i need <coat>",
    "how's the weather looking for {day}", "what does the forecast say for {day}",
    "i'm planning <outing> {onday}, <will it> stay dry", "{onday}, can we <do>", "is it going to rain at all {onday}",
    "what's the forecast like for {day}", "what's it (going to be |)like outside {onday}", "any rain {onday}",
    "rain {onday}", "is there rain {onday}", "how cold is it {onday}", "is {day} going to be <warm>",
    "weather for {day}, is it <warm>",
)  # fmt: skip
_DAY_HELD_OUT = (
    "for {day} what's the forecast", "{onday}, what's it like outside", "we're having <outing> {onday}, any rain",
)  # fmt: skip
_DAYS = (
    "<what is> {days} <weather>", "<what is> {days} weather like", "{days} (weather|forecast)",
    "(tell|give) me {days} (weather|forecast|temperature)", "show me {days} <weather>", "is {days} weather any good",
    "how does {days} weather look", "<how is> {days} weather", "check {days} <weather>",
    "i want to know {days} <weather>", "i need {days} <weather>", "what will {days} weather be like",
    "what about {days} weather", "look up {days} <weather>",
)  # fmt: skip
_DAYS_HELD_OUT = (
    "get me {days} <weather>", "let me know {days} <weather>", "what do they say about {days} weather",
)  # fmt: skip
_CITY_AND_DAYS = (
    "<what is> {days} <weather> (in|for) {city}", "{days} (weather|forecast) (for|in) {city}",
    "(tell|give) me {days} <weather> in {city}", "show me {days} <weather> for {city}",
    "how does {days} weather look in {city}", "<how is> {days} weather in {city}", "{city}, {days} weather",
    "in {city} what's {days} <weather>", "check {days} <weather> for {city}",
    "what will {days} weather be like in {city}",
)  # fmt: skip
_CITY_AND_DAYS_HELD_OUT = (
    "get me {days} <weather> for {city}", "let me know {days} <weather> in {city}", "for {city}, {days} forecast",
)  # fmt: skip
_NOW = (
    "what's it like outside", "what's it like out there", "how's it (looking |)outside", "weather", "forecast",
    "what's the weather like (outside|right now|at the moment|here)", "is it <raining> (outside|out there|right now)",
    "how cold is it (outside|out there|right now)", "do i need <coat> (outside|out there|to go out|when i go out)",
    "i'm going out, do i need <coat>", "i want to <do>, <will it> <rain>", "what's the outside temperature",
    "outdoor temperature", "what's the temperature (outside|outdoors|out there)",
)  # fmt: skip
_TWO = (
    "<what is> the weather (like |)in {city} and (in |){city2}", "weather in {city} and {city2}",
    "<how is> the weather in {city} and in {city2}", "weather for {city} and {city2}",
    "is it <raining> in {city} and in {city2}", "how cold is it in {city} and {city2}",
    "<will it> <rain> in {city} and in {city2}", "{city} and {city2} weather",
    "the weather in {city} and also in {city2}", "tell me the <weather> in {city} and {city2}",
    "temperature in {city} and {city2}", "how warm is it in {city} and in {city2}",
)  # fmt: skip
_TWO_HELD_OUT = (
    "do i need <coat> in {city} and in {city2}", "the forecast for both {city} and {city2}",
    "compare the weather in {city} and {city2}",
)  # fmt: skip
_TODAY = (
    "<what is> the weather (like |)today and tomorrow", "weather today and tomorrow",
    "<how is> the weather today and tomorrow", "weather for today and tomorrow", "<will it> <rain> today and tomorrow",
    "today's and tomorrow's weather", "the forecast for today and tomorrow", "do i need <coat> today and tomorrow",
    "tell me the <weather> for today and tomorrow", "<will it> be <warm> today and tomorrow",
)  # fmt: skip
_TODAY_HELD_OUT = (
    "weather both today and tomorrow", "show me today's weather and tomorrow's", "how many degrees today and tomorrow",
)  # fmt: skip


def _at(place: str, *patterns: str) -> tuple[str, ...]:
    return _ways(*(pattern.replace("@", place) for pattern in patterns))


_BOTH = "(in {city} {onday}|in {city} {onday}|{onday} in {city})"
_OUTSIDE = "(|||outside|right now|at the moment|out there|here|now)"
WEATHER: tuple[Template, ...] = (
    call("get_weather", {"place": "$city", "day": "$day"}, weight=1.5,
         train=_at(_BOTH, *_ANY, *_FUTURE) + _ways(*_CITY_AND_DAY),
         held_out=_at(_BOTH, *_ANY_HELD_OUT, *_FUTURE_HELD_OUT) + _ways(*_CITY_AND_DAY_HELD_OUT)),
    call("get_weather", {"place": "$city"}, weight=1.5,
         train=_at("in {city}", *_ANY, *_PRESENT, *_FUTURE, *_ANY, *_PRESENT) + _ways(*_CITY),
         held_out=_at("in {city}", *_ANY_HELD_OUT, *_FUTURE_HELD_OUT, *_PRESENT_HELD_OUT) + _ways(*_CITY_HELD_OUT)),
    call("get_weather", {"day": "$day"}, weight=2.0,
         train=_at("{onday}", *_ANY, *_FUTURE, *_FUTURE) + _ways(*_DAY),
         held_out=_at("{onday}", *_ANY_HELD_OUT, *_FUTURE_HELD_OUT) + _ways(*_DAY_HELD_OUT)),
    call("get_weather", {"day": "$days"}, weight=0.4, train=_ways(*_DAYS), held_out=_ways(*_DAYS_HELD_OUT)),
    call("get_weather", {"place": "$city", "day": "$days"}, weight=0.3,
         train=_ways(*_CITY_AND_DAYS), held_out=_ways(*_CITY_AND_DAYS_HELD_OUT)),
    call("get_weather", {}, weight=1.2,
         train=_at("(|||outside|here)", *_ANY) + _at(_OUTSIDE, *_PRESENT) + _at("(|||here|outside)", *_FUTURE)
         + _ways(*_NOW),
         held_out=_at("(|outside|here)", *_ANY_HELD_OUT) + _at("", *_FUTURE_HELD_OUT)
         + _at("(|outside|out there)", *_PRESENT_HELD_OUT)),
    calls((("get_weather", {"place": "$city"}), ("get_weather", {"place": "$city2"})), weight=0.3,
          train=_ways(*_TWO), held_out=_ways(*_TWO_HELD_OUT)),
    calls((("get_weather", {"day": "today"}), ("get_weather", {"day": "tomorrow"})), weight=0.15,
          train=_ways(*_TODAY), held_out=_ways(*_TODAY_HELD_OUT)),
)  # fmt: skip
