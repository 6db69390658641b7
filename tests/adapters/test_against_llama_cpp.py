"""The same adapter on the same F32 file: our reference and engine compute what llama.cpp computes."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.graph.reference import Reference
from edge.models import build
from tests.adapters.made import adaptable, as_stored, random_pairs, write_adapter
from tests.models.tiny import provider, random_tensors, tensor_shapes, tiny_config, write_gguf

pytest.importorskip("llama_cpp", reason="the llama extra is not installed")

# Relative L2 error over all logits. llama.cpp computes in float32, with an F32 KV cache here, but rounds what it
# multiplies F16 matrices with to F16.
TOLERANCE = {GGMLType.F32: 1e-5, GGMLType.F16: 1e-3}
TOKENS = [5, 17, 3, 90, 41, 41, 8, 2, 66, 33, 12, 77, 1, 19, 54, 28, 30, 7, 61, 88, 45, 9, 14, 71]


def theirs(path: Path, adapter: Path | None) -> NDArray[np.float32]:
    """(tokens, vocabulary) of llama.cpp."""
    llama_cpp: Any = importlib.import_module("llama_cpp")
    model = llama_cpp.Llama(
        str(path),
        n_ctx=128,
        n_batch=64,
        n_threads=1,
        logits_all=True,
        verbose=False,
        type_k=0,
        type_v=0,
        flash_attn=False,
        lora_path=None if adapter is None else str(adapter),
    )
    try:
        model.eval(TOKENS)
        return np.array(model.scores[: len(TOKENS)], dtype=np.float32)
    finally:
        model.close()


def relative_error(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("arch", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize(
    ("kinds", "alpha"), [((GGMLType.F32,), 8.0), ((GGMLType.F16,), 3.0), ((GGMLType.F32,), 0.0)], ids=str
)
def test_logits_agree(tmp_path: Path, arch: str, kinds: tuple[GGMLType, ...], alpha: float) -> None:
    config = tiny_config(arch, **({"hidden_size": 64} if arch == "qwen2" else {}))
    shapes = tensor_shapes(config)
    tensors = random_tensors(shapes, seed=7)
    model = write_gguf(tmp_path / "model.gguf", config, tensors)
    path = write_adapter(
        tmp_path / "adapter.gguf", random_pairs(adaptable(shapes), (4, 7)), architecture=arch, kinds=kinds, alpha=alpha
    )
    with open_gguf(model) as file:
        graph = build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})
    reference = Reference(graph, provider(tensors), adapters=[as_stored(path)])
    ours = reference.step(TOKENS, adapters=[0] * len(TOKENS))
    wanted, without = theirs(model, path), theirs(model, None)
    assert relative_error(ours, wanted) < TOLERANCE[kinds[0]]
    assert relative_error(without, wanted) > 0.05  # the adapter does something
    reference.reset()
    assert relative_error(reference.step(TOKENS), without) < TOLERANCE[GGMLType.F32]
