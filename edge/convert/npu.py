"""From a model to a folder for an NPU: opened, calibrated on a text, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from edge.calibration import shipped_text
from edge.convert.convert import convert
from edge.convert.opened import Opened
from edge.convert.recipe import Recipe
from edge.convert.stages import Stages
from edge.errors import RequestError
from edge.export.gguf_source import GGUFSource
from edge.export.npu.folder import Model, write_folder
from edge.export.npu.options import NpuOptions
from edge.formats.atomic import scratch_folder
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.models import build
from edge.npu.manifest import Manifest
from edge.tokenizer import Tokenizer

__all__ = ["export_npu"]

CALIBRATION_TOKENS = 2048  # ranges of a text are known after a page; each token is computed in NumPy
WINDOW = 256  # tokens of a sequence, each beginning like a prompt


def export_npu(
    opened: Opened,
    folder: Path,
    options: NpuOptions,
    *,
    device: str,
    stages: Stages,
    text: str | None = None,
    max_tokens: int = CALIBRATION_TOKENS,
) -> Manifest:
    """text: what activations are calibrated on (None: the text that ships), so many tokens of it.

    Raises RequestError when the folder is there, MissingPackage without onnx, and what reading and calibrating raise.
    """
    if folder.exists():
        raise RequestError(f"{folder} is there already; give the folder another name or remove it")
    if not folder.parent.is_dir():
        raise RequestError(f"there is no folder {folder.parent}")
    with ExitStack() as stack:
        scratch = stack.enter_context(scratch_folder(folder))
        path = opened.path
        if path is None:
            path = scratch / "source.gguf"
            convert(opened, Recipe(), path, measured=False, stages=stages)
        source = stack.enter_context(GGUFSource(path))
        file = stack.enter_context(open_gguf(path))
        config = ModelConfig.from_gguf(file)
        if options.context > config.max_position_embeddings:
            raise RequestError(f"context is {options.context}, the model has {config.max_position_embeddings}")
        graph = build(config, {name: info.shape for name, info in file.tensors.items()})
        tokens = _sequences(Tokenizer.from_gguf(file), shipped_text() if text is None else text, options, max_tokens)
        sha256 = () if opened.path is None else source.sha256()  # what was converted here, nobody else has
        made = scratch / "folder"
        made.mkdir()
        with stages("calibrating operations") as progress:
            manifest = write_folder(
                Model(graph, source.read, source.metadata, tokens, str(path), sha256), made, options,
                device=device, progress=progress,
            )  # fmt: skip
        os.replace(made, folder)
    return manifest


def _sequences(tokenizer: Tokenizer, text: str, options: NpuOptions, max_tokens: int) -> Sequence[Sequence[int]]:
    """The text in sequences of whole chunks, each with the token that a prompt begins with."""
    start = [tokenizer.bos_id] if tokenizer.add_bos and tokenizer.bos_id is not None else []
    ids = tokenizer.encode(text, add_special=False)[:max_tokens]
    chunks = max(1, min(WINDOW, options.context) // options.chunk)
    size = chunks * options.chunk - len(start)
    return [start + ids[i : i + size] for i in range(0, len(ids), size)]
