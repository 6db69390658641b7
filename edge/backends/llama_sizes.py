"""What llama.cpp will allocate for a model, from the file's header alone."""

from __future__ import annotations

from dataclasses import dataclass

from edge.backends.compiled import MAX_CHUNK, check_number
from edge.errors import UnsupportedModel
from edge.formats.gguf import GGUFFile

__all__ = ["LlamaSizes", "llama_sizes"]

MAX_SEQUENCES = 256  # LLAMA_MAX_SEQ
LEAST_LOGITS = 8  # rows of a step, for who compares several positions at once
_KV_BITS = {"f16": 16, "q8": 8.5, "f32": 32}  # a value; Q8_0 has a scale of 16 bits for 32 values
_STEP = 256  # contexts are rounded up to it


@dataclass(frozen=True, slots=True)
class LlamaSizes:
    """context: tokens of a sequence. max_tokens: of a step; num_logits: rows of it whose logits are wanted.

    Bytes: weights as the file has them; kv of a position, all layers, and of all positions of all sequences, with
    nothing spared for layers that see a window; compute: work space of a step and its logits."""

    context: int
    num_sequences: int
    max_tokens: int
    num_logits: int
    vocab_size: int
    weights: int
    kv_position: int
    kv: int
    compute: int


def llama_sizes(
    file: GGUFFile, *, context: int | None, default_context: int, num_sequences: int, chunk: int, kv_type: str
) -> LlamaSizes:
    """context None: the model's own, at most default_context. BadModelFile: a key is missing or of another type.
    RequestError: an option out of range. UnsupportedModel: K and V of these heads have no such type."""
    arch = file.get_str("general.architecture")
    check_number("chunk", chunk, 1, MAX_CHUNK)
    check_number("sequences", num_sequences, 1, MAX_SEQUENCES)
    longest = file.get_int(f"{arch}.context_length")
    length = min(longest, default_context) if context is None else context
    check_number("context", length, 2, longest)
    hidden, num_layers = file.get_int(f"{arch}.embedding_length"), file.get_int(f"{arch}.block_count")
    heads = _per_layer(file, f"{arch}.attention.head_count", num_layers, 1)
    kv_heads = _per_layer(file, f"{arch}.attention.head_count_kv", num_layers, max(heads))
    size = hidden // max(1, *heads)
    k_size = file.get_int(f"{arch}.attention.key_length", default=size)
    v_size = file.get_int(f"{arch}.attention.value_length", default=size)
    if kv_type == "q8" and (k_size % 32 or v_size % 32):
        raise UnsupportedModel(file.path, f"heads of {k_size} and {v_size} values: llama.cpp has q8 K and V for 32 n")
    kv_position = int(sum(kv_heads) * (k_size + v_size) * _KV_BITS[kv_type] / 8)
    positions = -(-length // _STEP) * _STEP
    vocab_size = len(file.get_strings("tokenizer.ggml.tokens"))
    feed_forward = max(_per_layer(file, f"{arch}.feed_forward_length", num_layers, 4 * hidden))
    # A step's widest moment: the residual stream, q, k, v or gate and up as float32, and their int8 copies.
    row = 4 * (3 * hidden + max(2 * feed_forward, max(heads) * k_size * 2)) + 2 * max(hidden, feed_forward)
    mask = 4 * positions * max(32, chunk)  # of attention: which positions each token sees
    num_logits = max(num_sequences, LEAST_LOGITS)
    logits = 2 * 4 * vocab_size * num_logits  # where they are computed, and where they are read
    return LlamaSizes(
        context=length,
        num_sequences=num_sequences,
        max_tokens=max(chunk, num_sequences),
        num_logits=num_logits,
        vocab_size=vocab_size,
        weights=sum(info.num_bytes for info in file.tensors.values()),
        kv_position=kv_position,
        kv=kv_position * positions * num_sequences,
        compute=row * chunk + mask + logits,
    )


def _per_layer(file: GGUFFile, key: str, num_layers: int, default: int) -> list[int]:
    """A number for every layer: the file has one for all, or a list."""
    if not file.has(key):
        return [default] * num_layers
    values = file.get_ints(key) if file.is_array(key) else (file.get_int(key),) * num_layers
    return list(values)
