"""Writes a random-weight GGUF file in a real model's shape: speed does not depend on the values.

python -m scripts.random_model SHAPE TYPE OUT.gguf       tinyllama-1.1b Q4_K_M m.gguf

TYPE is a file type as llama.cpp's quantiser makes it (scripts/mixtures.py), of any type that GGUF has for weights, or
pure-TYPE for all matrices of one type.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.export.gguf_writer import GGUFWriter
from edge.formats.types import BLOCKS, GGMLType, ValueType
from edge.quant import ENCODABLE, encode
from scripts.mixtures import FILE_TYPES, Matrix, base_type, matrix_type
from tests.quant.random_blocks import random_blocks

DEVIATION = 0.02  # of the weights, as in trained models
DIFFERENT_BYTES = 1 << 20  # of a matrix; then they repeat. No cache of a processor looks at values


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
    "tiny": Shape("llama", 256, 2, 768, 8, 2, 32, 512, 1e4, False),  # for tests of these scripts
    "small": Shape("llama", 512, 8, 1536, 8, 4, 64, 16384, 1e4, True),  # 34 M weights, for tests of memory
    "tinyllama-1.1b": Shape("llama", 2048, 22, 5632, 32, 4, 64, 32000, 1e4, False),
    "llama-3.2-1b": Shape("llama", 2048, 16, 8192, 32, 8, 64, 128256, 5e5, True),
    "qwen2.5-0.5b": Shape("qwen2", 896, 24, 4864, 14, 2, 64, 151936, 1e6, True),
    "qwen3-0.6b": Shape("qwen3", 1024, 28, 3072, 16, 8, 128, 151936, 1e6, True),
}


def random_matrix(kind: GGMLType, rows: int, cols: int, rng: np.random.Generator) -> bytes:
    """`rows x cols` random weights as blocks of the type: any codes, scales finite and of an ordinary size."""
    elements, block_bytes = BLOCKS[kind]
    num_blocks = rows * cols // elements
    num_different = min(num_blocks, DIFFERENT_BYTES // block_bytes)
    if kind in ENCODABLE:
        values = rng.standard_normal((num_different, elements), dtype=np.float32) * np.float32(DEVIATION)
        different = np.frombuffer(encode(kind, values), np.uint8)
    else:
        different = random_blocks(kind, num_different, DEVIATION, rng)
    return np.resize(different, num_blocks * block_bytes).tobytes()


def matrices(shape: Shape, file_type: str) -> Iterator[tuple[str, GGMLType, int, int]]:
    """(name, type, rows, cols) of every matrix, in the order of the file."""
    d, q, kv = shape.hidden, shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    embedding = Matrix("output" if shape.tied else "token_embd", d)
    yield "token_embd.weight", matrix_type(file_type, embedding), shape.vocab, d
    if not shape.tied:
        yield "output.weight", matrix_type(file_type, Matrix("output", d)), shape.vocab, d
    for layer in range(shape.layers):
        for name, rows, cols in (
            ("attn_q", q, d), ("attn_k", kv, d), ("attn_v", kv, d), ("attn_output", d, q),
            ("ffn_gate", shape.ffn, d), ("ffn_up", shape.ffn, d), ("ffn_down", d, shape.ffn),
        ):  # fmt: skip
            matrix = Matrix(name, cols, layer, shape.layers, shape.heads // shape.kv_heads)
            yield f"blk.{layer}.{name}.weight", matrix_type(file_type, matrix), rows, cols


def write(name: str, file_type: str, path: Path, *, template: str | None = None) -> None:
    """template: a chat template. ValueError: no such file type. KeyError: no such shape."""
    shape, rng, writer = SHAPES[name], np.random.default_rng(0), GGUFWriter(path)
    base_type(file_type)
    _add_metadata(writer, name, shape, file_type)
    if template is not None:
        writer.add("tokenizer.chat_template", template)
    for tensor, kind, rows, cols in matrices(shape, file_type):
        writer.add_tensor(tensor, kind, (rows, cols), random_matrix(kind, rows, cols, rng))
    _add_vectors(writer, shape)
    writer.finish()


def _add_metadata(writer: GGUFWriter, name: str, shape: Shape, file_type: str) -> None:
    arch = shape.arch
    writer.add("general.architecture", arch)
    writer.add("general.name", f"{name}, random weights")
    if file_type in FILE_TYPES:
        writer.add("general.file_type", FILE_TYPES[file_type])
    sizes = {
        "block_count": shape.layers, "context_length": 8192, "embedding_length": shape.hidden,
        "feed_forward_length": shape.ffn, "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads, "attention.key_length": shape.head_dim,
        "attention.value_length": shape.head_dim, "rope.dimension_count": shape.head_dim, "vocab_size": shape.vocab,
    }  # fmt: skip
    for key, value in sizes.items():
        writer.add(f"{arch}.{key}", value)
    writer.add(f"{arch}.rope.freq_base", shape.theta)
    writer.add(f"{arch}.attention.layer_norm_rms_epsilon", 1e-5)
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte_tokens = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    tokens = [*byte_tokens, '!"', *(f"<|word{i}|>" for i in range(shape.vocab - 257))]
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [1] * shape.vocab, ValueType.INT32)
    writer.add("tokenizer.ggml.merges", ['! "'])
    writer.add("tokenizer.ggml.bos_token_id", 0)
    writer.add("tokenizer.ggml.eos_token_id", 0)


def _add_vectors(writer: GGUFWriter, shape: Shape) -> None:
    """Gains of 1 and biases of 0."""

    def vector(tensor: str, size: int, value: float = 1.0) -> None:
        writer.add_tensor(tensor, GGMLType.F32, (size,), np.full(size, value, np.float32).tobytes())

    vector("output_norm.weight", shape.hidden)
    for layer in range(shape.layers):
        block = f"blk.{layer}."
        vector(block + "attn_norm.weight", shape.hidden)
        vector(block + "ffn_norm.weight", shape.hidden)
        if shape.arch == "qwen2":
            vector(block + "attn_q.bias", shape.heads * shape.head_dim, 0.0)
            for part in ("k", "v"):
                vector(f"{block}attn_{part}.bias", shape.kv_heads * shape.head_dim, 0.0)
        if shape.arch == "qwen3":
            vector(block + "attn_q_norm.weight", shape.head_dim)
            vector(block + "attn_k_norm.weight", shape.head_dim)


def main() -> None:
    if len(sys.argv) != 4 or sys.argv[1] not in SHAPES:
        raise SystemExit(f"{__doc__}\nSHAPE is one of {', '.join(SHAPES)}")
    try:
        write(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    except ValueError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
