"""A vocabulary on its way into a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields, is_object
from edge.tokenizer.vocabulary import SPACE, TokenType

__all__ = ["AddedToken", "Pieces", "read_added"]

_KNOWN_CONTROL = ("<pad>", "<mask>", "<2mass>", "[@BOS@]")


@dataclass(frozen=True, slots=True)
class AddedToken:
    id: int
    text: str
    special: bool

    @property
    def type(self) -> TokenType:
        """Texts that look like marks count as such, as for llama.cpp's converter: no user's text may become them."""
        return TokenType.CONTROL if self.special or _looks_special(self.text) else TokenType.USER_DEFINED


@dataclass(slots=True)
class Pieces:
    """Texts, types and scores by id, filled from several files. model: GGUF's name of the kind of tokenizer.

    keys: what else goes behind "tokenizer.ggml.". special: ids of special tokens that the vocabulary itself names, by
    the same keys. add_bos: what the tokenizer does when its settings do not say.
    """

    path: Path
    model: str
    pre: str
    texts: dict[int, str] = field(default_factory=dict[int, str])
    types: dict[int, TokenType] = field(default_factory=dict[int, TokenType])
    scores: dict[int, float] | None = None
    keys: dict[str, Any] = field(default_factory=dict[str, Any])
    special: dict[str, int] = field(default_factory=dict[str, int])
    add_bos: bool = False
    add_eos: bool = False
    notes: list[str] = field(default_factory=list[str])

    def add(self, added: AddedToken) -> None:
        """Puts a token that was added to the vocabulary in its place."""
        kind = self.types.get(added.id)
        if kind not in (TokenType.UNKNOWN, TokenType.BYTE):  # these keep their meaning
            self.types[added.id] = added.type
        shown = added.text if self.types[added.id] is not TokenType.USER_DEFINED else added.text.replace(SPACE, " ")
        self.texts[added.id] = shown
        if self.scores is not None:
            self.scores.setdefault(added.id, -1000.0)

    def ids(self) -> dict[str, int]:
        return {text: index for index, text in self.texts.items()}

    def lists(self, count: int) -> tuple[list[str], list[int], list[float] | None]:
        """Texts, types and scores of `count` tokens; what is not there is a token that is never used.

        BadModelFile: ids beyond the model's, or two tokens of one text.
        """
        highest = max(self.texts, default=-1)
        if highest >= count:
            raise BadModelFile(
                self.path,
                f"token {highest} is {quoted(self.texts[highest])}, but the model has {count} rows of embeddings",
            )
        if not self.texts:
            raise BadModelFile(self.path, "holds no token")
        texts = [self.texts.get(index, f"[PAD{index}]") for index in range(count)]
        first: dict[str, int] = {}
        for index, text in enumerate(texts):
            if first.setdefault(text, index) != index:
                raise BadModelFile(self.path, f"tokens {first[text]} and {index} are both {quoted(text)}")
        kinds = [int(self.types.get(index, TokenType.UNUSED)) for index in range(count)]
        scores = None if self.scores is None else [self.scores.get(index, -10000.0) for index in range(count)]
        return texts, kinds, scores


def read_added(where: Fields, entries: Mapping[int, Any] | list[Any]) -> list[AddedToken]:
    """Added tokens: a list of objects with an id (tokenizer.json), or objects by id (tokenizer_config.json)."""
    pairs = list(entries.items()) if isinstance(entries, Mapping) else [(None, entry) for entry in entries]
    found: list[AddedToken] = []
    for index, entry in pairs:
        if not is_object(entry):
            raise BadModelFile(where.path, "an added token must be an object")
        fields = Fields(where.path, entry, "added_tokens.")
        number = index if index is not None else fields.get_int("id", minimum=0, maximum=2**24)
        text = fields.get_str("content")
        if not text:
            raise BadModelFile(where.path, f"the added token {number} is empty")
        found.append(AddedToken(number, text, fields.get_bool("special", False)))
    return found


def _looks_special(text: str) -> bool:
    return (
        text in _KNOWN_CONTROL
        or (text.startswith("<|") and text.endswith("|>"))
        or (text.startswith("<｜") and text.endswith("｜>"))
        or (text.startswith("<unused") and text.endswith(">"))
    )
