"""Lowers a model to a graph with fixed shapes: `tokens` rows, and slots of K and V that never move.

Attention reads the slots and the step's own K and V apart, joins only their scores, and leaves it to a mask which of
them each row sees. The embedding comes in as a value, and what follows the last layer is left to the host.
"""

from __future__ import annotations

from typing import TypeVar

from edge.errors import UnsupportedModel
from edge.export.npu.adjust import Adjustment, adjustments
from edge.export.npu.static import Kind, StaticGraph, StaticOp, Weight
from edge.graph.ops import (
    Add,
    Attention,
    Embedding,
    Gelu,
    Graph,
    Linear,
    Mul,
    Node,
    Relu2,
    RmsNorm,
    Rope,
    RopeSpec,
    SelectRows,
    Silu,
)
from edge.npu.layout import Mask, Slots

__all__ = ["HIDDEN", "HIDDEN_OUT", "lower"]

HIDDEN, HIDDEN_OUT = "hidden", "hidden_out"
_Item = TypeVar("_Item")
_GELU = 2.0 * (2.0 / 3.141592653589793) ** 0.5  # x / 2 * (1 + tanh(u)) = x * sigmoid(2u)
_CUBE = 0.044715
# Beyond it the sigmoid is 0 or 1 in 16 bits: x^2 up to 25 makes arguments up to 16.9.
_MOST_SQUARE, _MOST_ARGUMENT = 25.0, 16.0


def lower(graph: Graph, *, tokens: int, context: int, path: str = "model") -> StaticGraph:
    """context: positions that are kept; layers with a window keep that at most. UnsupportedModel: an architecture
    that is not composed as those of `edge.models` are."""
    lowering = _Lowering(graph, tokens, context, path)
    for node in graph.nodes:
        if isinstance(node.op, SelectRows):
            return lowering.finish(node.inputs[0])
        lowering.add(node)
    raise UnsupportedModel(path, "the model selects no rows before its head: not exported to NPUs")


class _Lowering:
    def __init__(self, graph: Graph, tokens: int, context: int, path: str) -> None:
        self._graph, self._tokens, self._context, self._path = graph, tokens, context, path
        self._adjust = adjustments(graph, path)
        self._ops: list[StaticOp] = []
        self._inputs: dict[str, tuple[int, ...]] = {}
        self._weights: dict[str, Weight] = {}
        self._kv: dict[int, Slots] = {}
        self._masks: list[Mask] = []
        self._ropes: list[RopeSpec] = []
        self._rows: dict[int, str] = {}  # node -> value (1, tokens, width)
        self._heads: dict[int, str] = {}  # node -> value (1, heads, tokens, head_dim)

    def add(self, node: Node) -> None:
        match node.op:
            case Embedding():
                self._inputs[HIDDEN] = (1, self._tokens, node.shape.width)
                self._rows[node.number] = HIDDEN
            case RmsNorm(gain, eps):
                self._norm(node, gain, eps)
            case Linear():
                self._linear(node, node.op)
            case Rope(spec, head_dim):
                self._rope(node, spec, head_dim)
            case Attention():
                self._attention(node, node.op)
            case Add() | Mul():
                a, b = (self._as_rows(i) for i in node.inputs)
                self._set_rows(node, "Add" if isinstance(node.op, Add) else "Mul", a, b)
            case Silu():
                x = self._as_rows(node.inputs[0])
                gate = self._op("Sigmoid", (x,), f"{node.name}.sigmoid", self._shape(node))
                self._set_rows(node, "Mul", x, gate)
            case Gelu():
                self._gelu(node)
            case Relu2():
                positive = self._op("Relu", (self._as_rows(node.inputs[0]),), f"{node.name}.relu", self._shape(node))
                self._set_rows(node, "Mul", positive, positive)
            case SelectRows():
                raise UnsupportedModel(self._path, "rows are selected twice")
            case _:
                raise UnsupportedModel(self._path, f"{type(node.op).__name__} has no form for NPUs yet")

    def finish(self, last: int) -> StaticGraph:
        name = self._as_rows(last)
        renamed = tuple(
            op._replace(
                output=HIDDEN_OUT if op.output == name else op.output,
                inputs=tuple(HIDDEN_OUT if i == name else i for i in op.inputs),
            )
            for op in self._ops
        )
        shapes = {op.output: op.shape for op in renamed}
        outputs = [new for slots in self._kv.values() for new in slots.new] + [HIDDEN_OUT]
        return StaticGraph(
            ops=renamed,
            inputs=self._inputs,
            outputs={name: shapes[name] for name in outputs},
            weights=self._weights,
            kv=tuple(self._kv.values()),
            masks=tuple(self._masks),
            ropes=tuple(self._ropes),
            tokens=self._tokens,
        )

    def _norm(self, node: Node, gain: str, eps: float) -> None:
        width = self._graph.weight_shapes[gain][0]
        adjustment = self._adjust.get(node.number, Adjustment())
        vector = self._weight(f"{node.name}.weight", Weight("vector", gain, None, *adjustment))
        x = self._as_rows(node.inputs[0])
        if width == node.shape.width:
            x = self._op("RMSNormalization", (x, vector), node.name, self._shape(node), number=eps)
            self._rows[node.number] = x
            return
        heads = (1, self._tokens, node.shape.width // width, width)
        x = self._op("Reshape", (x,), f"{node.name}.heads", heads)
        x = self._op("RMSNormalization", (x, vector), node.name, heads, number=eps)
        self._heads[node.number] = self._swap(x, f"{node.name}.swapped", heads)

    def _linear(self, node: Node, op: Linear) -> None:
        adjustment = self._adjust.get(node.number, Adjustment())
        matrix = self._weight(f"{node.name}.weight", Weight("matrix", op.weight, op.rows, *adjustment))
        x = self._as_rows(node.inputs[0])
        if op.bias is None:
            self._set_rows(node, "MatMul", x, matrix)
            return
        bias = self._weight(f"{node.name}.bias", Weight("vector", op.bias, None, *adjustment))
        product = self._op("MatMul", (x, matrix), f"{node.name}.product", self._shape(node))
        self._set_rows(node, "Add", product, bias)

    def _rope(self, node: Node, spec: RopeSpec, head_dim: int) -> None:
        """(a, b) -> (a cos - b sin, b cos + a sin), a and b the halves of what rotates; the rest stays."""
        number = _index(self._ropes, spec)
        x = self._as_heads(node.inputs[0], head_dim)
        heads, half = node.shape.width // head_dim, spec.dims // 2
        cos, sin = f"cos.{number}", f"sin.{number}"
        self._inputs[cos] = self._inputs[sin] = (1, 1, self._tokens, half)
        shape = (1, heads, self._tokens, half)

        def part(name: str, start: int, end: int) -> str:
            return self._op("Slice", (x,), f"{node.name}.{name}", (*shape[:3], end - start), numbers=(3, start, end))

        def op(kind: Kind, a: str, b: str, name: str) -> str:
            return self._op(kind, (a, b), f"{node.name}.{name}", shape)

        a, b = part("a", 0, half), part("b", half, spec.dims)
        turned = [
            op("Sub", op("Mul", a, cos, "a_cos"), op("Mul", b, sin, "b_sin"), "first"),
            op("Add", op("Mul", b, cos, "b_cos"), op("Mul", a, sin, "a_sin"), "second"),
        ]
        if spec.dims < head_dim:
            rest = part("rest", spec.dims, head_dim)
            turned.append(self._op("Requantize", (rest,), f"{node.name}.kept", (*shape[:3], head_dim - spec.dims)))
        self._heads[node.number] = self._op("Concat", tuple(turned), node.name, (*shape[:3], head_dim), numbers=(3,))

    def _attention(self, node: Node, op: Attention) -> None:
        tokens, dim, kv_heads = self._tokens, op.head_dim, op.num_kv_heads
        if op.layer not in self._kv:
            self._store(node, op)
        slots = self._kv[op.layer]
        size = self._masks[slots.mask].slots
        rows = op.num_heads // kv_heads * tokens  # queries of one KV head
        q = self._as_heads(node.inputs[0], dim)
        q = self._op("Reshape", (q,), f"{node.name}.q", (1, kv_heads, rows, dim))

        def product(kind: str, a: str, b: str, width: int) -> str:
            return self._op("MatMul", (a, b), f"{node.name}.{kind}", (1, kv_heads, rows, width))

        (past_k, past_v), (new_k, new_v) = slots.past, slots.new
        parts = product("scores_past", q, past_k, size), product("scores_new", q, new_k, tokens)
        everything = (1, kv_heads, rows, size + tokens)
        by_row = (1, op.num_heads, tokens, size + tokens)
        scores = self._op("Concat", parts, f"{node.name}.scores", everything, numbers=(3,))
        scores = self._op("Reshape", (scores,), f"{node.name}.by_row", by_row)
        scores = self._op("Add", (scores, f"mask.{slots.mask}"), f"{node.name}.masked", by_row)
        weights = self._op("Softmax", (scores,), f"{node.name}.weights", by_row)
        weights = self._op("Reshape", (weights,), f"{node.name}.by_head", everything)

        def part(name: str, start: int, end: int) -> str:
            shape = (1, kv_heads, rows, end - start)
            return self._op("Slice", (weights,), f"{node.name}.{name}", shape, numbers=(3, start, end))

        past = product("past", part("weights_past", 0, size), past_v, dim)
        new = product("new", part("weights_new", size, size + tokens), new_v, dim)
        result = self._op("Add", (past, new), f"{node.name}.sum", (1, kv_heads, rows, dim))
        shape = (1, op.num_heads, tokens, dim)
        self._heads[node.number] = self._op("Reshape", (result,), f"{node.name}.heads", shape)

    def _store(self, node: Node, op: Attention) -> None:
        if len(node.inputs) != 3:
            raise UnsupportedModel(self._path, f"{node.name} reads K and V that no layer stored")
        tokens, dim, kv_heads = self._tokens, op.head_dim, op.num_kv_heads
        mask = Mask(op.window, min(self._context, op.window) if op.window else self._context)
        slots = Slots(op.layer, kv_heads, dim, _index(self._masks, mask))
        self._kv[op.layer] = slots
        self._inputs[f"mask.{slots.mask}"] = (1, 1, tokens, mask.slots + tokens)
        self._inputs[slots.past[0]] = (1, kv_heads, dim, mask.slots)
        self._inputs[slots.past[1]] = (1, kv_heads, mask.slots, dim)
        k, v = self._as_heads(node.inputs[1], dim), self._as_rows(node.inputs[2])
        self._op("Transpose", (k,), slots.new[0], (1, kv_heads, dim, tokens), numbers=(0, 1, 3, 2))
        v = self._op("Requantize", (v,), f"{slots.new[1]}.rows", (1, tokens, kv_heads * dim))  # a matrix gives 16 bits
        v = self._op("Reshape", (v,), f"{slots.new[1]}.heads", (1, tokens, kv_heads, dim))
        self._op("Transpose", (v,), slots.new[1], (1, kv_heads, tokens, dim), numbers=(0, 2, 1, 3))

    def _gelu(self, node: Node) -> None:
        x, shape = self._as_rows(node.inputs[0]), self._shape(node)
        one = self._weight("gelu.linear", Weight("scalar", value=_GELU))
        cube = self._weight("gelu.cube", Weight("scalar", value=_GELU * _CUBE))
        u = self._op("Mul", (x, x), f"{node.name}.square", shape, limit=_MOST_SQUARE)
        u = self._op("Mul", (u, cube), f"{node.name}.cube", shape)
        u = self._op("Add", (u, one), f"{node.name}.factor", shape)
        u = self._op("Mul", (x, u), f"{node.name}.argument", shape, limit=_MOST_ARGUMENT)
        self._set_rows(node, "Mul", x, self._op("Sigmoid", (u,), f"{node.name}.sigmoid", shape))

    def _as_rows(self, number: int) -> str:
        if number not in self._rows:
            node = self._graph.nodes[number]
            x = self._heads[number]
            _, heads, tokens, dim = self._shape_of(x)
            x = self._swap(x, f"{node.name}.unswapped", (1, heads, tokens, dim))
            self._rows[number] = self._op("Reshape", (x,), f"{node.name}.rows", self._shape(node))
        return self._rows[number]

    def _as_heads(self, number: int, head_dim: int) -> str:
        if number not in self._heads:
            node = self._graph.nodes[number]
            heads = (1, self._tokens, node.shape.width // head_dim, head_dim)
            x = self._op("Reshape", (self._as_rows(number),), f"{node.name}.heads", heads)
            self._heads[number] = self._swap(x, f"{node.name}.swapped", heads)
        return self._heads[number]

    def _swap(self, x: str, name: str, shape: tuple[int, int, int, int]) -> str:
        swapped = (shape[0], shape[2], shape[1], shape[3])
        return self._op("Transpose", (x,), name, swapped, numbers=(0, 2, 1, 3))

    def _shape(self, node: Node) -> tuple[int, int, int]:
        return 1, self._tokens, node.shape.width

    def _shape_of(self, name: str) -> tuple[int, ...]:
        return next(op.shape for op in reversed(self._ops) if op.output == name)

    def _set_rows(self, node: Node, kind: Kind, *inputs: str) -> None:
        self._rows[node.number] = self._op(kind, inputs, node.name, self._shape(node))

    def _weight(self, name: str, weight: Weight) -> str:
        self._weights[name] = weight
        return name

    def _op(
        self,
        kind: Kind,
        inputs: tuple[str, ...],
        name: str,
        shape: tuple[int, ...],
        *,
        numbers: tuple[int, ...] = (),
        number: float = 0.0,
        limit: float | None = None,
    ) -> str:
        self._ops.append(StaticOp(kind, inputs, name, shape, numbers, number, limit))
        return name


def _index(items: list[_Item], item: _Item) -> int:
    if item not in items:
        items.append(item)
    return items.index(item)
