"""The text that damage is measured on, cut into windows of tokens."""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import edge
from edge.errors import Cancelled, RequestError

if TYPE_CHECKING:
    from edge.model import Model
    from edge.tokenizer import Tokenizer

__all__ = ["MIN_POSITIONS", "MIN_WINDOW", "Passage", "read_text", "shipped_text", "windows_of", "written_by"]

MIN_POSITIONS = 256  # a 99th percentile of fewer is the luck of two or three tokens
MIN_WINDOW = 16  # tokens; what is left over at the end of a text and is shorter is not measured
_CHARACTERS_PER_TOKEN = 16  # no text has so many for long: as much of a file is tokenized as can be needed
SHIPPED = "damage_text.txt"


class Passage(NamedTuple):
    """name: for the reader. sha256: of the whole text, or of the token ids that a model wrote. windows: token ids, each
    read by itself from position 0.
    """

    name: str
    sha256: str
    windows: tuple[tuple[int, ...], ...]

    @property
    def num_positions(self) -> int:
        """Tokens that are predicted: all but the first of every window."""
        return sum(len(window) - 1 for window in self.windows)


def read_text(path: str | os.PathLike[str]) -> tuple[str, str, bytes]:
    """(name, text, bytes) of a UTF-8 file. RequestError where it cannot be read."""
    path = Path(path)
    try:
        raw = path.read_bytes()
        return path.name, raw.decode(), raw
    except OSError as error:
        raise RequestError(f"text {path}: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise RequestError(f"text {path}: byte {error.start} is not UTF-8") from None


def shipped_text() -> tuple[str, str, bytes]:
    """(name, text, bytes) of the small varied text that comes with edge. It is no calibration text."""
    for folder in edge.__path__:
        path = Path(folder) / "assets" / SHIPPED
        if path.is_file():
            _, text, raw = read_text(path)
            return "shipped text", text, raw
    raise RequestError(f"the shipped text {SHIPPED} is missing from this installation; give --text FILE")


def windows_of(source: tuple[str, str, bytes], tokenizer: Tokenizer, window: int, max_tokens: int) -> Passage:
    """The first `max_tokens` tokens of a text in windows of `window`. RequestError when it is too short."""
    name, text, raw = source
    ids = tokenizer.encode(text[: max_tokens * _CHARACTERS_PER_TOKEN], add_special=False)[:max_tokens]
    begin = (tokenizer.bos_id,) if tokenizer.add_bos and tokenizer.bos_id is not None else ()
    size = window - len(begin)
    parts = (ids[start : start + size] for start in range(0, len(ids), size))
    passage = Passage(
        name, hashlib.sha256(raw).hexdigest(), tuple((*begin, *part) for part in parts if len(part) >= MIN_WINDOW)
    )
    return _long_enough(passage)


def written_by(model: Model, count: int, length: int, seed: int) -> Passage:
    """`count` texts of up to `length` tokens that the model itself samples at temperature 1: what it was made for."""
    tokenizer = model.tokenizer
    first = tokenizer.bos_id if tokenizer.bos_id is not None else tokenizer.eos_id
    start = [0 if first is None else first]
    texts: list[tuple[int, ...]] = []
    for number in range(count):
        said = model.generate(start, temperature=1.0, max_tokens=length - 1, seed=seed + number)
        if said.finish_reason == "cancelled":
            raise Cancelled("cancelled while a text was written")
        texts.append((*start, *said.tokens))
    windows = tuple(text for text in texts if len(text) > 1)
    return _long_enough(Passage(f"its own, {count} texts, seed {seed}", _hash(texts), windows))


def _hash(texts: Sequence[tuple[int, ...]]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(array("i", [len(text), *text]).tobytes())
    return digest.hexdigest()


def _long_enough(passage: Passage) -> Passage:
    if passage.num_positions < MIN_POSITIONS:
        raise RequestError(
            f"text {passage.name!r} has {passage.num_positions} tokens to predict in this model's vocabulary, "
            f"at least {MIN_POSITIONS} are needed; give a longer text"
        )
    return passage
