"""Causal attention as GroupQueryAttention: rotation, storing K and V, and attending in one operator."""

from __future__ import annotations

from collections.abc import Sequence

from edge.export.onnx.graph_writer import GraphWriter
from edge.graph.ops import Attention

__all__ = ["attention"]


def attention(
    onnx: GraphWriter,
    op: Attention,
    inputs: Sequence[str],
    tables: tuple[str, str] | None,
    *,
    interleaved: bool,
    out: str,
) -> str:
    """inputs: q, k and v, or one value that holds them side by side. tables: cos and sin; None: nothing is rotated.
    interleaved: a rotary pair is two neighbours. Past and present K and V have the names that genai gives them."""
    query = [*inputs, *([""] * (3 - len(inputs)))]
    past = [f"past_key_values.{op.layer}.{kind}" for kind in ("key", "value")]
    present = [f"present.{op.layer}.{kind}" for kind in ("key", "value")]
    return onnx.contrib(
        "GroupQueryAttention",
        [*query, *past, "seqlens_k", "total_length", *(tables or ())],
        [out, *present],
        num_heads=op.num_heads,
        kv_num_heads=op.num_kv_heads,
        scale=float(op.scale),
        do_rotary=int(tables is not None),
        rotary_interleaved=int(interleaved),
        local_window_size=op.window or -1,
    )
