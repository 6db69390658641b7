"""Writes model files: GGUF, from a Hugging Face folder or from another GGUF file."""

from __future__ import annotations

if __name__ != "edge.export":
    raise ImportError("import this package as edge.export")

from edge.export.gguf_writer import GGUFWriter
from edge.export.source import SourceTensor, TensorSource

__all__ = ["GGUFWriter", "SourceTensor", "TensorSource"]
