"""tokenizer.json with WordPiece, as BERT has it, becomes GGUF's "bert"."""

from __future__ import annotations

from typing import Any

from edge.errors import UnsupportedModel
from edge.export.tokenizers.pieces import Pieces, read_added
from edge.export.tokenizers.settings import template_ends
from edge.export.tokenizers.tokenizer_json import vocabulary_of
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields
from edge.tokenizer.vocabulary import SPACE, TokenType
from edge.tokenizer.wordpiece import CONTINUED

__all__ = ["from_wordpiece", "is_wordpiece"]

_LONGEST_WORD = 100  # characters; longer ones are unknown, and GGUF cannot say another limit


def is_wordpiece(tokenizer: Fields) -> bool:
    model = tokenizer.get_object("model")
    return model is not None and model.get_str("type", "") == "WordPiece"


def from_wordpiece(tokenizer: Fields) -> Pieces:
    """BadModelFile: malformed. UnsupportedModel: GGUF cannot say what it does."""
    model = tokenizer.get_object("model")
    assert model is not None
    prefix = model.get_str("continuing_subword_prefix", CONTINUED)
    _require(prefix == CONTINUED, tokenizer, f"words go on with {quoted(prefix)} instead of {CONTINUED!r}")
    longest = model.get_int("max_input_chars_per_word", _LONGEST_WORD, minimum=1, maximum=2**31)
    _require(longest == _LONGEST_WORD, tokenizer, f"words have up to {longest} characters instead of {_LONGEST_WORD}")
    before = tokenizer.get_object("pre_tokenizer")
    _require(before is not None and before.get_str("type") == "BertPreTokenizer", tokenizer,
             "words are not cut as BERT's are")  # fmt: skip
    pieces = Pieces(tokenizer.path, "bert", "default")
    unknown = model.get_str("unk_token", "[UNK]")
    added = read_added(tokenizer, tokenizer.get_list("added_tokens", []))
    marks = {token.text for token in added if token.special} | {unknown}
    for text, index in vocabulary_of(model).items():
        is_mark = text in marks
        pieces.texts[index] = text if is_mark else text.removeprefix(CONTINUED) if _continues(text) else SPACE + text
        pieces.types[index] = TokenType.CONTROL if is_mark else TokenType.NORMAL
    for token in added:
        _require(pieces.texts.get(token.id, token.text) == token.text or not token.special, tokenizer,
                 f"{quoted(token.text)} is no token of the vocabulary")  # fmt: skip
        if token.id not in pieces.texts:
            pieces.add(token)
    _normalizer(tokenizer, pieces)
    _ends(tokenizer, pieces)
    if unknown not in pieces.ids():
        raise UnsupportedModel(tokenizer.path, f"{quoted(unknown)}, which unknown words become, is no token")
    pieces.keys["unknown_token_id"] = pieces.ids()[unknown]
    return pieces


def _ends(tokenizer: Fields, pieces: Pieces) -> None:
    """The marks around every text."""
    first, last = template_ends(tokenizer)
    processor = tokenizer.get_object("post_processor")
    if processor is not None and processor.get_str("type") == "BertProcessing":
        first, last = (_first_text(processor.get_list(key)) for key in ("cls", "sep"))
    ids = pieces.ids()
    if first not in ids or last not in ids:
        raise UnsupportedModel(tokenizer.path, "no mark begins a text and another ends it, which GGUF's WordPiece does")
    pieces.keys |= {"cls_token_id": ids[first], "bos_token_id": ids[first], "seperator_token_id": ids[last]}


def _first_text(pair: list[Any]) -> str | None:
    return pair[0] if pair and isinstance(pair[0], str) else None


def _continues(text: str) -> bool:
    return text.startswith(CONTINUED) and text != CONTINUED


def _normalizer(tokenizer: Fields, pieces: Pieces) -> None:
    """Case and accents have keys; what else BERT's normaliser does is taken for granted."""
    normalizer = tokenizer.get_object("normalizer")
    if normalizer is None or normalizer.get_str("type") != "BertNormalizer":
        raise UnsupportedModel(tokenizer.path, "text is not normalised as BERT's is, which GGUF cannot say")
    for key in ("clean_text", "handle_chinese_chars"):
        _require(normalizer.get_bool(key, True), tokenizer, f"key 'normalizer.{key}' is false")
    pieces.keys["normalizer.lowercase"] = normalizer.get_bool("lowercase", True)
    if normalizer.has("strip_accents"):
        pieces.keys["normalizer.strip_accents"] = normalizer.get_bool("strip_accents")


def _require(holds: bool, tokenizer: Fields, reason: str) -> None:
    if not holds:
        raise UnsupportedModel(tokenizer.path, f"{reason}, which GGUF cannot say for WordPiece")
