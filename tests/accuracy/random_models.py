"""Tiny random models in real shapes, as F32 GGUF files that both edge and llama.cpp load.

The q and k projections are scaled until attention is sharp: with flat attention an error there would hide in the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.export.gguf_writer import GGUFWriter
from edge.formats.types import GGMLType, ValueType

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of a random model; every matrix has a multiple of 256 columns, so that every block format fits."""

    model_type: str
    hidden_size: int = 256
    intermediate_size: int = 512
    num_hidden_layers: int = 2
    num_attention_heads: int = 4
    num_key_value_heads: int = 2
    head_dim: int = 64
    vocab_size: int = 512
    tied: bool = False
    sharpness: float = 2.0  # standard deviation of a query or key entry
    exact: bool = False  # embeddings of +-1 and layers that add nothing: int8 activations of the head are exact


def byte_symbols() -> list[str]:
    """The 256 characters that byte-level BPE writes bytes with (GPT-2's encoder)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in printable]
    table = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(rest)}
    return [table[b] for b in range(256)]


def write_vocabulary(writer: GGUFWriter, size: int) -> None:
    """A byte-level vocabulary: 256 bytes, one control token, two-letter words for the rest."""
    letters = "etaoinshrdlucmfwypvbgk"
    merges = [f"{a} {b}" for a in letters for b in letters][: size - 257]
    tokens = [*byte_symbols(), "<|endoftext|>", *(merge.replace(" ", "") for merge in merges)]
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [3 if t == "<|endoftext|>" else 1 for t in tokens], ValueType.INT32)
    writer.add("tokenizer.ggml.merges", merges)
    writer.add("tokenizer.ggml.bos_token_id", 256)
    writer.add("tokenizer.ggml.eos_token_id", 256)
    writer.add("tokenizer.ggml.add_bos_token", False)


def random_tensors(shape: Shape, seed: int) -> dict[str, F32]:
    """Weights by GGUF name: matrices (rows, cols), unit gain, norms near 1, biases where the architecture has them."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, cols: int, gain: float = 1.0) -> F32:
        values: F32 = (rng.standard_normal((rows, cols)) * gain / np.sqrt(cols)).astype(np.float32)
        return values

    def vector(size: int, mean: float, spread: float) -> F32:
        return (mean + spread * rng.standard_normal(size)).astype(np.float32)

    d, hd = shape.hidden_size, shape.head_dim
    q_rows, kv_rows = shape.num_attention_heads * hd, shape.num_key_value_heads * hd
    normed = shape.model_type == "qwen3"
    gain = 1.0 if normed else shape.sharpness
    tensors: dict[str, F32] = {
        "token_embd.weight": matrix(shape.vocab_size, d, np.sqrt(d)),
        "output_norm.weight": vector(d, 1.0, 0.1),
    }
    if not shape.tied:
        tensors["output.weight"] = matrix(shape.vocab_size, d)
    for layer in range(shape.num_hidden_layers):
        block = f"blk.{layer}."
        tensors |= {
            block + "attn_norm.weight": vector(d, 1.0, 0.1),
            block + "attn_q.weight": matrix(q_rows, d, gain),
            block + "attn_k.weight": matrix(kv_rows, d, gain),
            block + "attn_v.weight": matrix(kv_rows, d),
            block + "attn_output.weight": matrix(d, q_rows),
            block + "ffn_norm.weight": vector(d, 1.0, 0.1),
            block + "ffn_gate.weight": matrix(shape.intermediate_size, d),
            block + "ffn_up.weight": matrix(shape.intermediate_size, d),
            block + "ffn_down.weight": matrix(d, shape.intermediate_size),
        }
        if shape.model_type == "qwen2":
            tensors |= {f"{block}attn_{x}.bias": vector(q_rows if x == "q" else kv_rows, 0.0, 0.3) for x in "qkv"}
        if normed:
            tensors |= {f"{block}attn_{x}_norm.weight": vector(hd, shape.sharpness, 0.1) for x in "qk"}
    if shape.exact:
        for name, values in tensors.items():
            if name == "token_embd.weight":
                values[:] = np.where(values < 0, -1, 1)
            elif name.endswith(("attn_output.weight", "ffn_down.weight")):
                values[:] = 0
            elif name == "output_norm.weight":
                values[:] = 1
    return tensors


def write_model(path: Path, shape: Shape, seed: int) -> Path:
    """Writes the F32 file and returns its path."""
    writer = GGUFWriter(path)
    arch = shape.model_type
    writer.add("general.architecture", arch)
    writer.add("general.name", f"random-{arch}")
    for key, value in {
        "block_count": shape.num_hidden_layers,
        "context_length": 512,
        "embedding_length": shape.hidden_size,
        "feed_forward_length": shape.intermediate_size,
        "attention.head_count": shape.num_attention_heads,
        "attention.head_count_kv": shape.num_key_value_heads,
        "attention.key_length": shape.head_dim,
        "attention.value_length": shape.head_dim,
        "rope.dimension_count": shape.head_dim,
        "vocab_size": shape.vocab_size,
    }.items():
        writer.add(f"{arch}.{key}", value)
    writer.add(f"{arch}.rope.freq_base", 10000.0)
    writer.add(f"{arch}.attention.layer_norm_rms_epsilon", 1e-5)
    write_vocabulary(writer, shape.vocab_size)
    for name, values in random_tensors(shape, seed).items():
        writer.add_tensor(name, GGMLType.F32, values.shape, values)
    writer.finish()
    return path
