"""tokenizer.json: byte-level BPE becomes GGUF's "gpt2", BPE over characters with byte tokens becomes "llama"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.tokenizers.definitions import pre_tokenizer_name
from edge.export.tokenizers.merge_scores import scores_of
from edge.export.tokenizers.pieces import Pieces, read_added
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields, is_list, is_object
from edge.tokenizer.vocabulary import SPACE, TokenType

__all__ = ["from_tokenizer_json", "is_byte_level", "merged_vocabulary", "vocabulary_of"]

MAX_TOKENS = 1 << 24
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")


def is_byte_level(tokenizer: Fields) -> bool:
    """Whether tokens are of bytes, not of characters. UnsupportedModel: neither kind of BPE."""
    model = _model(tokenizer)
    if model.get_bool("byte_fallback", False):
        return False
    if "ByteLevel" in str(tokenizer.value("pre_tokenizer")) or "ByteLevel" in str(tokenizer.value("decoder")):
        return True
    raise UnsupportedModel(tokenizer.path, "a BPE without bytes: characters that it lacks would be lost")


def from_tokenizer_json(tokenizer: Fields) -> Pieces:
    """Texts, types and scores or merges. BadModelFile: malformed. UnsupportedModel: GGUF cannot say what it does."""
    model = _model(tokenizer)
    vocabulary = merged_vocabulary(tokenizer)
    merges = _merges(model)
    added = read_added(tokenizer, tokenizer.get_list("added_tokens", []))
    if is_byte_level(tokenizer):
        pieces = Pieces(
            tokenizer.path,
            "gpt2",
            pre_tokenizer_name(tokenizer, ignore_merges=model.get_bool("ignore_merges", False)),
        )
        _check_normalizer_of_bytes(tokenizer, pieces)
        pieces.keys["merges"] = _joined(tokenizer, merges, vocabulary)
    else:
        pieces = Pieces(tokenizer.path, "llama", "default")
        pieces.keys["add_space_prefix"] = _space_prefix(tokenizer)
        if model.get_bool("ignore_merges", False):
            raise UnsupportedModel(tokenizer.path, "'ignore_merges' has no counterpart in GGUF for this kind of BPE")
    pieces.texts = {index: text for text, index in vocabulary.items()}
    pieces.types = dict.fromkeys(pieces.texts, TokenType.NORMAL)
    if pieces.model == "llama":
        _type_characters(pieces, model)
        plain = {token.text for token in added} | {t for i, t in pieces.texts.items() if pieces.types[i] != 1}
        ids = {text: index for text, index in vocabulary.items() if text not in plain}
        kept = [pair for pair in merges if pair[0] in ids and pair[1] in ids and pair[0] + pair[1] in ids]
        pieces.scores = scores_of(tokenizer.path, ids, kept)
    for token in added:
        pieces.add(token)
    return pieces


def merged_vocabulary(tokenizer: Fields) -> dict[str, int]:
    """Token text -> id of the model itself. UnsupportedModel: it is no BPE."""
    return vocabulary_of(_model(tokenizer))


def vocabulary_of(model: Fields) -> dict[str, int]:
    """Token text -> id."""
    vocabulary = model.get_object("vocab")
    if vocabulary is None:
        raise BadModelFile(model.path, "missing key 'model.vocab'")
    found: dict[str, int] = {}
    seen: dict[int, str] = {}
    for text in vocabulary.keys():
        index = vocabulary.get_int(text, minimum=0, maximum=MAX_TOKENS - 1)
        vocabulary.check_text(text, text)
        if index in seen:
            raise BadModelFile(
                model.path, f"key 'model.vocab': {quoted(seen[index])} and {quoted(text)} are both token {index}"
            )
        seen[index] = text
        found[text] = index
    return found


def _model(tokenizer: Fields) -> Fields:
    model = tokenizer.get_object("model")
    if model is None:
        raise BadModelFile(tokenizer.path, "missing key 'model'")
    kind = model.get_str("type", "BPE")
    if kind != "BPE":
        raise UnsupportedModel(tokenizer.path, f"a tokenizer of type {quoted(kind)}; edge exports BPE")
    for key in ("continuing_subword_prefix", "end_of_word_suffix"):
        if model.get_str(key, ""):
            raise UnsupportedModel(tokenizer.path, f"key 'model.{key}' has no counterpart in GGUF")
    if model.get_float("dropout", 0.0):
        raise UnsupportedModel(tokenizer.path, "key 'model.dropout' makes tokens random")
    return model


def _merges(model: Fields) -> list[tuple[str, str]]:
    """Pairs, written as "left right" or as [left, right]."""
    pairs: list[tuple[str, str]] = []
    for index, entry in enumerate(model.get_list("merges")):
        parts: Any = entry.split(" ") if isinstance(entry, str) else entry
        if not is_list(parts) or len(parts) != 2:
            model.fail("merges", f"at {index} is not two tokens")
        left, right = parts
        if not (isinstance(left, str) and isinstance(right, str) and left and right):
            model.fail("merges", f"at {index} is not two tokens")
        pairs.append((left, right))
    return pairs


def _joined(tokenizer: Fields, merges: list[tuple[str, str]], vocabulary: Mapping[str, int]) -> list[str]:
    """Merges as GGUF writes them."""
    for index, (left, right) in enumerate(merges):
        if " " in left or " " in right:
            raise UnsupportedModel(tokenizer.path, f"merge {index} holds a space, which GGUF cannot say")
        for text in (left, right, left + right):
            if text not in vocabulary:
                raise BadModelFile(tokenizer.path, f"merge {index} needs {quoted(text)}, which is not a token")
    return [f"{left} {right}" for left, right in merges]


def _check_normalizer_of_bytes(tokenizer: Fields, pieces: Pieces) -> None:
    normalizer = tokenizer.get_object("normalizer")
    if normalizer is None:
        return
    kind = normalizer.get_str("type")
    if kind == "Sequence" and not normalizer.get_list("normalizers"):
        return
    if kind != "NFC":
        raise UnsupportedModel(tokenizer.path, f"normalizer {quoted(kind)} has no counterpart in GGUF")
    pieces.notes.append(
        "the tokenizer composes characters (NFC) before it cuts them, which GGUF cannot say: text with letters and "
        "accents apart becomes other tokens than in Hugging Face's"
    )


def _space_prefix(tokenizer: Fields) -> bool:
    """Whether a space is put before the text; UnsupportedModel for anything that does more than mark spaces."""
    prefix = escaped = False
    before = _sequence(tokenizer, "normalizer", "normalizers")
    for step in [*before, *_sequence(tokenizer, "pre_tokenizer", "pretokenizers")]:
        kind = step.get_str("type")
        if kind == "Prepend" and step.get_str("prepend") == SPACE:
            prefix = True
        elif kind == "Replace" and _replaced(step) == (" ", SPACE):
            escaped = True
        elif kind == "Metaspace" and step.get_str("replacement") == SPACE and not step.get_bool("split", True):
            prefix |= step.get_str("prepend_scheme", "always") != "never"
            escaped = True
        elif kind == "Split" and escaped and _replaced(step)[0] == " ":
            pass  # no space is left to split at
        else:
            raise UnsupportedModel(tokenizer.path, f"the step {quoted(kind)} has no counterpart in GGUF")
    if not escaped:
        raise UnsupportedModel(tokenizer.path, f"spaces are not written as {SPACE!r}, which GGUF cannot say")
    return prefix


def _replaced(step: Fields) -> tuple[str, str]:
    pattern = step.get_object("pattern")
    return ("" if pattern is None else pattern.get_str("String", "")), step.get_str("content", "")


def _sequence(tokenizer: Fields, key: str, inner: str) -> list[Fields]:
    step = tokenizer.get_object(key)
    if step is None:
        return []
    if step.get_str("type") != "Sequence":
        return [step]
    found: list[Fields] = []
    for entry in step.get_list(inner):
        if not is_object(entry):
            raise BadModelFile(tokenizer.path, f"key '{key}.{inner}' must hold objects")
        found.append(Fields(tokenizer.path, entry, f"{key}."))
    return found


def _type_characters(pieces: Pieces, model: Fields) -> None:
    """Byte tokens and the unknown one."""
    unknown = model.get_str("unk_token", "")
    for index, text in pieces.texts.items():
        if _BYTE.fullmatch(text):
            pieces.types[index] = TokenType.BYTE
        elif text == unknown:
            pieces.types[index] = TokenType.UNKNOWN
