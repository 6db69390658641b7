"""ONNX files and folders, read and checked before a runtime sees them."""

from __future__ import annotations

from edge.formats.onnx.checked_folder import (
    CheckedFolder,
    CheckedModel,
    check_compiled,
    check_model,
    open_onnx_folder,
    refuse_libraries,
)
from edge.formats.onnx.model_file import read_model
from edge.formats.onnx.parts import GraphSpec, NodeSpec, OnnxModel, TensorSpec, ValueSpec

__all__ = [
    "CheckedFolder",
    "CheckedModel",
    "GraphSpec",
    "NodeSpec",
    "OnnxModel",
    "TensorSpec",
    "ValueSpec",
    "check_compiled",
    "check_model",
    "open_onnx_folder",
    "read_model",
    "refuse_libraries",
]
