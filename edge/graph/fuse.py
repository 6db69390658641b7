"""Fusion: the graph of fine ops becomes the few fused ops that the native engine runs.

Every value keeps its number, so a fused op's outputs are nodes of the graph it came from. No rewrite changes a bit:
sums are only swapped at a single addition, and a step stays in the order  bias, activation, residual.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.graph.ops import (
    Activation,
    Add,
    Attention,
    Embedding,
    Gelu,
    GeluErf,
    Graph,
    GraphError,
    LayerNorm,
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

ACTIVATIONS = (Silu, Gelu, GeluErf, Relu2)
MAX_OUTPUTS = 3  # of one fused projection: q, k, v


class FusedLinear(NamedTuple):
    """x = inputs[0], normalised first when `norm` is set. One output per linear, or with `activation` one output
    activation(linears[0](x)), times linears[1](x) if there are two. With `residual` inputs[1] is added to the only
    output.
    """

    linears: tuple[Linear, ...]
    norm: RmsNorm | None = None
    activation: Activation | None = None
    residual: bool = False


class FusedAttention(NamedTuple):
    """Attention on inputs q, k, v, or q alone, of which q and k are first normalised per head, then rotated."""

    attention: Attention
    q_norm: RmsNorm | None
    k_norm: RmsNorm | None
    rope: RopeSpec | None


FusedOp = Embedding | RmsNorm | LayerNorm | FusedLinear | FusedAttention | Add | Mul | Activation | SelectRows


class FusedNode(NamedTuple):
    """`inputs` and `outputs` are node indices of the graph that was fused."""

    op: FusedOp
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def fuse(graph: Graph, *, fold_norms: bool = True) -> tuple[FusedNode, ...]:
    """Fused ops in an order that can be run. GraphError when an op has no native form where it stands.

    fold_norms: projections normalise their input themselves; without, every projection's input is a value that stays.
    """
    fused = _Fusion(graph).run()
    if fold_norms:
        fused = _fold_norms(graph, fused)
    made: set[int] = set()
    for node in fused:
        if not made.issuperset(node.inputs):
            raise GraphError(f"fusion moved the op that makes {graph.nodes[node.outputs[0]].name} before what it reads")
        made.update(node.outputs)
    if graph.output not in made:
        raise GraphError("fusion lost the logits")
    return tuple(fused)


def _plain(node: Node) -> FusedNode:
    op = node.op
    if isinstance(op, Rope):
        raise GraphError(f"{node.name}: rope has a native form only where an attention alone reads it as q or k")
    if isinstance(op, (Linear, Attention)):
        raise GraphError(f"{node.name}: {type(op).__name__} was not fused")
    return FusedNode(op, node.inputs, (node.number,))


def _fold_norms(graph: Graph, nodes: list[FusedNode]) -> list[FusedNode]:
    """A norm of whole rows that only one fused projection reads is computed by that projection."""
    readers: dict[int, list[int]] = {}
    for at, node in enumerate(nodes):
        for i in set(node.inputs):
            readers.setdefault(i, []).append(at)
    result: dict[int, FusedNode] = dict(enumerate(nodes))
    for at, node in enumerate(nodes):
        op, (value, *_) = node.op, node.outputs
        if not isinstance(op, RmsNorm) or value == graph.output or len(readers.get(value, [])) != 1:
            continue
        reader_at = readers[value][0]
        reader = result[reader_at]
        whole_row = graph.weight_shapes[op.gain][0] == graph.nodes[value].shape.width
        if whole_row and isinstance(reader.op, FusedLinear) and value not in reader.inputs[1:]:
            inputs = (node.inputs[0], *reader.inputs[1:])
            result[reader_at] = FusedNode(reader.op._replace(norm=op), inputs, reader.outputs)
            del result[at]
    return list(result.values())


class _Fusion:
    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._users = graph.users()
        self._users[graph.output].append(-1)  # the caller reads the logits
        self._swallowed: set[int] = set()  # values that no longer exist
        self._fused: dict[int, FusedNode] = {}  # by the node at whose place it runs

    def run(self) -> list[FusedNode]:
        for node in self._graph.nodes:
            if isinstance(node.op, Add):
                self._fuse_residual(node)
            elif isinstance(node.op, Mul):
                self._fuse_glu(node)
            elif isinstance(node.op, Attention):
                self._fuse_attention(node)
        for node in self._graph.nodes:
            if isinstance(node.op, ACTIVATIONS) and node.number not in self._swallowed:
                self._fuse_activation(node)
        self._group_linears()
        remaining = [n for n in self._graph.nodes if n.number in self._fused or n.number not in self._swallowed]
        return [self._fused.get(node.number) or _plain(node) for node in remaining]

    def _node(self, index: int) -> Node:
        return self._graph.nodes[index]

    def _only_here(self, index: int) -> bool:
        """Is the value read once, so that its reader may swallow it?"""
        return len(self._users[index]) == 1 and index not in self._fused

    def _fuse_residual(self, add: Node) -> None:
        for index in sorted(add.inputs, reverse=True):  # the later one: its input is more likely still at hand
            op = self._node(index).op
            if isinstance(op, Linear) and self._only_here(index):
                residual = add.inputs[0] if add.inputs[1] == index else add.inputs[1]
                self._swallowed.add(index)
                fused = FusedLinear((op,), residual=True)
                self._fused[add.number] = FusedNode(fused, (self._node(index).inputs[0], residual), (add.number,))
                return

    def _fuse_glu(self, mul: Node) -> None:
        for gated, up in (mul.inputs, mul.inputs[::-1]):
            activation = self._node(gated).op
            if not isinstance(activation, ACTIVATIONS):
                continue
            gate = self._node(gated).inputs[0]
            gate_op, up_op = self._node(gate).op, self._node(up).op
            if not (isinstance(gate_op, Linear) and isinstance(up_op, Linear)):
                continue
            same_input = self._node(gate).inputs == self._node(up).inputs
            if same_input and all(self._only_here(i) for i in (gated, gate, up)):
                self._swallowed.update((gated, gate, up))
                fused = FusedLinear((gate_op, up_op), activation=activation)
                self._fused[mul.number] = FusedNode(fused, self._node(gate).inputs, (mul.number,))
                return

    def _fuse_activation(self, node: Node) -> None:
        """Of a projection that no gate multiplies."""
        index, activation = node.inputs[0], node.op
        linear = self._node(index).op
        if isinstance(activation, ACTIVATIONS) and isinstance(linear, Linear) and self._only_here(index):
            self._swallowed.add(index)
            fused = FusedLinear((linear,), activation=activation)
            self._fused[node.number] = FusedNode(fused, self._node(index).inputs, (node.number,))

    def _fuse_attention(self, node: Node) -> None:
        assert isinstance(node.op, Attention)
        q, q_norm, q_rope, q_path = self._head_ops(node.inputs[0], node.op.head_dim)
        if len(node.inputs) == 1:
            self._swallowed.update(q_path)
            alone = FusedAttention(node.op, q_norm, None, q_rope)
            self._fused[node.number] = FusedNode(alone, (q,), (node.number,))
            return
        k, k_norm, k_rope, k_path = self._head_ops(node.inputs[1], node.op.head_dim)
        if q_rope != k_rope:
            raise GraphError(f"{node.name}: q and k are rotated differently, which has no native form")
        if q_norm is not None and k_norm is not None and q_norm.eps != k_norm.eps:
            raise GraphError(f"{node.name}: q and k are normalised with different eps, which has no native form")
        self._swallowed.update(q_path, k_path)
        fused = FusedAttention(node.op, q_norm, k_norm, q_rope)
        self._fused[node.number] = FusedNode(fused, (q, k, node.inputs[2]), (node.number,))

    def _head_ops(self, index: int, head_dim: int) -> tuple[int, RmsNorm | None, RopeSpec | None, list[int]]:
        """Walks back over rope, then norm: (what they start from, norm, rope, the values on the way)."""
        norm, rope, path = None, None, list[int]()
        op = self._node(index).op
        if isinstance(op, Rope) and op.head_dim == head_dim and self._only_here(index):
            rope = op.rope
            path.append(index)
            index = self._node(index).inputs[0]
            op = self._node(index).op
        if isinstance(op, RmsNorm) and self._group(op) == head_dim and self._only_here(index):
            norm = op
            path.append(index)
            index = self._node(index).inputs[0]
        return index, norm, rope, path

    def _group(self, op: RmsNorm) -> int:
        return self._graph.weight_shapes[op.gain][0]

    def _group_linears(self) -> None:
        """Up to three projections of the same value become one op, where the first of them stood."""
        groups: dict[int, list[Node]] = {}
        for node in self._graph.nodes:
            if isinstance(node.op, Linear) and node.number not in self._swallowed:
                groups.setdefault(node.inputs[0], []).append(node)
        for x, linears in groups.items():
            for start in range(0, len(linears), MAX_OUTPUTS):
                part = linears[start : start + MAX_OUTPUTS]
                fused = FusedLinear(tuple(node.op for node in part if isinstance(node.op, Linear)))
                outputs = tuple(node.number for node in part)
                self._fused[part[0].number] = FusedNode(fused, (x,), outputs)
                self._swallowed.update(outputs[1:])
