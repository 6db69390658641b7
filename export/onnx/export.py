"""Writes a source as an ONNX folder: one matrix in memory at a time, under its final name only when it is whole."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from edge.errors import BadModelFile, DoesNotFit, ModelFileError, RequestError
from edge.export.gguf_source import GGUFSource
from edge.export.onnx.description import DESCRIPTION_FILE, describe, write_description
from edge.export.onnx.genai_config import MODEL_FILE, genai_config
from edge.export.onnx.lower import OnnxOptions, lower_onnx
from edge.export.onnx.tokenizer_files import tokenizer_files
from edge.export.source import TensorSource
from edge.formats.atomic import atomic_folder, remove_orphans, scratch_folder
from edge.formats.config import ModelConfig
from edge.formats.folder import ModelFolder
from edge.formats.gguf import GGUFFile
from edge.models import build
from edge.tokenizer import Tokenizer

__all__ = ["ExportedOnnx", "export_onnx"]

DATA_FILE = f"{MODEL_FILE}.data"
# What a Hugging Face folder says of its tokenizer, taken over as it is.
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja",
                    "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json")  # fmt: skip
MAX_TOKENIZER_BYTES = 256 * 2**20
_SMALL_FILES_BYTES = 64 * 2**20  # at most, for everything beside the weights
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class ExportedOnnx(NamedTuple):
    """forms: "4 bits in blocks of 32, as stored" and how many weights are so. num_bytes: of all files."""

    path: Path
    num_bytes: int
    context: int
    forms: Mapping[str, int]
    notes: tuple[str, ...]


def export_onnx(
    source: TensorSource,
    target: Path,
    options: OnnxOptions,
    *,
    folder: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ExportedOnnx:
    """Writes the folder `target`, which may be an empty one or one that an earlier export wrote.

    folder: the Hugging Face folder that the source is, whose tokenizer files are taken over. progress gets (bytes of
    weights done, bytes of all). Raises RequestError for options out of range, UnsupportedModel by name for what no
    operator can say, DoesNotFit for a full disk, NumericalError for weights that are not finite, and what reading the
    source raises.
    """
    options.check()
    _check_target(target)
    remove_orphans(target)
    try:
        with scratch_folder(target) as scratch:
            return _written(source, target, options, folder, progress, scratch)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno in _NO_SPACE:
            raise DoesNotFit(f"{target}: {reason}; nothing of it was kept") from error
        raise ModelFileError(target, f"cannot be written: {reason}") from error


def _written(
    source: TensorSource,
    target: Path,
    options: OnnxOptions,
    folder: Path | None,
    progress: Callable[[int, int], None] | None,
    scratch: Path,
) -> ExportedOnnx:
    description = scratch / DESCRIPTION_FILE
    try:
        write_description(source, description)
    except ValueError as error:
        raise BadModelFile(target, f"cannot be written: {error}") from error
    with describe(source, description) as file:
        config, context = _configured(file, options)
        graph = build(config, {name: info.shape for name, info in file.tensors.items()})
        lowered = lower_onnx(graph, config, source, options, context=context)
        files = _texts(source, file, config, context, folder)
    metadata = {"edge.tied": "1"} if config.tie_word_embeddings else {}
    metadata |= {"edge.head": "all" if options.all_logits else "last", "edge.context": str(context)}
    if isinstance(source, GGUFSource):  # an engine that goes on from K and V of this graph must have these weights
        metadata["edge.source_sha256"] = ",".join(source.sha256())
    model = lowered.onnx.model(DATA_FILE, metadata)
    total = lowered.onnx.data_bytes + len(model) + description.stat().st_size + sum(map(len, files.values()))
    with atomic_folder(target, total) as new:
        description.rename(new / DESCRIPTION_FILE)
        (new / MODEL_FILE).write_bytes(model)
        for name, content in files.items():
            (new / name).write_bytes(content)
        with (new / DATA_FILE).open("wb") as data:
            lowered.onnx.write_data(data, progress)
    notes = ("the head is computed for every token",) if options.all_logits else ()
    return ExportedOnnx(target, total, context, lowered.forms, notes)


def _configured(file: GGUFFile, options: OnnxOptions) -> tuple[ModelConfig, int]:
    """The configuration for the context that the folder shall have."""
    config = ModelConfig.from_gguf(file)
    longest = config.max_position_embeddings
    context = longest if options.context is None else options.context
    if not 2 <= context <= longest:
        raise RequestError(f"context is {context}; it must be from 2 to {longest}, the model's own")
    return config.for_context(context), context


def _texts(
    source: TensorSource, file: GGUFFile, config: ModelConfig, context: int, folder: Path | None
) -> dict[str, bytes]:
    """Configuration and tokenizer, by file name."""
    tokenizer = Tokenizer.from_gguf(file)
    usual = [] if tokenizer.eos_id is None else [tokenizer.eos_id]
    ends = [*usual, *sorted(tokenizer.eog_ids - set(usual))]
    pad = source.metadata.get("tokenizer.ggml.padding_token_id")
    said = genai_config(config, context=context, bos_id=tokenizer.bos_id, eos_ids=ends, pad_id=pad)
    files = {"genai_config.json": _json(said)}
    if folder is None:
        made = tokenizer_files(source.metadata, str(file.path))
        return files | {name: _json(content) for name, content in made.items()}
    beside = ModelFolder(folder)
    return files | {name: beside.read(name, MAX_TOKENIZER_BYTES) for name in _TOKENIZER_FILES if beside.has(name)}


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def _check_target(target: Path) -> None:
    """RequestError unless the folder can be made, or replaced without losing what edge did not write."""
    if not target.parent.is_dir():
        raise RequestError(f"there is no folder {target.parent}")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise RequestError(f"{target} is there already and is no folder")
    if target.is_dir() and any(target.iterdir()) and not (target / DESCRIPTION_FILE).is_file():
        raise RequestError(f"{target} holds files that are not of an earlier export; give another name")
