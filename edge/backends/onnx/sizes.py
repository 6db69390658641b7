"""How many tokens one run takes."""

from __future__ import annotations

from edge.backends.onnx.decoder import Decoder

__all__ = ["chunk_of"]

LOGITS_BYTES = 64 * 2**20  # at most, where a model gives the logits of every token


def chunk_of(decoder: Decoder, chunk: int) -> int:
    """Prompt tokens in one run: fewer than `chunk` where a model gives logits of every token and there are many."""
    most = LOGITS_BYTES // (4 * decoder.vocab_size) if decoder.head == "all" else chunk
    return max(1, min(chunk, most))
