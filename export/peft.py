"""A LoRA adapter as PEFT saves it: adapter_config.json and adapter_model.safetensors, read as data.

Names and the order of rows follow the base model, of which no more than config.json is read.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.architectures import Layout, layout_of, module_shape
from edge.export.config import Config
from edge.export.safetensors import SafetensorsFile
from edge.export.source import SourceTensor
from edge.formats.adapter import MAX_RANK
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields

__all__ = ["CONFIG_NAME", "PeftSource"]

CONFIG_NAME = "adapter_config.json"
WEIGHTS_NAME = "adapter_model.safetensors"
_TENSOR = re.compile(r"base_model\.model\.(?:language_model\.)?(.+)\.lora_([AB])(?:\.default)?\.weight")
_TYPES = {"F32": "F32", "F64": "F32", "F16": "F16", "BF16": "BF16"}


class _Half(NamedTuple):
    """tensor: as it is written. stored: as the folder has it. leaf: such as "q_proj"."""

    tensor: SourceTensor
    stored: str
    leaf: str
    is_up: bool


class PeftSource:
    """Implements `TensorSource`. A context manager: leaving it closes the file."""

    def __init__(self, path: str | os.PathLike[str], base: str | os.PathLike[str]) -> None:
        """base: the folder of the model that the adapter was trained on; its config.json is read.

        Raises ModelFileError for files that are missing, BadModelFile (file, key or tensor, value, limit) for malformed
        ones, UnsupportedModel for adapters that are no plain LoRA, and for weights that only a pickle holds.
        """
        folder, model = ModelFolder(path), ModelFolder(base)
        settings = folder.read_json(CONFIG_NAME)
        alpha, invocation = _settings(settings)
        self._layout = layout_of(Config(model.read_json("config.json")))
        if not folder.has(WEIGHTS_NAME):
            raise UnsupportedModel(folder.path, f"holds no {WEIGHTS_NAME}; edge opens no pickles")
        self._file = SafetensorsFile(folder.path / WEIGHTS_NAME, folder.map(WEIGHTS_NAME))
        try:
            self._halves = _halves(self._file, self._layout)
            ranks = {half.tensor.shape[0] for half in self._halves.values() if not half.is_up}
            if settings.get_bool("use_rslora", False):
                if len(ranks) > 1:
                    raise UnsupportedModel(settings.path, "rank-stabilised, with matrices of several ranks")
                alpha *= math.sqrt(next(iter(ranks)))  # over the rank, that is alpha over the root of it
        except BaseException:
            self._file.close()
            raise
        self.name = folder.model_name
        self._metadata: dict[str, Any] = {
            "general.architecture": self._layout.architecture,
            "general.type": "adapter",
            "general.name": self.name,
            "adapter.type": "lora",
            "adapter.lora.alpha": alpha,
        }
        if invocation:
            self._metadata["adapter.alora.invocation_tokens"] = invocation

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self._metadata)

    @property
    def tensors(self) -> Sequence[SourceTensor]:
        return [half.tensor for half in self._halves.values()]

    def read(self, name: str) -> NDArray[np.float32]:
        half = self._halves[name]
        values = self._file.floats(half.stored)
        # What changes the order of a matrix's rows changes that of lora_b's: they are the same rows.
        changed = self._layout.change(half.leaf, values) if half.is_up else values
        return np.ascontiguousarray(changed, np.float32)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> PeftSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _settings(settings: Fields) -> tuple[float, list[int]]:
    """alpha, and the tokens that invoke it. UnsupportedModel: what edge does not compute."""
    kind = settings.get_str("peft_type")
    if kind != "LORA":
        raise UnsupportedModel(settings.path, f"peft_type is {quoted(kind)}; edge exports LORA")
    for key in ("use_dora", "fan_in_fan_out", "lora_bias", "use_qalora", "use_bdlora"):
        if settings.has(key) and settings.value(key) not in (False, None):
            raise UnsupportedModel(
                settings.path, f"{key} is {quoted(str(settings.value(key)))}; edge exports plain LoRA"
            )
    for key in ("modules_to_save", "alpha_pattern", "layer_replication", "target_parameters"):
        if settings.has(key) and settings.value(key):
            raise UnsupportedModel(settings.path, f"{key} is set; edge exports plain LoRA")
    bias = settings.get_str("bias", "none")
    if bias != "none":
        raise UnsupportedModel(settings.path, f"bias is {quoted(bias)}; edge exports adapters of matrices alone")
    alpha = settings.get_float("lora_alpha")
    if not math.isfinite(alpha) or alpha == 0 or abs(alpha) > 1e30:
        settings.fail("lora_alpha", "must be a finite number other than 0")
    key = "alora_invocation_tokens"
    if not settings.has(key) or settings.value(key) is None:
        return alpha, []
    tokens = settings.get_floats(key)
    if not tokens or any(token != int(token) or not 0 <= token < 2**31 for token in tokens):
        settings.fail(key, "must be token ids")
    return alpha, [int(token) for token in tokens]


def _halves(file: SafetensorsFile, layout: Layout) -> dict[str, _Half]:
    modules = _modules(layout)
    halves: dict[str, _Half] = {}
    for stored, info in file.tensors.items():
        match = _TENSOR.fullmatch(stored)
        stem = None if match is None else modules.get(match[1])
        if match is None or stem is None:
            raise UnsupportedModel(
                file.path, f"tensor {quoted(stored)} adapts no matrix of a layer or the head of {layout.architecture}"
            )
        leaf, is_up = match[1].rsplit(".", 1)[-1], match[2] == "B"
        rows, columns = module_shape(leaf, layout.dimensions)
        rank = info.shape[int(is_up)] if len(info.shape) == 2 else 0
        if info.shape != ((rows, rank) if is_up else (rank, columns)) or not 1 <= rank <= MAX_RANK:
            wanted = f"({rows}, rank)" if is_up else f"(rank, {columns})"
            raise BadModelFile(
                file.path, f"tensor {quoted(stored)} has shape {info.shape}, wanted {wanted}, rank 1 to {MAX_RANK}"
            )
        if info.dtype not in _TYPES:
            raise UnsupportedModel(file.path, f"tensor {quoted(stored)} is {info.dtype}, which are no weights")
        name = f"{stem}.weight.lora_{'b' if is_up else 'a'}"
        if name in halves:
            raise BadModelFile(file.path, f"tensors {quoted(halves[name].stored)} and {quoted(stored)} are the same")
        halves[name] = _Half(SourceTensor(name, info.shape, _TYPES[info.dtype]), stored, leaf, is_up)
    _check_pairs(file, halves)
    return dict(sorted(halves.items()))


def _check_pairs(file: SafetensorsFile, halves: Mapping[str, _Half]) -> None:
    if not halves:
        raise BadModelFile(file.path, "an adapter without tensors")
    for name, half in halves.items():
        other = halves.get(name[:-1] + ("a" if half.is_up else "b"))
        if other is None:
            raise BadModelFile(file.path, f"tensor {quoted(half.stored)} stands alone, its other half is missing")
        if half.is_up and half.tensor.shape[1] != other.tensor.shape[0]:
            raise BadModelFile(file.path, f"tensors {quoted(other.stored)} and {quoted(half.stored)} differ in rank")


def _modules(layout: Layout) -> dict[str, str]:
    """Matrices that may be adapted: Hugging Face's module -> GGUF stem."""
    found: dict[str, str] = {}
    for module, stem in layout.modules.items():
        leaf = module.rsplit(".", 1)[-1]
        if (
            leaf == "embed_tokens"
            or len(module_shape(leaf, layout.dimensions)) != 2
            or (leaf == "lm_head" and layout.tied)
        ):
            continue
        for layer in range(layout.dimensions.num_hidden_layers) if "{i}" in module else range(1):
            found[module.replace("{i}", str(layer))] = stem.replace("{i}", str(layer))
    return found
