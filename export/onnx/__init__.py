"""ONNX folders for onnxruntime-genai and edge's own `onnx` backend, built from a model's graph."""

from __future__ import annotations

from edge.export.onnx import nodes
from edge.export.onnx.graph_writer import GraphWriter, Part
from edge.export.onnx.lower import Lowered, OnnxOptions, lower_onnx
from edge.export.onnx.matrices import MatrixForm, Rounding, Rows

__all__ = ["GraphWriter", "Lowered", "MatrixForm", "OnnxOptions", "Part", "Rounding", "Rows", "lower_onnx", "nodes"]
