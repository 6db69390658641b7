"""What surrounds a vocabulary: special tokens, whether they are added, the chat template."""

from __future__ import annotations

from typing import Any

from edge.errors import BadModelFile
from edge.export.config import Config
from edge.export.tokenizers.pieces import Pieces
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields, is_list, is_object

__all__ = ["added_ends", "chat_templates", "special_ids", "template_ends"]

MAX_TEMPLATE_BYTES = 4 * 2**20
# GGUF's names of special tokens and Hugging Face's.
_SPECIAL = {"bos": "bos", "eos": "eos", "unknown": "unk", "padding": "pad", "seperator": "sep", "mask": "mask"}
_MORE_ENDS = ("eot", "eom")  # other tokens that end an answer, where the model names several


def special_ids(config: Config, settings: Fields | None, generation: Fields | None, pieces: Pieces) -> dict[str, int]:
    """Keys behind "tokenizer.ggml.". The tokenizer's settings come first, then the model's, then its vocabulary."""
    ids, count = pieces.ids(), max(pieces.texts) + 1
    found: dict[str, int] = {}
    for name, theirs in _SPECIAL.items():
        text = _text(settings, f"{theirs}_token")
        if text is not None and text in ids:
            found[f"{name}_token_id"] = ids[text]
            continue
        listed = _ids(config.text, f"{theirs}_token_id", count) or _ids(config.root, f"{theirs}_token_id", count)
        if listed:
            found[f"{name}_token_id"] = listed[0]
        elif f"{name}_token_id" in pieces.special:
            found[f"{name}_token_id"] = pieces.special[f"{name}_token_id"]
    ends = [] if generation is None else _ids(generation, "eos_token_id", count)
    ends += _ids(config.text, "eos_token_id", count)
    others = [end for end in dict.fromkeys(ends) if end != found.get("eos_token_id")]
    for name, end in zip(_MORE_ENDS, others, strict=False):
        found[f"{name}_token_id"] = end
    return found


def added_ends(tokenizer: Fields | None, settings: Fields | None, pieces: Pieces, ids: dict[str, int]) -> None:
    """Sets whether a text begins with BOS and ends with EOS: as the settings say, or the post-processor does."""
    if tokenizer is not None:
        texts = pieces.ids()
        first, last = template_ends(tokenizer)
        pieces.add_bos = first is not None and texts.get(first) == ids.get("bos_token_id", -1)
        pieces.add_eos = last is not None and texts.get(last) == ids.get("eos_token_id", -1)
    if pieces.model == "bert":  # whose marks stand around every text, whatever the settings say
        pieces.add_bos = pieces.add_eos = False
        return
    if settings is not None:
        pieces.add_bos = settings.get_bool("add_bos_token", pieces.add_bos)
        pieces.add_eos = settings.get_bool("add_eos_token", pieces.add_eos)
    pieces.add_bos &= "bos_token_id" in ids
    pieces.add_eos &= "eos_token_id" in ids


def chat_templates(folder: ModelFolder, settings: Fields | None) -> dict[str, Any]:
    """The chat template and the others that the model has, as text: nothing runs them here."""
    if folder.has("chat_template.jinja"):
        return {"tokenizer.chat_template": folder.read_text("chat_template.jinja", MAX_TEMPLATE_BYTES)}
    where = settings
    if (where is None or not where.has("chat_template")) and folder.has("chat_template.json"):
        where = folder.read_json("chat_template.json")
    if where is None or not where.has("chat_template"):
        return {}
    said = where.value("chat_template")
    if isinstance(said, str):
        return {"tokenizer.chat_template": where.get_str("chat_template")}
    named: dict[str, str] = {}
    for entry in where.get_list("chat_template"):
        if not is_object(entry):
            where.fail("chat_template", "must be a text, or objects with a name and a template")
        fields = Fields(where.path, entry, "chat_template.")
        named[fields.get_str("name")] = fields.get_str("template")
    keys: dict[str, Any] = {f"tokenizer.chat_template.{n}": text for n, text in named.items() if n != "default"}
    if keys:
        keys["tokenizer.chat_templates"] = [name for name in named if name != "default"]
    return ({"tokenizer.chat_template": named["default"]} if "default" in named else {}) | keys


def _text(settings: Fields | None, key: str) -> str | None:
    """A token's text, written plainly or as an object with `content`."""
    if settings is None or not settings.has(key):
        return None
    if isinstance(settings.value(key), dict):
        inner = settings.get_object(key)
        return None if inner is None else inner.get_str("content")
    return settings.get_str(key)


def _ids(fields: Fields, key: str, count: int) -> list[int]:
    """Token ids: one number, or several. Those beyond the vocabulary (-1 stands for none) are left out."""
    said = fields.value(key)
    listed: list[Any] = said if is_list(said) else [] if said is None else [said]
    for value in listed:
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadModelFile(fields.path, f"key {key!r} must be a number, or a list of numbers")
    return [value for value in listed if 0 <= value < count]


def template_ends(tokenizer: Fields) -> tuple[str | None, str | None]:
    """The special tokens that a text begins and ends with, by the post-processor."""
    processor = tokenizer.get_object("post_processor")
    if processor is None:
        return None, None
    entries = processor.get_list("processors", []) if processor.get_str("type") == "Sequence" else None
    steps = [processor] if entries is None else []
    for entry in entries or []:
        if not is_object(entry):
            raise BadModelFile(tokenizer.path, "key 'post_processor.processors' must hold objects")
        steps.append(Fields(tokenizer.path, entry, "post_processor."))
    first: str | None = None
    last: str | None = None
    for step in steps:
        if step.get_str("type") == "TemplateProcessing":
            single = step.get_list("single")
            if len(single) > 1:
                first, last = _special(single[0]) or first, _special(single[-1]) or last
    return first, last


def _special(entry: object) -> str | None:
    if not is_object(entry):
        return None
    token = entry.get("SpecialToken")
    name = token.get("id") if is_object(token) else None
    return name if isinstance(name, str) else None
