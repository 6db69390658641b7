"""The op set: what an architecture is composed of. Each op has a shape rule here, and lowerings elsewhere.

A value is a matrix of floats: one row per token of the step, or one per wanted logit row after SelectRows. Every op
here has both lowerings that exist: NumPy (edge.graph.reference) and native (edge.graph.native, after fusion).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple


class GraphError(ValueError):
    """Ops were composed in a way that cannot be: a bug in an architecture file or a pass, never a bad model file."""


class Rows(Enum):
    """What a row of a value stands for. The numbers are edge_buffer.rows."""

    TOKENS = 0
    LOGITS = 1


class Shape(NamedTuple):
    """(rows, width): rows is known when a step runs, width (floats in a row) always."""

    rows: Rows
    width: int


class RopeSpec(NamedTuple):
    """Rotary embedding (Su et al. 2021): pair i at position p turns by p * theta^(-2i/dims) * frequency_scale[i].

    cos and sin are multiplied by `magnitude`. neox: pairs (i, i + dims/2), otherwise (2i, 2i+1).
    """

    theta: float
    dims: int
    neox: bool
    magnitude: float
    frequency_scale: tuple[float, ...]  # dims / 2 values


class Embedding(NamedTuple):
    """out = scale * a row of `weight` (rows, width) for each token: by its id, by its position, or always the first."""

    weight: str
    scale: float = 1.0
    row_of: Literal["token", "position", "first"] = "token"


class RmsNorm(NamedTuple):
    """out = x / sqrt(mean(x^2) + eps) * gain, over groups as wide as `gain` (a head, or the whole row)."""

    gain: str
    eps: float


class LayerNorm(NamedTuple):
    """out = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) * gain + bias, over whole rows (Ba et al. 2016)."""

    gain: str
    bias: str
    eps: float


class Linear(NamedTuple):
    """out = weight x + bias; weight (out, in), bias (out,). rows: (first, behind the last) of the weight, whose other
    rows belong to other projections; None: all."""

    weight: str
    bias: str | None = None
    rows: tuple[int, int] | None = None


class Rope(NamedTuple):
    """Rotates the first `rope.dims` dimensions of every head of `head_dim`."""

    rope: RopeSpec
    head_dim: int


class Attention(NamedTuple):
    """Inputs q, k, v. Stores k and v at `layer`, then softmax(scale * q k^T) v over positions 0 .. the row's own.
    With q alone nothing is stored: it reads what an earlier attention stored at `layer`, whose k was rotated there.

    Query head h reads KV head h // (num_heads / num_kv_heads). window: the row's own position is the last of so many
    that it sees; 0: all up to its own. whole: every row sees all of its sequence, which a step must hold whole.
    """

    layer: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    scale: float
    window: int = 0
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Add:
    """out = a + b."""


@dataclass(frozen=True, slots=True)
class Mul:
    """out = a * b."""


@dataclass(frozen=True, slots=True)
class Silu:
    """out = x / (1 + exp(-x))."""


@dataclass(frozen=True, slots=True)
class Gelu:
    """out = x / 2 * (1 + tanh(u)), u = sqrt(2 / pi) * (x + 0.044715 x^3) (Hendrycks and Gimpel, 2016)."""


@dataclass(frozen=True, slots=True)
class GeluErf:
    """out = x / 2 * (1 + erf(x / sqrt(2))): the same with the normal distribution itself."""


@dataclass(frozen=True, slots=True)
class Relu2:
    """out = max(x, 0)^2 (So et al. 2021)."""


@dataclass(frozen=True, slots=True)
class SelectRows:
    """Token rows to logit rows: those whose logits are wanted."""


Activation = Silu | Gelu | GeluErf | Relu2
Op = Embedding | RmsNorm | LayerNorm | Linear | Rope | Attention | Add | Mul | Activation | SelectRows


class Node(NamedTuple):
    """A value and the op that makes it. `inputs` are indices of earlier nodes. Names are unique and stable."""

    number: int
    name: str
    op: Op
    inputs: tuple[int, ...]
    shape: Shape


class Graph(NamedTuple):
    """Nodes in an order that can be run; `output` is the logits, or states without a head. `weight_shapes` holds the
    tensors it reads."""

    nodes: tuple[Node, ...]
    output: int
    weight_shapes: Mapping[str, tuple[int, ...]]

    def users(self) -> list[list[int]]:
        """For each node the nodes that read it, once per reading."""
        users: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for i in node.inputs:
                users[i].append(node.number)
        return users

    def find(self, name: str) -> Node:
        for node in self.nodes:
            if node.name == name:
                return node
        raise GraphError(f"no value is named {name!r}")


def without_head(graph: Graph) -> Graph:
    """What the head reads: the last hidden states, normed. The graph as it is when they are its output already."""
    head = graph.nodes[graph.output]
    if not isinstance(head.op, Linear):
        return graph
    nodes = graph.nodes[: graph.output]
    used = {name for node in nodes for name in _weights_of(node.op)}
    return Graph(nodes, head.inputs[0], {name: shape for name, shape in graph.weight_shapes.items() if name in used})


def _weights_of(op: Op) -> tuple[str, ...]:
    match op:
        case Embedding(weight):
            return (weight,)
        case Linear(weight, bias):
            return (weight,) if bias is None else (weight, bias)
        case RmsNorm(gain):
            return (gain,)
        case LayerNorm(gain, bias):
            return gain, bias
        case _:
            return ()


_NUM_INPUTS: Mapping[type[Op], int] = {
    Embedding: 0,
    RmsNorm: 1,
    LayerNorm: 1,
    Linear: 1,
    Rope: 1,
    Attention: 3,  # or 1
    Add: 2,
    Mul: 2,
    Silu: 1,
    Gelu: 1,
    GeluErf: 1,
    Relu2: 1,
    SelectRows: 1,
}


def infer_shape(op: Op, inputs: Sequence[Shape], weight_shapes: Mapping[str, tuple[int, ...]]) -> Shape:
    """Shape of the op's value. GraphError when inputs or weights do not fit each other."""
    if len(inputs) != _NUM_INPUTS[type(op)] and not (isinstance(op, Attention) and len(inputs) == 1):
        raise GraphError(f"{type(op).__name__} takes {_NUM_INPUTS[type(op)]} inputs, not {len(inputs)}")
    match op:
        case Embedding():
            return Shape(Rows.TOKENS, _matrix(weight_shapes, op.weight)[1])
        case RmsNorm():
            gain = _vector(weight_shapes, op.gain)
            _whole(op, inputs[0].width, gain)
            return inputs[0]
        case LayerNorm():
            for name in (op.gain, op.bias):
                if _vector(weight_shapes, name) != inputs[0].width:
                    raise GraphError(f"{name} has {weight_shapes[name]} values, its input has {inputs[0].width}")
            return inputs[0]
        case Linear():
            rows, cols = _matrix(weight_shapes, op.weight)
            if cols != inputs[0].width:
                raise GraphError(f"{op.weight} reads {cols} values, its input has {inputs[0].width}")
            if op.rows is not None:
                first, end = op.rows
                if not 0 <= first < end <= rows:
                    raise GraphError(f"{op.weight} has {rows} rows, not {first} to {end - 1}")
                rows = end - first
            if op.bias is not None and _vector(weight_shapes, op.bias) != rows:
                raise GraphError(f"{op.bias} has {weight_shapes[op.bias]} values, {op.weight} makes {rows}")
            return Shape(inputs[0].rows, rows)
        case Rope():
            _whole(op, inputs[0].width, op.head_dim)
            if not 2 <= op.rope.dims <= op.head_dim or op.rope.dims % 2 or inputs[0].rows is not Rows.TOKENS:
                raise GraphError(f"rope turns {op.rope.dims} of {op.head_dim} dimensions of {inputs[0].rows}")
            return inputs[0]
        case Attention():
            q, kv = op.num_heads * op.head_dim, op.num_kv_heads * op.head_dim
            wanted = [Shape(Rows.TOKENS, q), Shape(Rows.TOKENS, kv), Shape(Rows.TOKENS, kv)][: len(inputs)]
            if list(inputs) != wanted or op.num_heads % op.num_kv_heads or op.window < 0 or (op.window and op.whole):
                raise GraphError(f"attention wants {wanted}, got {list(inputs)}")
            return wanted[0]
        case Add() | Mul():
            if inputs[0] != inputs[1]:
                raise GraphError(f"{type(op).__name__} of {inputs[0]} and {inputs[1]}")
            return inputs[0]
        case Silu() | Gelu() | GeluErf() | Relu2():
            return inputs[0]
        case SelectRows():
            if inputs[0].rows is not Rows.TOKENS:
                raise GraphError("SelectRows of rows that were selected already")
            return Shape(Rows.LOGITS, inputs[0].width)


def _matrix(shapes: Mapping[str, tuple[int, ...]], name: str) -> tuple[int, int]:
    shape = shapes[name]
    if len(shape) != 2:
        raise GraphError(f"{name} has shape {shape}, wanted a matrix")
    return shape[0], shape[1]


def _vector(shapes: Mapping[str, tuple[int, ...]], name: str) -> int:
    shape = shapes[name]
    if len(shape) != 1:
        raise GraphError(f"{name} has shape {shape}, wanted a vector")
    return shape[0]


def _whole(op: Op, width: int, part: int) -> None:
    if part < 1 or width % part:
        raise GraphError(f"{type(op).__name__}: {width} is not a multiple of {part}")
