"""How an ONNX folder's own files read texts and write a prompt, as any other program takes them: tokenizer.json through
the `tokenizers` library, the chat template of tokenizer_config.json."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from edge.errors import EdgeError
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields
from edge.templates import ChatTemplate
from edge.tokenizer import Tokenizer

__all__ = ["folder_ids", "folder_prompt"]

_MAX_BYTES = 64 * 2**20
_TOKENIZER, _SETTINGS, _TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"


def folder_ids(path: Path, texts: Sequence[str]) -> tuple[tuple[int, ...], ...] | None:
    """Ids of each text, names of special tokens as plain text; None: there is no tokenizer.json. ModelFileError."""
    folder = ModelFolder(path)
    if not folder.has(_TOKENIZER):
        return None
    content = folder.read(_TOKENIZER, _MAX_BYTES).decode("utf-8", errors="replace")
    tokenizers: Any = importlib.import_module("tokenizers")
    try:
        tokenizer = tokenizers.Tokenizer.from_str(content)
        tokenizer.encode_special_tokens = True  # read as text
        return tuple(tuple(tokenizer.encode(text).ids) for text in texts)
    except Exception:  # whatever it is, another program meets it, too: no id is the same
        return tuple(() for _ in texts)


def folder_prompt(
    path: Path, tokenizer: Tokenizer, messages: Sequence[Mapping[str, object]]
) -> tuple[str | None, str | None]:
    """The conversation as the folder's template writes it, to tokens and back; or None and why not."""
    try:
        folder = ModelFolder(path)
        settings = folder.read_json(_SETTINGS) if folder.has(_SETTINGS) else Fields(path / _SETTINGS, {})
        template = _template(folder, settings)
        if template is None:
            return None, "the folder has no template"
        bos, eos = _word(settings, "bos_token"), _word(settings, "eos_token")
        rendered = ChatTemplate(template).render(messages, bos_token=bos, eos_token=eos)
    except EdgeError as error:
        return None, str(error)
    return tokenizer.decode(tokenizer.encode(rendered, parse_special=True), skip_special=False), None


def _template(folder: ModelFolder, settings: Fields) -> str | None:
    """The one for chats; a file of its own goes before the setting, as transformers does."""
    if folder.has(_TEMPLATE):
        return folder.read_text(_TEMPLATE, _MAX_BYTES)
    found: object = settings.value("chat_template") if settings.has("chat_template") else None
    if isinstance(found, list):
        named = [cast("dict[str, object]", item) for item in cast("list[object]", found) if isinstance(item, dict)]
        found = next((item.get("template") for item in named if item.get("name") == "default"), None)
    return found if isinstance(found, str) and found else None


def _word(settings: Fields, name: str) -> str:
    value: object = settings.value(name) if settings.has(name) else None
    if isinstance(value, dict):  # an added token with its flags
        value = cast("dict[str, object]", value).get("content")
    return value if isinstance(value, str) else ""
