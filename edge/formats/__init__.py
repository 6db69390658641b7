"""The one place that opens model files."""

from __future__ import annotations

from edge.formats.gguf import GGUFFile, TensorInfo, open_gguf
from edge.formats.types import GGMLType, ValueType
from edge.formats.vocabulary import check_vocabulary

__all__ = ["GGMLType", "GGUFFile", "TensorInfo", "ValueType", "check_vocabulary", "open_gguf"]
