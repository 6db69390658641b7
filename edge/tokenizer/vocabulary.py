"""A tokenizer's vocabulary as a model file states it, checked, and nothing more: no list of the token texts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from edge.errors import BadModelFile, UnsupportedModel

if TYPE_CHECKING:
    from edge.formats import GGUFFile

__all__ = ["SPACE", "TokenType", "Vocabulary"]

SPACE = "\u2581"  # stands for a space in the token texts of SentencePiece and its kin
MODELS = {"gpt2": "byte-level BPE", "llama": "SentencePiece BPE", "bert": "WordPiece"}
MAX_TOKENS = 1 << 24  # keeps every index of the engine and of the tokenizers library far inside 32 bits
_PREFIX = "tokenizer.ggml."


class TokenType(IntEnum):
    """`tokenizer.ggml.token_type`, as the GGUF specification numbers it."""

    UNDEFINED = 0
    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the keys `tokenizer.ggml.*` say. None means that the file does not say it.

    Raises BadModelFile naming key, value and limit when the keys contradict each other, UnsupportedModel for kinds of
    tokenizer that edge does not have. Duplicate tokens are found when the tokenizer is built.
    """

    path: str  # named in errors
    model: str  # a key of MODELS
    tokens: Sequence[str]
    types: Sequence[int] | None = None  # TokenType of each token
    scores: Sequence[float] | None = None  # "llama": a higher score merges first
    merges: Sequence[str] | None = None  # "gpt2": "left right", the first merges first
    pre: str | None = None  # "gpt2": how text is cut into words
    bos_id: int | None = None
    eos_id: int | None = None
    eot_id: int | None = None
    eom_id: int | None = None
    unk_id: int | None = None
    fim_pad_id: int | None = None
    fim_rep_id: int | None = None
    fim_sep_id: int | None = None
    add_bos: bool | None = None
    add_eos: bool | None = None
    add_space_prefix: bool | None = None
    cls_id: int | None = None  # "bert": as these
    sep_id: int | None = None
    pad_id: int | None = None
    mask_id: int | None = None
    lowercase: bool | None = None
    strip_accents: bool | None = None
    model_name: str = ""  # general.name: some models strip the text around special tokens, and only it tells

    def __post_init__(self) -> None:
        if self.model not in MODELS:
            known = ", ".join(f"{name!r} ({what})" for name, what in MODELS.items())
            raise UnsupportedModel(self.path, f"key '{_PREFIX}model' is {self.model!r}, edge has {known}")
        count = len(self.tokens)
        if not 1 <= count <= MAX_TOKENS:
            self._fail("tokens", f"has {count} entries, it must have 1 to {MAX_TOKENS}")
        self._check_length("token_type", self.types)
        self._check_length("scores", self.scores)
        if self.types is not None:
            self._check_types(self.types)
        for key, token_id in self.special_ids().items():
            if token_id is not None and not 0 <= token_id < count:
                self._fail(key, f"is {token_id}, it must be at most {count - 1}, the last of {count} tokens")
        if self.model == "gpt2" and self.merges is None:
            raise BadModelFile(self.path, f"missing key '{_PREFIX}merges', which model 'gpt2' needs")
        if self.model == "llama" and self.scores is not None:
            nan = next((index for index, score in enumerate(self.scores) if math.isnan(score)), None)
            if nan is not None:
                self._fail("scores", f"is nan at entry {nan}, it must be a number")

    @classmethod
    def from_gguf(cls, file: GGUFFile) -> Vocabulary:
        """Read the keys of an open file. What a tokenizer reads only while it is built stays a view of the file."""

        def token_id(key: str, *older: str) -> int | None:
            for name in (key, *older):
                value = file.get_int(_PREFIX + name, None)
                if value is not None:
                    return value
            return None

        def has(key: str) -> bool:
            return file.has(_PREFIX + key)

        return cls(
            path=str(file.path),
            model=file.get_str(_PREFIX + "model"),
            tokens=file.get_strings(_PREFIX + "tokens").copied(),
            types=file.get_ints(_PREFIX + "token_type") if has("token_type") else None,
            scores=file.get_floats(_PREFIX + "scores") if has("scores") else None,
            merges=file.get_strings(_PREFIX + "merges") if has("merges") else None,
            pre=file.get_str(_PREFIX + "pre", None),
            bos_id=token_id("bos_token_id"),
            eos_id=token_id("eos_token_id"),
            eot_id=token_id("eot_token_id"),
            eom_id=token_id("eom_token_id"),
            unk_id=token_id("unknown_token_id"),
            fim_pad_id=token_id("fim_pad_token_id"),
            fim_rep_id=token_id("fim_rep_token_id"),
            fim_sep_id=token_id("fim_sep_token_id"),
            add_bos=file.get_bool(_PREFIX + "add_bos_token", None),
            add_eos=file.get_bool(_PREFIX + "add_eos_token", None),
            add_space_prefix=file.get_bool(_PREFIX + "add_space_prefix", None),
            cls_id=token_id("cls_token_id"),
            sep_id=token_id("seperator_token_id"),
            pad_id=token_id("padding_token_id"),
            mask_id=token_id("mask_token_id"),
            lowercase=file.get_bool(_PREFIX + "normalizer.lowercase", None),
            strip_accents=file.get_bool(_PREFIX + "normalizer.strip_accents", None),
            model_name=file.get_str("general.name", ""),
        )

    def special_ids(self) -> dict[str, int | None]:
        """The ids that the file names, by key without its prefix."""
        marks = {
            "cls_token_id": self.cls_id,
            "seperator_token_id": self.sep_id,
            "padding_token_id": self.pad_id,
            "mask_token_id": self.mask_id,
        }
        return (marks if self.model == "bert" else {}) | {
            "bos_token_id": self.bos_id,
            "eos_token_id": self.eos_id,
            "eot_token_id": self.eot_id,
            "eom_token_id": self.eom_id,
            "unknown_token_id": self.unk_id,
            "fim_pad_token_id": self.fim_pad_id,
            "fim_rep_token_id": self.fim_rep_id,
            "fim_sep_token_id": self.fim_sep_id,
        }

    def text_ids(self) -> dict[str, int]:
        """Token text -> id. Empty tokens are left out: they stand for ids that the model never uses."""
        ids = dict(zip(self.tokens, range(len(self.tokens)), strict=True))
        if len(ids) != len(self.tokens):
            self._refuse_duplicates()
        ids.pop("", None)
        return ids

    def _refuse_duplicates(self) -> None:
        first: dict[str, int] = {}
        for index, text in enumerate(self.tokens):
            other = first.setdefault(text, index)
            if other != index and text:
                self._fail("tokens", f"has {text[:80]!r} at {other} and at {index}, every token must be different")

    def _check_length(self, key: str, values: Sequence[int] | Sequence[float] | None) -> None:
        if values is not None and len(values) != len(self.tokens):
            self._fail(key, f"has {len(values)} entries, it must have {len(self.tokens)}, one for each token")

    def _check_types(self, types: Sequence[int]) -> None:
        try:
            if not bytes(iter(types)).translate(None, bytes(TokenType)):
                return
        except ValueError:  # not in 0 to 255
            pass
        index = next(i for i, kind in enumerate(types) if not TokenType.UNDEFINED <= kind <= TokenType.BYTE)
        self._fail("token_type", f"is {types[index]} at entry {index}, it must be 0 to {int(TokenType.BYTE)}")

    def _fail(self, key: str, message: str) -> None:
        raise BadModelFile(self.path, f"key '{_PREFIX}{key}' {message}")
