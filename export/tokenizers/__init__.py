"""A folder's tokenizer as the keys `tokenizer.*` of a GGUF file."""

from __future__ import annotations

from typing import Any, NamedTuple

from edge.errors import BadModelFile, ModelFileError
from edge.export.config import Config
from edge.export.tokenizers.pieces import Pieces, read_added
from edge.export.tokenizers.sentencepiece import from_sentencepiece
from edge.export.tokenizers.settings import added_ends, chat_templates, special_ids
from edge.export.tokenizers.tokenizer_json import from_tokenizer_json, is_byte_level, merged_vocabulary
from edge.export.tokenizers.wordpiece import from_wordpiece, is_wordpiece
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields
from edge.tokenizer.vocabulary import SPACE

__all__ = ["Converted", "tokenizer_of"]

MAX_TOKENIZER_BYTES = 256 * 2**20
_JSON, _SENTENCEPIECE = "tokenizer.json", "tokenizer.model"


class Converted(NamedTuple):
    """notes: what GGUF cannot say of the tokenizer."""

    metadata: dict[str, Any]
    notes: tuple[str, ...]


def tokenizer_of(folder: ModelFolder, config: Config, vocab_size: int) -> Converted:
    """The tokenizer with `vocab_size` tokens, as many as the model has embeddings.

    ModelFileError: there is none. BadModelFile: malformed. UnsupportedModel: GGUF cannot say what it does.
    """
    tokenizer = folder.read_json(_JSON, MAX_TOKENIZER_BYTES) if folder.has(_JSON) else None
    settings = folder.read_json("tokenizer_config.json") if folder.has("tokenizer_config.json") else None
    generation = folder.read_json("generation_config.json") if folder.has("generation_config.json") else None
    pieces = _pieces(folder, tokenizer, settings)
    texts, types, scores = pieces.lists(vocab_size)
    ids = special_ids(config, settings, generation, pieces)
    added_ends(tokenizer, settings, pieces, ids)
    keys: dict[str, Any] = {"model": pieces.model, "pre": pieces.pre, "tokens": texts, "token_type": types}
    if scores is not None:
        keys["scores"] = scores
    keys |= {**pieces.keys, **ids, "add_bos_token": pieces.add_bos, "add_eos_token": pieces.add_eos}
    metadata = {f"tokenizer.ggml.{key}": value for key, value in keys.items()}
    return Converted(metadata | chat_templates(folder, settings), tuple(pieces.notes))


def _pieces(folder: ModelFolder, tokenizer: Fields | None, settings: Fields | None) -> Pieces:
    """SentencePiece's own file states scores exactly, so it comes first where tokens are of characters."""
    if tokenizer is not None and is_wordpiece(tokenizer):
        return from_wordpiece(tokenizer)
    if tokenizer is not None and (is_byte_level(tokenizer) or not folder.has(_SENTENCEPIECE)):
        return from_tokenizer_json(tokenizer)
    if not folder.has(_SENTENCEPIECE):
        raise ModelFileError(folder.path, f"holds neither {_JSON} nor {_SENTENCEPIECE}: the model has no tokenizer")
    path = folder.path / _SENTENCEPIECE
    pieces = from_sentencepiece(path, folder.read(_SENTENCEPIECE, MAX_TOKENIZER_BYTES))
    if tokenizer is not None:
        for text, index in merged_vocabulary(tokenizer).items():
            other = pieces.texts.get(index, text)
            if text != other and text.replace(SPACE, " ") != other:
                raise BadModelFile(path, f"token {index} is {quoted(other)} here and {quoted(text)} in {_JSON}")
        added = read_added(tokenizer, tokenizer.get_list("added_tokens", []))
    else:
        added = _added_beside(folder, settings)
    for token in added:
        pieces.add(token)
    return pieces


def _added_beside(folder: ModelFolder, settings: Fields | None) -> list[Any]:
    """Added tokens of a model without tokenizer.json."""
    decoder = None if settings is None else settings.get_object("added_tokens_decoder")
    if decoder is not None:
        return read_added(decoder, {_number(decoder, key): decoder.value(key) for key in decoder.keys()})
    if not folder.has("added_tokens.json"):
        return []
    file = folder.read_json("added_tokens.json")
    numbers = {file.get_int(text, minimum=0, maximum=2**24): text for text in file.keys()}
    return read_added(file, {number: {"content": text} for number, text in numbers.items()})


def _number(fields: Fields, key: str) -> int:
    if not (key.isascii() and key.isdigit() and len(key) < 9):
        fields.fail(key, "is not the number of a token")
    return int(key)
