"""Which tools a request is shown: the full list while that is cheap, otherwise those nearest to its words.

Ranking is BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009) over names, descriptions and
arguments. A tool that is missing is fatal and one too many only costs tokens, so ties and unknown words add tools.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from edge.assistant.tool import Tool

__all__ = ["Embedded", "Embeds", "Lexical", "Ranker", "shortlist"]

_WORD = re.compile(r"[a-z]+|\d+")
_K1, _B = 1.2, 0.5
_STEM = re.compile(r"(?:ings?|ed|es|s|er|e)$")
# Words of requests for words of tools; both sides are stemmed.
_SAME = {
    "lamp": "light", "dim": "light", "dark": "light", "bright": "light brightness", "warm": "heat", "cold": "heat",
    "hot": "heat", "degree": "temperature", "music": "play", "song": "play", "wake": "alarm", "remember": "remind",
    "forget": "remind", "buy": "list shopping", "grocery": "list", "shopping": "list", "loud": "volume",
    "quiet": "volume", "mute": "volume", "louder": "volume", "plus": "sum", "minus": "sum", "times": "sum",
    "divided": "sum", "percent": "sum", "rain": "weather", "meeting": "calendar event", "appointment": "calendar event",
    "schedule": "calendar event", "reboot": "restart computer", "note": "write note", "folder": "files",
    "document": "file", "wifi": "setting", "bluetooth": "setting", "mode": "setting", "pause": "playing",
    "skip": "playing next", "track": "playing", "countdown": "timer", "minute": "timer", "hour": "time",
    "clock": "time", "kilo": "units", "mile": "units", "inch": "units", "pound": "units",
    "kilometre": "units", "metre": "units", "gram": "units", "litre": "units", "ounce": "units", "feet": "units",
    "celsius": "units", "fahrenheit": "units", "gallon": "units", "launch": "open",
    "start": "open switch", "unlock": "lock", "battery": "computer battery", "plug": "device socket",
}  # fmt: skip


class Ranker(Protocol):
    """Scores tools for a request, in their order; more is nearer."""

    def scores(self, request: str, tools: Sequence[Tool]) -> list[float]: ...


class Lexical:
    """BM25 without anything to load."""

    def scores(self, request: str, tools: Sequence[Tool]) -> list[float]:
        texts = [Counter(_words(_text(tool))) for tool in tools]
        mean = sum(text.total() for text in texts) / max(1, len(texts))
        wanted = set(_words(request))
        for word in tuple(wanted):
            wanted |= {_stem(other) for other in _EXPANDED.get(word, ())}
        inverse = {word: _idf(sum(word in text for text in texts), len(texts)) for word in wanted}
        return [
            sum(
                inverse[word] * text[word] * (_K1 + 1) / (text[word] + _K1 * (1 - _B + _B * text.total() / mean))
                for word in wanted
                if text[word]
            )
            for text in texts
        ]


class Embeds(Protocol):
    """A part of an encoder that `edge.load` gives: rows of length 1, (n, width)."""

    def embed(self, texts: Sequence[str]) -> Any: ...


class Embedded:
    """Cosine of an encoder's vectors. Tools are embedded once."""

    def __init__(self, encoder: Embeds) -> None:
        self._encoder = encoder
        self._rows: dict[str, Any] = {}

    def scores(self, request: str, tools: Sequence[Tool]) -> list[float]:
        texts = [f"{tool.name.replace('_', ' ')}: {tool.description}" for tool in tools]
        new = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if new:
            self._rows.update(zip(new, self._encoder.embed(new), strict=True))
        (wanted,) = self._encoder.embed([request])
        return [float(self._rows[text] @ wanted) for text in texts]


def shortlist(
    request: str, tools: Sequence[Tool], count: int, *, ranker: Ranker | None = None, keep: Collection[str] = ()
) -> list[Tool]:
    """At most `count` tools nearest to the request, and those named in `keep`, in the order of the list: lists that
    begin alike share their KV."""
    scores = (Lexical() if ranker is None else ranker).scores(request, tools)
    order = sorted(range(len(tools)), key=lambda index: (-scores[index], index))[:count]
    chosen = {index for index in order} | {index for index, tool in enumerate(tools) if tool.name in keep}
    return [tool for index, tool in enumerate(tools) if index in chosen]


def _idf(holding: int, total: int) -> float:
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def _text(tool: Tool) -> str:
    name = tool.name.replace("_", " ")
    arguments = " ".join(
        f"{key} {about.get('description', '')}" for key, about in tool.parameters.get("properties", {}).items()
    )
    return f"{name} {name} {tool.description} {tool.description} {arguments}"


def _words(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.casefold())]


def _stem(word: str) -> str:
    return _STEM.sub("", word) if len(word) > 4 else word


_EXPANDED = {_stem(word): tuple(others.split()) for word, others in _SAME.items()}
