"""tokenizer.model: a SentencePiece model, read from its protocol buffer by hand; of the format only what is needed.

Field numbers: google/sentencepiece, src/sentencepiece_model.proto. Its piece types are GGUF's token types.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.tokenizers.pieces import Pieces
from edge.formats.cursor import quoted
from edge.tokenizer.vocabulary import SPACE, TokenType

__all__ = ["from_sentencepiece"]

MAX_TOKENS = 1 << 24
_BPE = 2
_PIECES, _TRAINER, _NORMALIZER = 1, 2, 3
_MODEL_TYPE, _SUFFIX = 3, 24  # of the trainer
_CHARSMAP, _DUMMY_PREFIX, _EXTRA_SPACES, _ESCAPE = 2, 3, 4, 5  # of the normalizer
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def from_sentencepiece(path: Path, data: bytes) -> Pieces:
    """Texts, types and scores. BadModelFile: not such a model. UnsupportedModel: GGUF cannot say what it does."""
    pieces = Pieces(path, "llama", "default", scores={}, add_bos=True)
    trainer: dict[int, int | bytes] = {}
    normalizer: dict[int, int | bytes] = {}
    assert pieces.scores is not None
    for field, value in _fields(path, data, 0, "the model"):
        if field == _PIECES:
            index = len(pieces.texts)
            if index >= MAX_TOKENS:
                raise BadModelFile(path, f"has more than {MAX_TOKENS} pieces")
            text, score, kind = _piece(path, index, value)
            pieces.texts[index] = text.replace(SPACE, " ") if kind is TokenType.USER_DEFINED else text
            pieces.scores[index], pieces.types[index] = score, kind
        elif field in (_TRAINER, _NORMALIZER):
            into = trainer if field == _TRAINER else normalizer
            into.update(_fields(path, _message(path, value, "a part of the model"), 0, "a part of the model"))
    if not pieces.texts:
        raise BadModelFile(path, "holds no piece: is it a SentencePiece model?")
    _check(path, trainer, normalizer)
    pieces.keys["add_space_prefix"] = bool(normalizer.get(_DUMMY_PREFIX, 1))
    return pieces


def _check(path: Path, trainer: dict[int, int | bytes], normalizer: dict[int, int | bytes]) -> None:
    """Refuses what llama.cpp and edge would compute otherwise."""
    kind = trainer.get(_MODEL_TYPE, 1)
    if kind != _BPE:
        raise UnsupportedModel(path, f"a SentencePiece model of type {kind!r}; edge exports 2 (BPE)")
    if trainer.get(_SUFFIX, 0):
        raise UnsupportedModel(path, "marks spaces behind words, which GGUF cannot say")
    if normalizer.get(_CHARSMAP, b""):
        raise UnsupportedModel(path, "normalises characters, which GGUF cannot say for this kind of tokenizer")
    if normalizer.get(_EXTRA_SPACES, 1):
        raise UnsupportedModel(path, "removes extra spaces, which GGUF cannot say for this kind of tokenizer")
    if not normalizer.get(_ESCAPE, 1):
        raise UnsupportedModel(path, f"does not write spaces as {SPACE!r}, which GGUF cannot say")


def _piece(path: Path, index: int, value: int | bytes) -> tuple[str, float, TokenType]:
    what = f"piece {index}"
    text, score, kind = "", 0.0, 1
    for field, part in _fields(path, _message(path, value, what), 0, what):
        if field == 1:
            try:
                text = _message(path, part, what).decode()
            except UnicodeDecodeError as error:
                raise BadModelFile(path, f"{what} is not UTF-8 at byte {error.start}") from None
        elif field == 2:
            if not isinstance(part, bytes) or len(part) != 4:
                raise BadModelFile(path, f"{what}: the score is not a float")
            score = struct.unpack("<f", part)[0]
        elif field == 3:
            kind = part if isinstance(part, int) else 0
    if not text:
        raise BadModelFile(path, f"{what} is empty")
    if not math.isfinite(score):
        raise BadModelFile(path, f"{what}, {quoted(text)}: the score is {score}, wanted a finite number")
    if not 1 <= kind <= 6:
        raise BadModelFile(path, f"{what}, {quoted(text)}: type {kind}, wanted 1 to 6")
    return text, score, TokenType(kind)


def _message(path: Path, value: int | bytes, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise BadModelFile(path, f"{what} is a number, wanted bytes")
    return value


def _fields(path: Path, data: bytes, start: int, what: str) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of a message: integers as numbers, everything else as bytes."""
    position, end = start, len(data)
    while position < end:
        tag, position = _varint(path, data, position, what)
        field, wire = tag >> 3, tag & 7
        if field == 0:
            raise BadModelFile(path, f"byte {position} of {what}: field number 0: is it a SentencePiece model?")
        if wire == _VARINT:
            value, position = _varint(path, data, position, what)
            yield field, value
            continue
        if wire == _BYTES:
            size, position = _varint(path, data, position, what)
        elif wire in (_FIXED32, _FIXED64):
            size = 4 if wire == _FIXED32 else 8
        else:
            raise BadModelFile(path, f"byte {position} of {what}: wire type {wire}: is it a SentencePiece model?")
        if size > end - position:
            raise BadModelFile(path, f"byte {position} of {what}: {size} bytes wanted, {end - position} are left")
        yield field, data[position : position + size]
        position += size


def _varint(path: Path, data: bytes, position: int, what: str) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise BadModelFile(path, f"byte {position} of {what}: a number is cut off")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise BadModelFile(path, f"byte {position} of {what}: a number of more than 10 bytes")
