"""Model architectures, one per file, named after their model_type. `build` turns a configuration into a graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from edge.errors import UnsupportedModel
from edge.formats.config import ModelConfig
from edge.graph.builder import GraphBuilder, Value
from edge.graph.ops import Graph
from edge.models import bert, bitnet, gemma3, llama, phi3, qwen2, qwen3

__all__ = ["ARCHITECTURES", "Architecture", "build"]


class Architecture(NamedTuple):
    """modules: Hugging Face's module names -> GGUF tensor stems. build: composes the logits, or an encoder's states."""

    modules: Mapping[str, str]
    build: Callable[[GraphBuilder, ModelConfig], Value]


ARCHITECTURES: Mapping[str, Architecture] = {
    "llama": Architecture(llama.MODULES, llama.build),
    "qwen2": Architecture(qwen2.MODULES, qwen2.build),
    "qwen3": Architecture(qwen3.MODULES, qwen3.build),
    "gemma3": Architecture(gemma3.MODULES, gemma3.build),
    "phi3": Architecture(phi3.MODULES, phi3.build),
    "bitnet": Architecture(bitnet.MODULES, bitnet.build),
    "bitnet-b1.58": Architecture(bitnet.MODULES, bitnet.build),
    "bert": Architecture(bert.MODULES, bert.build),
}


def build(config: ModelConfig, tensors: Mapping[str, tuple[int, ...]]) -> Graph:
    """The model's graph over the tensors of a file (name -> shape in NumPy order).

    BadModelFile: a tensor is missing or has the wrong shape. UnsupportedModel: no such architecture, or the file holds
    tensors that it does not read.
    """
    architecture = ARCHITECTURES.get(config.model_type)
    if architecture is None:
        raise UnsupportedModel(config.path, f"architecture {config.model_type!r} is not supported")
    builder = GraphBuilder(tensors, architecture.modules, path=config.path)
    return builder.finish(architecture.build(builder, config))
