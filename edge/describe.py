"""What a model file says about itself, without loading its weights."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
from collections import Counter
from typing import Any

from edge.errors import BadModelFile, EdgeError, UnsupportedModel
from edge.formats import GGUFFile, open_gguf
from edge.formats.config import ModelConfig
from edge.formats.types import type_name
from edge.references import resolve

TEMPLATE_KEY = "tokenizer.chat_template"
_MAX_TEXT = 200  # characters of a metadata value in the summary


def describe(reference: str | os.PathLike[str] | None) -> dict[str, Any]:
    """A JSON-ready description: names, counts, sizes in bytes. A sound file that edge cannot run says why.

    ModelFileError: no such file, or it breaks its format.
    """
    path = resolve(reference)
    if path.is_dir():
        raise UnsupportedModel(path, "is a folder, and this reads the header of GGUF files: see describe_folder")
    with open_gguf(path) as file:
        architecture = file.get_str("general.architecture", default=None)
        try:
            config: ModelConfig | None = ModelConfig.from_gguf(file)
            reason = None
        except EdgeError as error:
            config, reason = None, str(error).removeprefix(f"{file.path}: ")
        num_parameters = sum(math.prod(info.shape) for info in file.tensors.values())
        tensor_bytes = sum(info.num_bytes for info in file.tensors.values())
        types = Counter(type_name(info.type) for info in file.tensors.values())
        context_key = f"{architecture}.context_length"
        return {
            "path": str(file.path),
            "name": file.get_str("general.name", default=None),
            "architecture": architecture,
            "supported": config is not None,
            "unsupported_because": reason,
            "license": file.get_str("general.license", default=None),
            "gguf_version": file.version,
            "num_parts": len(file.parts),
            "file_bytes": file.file_size,
            "num_tensors": len(file.tensors),
            "tensor_bytes": tensor_bytes,
            "num_parameters": num_parameters,
            "bits_per_weight": 8 * tensor_bytes / num_parameters if num_parameters else None,
            "types": dict(types.most_common()),
            "context": file.get_int(context_key, default=None) if architecture else None,
            "config": None if config is None else _config(config),
            "tokenizer": _tokenizer(file),
            "template": _template(file),
            "quantisation": _section(file, "edge.quantisation."),
            "damage": _section(file, "edge.damage."),
            "num_keys": len(file.keys()),
            "metadata": {key: _summary(file, key) for key in file.keys()},
        }


def _config(config: ModelConfig) -> dict[str, Any]:
    fields = dataclasses.asdict(config)
    del fields["path"]
    return fields


def _tokenizer(file: GGUFFile) -> dict[str, Any] | None:
    if not file.has("tokenizer.ggml.model"):
        return None
    has_tokens = file.has("tokenizer.ggml.tokens")
    return {
        "model": file.get_str("tokenizer.ggml.model"),
        "pre": file.get_str("tokenizer.ggml.pre", default=None),
        "vocab_size": len(file.get_strings("tokenizer.ggml.tokens")) if has_tokens else 0,
        "bos_token_id": file.get_int("tokenizer.ggml.bos_token_id", default=None),
        "eos_token_id": file.get_int("tokenizer.ggml.eos_token_id", default=None),
    }


def _template(file: GGUFFile) -> dict[str, Any] | None:
    template = file.get_str(TEMPLATE_KEY, default=None)
    if template is None:
        return None
    return {"num_characters": len(template), "sha256": hashlib.sha256(template.encode()).hexdigest()}


def _section(file: GGUFFile, prefix: str) -> dict[str, str | int | float | bool] | None:
    """The values whose keys begin with `prefix`, under what follows it."""
    found = {key.removeprefix(prefix): _summary(file, key) for key in file.keys() if key.startswith(prefix)}
    return found or None


def _summary(file: GGUFFile, key: str) -> str | int | float | bool:
    """The value, long texts cut with a mark, arrays as their type."""
    kind = file.value_type(key)
    if file.is_array(key):
        return kind
    if kind == "string":
        text = file.get_str(key)
        return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}... ({len(text)} characters)"
    if kind == "bool":
        return file.get_bool(key)
    if kind.startswith("float"):
        try:
            return file.get_float(key)
        except BadModelFile:  # JSON has no NaN and no infinity
            return "not finite"
    return file.get_int(key)
