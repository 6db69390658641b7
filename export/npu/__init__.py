"""ONNX graphs for NPUs: fixed shapes, quantised activations, KV in slots."""

from __future__ import annotations

__all__: list[str] = []
