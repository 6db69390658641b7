"""One definition of a model: ops, the builder, fusion, buffer planning, and the lowerings.

`edge.models.build` makes a Graph, `lower_native` turns it into the native engine's op list, and
`edge.graph.reference.Reference` runs it in NumPy (imported separately: this package does without NumPy).
"""

from __future__ import annotations

from edge.graph.adapters import AdapterMatrix, LoweredAdapters, lower_adapters
from edge.graph.builder import GraphBuilder, Value
from edge.graph.native import NativeProgram, WeightRef, lower_native
from edge.graph.ops import Graph, GraphError, RopeSpec, without_head
from edge.graph.rope import rope_spec

__all__ = [
    "AdapterMatrix",
    "Graph",
    "GraphBuilder",
    "GraphError",
    "LoweredAdapters",
    "NativeProgram",
    "RopeSpec",
    "Value",
    "WeightRef",
    "lower_adapters",
    "lower_native",
    "rope_spec",
    "without_head",
]
