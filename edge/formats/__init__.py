"""The one place that opens model files."""

from __future__ import annotations

from edge.formats.gguf import GGUFFile, TensorInfo, open_gguf
from edge.formats.types import GGMLType, ValueType

__all__ = ["GGMLType", "GGUFFile", "TensorInfo", "ValueType", "open_gguf"]
