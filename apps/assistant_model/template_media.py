"""Ways to ask for music and sound and to control what is playing; the volume stands in a module of its own."""

from __future__ import annotations

from apps.assistant_model.template_volume import VOLUME
from apps.assistant_model.templates import Template, call
from apps.assistant_model.wording import words
from apps.assistant_model.words import OPEN

_INITIALS = ("fm", "bbc", "npr", "kexp")


def _typed(name: str) -> str:
    """A name with its capitals."""
    parts = name.split()
    return " ".join(p.upper() if p in _INITIALS else p if p == "the" else p[0].upper() + p[1:] for p in parts)


def _both_cases(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names in lower case, as recognisers write them, and as a person types them."""
    return names + tuple(_typed(name) for name in names)


_TITLES = words(
    "moon over willow lane, greensleeves, clair de lune, danny boy, amazing grace, scarborough fair, maple leaf rag, "
    "fur elise, swan lake, auld lang syne, paper boats, summer on the roof, seven silver rivers, lost in marble "
    "town, run little fox, down by the harbour, yellow kite, rain on sunday, hey caroline, dancing in the snow, "
    "whisper to me, thousand lanterns, broken compass, sugar and salt, midnight ferry, golden hours, walking home, "
    "don't look down, nights we flew, heart of glass beads, ode to joy, spring, winter sun, silent night, "
    "jingle bells, house of the rising sun, drunken sailor, wild mountain thyme, kiss me goodbye, last train to oslo, "
    "under the orange tree, electric garden, one more mile, ghost of a chance, ring the bells, blue velvet coat, "
    "when the lights go out, stop the clocks, turn the page, twenty four stars, you and the sea, mercury, fever dream"
)
# Open words beside those that all templates share.
SLOTS: dict[str, tuple[str, ...]] = {
    "song": _both_cases(_TITLES),
    "song_by": tuple(
        f"{form(title)} by {form(artist)}" for title in _TITLES for artist in OPEN["artist"] for form in (str, _typed)
    ),
    "station": _both_cases(words(
        "classic fm, radio one, radio two, radio 3, radio 4, bbc radio 2, jazz fm, kiss fm, capital fm, world "
        "service, radio paradise, rock antenna, smooth radio, virgin radio, absolute radio, radio nova, harbour fm, "
        "city radio, 98.5 fm, 101.2 fm, 104.6, star fm, radio swiss jazz, klassik radio, energy, antenna 5, soul "
        "station, talk radio, sports radio, north coast radio, kexp, npr, radio luna, valley fm, hit radio"
    )),
    "style": words(
        "jazz music, rock music, pop music, soft jazz, smooth jazz, eighties pop, 80s hits, nineties rock, irish "
        "folk, piano concertos, swing, opera, string quartets, ambient music, k-pop, bossa nova, drum and bass, "
        "ocean waves, whale songs, summer hits, party music, dinner music, sleep sounds, study music, happy songs, "
        "love songs, sea shanties, show tunes, nursery rhymes, bedtime stories, brass bands, indie rock, house "
        "music, trance, latin music, flamenco, bluegrass, gospel, choral music, organ music, harp music, marching "
        "music, tango, calm music, quiet music, soft music, upbeat music, sad songs, old hits, oldies, punk rock, "
        "hard rock, ska, gregorian chant, cello suites, baroque music, film scores, running music, yoga music, cafe "
        "sounds, thunderstorm sounds, campfire sounds, forest sounds, brown noise"
    ),
    "playlist": words(
        "workout playlist, party playlist, road trip playlist, morning playlist, dinner playlist, summer playlist, "
        "sleep playlist, cooking playlist, running mix, favourite songs, favorite songs, liked songs, wedding "
        "playlist, chill playlist, focus playlist, kids playlist, christmas playlist, sunday playlist, gym "
        "playlist, driving playlist, jazz playlist, rock playlist, audiobook, history podcast, science podcast, "
        "cooking podcast, football podcast, true crime podcast, garden playlist, bath time mix, cleaning playlist, "
        "daily mix, favourites"
    ),
}  # fmt: skip
# What is said with "the", which the call leaves out.
CHOICES: dict[str, tuple[tuple[str | int, tuple[str, ...]], ...]] = {
    "programme": tuple(
        (name, (f"the {name}",))
        for name in ("news", "radio", "charts", "top forty", "morning show", "latest news", "evening news",
                     "local news", "football", "cricket", "news headlines", "rain sounds", "shipping forecast",
                     "late show")
    ),
}  # fmt: skip


def _with(what: str, *patterns: str) -> tuple[str, ...]:
    """The patterns with "<x>" for what shall be played."""
    return tuple(pattern.replace("<x>", what) for pattern in patterns)


_WANT = "(i want|i'd like|i would like|we want|we'd like)"
_HEAR = "(hear|listen to)"
_PLAY = (
    "play <x>", "play <x>", "play (me|us) <x>", "put on <x>", "put <x> on", f"{_WANT} to {_HEAR} <x>",
    "i (wanna|want to) hear <x>", "start playing <x>", "let me hear <x>", "let's (hear|listen to|have|play) <x>",
    "listen to <x>", "stream <x>", "get <x> playing", "(have|let) <x> play",
    "play <x> on the (speaker|speakers|stereo)", "find <x> and play it", "look for <x> and play it",
    "change the music to <x>", "switch the music to <x>", "i feel like (hearing|listening to) <x>",
    "i'm in the mood for <x>", "queue (up |)<x>", "play <x> next", "i fancy (hearing|listening to) <x>",
    "<x> would be nice to listen to", "give me <x> to listen to", "<x>, play it", "would you mind playing <x>",
    "we (need|have) to hear <x>", "how about playing <x>", "i could listen to <x>",
    "i haven't heard <x> (for ages|in a while|for a long time), play it", "turn the music to <x>", "blast <x>",
    "could we have <x> on the speakers", "throw on <x>", "play <x> for (me|us|the kids|everyone)",
)  # fmt: skip
_PLAY_HELD_OUT = (
    "get <x> going", f"{_WANT} you to play <x>", "go for <x>, play that", f"i really want to {_HEAR} <x>", "spin <x>",
    "time to listen to <x>", "make it <x> on the stereo", "begin playing <x>",
)  # fmt: skip
_SOME = (
    "play some <x>", "put on some <x>", "put some <x> on", f"{_WANT} (to {_HEAR} |)some <x>", "let's have some <x>",
    "how about (some |)<x>", "time for (some |)<x>", "i feel like (some |)<x>", "i'm in the mood for some <x>",
    "play (a bit of|a little|lots of|more|only) <x>", "let me hear some <x>", "some <x> in the background",
    "(turn|switch) on some <x>", "give (me|us) some <x> to listen to", "i need some <x> (to wake up|to relax|now)",
    "let there be <x>", "i fancy (some|a bit of) <x>", "we could do with some <x>", "put on a bit of <x>",
    "start some <x>", "i'd love (some |to hear some |)<x>",
)  # fmt: skip
_SOME_HELD_OUT = ("get some <x> going", "i'd love a bit of <x>", "bring on some <x>", "what about a little <x>")
_IN = "(in|in|in|in|in|for|through) the {room}"
_SPEAKER = "on the {room} (speaker|speakers|stereo)"
_PLAY_IN = (
    f"play <x> {_IN}", f"play <x> {_IN}", f"play <x> {_SPEAKER}", "play (me|us) <x> in the {room}", f"put on <x> {_IN}",
    "put <x> on in the {room}", f"put <x> {_SPEAKER}", f"in the {{room}} {_WANT} to {_HEAR} <x>", "<x> in the {room}",
    f"{_WANT} to {_HEAR} <x> in the {{room}}", f"{_WANT} <x> (playing |)in the {{room}}", "in the {room} play <x>",
    "in the {room}, put on <x>", f"start playing <x> {_IN}", "let me hear <x> in the {room}", f"<x> {_SPEAKER}",
    "let's (have|listen to|hear) <x> in the {room}", f"stream <x> (to the {{room}}|{_SPEAKER})",
    "i'm in the {room}, play <x>", "(send|cast) <x> to the {room}( speakers|)", "get <x> playing in the {room}",
    "(have|let) the {room} (speaker|stereo) play <x>", "use the {room} (speaker|speakers) to play <x>",
    "{room}, play <x>", "on the {room} speaker play <x>", "listen to <x> in the {room}",
    "<x> should play in the {room}", "could we have <x> in the {room}", "i'm going to the {room}, play <x> there",
    "play in the {room} <x>", "have <x> playing in the {room}", f"we're in the {{room}} and want to {_HEAR} <x>",
    "play <x> over the {room} speakers", "i feel like (hearing |)<x> in the {room}", "blast <x> in the {room}",
    "play <x> while i'm in the {room}",
)  # fmt: skip
_PLAY_IN_HELD_OUT = (
    "get <x> going in the {room}", "i fancy <x> in the {room}", "for the {room} put on <x>",
    "make the {room} speakers play <x>", "let <x> play in the {room}", "put on <x> for us in the {room}",
    "in the {room} let's have <x>",
)  # fmt: skip
_SOME_IN = (
    f"play some <x> {_IN}", "put on some <x> in the {room}", "put some <x> on in the {room}", "some <x> in the {room}",
    f"{_WANT} some <x> in the {{room}}", "in the {room} (play|put on) some <x>", f"play some <x> {_SPEAKER}",
    "let's have some <x> in the {room}", "the {room} (needs|could do with) some <x>",
    "(turn|switch) on some <x> in the {room}", "fill the {room} with <x>", "how about some <x> in the {room}",
    "a bit of <x> in the {room}", "play (a bit of|a little) <x> in the {room}",
)  # fmt: skip
_SOME_IN_HELD_OUT = (
    "get some <x> going in the {room}",
    "i'd love some <x> in the {room}",
    "bring some <x> to the {room}",
)
_BY = (
    "play (music|songs|something|anything|a song|some songs|some music) (by|from) {artist}", "play some {artist}",
    "put on (something|music|songs|a song|some songs) by {artist}", "put on some {artist}", "put some {artist} on",
    f"{_WANT} to {_HEAR} (something|music|songs|a song|some music) (by|from) {{artist}}", "how about some {artist}",
    f"{_WANT} to {_HEAR} some {{artist}}", "let's have (some |something by |a song by |){artist}",
    "i feel like (some |){artist}", "i'm in the mood for (some |something by |){artist}",
    "start playing (songs|music|something) by {artist}", "i love {artist}, play (them|something)",
    "play a (track|record|tune|piece|song) by {artist}", "play the (artist|band|singer|composer) {artist}",
    "music by {artist}", "songs by {artist}", "something by {artist}", "play (only|more|lots of|all|a bit of) {artist}",
    "let me hear (something|a song|some songs) by {artist}", "the band is called {artist}, play them", "{artist} songs",
    "i want (some |something by |songs by |){artist}", "play me (something|anything) by {artist}",
    "anything by {artist} would be (fine|nice|great)", "give me some {artist}", "queue (some|something by) {artist}",
)  # fmt: skip
_BY_HELD_OUT = (
    "get some {artist} going", "have you got anything by {artist}, play it", "time for {artist}",
    "throw on something by {artist}", "what about some {artist}", "i could do with some {artist}",
)  # fmt: skip
_BY_IN = (
    f"play (music|songs|something|a song|some music) (by|from) {{artist}} {_IN}", f"play some {{artist}} {_IN}",
    f"play (music|songs|something) by {{artist}} {_SPEAKER}",
    "put on (something|music|songs) by {artist} in the {room}", "put on some {artist} in the {room}",
    "in the {room} play (something|songs|music) by {artist}",
    f"{_WANT} (some |music by |something by |songs by ){{artist}} in the {{room}}",
    "let's have some {artist} in the {room}", "music by {artist} in the {room}", "songs by {artist} in the {room}",
    "the {room} needs some {artist}",
)  # fmt: skip
_BY_IN_HELD_OUT = (
    "get some {artist} going in the {room}",
    "anything by {artist} in the {room}",
    "let me hear some {artist} in the {room}",
)
_SONG = (
    "play the (song|track|tune|piece|record|single|album) <x>", "play a song called <x>",
    "play the (song|track) called <x>", f"{_WANT} to {_HEAR} the (song|track|album) <x>",
    "put on the (song|track|album|record) <x>", "start the song <x>", "let me hear the song <x>",
    "find the song <x> and play it", "the song is called <x>, play it", "play that song <x>",
    "start (playing |)the album <x>", "do you know <x>, play it", "play the album called <x>",
    "put on that song called <x>",
)  # fmt: skip
_SONG_HELD_OUT = ("there's a song called <x>, put it on", "i want the track <x>", "listen to the song <x>")
_STATION = (
    "play (the (station|radio station) |)<x>", "put on (the station |)<x>", "tune (in |)to <x>", "listen to <x>",
    "put <x> on", f"{_WANT} to (listen to|hear) (the station |)<x>", "(turn|switch|set|change|tune) the radio to <x>",
    "radio station <x>", "switch to the (station|channel) <x>", "start (the station |the radio station |)<x>",
    "find the station <x>", "let me hear <x>", "let's listen to <x>", "get <x> on the radio", "play <x> on the radio",
    "change the station to <x>", "i always listen to <x>, put it on", "put the radio on <x>", "the station <x>",
    "stream <x>", "turn on the station <x>", "change (the |)channel to <x>", "i want the (radio |)station <x>",
    "what's on <x>, let me hear it",
)  # fmt: skip
_STATION_HELD_OUT = ("get me the station <x>", "have the radio play <x>", "go to the station <x>", "radio to <x>")
_STATION_IN = (
    "play (the station |)<x> in the {room}", "put on (the station |)<x> in the {room}",
    "tune (in |)to <x> in the {room}", "in the {room} play (the station |)<x>", f"play <x> {_SPEAKER}",
    "listen to <x> in the {room}", "put <x> on in the {room}", f"{_WANT} to listen to <x> in the {{room}}",
    "(tune|set|switch|turn|change) the {room} radio to <x>", "<x> on the {room} radio", "play <x> on the {room} radio",
    "let's hear <x> in the {room}", "in the {room} tune in to <x>", "tune the radio in the {room} to <x>",
    "{room} radio to <x>",
)  # fmt: skip
_STATION_IN_HELD_OUT = (
    "get the station <x> on in the {room}",
    "put the {room} radio on <x>",
    "for the {room} the station <x>",
)
_LIST = "(my|my|the|our) {playlist}"
_EVERYWHERE = (
    "(everywhere|in the whole house|in (all rooms|every room|all the rooms)|all over the house|throughout the house)"
)
_OTHER_IN = (
    "play <x> <in>", "play some <x> <in>", "put on <x> <in>", "put <x> on <in>", "<in> play <x>",
    "put on some <x> <in>", f"{_WANT} to {_HEAR} <x> <in>", f"{_WANT} <x> <in>", "<x> <in>", "let's have <x> <in>",
    "start playing <x> <in>", "let me hear <x> <in>", "have <x> playing <in>", "stream <x> <in>",
)  # fmt: skip
_OTHER_IN_HELD_OUT = ("get <x> going <in>", "<in> put on <x>", "listen to <x> <in>")


def _placed(place: str, *patterns: str) -> tuple[str, ...]:
    return tuple(pattern.replace("<in>", place) for pattern in patterns)


_PLAYED: tuple[Template, ...] = (
    call("play_media", {"what": "$artist"}, weight=1.2,
         train=_with("{artist}", *_PLAY) + _BY, held_out=_with("{artist}", *_PLAY_HELD_OUT) + _BY_HELD_OUT),
    *(call("play_media", {"what": f"${kind}"}, weight=weight,
           train=_with(f"{{{kind}}}", *_PLAY, *_SOME), held_out=_with(f"{{{kind}}}", *_PLAY_HELD_OUT, *_SOME_HELD_OUT))
      for kind, weight in (("genre", 0.8), ("style", 0.7))),
    *(call("play_media", {"what": f"${kind}"}, weight=weight,
           train=_with(f"{{{kind}}}", *_PLAY, *_SONG), held_out=_with(f"{{{kind}}}", *_PLAY_HELD_OUT, *_SONG_HELD_OUT))
      for kind, weight in (("song", 0.6), ("song_by", 1.0))),
    call("play_media", {"what": "$station"}, weight=0.5,
         train=_with("{station}", *_STATION), held_out=_with("{station}", *_STATION_HELD_OUT)),
    call("play_media", {"what": "$playlist"}, weight=0.5,
         train=_with(_LIST, *_PLAY, "start <x>", "go through <x>"), held_out=_with(_LIST, *_PLAY_HELD_OUT)),
    call("play_media", {"what": "$programme"}, weight=0.3,
         train=_with("{programme}", *_PLAY), held_out=_with("{programme}", *_PLAY_HELD_OUT)),
    # In a room.
    call("play_media", {"what": "$artist", "room": "$room"}, weight=0.9,
         train=_with("{artist}", *_PLAY_IN) + _BY_IN, held_out=_with("{artist}", *_PLAY_IN_HELD_OUT) + _BY_IN_HELD_OUT),
    *(call("play_media", {"what": f"${kind}", "room": "$room"}, weight=weight,
           train=_with(f"{{{kind}}}", *_PLAY_IN, *_SOME_IN),
           held_out=_with(f"{{{kind}}}", *_PLAY_IN_HELD_OUT, *_SOME_IN_HELD_OUT))
      for kind, weight in (("genre", 0.6), ("style", 0.5))),
    *(call("play_media", {"what": f"${kind}", "room": "$room"}, weight=weight,
           train=_with(f"{{{kind}}}", *_PLAY_IN), held_out=_with(f"{{{kind}}}", *_PLAY_IN_HELD_OUT))
      for kind, weight in (("song", 0.3), ("song_by", 0.4), ("programme", 0.2))),
    call("play_media", {"what": "$playlist", "room": "$room"}, weight=0.3,
         train=_with(_LIST, *_PLAY_IN), held_out=_with(_LIST, *_PLAY_IN_HELD_OUT)),
    call("play_media", {"what": "$station", "room": "$room"}, weight=0.3,
         train=_with("{station}", *_STATION_IN), held_out=_with("{station}", *_STATION_IN_HELD_OUT)),
    *(call("play_media", {"what": f"${kind}", "room": room}, weight=0.1,
           train=_placed(place, *_with(f"{{{kind}}}", *_OTHER_IN)),
           held_out=_placed(place, *_with(f"{{{kind}}}", *_OTHER_IN_HELD_OUT)))
      for kind in ("artist", "style") for room, place in (("all", _EVERYWHERE), ("$where", "{where}"))),
)  # fmt: skip

_SHOW = "(music|music|song|playback|film|movie|podcast|playlist|radio show)"
_MUSIC = "(music|song|track|playback|sound|film|movie|video|podcast|audio|radio show)"
_ONE = "(song|track|tune|one|piece)"
_CONTROLLED: tuple[Template, ...] = (
    call("control_media", {"action": "pause"}, weight=0.8,
         train=("pause", "pause", f"pause the {_MUSIC}", "pause (it|this|that|playback|playing)", f"hold the {_MUSIC}",
                f"put the {_MUSIC} on (pause|hold)", "take a break from the music",
                "pause the music for a (moment|minute|bit)", "hold on a (second|moment), pause (it|the music)",
                "pause what's playing", "hit pause", "press pause", f"(freeze|halt) the {_MUSIC}",
                f"can the {_MUSIC} wait", "the phone is ringing, pause (it|the music)",
                "someone's at the door, pause (it|the music)", "stop the music for a (moment|minute|second)",
                "music on pause", f"{_WANT} to pause (it|this|the {_MUSIC})", "let's pause (it|this|here|the film)",
                "pause everything", "pause for a moment", "pause there", "i'll be back in a minute, pause it",
                "pause my music", "pause (the tv|whatever is playing)", "put it on (pause|hold)",
                "i have to take a call, pause the music"),
         held_out=("give the music a pause", "pause mode", f"the {_MUSIC} should pause",
                   "i need the music to wait a second", "make it pause", "leave the film on pause")),
    call("control_media", {"action": "resume"}, weight=0.8,
         train=("resume", f"resume the {_MUSIC}", "resume (it|playing|playback|what was playing)",
                f"continue the {_MUSIC}", "(continue|keep|go on|carry on) playing", "continue", "unpause",
                f"unpause (it|the {_MUSIC})", "play on", "carry on( with the music| with the song|)",
                "keep going with the music", "go on with the (music|film|song)", "hit play", "press play",
                "start the music again", "(turn|put|switch) the music back on", "i'm back, (carry on|continue|go on)",
                "(continue|start|pick up|resume) where (i|we) (left off|stopped|were)", "back to the (music|film|song)",
                "you can (play|continue|go on) now", f"let the {_MUSIC} continue", "bring the music back",
                "ok the call is over, continue the music", f"{_WANT} to (continue|go on) (listening|watching)",
                "music back on", "take it off pause", "end the pause", "the break is over, music back on",
                "keep the music going", "continue from where it stopped"),
         held_out=("let it play on", "proceed with the music", "the music can go on", "restart the music where it was",
                   f"get the {_MUSIC} going again", "un-pause it")),
    call("control_media", {"action": "stop"}, weight=0.9,
         train=("stop", "stop", "stop it", f"stop the {_SHOW}", "stop (playing|playback|this|that)", "music off",
                "stop the playlist", f"(turn|switch|shut) off the {_SHOW}", "(turn|switch|shut) the music off",
                f"no more {_SHOW}", "stop everything that is playing", f"end the {_SHOW}", "enough music",
                "that's enough music", "i don't want (any |to hear any |)(more |)music( anymore|)",
                f"(kill|cut) the {_SHOW}", "quit playing", "(stop|end) (playing |)(the |)(music|song|tunes)",
                "i've heard enough", "please no more songs", "we don't need (the |)music (anymore|any longer)",
                "make the music stop", "i want the music off", f"the {_SHOW} (can|should|must) (stop|go off|end)",
                "stop what's playing", "stop that noise", "stop the album",
                "i want (you |it |the music |)to stop (playing|)", "i'm done listening",
                "stop playing (that|this) (song|music)", "have the music stopped", "finish playing"),
         held_out=("music stop", "let's end the music", "put an end to the music", "cease playing",
                   "the music should be off", f"get rid of the {_SHOW}")),
    call("control_media", {"action": "next"}, weight=0.9,
         train=("next", "next", f"next {_ONE}", "skip", f"skip (this|the|that) {_ONE}",
                "skip (it|this|that|ahead|forward)", f"play the next {_ONE}",
                f"(go|jump|move|skip) (on |ahead |)to the next {_ONE}", f"i don't like this {_ONE}", "another song",
                f"(play |put on |)another {_ONE}", f"not this {_ONE}", f"i (hate|can't stand) this {_ONE}",
                f"change (the|this) {_ONE}", f"i('m| am) (tired|bored|sick) of this {_ONE}",
                f"{_WANT} (to hear |)the next {_ONE}",
                f"{_WANT} (to hear |)(another|a different) (song|track|tune|piece)", f"(play |)a different {_ONE}",
                "forward", f"on to the next {_ONE}", "one (song|track) (forward|ahead|further)",
                f"this {_ONE} is (boring|awful|terrible|bad), skip it", "i've heard this one too often", "skip one",
                "the next one", "move on to the next", f"anything but this {_ONE}", "skip to the next", "next up",
                f"the next {_ONE} please", "jump ahead"),
         held_out=("fast forward to the next song", f"leave out this {_ONE}", f"let's have the next {_ONE}",
                   f"i'm not keen on this {_ONE}, next", "pass on this song", "one further",
                   f"get me the next {_ONE}")),
    call("control_media", {"action": "previous"}, weight=0.8,
         train=("previous", f"previous {_ONE}", f"(the |)last {_ONE} again", f"go back (a|one) {_ONE}", "go back",
                "back", f"(go|jump|skip|move) back to the (last|previous) {_ONE}",
                f"play the (previous|last) {_ONE}( again|)", f"play the {_ONE} before( this| that| again|)",
                f"repeat the (last|previous) {_ONE}", f"back to the (last|previous) {_ONE}",
                f"the {_ONE} before( this one| that|)", "one (song|track) back", "skip back",
                f"{_WANT} (to hear |)the (previous|last) {_ONE} again", "i liked the last (one|song), play it again",
                f"return to the (last|previous) {_ONE}", "jump back", "go one back",
                f"that last {_ONE} was (good|great|nice), play it again", "back one",
                f"can i hear the last {_ONE} again", f"go to the previous {_ONE}", f"i missed the last {_ONE}, go back",
                "play what was on before", "play the one from before", "step back a song"),
         held_out=("take me back one song", f"once more the last {_ONE}", f"let's have the previous {_ONE} again",
                   "backwards one track", f"switch back to the {_ONE} before", "the one we just heard again")),
)  # fmt: skip

MEDIA: tuple[Template, ...] = _PLAYED + _CONTROLLED + VOLUME
