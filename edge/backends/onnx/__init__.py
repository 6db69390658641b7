"""ONNX Runtime as a backend. What it can do is known without it; `edge.backends.onnx.backend` needs onnxruntime."""

from __future__ import annotations

from edge.backends.protocol import Capabilities

__all__ = ["CAPABILITIES"]

CAPABILITIES = Capabilities(
    name="onnx",
    kv_layout="slots",
    kv_types=("exported",),  # as the folder was made
    reuses=True,
    saves=False,
    options=frozenset({"provider", "strict"}),
)
