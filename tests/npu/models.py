"""Models exported for NPUs, and what they are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx.providers import QNN, Provider
from edge.convert import open_source
from edge.convert.npu import export_npu
from edge.export.gguf_source import GGUFSource
from edge.export.npu.options import NpuOptions
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.graph.ops import Graph, SelectRows
from edge.graph.reference import Reference, Weight
from edge.models import build
from edge.npu.manifest import Manifest
from edge.references import resolve
from edge.tokenizer import Tokenizer

BUNDLED = resolve("assistant")
PROMPT = "Please set a timer for five minutes and tell me what the weather in Paris is like"
HTP = {"backend_type": "htp", "offload_graph_io_quantization": "0"}
TARGETS = ({"soc_model": "43", "htp_arch": "73"}, {"soc_model": "69", "htp_arch": "79"})  # 8 Gen 2, 8 Elite

Floats = NDArray[np.floating[Any]]


# For tiny models, whose vocabulary is characters without a space.
TINY_TEXT = "".join(chr(c) for c in np.random.default_rng(9).integers(34, 127, 1024))


def snapdragon(target: int = 1) -> Provider:
    return Provider(QNN, HTP | TARGETS[target])


def decibels(found: Floats, wanted: Floats) -> float:
    """How far the error lies below the signal; inf: there is none."""
    error = np.square(found - wanted).sum()
    return float(10 * np.log10(np.square(wanted).sum() / error)) if error else np.inf


def written(path: Path, folder: Path, *, max_tokens: int = 512, **options: Any) -> Manifest:
    """The model at `path` exported, calibrated on so many tokens."""
    with open_source(path) as opened:
        text = None if path == BUNDLED else TINY_TEXT
        return export_npu(
            opened, folder, NpuOptions(**options), device="test", stages=lambda _: nullcontext(), text=text,
            max_tokens=max_tokens,
        )  # fmt: skip


def copied(folder: Path, tmp_path: Path) -> Path:
    """A copy of an exported folder, without what was compiled of it."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in folder.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    return copy


def prompt_ids(path: Path = BUNDLED) -> list[int]:
    with open_gguf(path) as file:
        return Tokenizer.from_gguf(file).encode(PROMPT, add_special=False)


def graph_of(path: Path) -> Graph:
    with open_gguf(path) as file:
        return build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})


def truth(path: Path, token_ids: Sequence[int]) -> tuple[Floats, Floats]:
    """Float64: what the last layer makes of the tokens, (tokens, hidden_size), and their logits."""
    graph = graph_of(path)
    with GGUFSource(path) as source:
        reference = Reference(graph, lambda name: Weight(source.read(name)))
        logits = reference.step(token_ids, keep=True)
    return reference.values[last_hidden(graph)], logits


def last_hidden(graph: Graph) -> str:
    """The name of the value that the graphs for NPUs give."""
    selected = next(node for node in graph.nodes if isinstance(node.op, SelectRows))
    return graph.nodes[selected.inputs[0]].name
