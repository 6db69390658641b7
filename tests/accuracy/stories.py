"""The public stories260K checkpoint (llama2.c format) as GGUF: a real trained model that no one here made."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.export.gguf_writer import GGUFWriter
from edge.formats.types import GGMLType, ValueType
from edge.quant import encode

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "stories"


class _Reader:
    def __init__(self, raw: bytes, position: int) -> None:
        self._raw, self._position = raw, position

    def take(self, *shape: int) -> npt.NDArray[np.float32]:
        count = int(np.prod(shape))
        values = np.frombuffer(self._raw, np.float32, count, self._position).reshape(shape)
        self._position += 4 * count
        return values


def _vocabulary(size: int) -> tuple[list[str], list[float], list[int]]:
    raw, position = (DATA / "tok512.bin").read_bytes(), 4
    tokens: list[str] = []
    scores: list[float] = []
    for i in range(size):
        score, length = struct.unpack_from("<fi", raw, position)
        text = raw[position + 8 : position + 8 + length].decode("utf-8", "replace")
        position += 8 + length
        special = ("<unk>", "<s>", "</s>")
        tokens.append(special[i] if i < 3 else f"<0x{i - 3:02X}>" if i < 259 else text.replace(" ", "\u2581"))
        scores.append(score)
    return tokens, scores, [2, 3, 3, *([6] * 256), *([1] * (size - 259))]


def write_stories(path: Path, kind: GGMLType) -> Path:
    """The checkpoint with its matrices as `kind`; a matrix whose columns are no whole number of blocks stays F32."""
    if not DATA.is_dir():
        pytest.skip("../shared/data/stories is not there: the public checkpoint is not part of the project")
    raw = (DATA / "stories260K.bin").read_bytes()
    dim, ffn, layers, heads, kv_heads, vocab, context = struct.unpack("<7i", raw[:28])
    hd, reader = dim // heads, _Reader(raw, 28)
    embedding, attn_norm = reader.take(abs(vocab), dim), reader.take(layers, dim)
    parts = {
        "attn_q": reader.take(layers, heads * hd, dim),
        "attn_k": reader.take(layers, kv_heads * hd, dim),
        "attn_v": reader.take(layers, kv_heads * hd, dim),
        "attn_output": reader.take(layers, dim, heads * hd),
        "ffn_norm": reader.take(layers, dim),
        "ffn_gate": reader.take(layers, ffn, dim),
        "ffn_down": reader.take(layers, dim, ffn),
        "ffn_up": reader.take(layers, ffn, dim),
        "attn_norm": attn_norm,
    }
    final = reader.take(dim)
    reader.take(2, context, hd // 2)  # tables of cosines and sines
    head = embedding if vocab > 0 else reader.take(abs(vocab), dim)

    writer = GGUFWriter(path)
    writer.add("general.architecture", "llama")
    writer.add("general.name", "stories260K")
    for key, value in {
        "context_length": context, "embedding_length": dim, "block_count": layers, "feed_forward_length": ffn,
        "attention.head_count": heads, "attention.head_count_kv": kv_heads, "rope.dimension_count": hd,
        "vocab_size": abs(vocab),
    }.items():  # fmt: skip
        writer.add(f"llama.{key}", value)
    writer.add("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add("llama.rope.freq_base", 10000.0)
    tokens, scores, types = _vocabulary(abs(vocab))
    writer.add("tokenizer.ggml.model", "llama")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.scores", scores)
    writer.add("tokenizer.ggml.token_type", types, ValueType.INT32)
    writer.add("tokenizer.ggml.bos_token_id", 1)
    writer.add("tokenizer.ggml.eos_token_id", 2)
    writer.add("tokenizer.ggml.unknown_token_id", 0)
    writer.add("tokenizer.ggml.add_bos_token", True)

    def tensor(name: str, values: npt.NDArray[np.float32]) -> None:
        fits = values.ndim == 2 and values.shape[1] % 32 == 0
        chosen = kind if fits else GGMLType.F32
        writer.add_tensor(name, chosen, values.shape, encode(chosen, np.ascontiguousarray(values)))

    tensor("token_embd.weight", embedding)
    tensor("output_norm.weight", final)
    tensor("output.weight", head)
    for layer in range(layers):
        for name, values in parts.items():
            tensor(f"blk.{layer}.{name}.weight", values[layer])
    writer.finish()
    return path
