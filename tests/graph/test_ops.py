"""Shape rules of the op set, and the builder's own checks."""

from __future__ import annotations

from typing import Any

import pytest

from edge.graph.builder import GraphBuilder
from edge.graph.ops import (
    Add,
    Attention,
    Embedding,
    GraphError,
    Linear,
    Mul,
    Op,
    RmsNorm,
    Rope,
    RopeSpec,
    Rows,
    SelectRows,
    Shape,
    Silu,
    infer_shape,
)

WEIGHTS: dict[str, tuple[int, ...]] = {"table": (10, 8), "w": (6, 8), "b": (6,), "b5": (5,), "g4": (4,), "g3": (3,)}
T8, L8, T16, T4 = Shape(Rows.TOKENS, 8), Shape(Rows.LOGITS, 8), Shape(Rows.TOKENS, 16), Shape(Rows.TOKENS, 4)
ROPE = RopeSpec(1e4, 4, False, 1.0, (1.0, 1.0))

GOOD: list[tuple[Op, list[Shape], Shape]] = [
    (Embedding("table"), [], T8),
    (RmsNorm("g4", 1e-5), [T8], T8),
    (RmsNorm("g4", 1e-5), [L8], L8),
    (Linear("w"), [T8], Shape(Rows.TOKENS, 6)),
    (Linear("w", "b"), [L8], Shape(Rows.LOGITS, 6)),
    (Rope(ROPE, 4), [T8], T8),
    (Attention(0, 4, 1, 4, 0.5), [T16, T4, T4], T16),
    (Add(), [T8, T8], T8),
    (Mul(), [L8, L8], L8),
    (Silu(), [T8], T8),
    (SelectRows(), [T8], L8),
]
BAD: list[tuple[Op, list[Shape], str]] = [
    (Embedding("table"), [T8], "takes 0 inputs"),
    (Embedding("b"), [], "wanted a matrix"),
    (RmsNorm("g3", 1e-5), [T8], "not a multiple of 3"),
    (RmsNorm("w", 1e-5), [T8], "wanted a vector"),
    (Linear("w"), [T16], "reads 8 values, its input has 16"),
    (Linear("w", "b5"), [T8], "b5 has"),
    (Linear("b"), [T8], "wanted a matrix"),
    (Rope(ROPE, 3), [T8], "not a multiple of 3"),
    (Rope(ROPE, 2), [T8], "rope turns 4 of 2"),
    (Rope(ROPE, 4), [L8], "rope turns"),
    (Attention(0, 4, 1, 4, 0.5), [T16, T8, T4], "attention wants"),
    (Attention(0, 4, 3, 4, 0.5), [T16, Shape(Rows.TOKENS, 12), Shape(Rows.TOKENS, 12)], "attention wants"),
    (Attention(0, 4, 1, 4, 0.5), [Shape(Rows.LOGITS, 16), T4, T4], "attention wants"),
    (Add(), [T8, L8], "Add of"),
    (Mul(), [T8, T4], "Mul of"),
    (Mul(), [T8], "takes 2 inputs, not 1"),
    (SelectRows(), [L8], "selected already"),
]


@pytest.mark.parametrize(("op", "inputs", "wanted"), GOOD)
def test_shapes(op: Op, inputs: list[Shape], wanted: Shape) -> None:
    assert infer_shape(op, inputs, WEIGHTS) == wanted


@pytest.mark.parametrize(("op", "inputs", "message"), BAD)
def test_what_does_not_fit(op: Op, inputs: list[Shape], message: str) -> None:
    with pytest.raises(GraphError, match=message):
        infer_shape(op, inputs, WEIGHTS)


def builder(**shapes: tuple[int, ...]) -> GraphBuilder:
    tensors = {f"{name}.weight": shape for name, shape in shapes.items()}
    return GraphBuilder(tensors, {name: name for name in shapes})


def test_names_are_unique_and_values_can_be_found() -> None:
    b = builder(e=(10, 8))
    x = b.embedding("e", 10, 8)
    y = b.silu(x, "act")
    with pytest.raises(GraphError, match="two values are named 'act'"):
        b.silu(y, "act")
    graph = b.finish(y)
    assert graph.find("act").inputs == (0,) and graph.users() == [[1], []]
    with pytest.raises(GraphError, match="no value is named 'x'"):
        graph.find("x")


def test_attention_belongs_to_a_layer() -> None:
    b = builder(e=(10, 8))
    x = b.embedding("e", 10, 8)
    heads: dict[str, Any] = {"num_heads": 2, "num_kv_heads": 2, "head_dim": 4, "scale": 0.5}
    with pytest.raises(GraphError, match="outside a layer"):
        b.attention(x, x, x, **heads)
