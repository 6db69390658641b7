"""A Hugging Face folder as a source: config.json, safetensors and tokenizer, read as data. Nothing in it is run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.architectures import Layout, layout_of, module_shape
from edge.export.config import Config
from edge.export.pooling import pooling_of
from edge.export.shards import Shards
from edge.export.source import SourceTensor
from edge.export.stored_weights import WeightReader
from edge.export.tokenizers import tokenizer_of
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder

__all__ = ["HuggingFaceSource"]

# Tensors of other parts, and tables that are computed from the configuration.
_FOREIGN = ("vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector.")
_COMPUTED = ("rotary_emb.inv_freq", "rotary_emb.cos_cached", "rotary_emb.sin_cached")


class _Plan(NamedTuple):
    """stored: the tensor in the folder, None for one that is computed. leaf: such as "q_proj"."""

    tensor: SourceTensor
    stored: str | None
    leaf: str
    ternary: bool


class HuggingFaceSource:
    """Implements `TensorSource`. A context manager: leaving it closes the files.

    name: of the folder, or of its repository. notes: what the user should know about the result.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Checks configuration, tokenizer, and every tensor's name, type and shape; no weight is read.

        Raises ModelFileError for files that are missing, BadModelFile (file, key, value, limit) for malformed ones,
        UnsupportedModel for what edge does not export, and for weights that only a pickle holds.
        """
        folder = ModelFolder(path)
        config = Config(folder.read_json("config.json"))
        self._layout = layout_of(config)
        self._shards = Shards(folder)
        try:
            self._reader = WeightReader(self._shards, config)
            self._plans = {plan.tensor.name: plan for plan in self._planned(folder)}
            tokenizer = tokenizer_of(folder, config, self._layout.dimensions.vocab_size)
            pooling = pooling_of(folder, self._layout.architecture)
        except BaseException:
            self._shards.close()
            raise
        self.name = folder.model_name
        self.notes: tuple[str, ...] = (*self._layout.notes, *pooling.notes, *tokenizer.notes)
        self._metadata: dict[str, Any] = {
            "general.architecture": self._layout.architecture,
            "general.type": "model",
            "general.name": self.name,
            "general.quantization_version": 2,
            **self._layout.metadata,
            **pooling.metadata,
            **tokenizer.metadata,
        }

    @property
    def metadata(self) -> dict[str, Any]:
        return dict(self._metadata)

    @property
    def tensors(self) -> Sequence[SourceTensor]:
        return [plan.tensor for plan in self._plans.values()]

    def read(self, name: str) -> NDArray[np.float32]:
        plan = self._plans[name]
        if plan.stored is None:
            return self._layout.extra[name].copy()
        values = self._reader.ternary(plan.stored) if plan.ternary else self._reader.floats(plan.stored)
        changed = self._layout.change(plan.leaf, values.reshape(plan.tensor.shape))
        return np.ascontiguousarray(changed, np.float32)

    def close(self) -> None:
        self._shards.close()

    def __enter__(self) -> HuggingFaceSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _planned(self, folder: ModelFolder) -> Iterator[_Plan]:
        layout, used = self._layout, set[str]()
        prefix, head = self._prefixes(folder)
        for template, module, stem in _modules(layout):
            leaf = module.rsplit(".", 1)[-1]
            shape = layout.shapes.get(template) or module_shape(leaf, layout.dimensions)
            stored = head + module if leaf == "lm_head" else prefix + module.removeprefix("model.")
            if leaf == "lm_head" and layout.tied:
                used.update(name for name in (f"{stored}.weight",) if self._shards.has(name))
                continue
            for suffix in (".weight", ".bias"):
                name = stored + suffix
                if suffix == ".bias" and leaf not in layout.biases and not self._shards.has(name):
                    continue
                if not self._shards.has(name):
                    raise BadModelFile(folder.path, f"missing tensor {quoted(name)}")
                yield self._plan(name, stem + suffix, leaf, shape if suffix == ".weight" else shape[:1], layout)
                used.update((name, *self._reader.helpers(name)))
        self._refuse_others(folder, used)
        for name, values in layout.extra.items():
            yield _Plan(SourceTensor(name, values.shape, "F32"), None, "", ternary=False)

    def _plan(self, stored: str, name: str, leaf: str, shape: tuple[int, ...], layout: Layout) -> _Plan:
        ternary = leaf in layout.ternary and name.endswith(".weight")
        type_name = self._reader.check(stored, shape, ternary=ternary)
        return _Plan(SourceTensor(name, shape, type_name), stored, leaf, ternary)

    def _prefixes(self, folder: ModelFolder) -> tuple[str, str]:
        first = next(iter(self._layout.modules))  # the embedding
        for prefix, head in self._layout.prefixes:
            if self._shards.has(f"{prefix}{first.removeprefix('model.')}.weight"):
                return prefix, head
        raise BadModelFile(folder.path, f"missing tensor '{first}.weight'")

    def _refuse_others(self, folder: ModelFolder, used: set[str]) -> None:
        """A tensor that nobody takes would change the result where it was left out."""
        for name in self._shards.names():
            if name in used or name.startswith((*_FOREIGN, *self._layout.dropped)) or name.endswith(_COMPUTED):
                continue
            raise UnsupportedModel(
                folder.path,
                f"tensor {quoted(name)} is not one that {self._layout.architecture} with "
                f"{self._layout.dimensions.num_hidden_layers} layers has",
            )


def _modules(layout: Layout) -> Iterator[tuple[str, str, str]]:
    """(module as the layout has it, module, GGUF stem) of the whole model: its embedding, every layer, the rest."""
    modules: Mapping[str, str] = layout.modules
    inside = [pair for pair in modules.items() if "{i}" in pair[0]]
    outside = [pair for pair in modules.items() if "{i}" not in pair[0]]
    yield outside[0][0], *outside[0]
    for layer in range(layout.dimensions.num_hidden_layers):
        for module, stem in inside:
            yield module, module.replace("{i}", str(layer)), stem.replace("{i}", str(layer))
    yield from ((module, module, stem) for module, stem in outside[1:])
