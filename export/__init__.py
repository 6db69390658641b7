"""Writes model files: GGUF (a Hugging Face folder, ONNX and packed files follow)."""

from __future__ import annotations

if __name__ != "edge.export":
    raise ImportError("import this package as edge.export")

from edge.export.gguf_writer import GGUFWriter

__all__ = ["GGUFWriter"]
