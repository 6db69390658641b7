"""Writes a random-weight GGUF file in a real model's shape: speed does not depend on the values.

python scripts/random_model.py tinyllama-1.1b Q4_0 OUT.gguf
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.export.gguf_writer import GGUFWriter
from edge.formats.types import BLOCKS, GGMLType, ValueType

BITS = {"F16": 1, "Q8_0": 7, "Q4_0": 2, "Q4_1": 3, "Q5_0": 8, "Q4_K": 15, "Q6_K": 18, "BF16": 32}  # general.file_type
SCALES = {  # f16 fields of a block, by offset: kept small and finite
    "Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q4_K": (0, 2), "Q6_K": (208,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    arch: str
    hidden: int
    layers: int
    ffn: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    theta: float
    tied: bool


SHAPES = {
    "tinyllama-1.1b": Shape("llama", 2048, 22, 5632, 32, 4, 64, 32000, 1e4, False),
    "llama-3.2-1b": Shape("llama", 2048, 16, 8192, 32, 8, 64, 128256, 5e5, True),
    "qwen2.5-0.5b": Shape("qwen2", 896, 24, 4864, 14, 2, 64, 151936, 1e6, True),
    "qwen3-0.6b": Shape("qwen3", 1024, 28, 3072, 16, 8, 128, 151936, 1e6, True),
}


def random_blocks(kind: str, rows: int, cols: int, rng: np.random.Generator) -> bytes:
    """`rows x cols` random weights of about 0.02 in size, as GGUF blocks."""
    if kind in ("F16", "BF16"):
        values = (rng.standard_normal(rows * cols, dtype=np.float32) * 0.02).astype(np.float32)
        if kind == "F16":
            return values.astype(np.float16).tobytes()
        return (values.view(np.uint32) >> 16).astype(np.uint16).tobytes()
    elements, size = BLOCKS[GGMLType[kind]]
    blocks = rng.integers(0, 256, (rows * cols // elements, size), dtype=np.uint8)
    scale = np.frombuffer(np.float16(0.0005 if kind in ("Q8_0", "Q4_K", "Q6_K") else 0.004).tobytes(), np.uint8)
    for offset in SCALES[kind]:
        blocks[:, offset : offset + 2] = scale
    return blocks.tobytes()


def write(name: str, kind: str, path: Path) -> None:
    """All matrices as `kind`, a byte-level vocabulary of the shape's size."""
    shape, rng, writer = SHAPES[name], np.random.default_rng(0), GGUFWriter(path)
    arch, d = shape.arch, shape.hidden
    writer.add("general.architecture", arch)
    writer.add("general.name", name)
    writer.add("general.file_type", BITS[kind])
    sizes = {
        "block_count": shape.layers, "context_length": 8192, "embedding_length": d, "feed_forward_length": shape.ffn,
        "attention.head_count": shape.heads, "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head_dim, "attention.value_length": shape.head_dim,
        "rope.dimension_count": shape.head_dim, "vocab_size": shape.vocab,
    }  # fmt: skip
    for key, value in sizes.items():
        writer.add(f"{arch}.{key}", value)
    writer.add(f"{arch}.rope.freq_base", shape.theta)
    writer.add(f"{arch}.attention.layer_norm_rms_epsilon", 1e-5)
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte_tokens = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    tokens = byte_tokens + [f"<|word{i}|>" for i in range(shape.vocab - 256)]
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [1] * shape.vocab, ValueType.INT32)
    writer.add("tokenizer.ggml.merges", ['! "'])
    writer.add("tokenizer.ggml.bos_token_id", 0)
    writer.add("tokenizer.ggml.eos_token_id", 0)

    def matrix(tensor: str, rows: int, cols: int) -> None:
        writer.add_tensor(tensor, GGMLType[kind], (rows, cols), random_blocks(kind, rows, cols, rng))

    def vector(tensor: str, size: int, value: float = 1.0) -> None:
        writer.add_tensor(tensor, GGMLType.F32, (size,), np.full(size, value, np.float32).tobytes())

    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    matrix("token_embd.weight", shape.vocab, d)
    vector("output_norm.weight", d)
    if not shape.tied:
        matrix("output.weight", shape.vocab, d)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        vector(block + "attn_norm.weight", d)
        vector(block + "ffn_norm.weight", d)
        matrix(block + "attn_q.weight", q, d)
        matrix(block + "attn_k.weight", kv, d)
        matrix(block + "attn_v.weight", kv, d)
        matrix(block + "attn_output.weight", d, q)
        matrix(block + "ffn_gate.weight", shape.ffn, d)
        matrix(block + "ffn_up.weight", shape.ffn, d)
        matrix(block + "ffn_down.weight", d, shape.ffn)
        if arch == "qwen2":
            for part, size in (("q", q), ("k", kv), ("v", kv)):
                vector(f"{block}attn_{part}.bias", size, 0.0)
        if arch == "qwen3":
            vector(block + "attn_q_norm.weight", shape.head_dim)
            vector(block + "attn_k_norm.weight", shape.head_dim)
    writer.finish()


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
