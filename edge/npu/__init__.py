"""Runs models on NPUs: folders of `edge export --to npu`, through ONNX Runtime's execution providers."""

from __future__ import annotations

__all__: list[str] = []
