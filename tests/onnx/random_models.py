"""Small random models of every architecture that edge has, as GGUF files; their logits have clear winners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.export.architectures import module_shape
from edge.export.config import Dimensions
from edge.export.gguf_writer import GGUFWriter
from edge.formats.types import GGMLType
from edge.models import ARCHITECTURES
from tests.accuracy.random_models import write_vocabulary

VOCAB, CONTEXT, WINDOW = 512, 256, 24
HEAD_GAIN = 6.0  # of the standard deviation of a logit
_BIASED = {"qwen2": ("q_proj", "k_proj", "v_proj")}
_KEYS: dict[str, dict[str, Any]] = {
    "gemma3": {"attention.sliding_window": WINDOW, "rope.freq_base_swa": 10000.0},
    "phi3": {"rope.scaling.original_context_length": CONTEXT, "attention.sliding_window": 0},
    "mistral": {"attention.sliding_window": WINDOW},
}


def write_random(
    path: Path, name: str, *, tied: bool = False, hidden: int = 128, layers: int = 2, seed: int = 0
) -> Path:
    """name: an architecture, or "mistral": a llama with a window. F32."""
    arch = "llama" if name == "mistral" else name
    layers = 7 if name == "gemma3" else layers  # one of them sees everything
    dims = Dimensions(str(path), VOCAB, hidden, 2 * hidden, layers, 4, 2, 32)
    writer = GGUFWriter(path)
    writer.add("general.architecture", arch)
    writer.add("general.name", f"random-{name}")
    keys: dict[str, Any] = {
        "block_count": layers,
        "context_length": CONTEXT,
        "embedding_length": hidden,
        "feed_forward_length": dims.intermediate_size,
        "attention.head_count": dims.num_attention_heads,
        "attention.head_count_kv": dims.num_key_value_heads,
        "attention.key_length": dims.head_dim,
        "attention.value_length": dims.head_dim,
        "attention.layer_norm_rms_epsilon": 1e-5,
        "rope.dimension_count": dims.head_dim,
        "rope.freq_base": 10000.0,
        "vocab_size": VOCAB,
        **_KEYS.get(name, {}),
    }
    for key, value in keys.items():
        writer.add(f"{arch}.{key}", value)
    write_vocabulary(writer, VOCAB)
    for tensor, values in _tensors(arch, dims, tied=tied).items():
        writer.add_tensor(tensor, GGMLType.F32, values.shape, values)
    writer.finish()
    return path


def _tensors(arch: str, dims: Dimensions, *, tied: bool) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    found: dict[str, NDArray[np.float32]] = {}
    for module, stem in ARCHITECTURES[arch].modules.items():
        leaf = module.rsplit(".", 1)[-1]
        if leaf == "lm_head" and tied:
            continue
        for layer in range(dims.num_hidden_layers) if "{i}" in stem else (0,):
            shape = module_shape(leaf, dims)
            name = stem.replace("{i}", str(layer))
            if len(shape) == 1:
                found[f"{name}.weight"] = (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
                continue
            gain = {"lm_head": HEAD_GAIN, "embed_tokens": HEAD_GAIN if tied else dims.hidden_size**0.5}.get(leaf, 1.0)
            values = rng.standard_normal(shape) * gain / np.sqrt(shape[1])
            found[f"{name}.weight"] = values.astype(np.float32)
            if leaf in _BIASED.get(arch, ()):
                found[f"{name}.bias"] = (0.3 * rng.standard_normal(shape[0])).astype(np.float32)
    return found
