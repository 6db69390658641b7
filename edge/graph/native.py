"""The native lowering: a fused graph as the op list of native/include/edge/program.h."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Literal, NamedTuple

from edge.graph.fuse import FusedAttention, FusedLinear, FusedNode, fuse
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
    Relu2,
    RmsNorm,
    RopeSpec,
    Rows,
    SelectRows,
    Silu,
)
from edge.graph.planner import Lifetime, plan, plan_apart

# enum edge_op_kind, enum edge_activation
_EMBED, _RMS_NORM, _LINEAR, _ATTENTION, _ADD, _MUL, _ACTIVATION, _SELECT_ROWS, _LAYER_NORM = range(1, 10)
_ACT_NONE = 0
_ACTIVATIONS: Mapping[type[Activation], int] = {Silu: 1, Gelu: 2, Relu2: 3, GeluErf: 4}
_ROW_OF = {"token": 0, "position": 1, "first": 2}  # enum edge_embed_mode

_OP = struct.Struct("=23i2f2i")  # struct edge_op
_BUFFER = struct.Struct("=Qii")  # struct edge_buffer


class WeightRef(NamedTuple):
    """A tensor of the file, or rows of it from first_row on, and the native object that it becomes."""

    tensor: str
    kind: Literal["matrix", "vector"]
    shape: tuple[int, ...]
    first_row: int = 0
    is_part: bool = False

    @property
    def name(self) -> str:
        """The tensor's, with the rows where they are a part of it."""
        return f"{self.tensor}[{self.first_row}:{self.first_row + self.shape[0]}]" if self.is_part else self.tensor


class LinearPlace(NamedTuple):
    """Where rows first_row .. first_row + num_rows - 1 of a tensor are multiplied with: an op, and which of its up to
    three matrices they are."""

    tensor: str
    first_row: int
    num_rows: int
    op: int
    which: int


class BufferSpec(NamedTuple):
    """A native buffer: the value it holds, and the ops (by number) from which to which it is in use."""

    value: str
    width: int
    rows: Rows
    first_op: int
    last_op: int


class Arena(NamedTuple):
    """buffers: packed edge_buffer structs. num_bytes: what the arena must hold, exactly."""

    buffers: bytes
    num_bytes: int


class NativeProgram(NamedTuple):
    """Everything edge_program_config needs but sizes of a step and loaded weights. Numbers of weights and ropes are
    their positions here; num_layers, num_kv_heads and head_dim are the KV arena's geometry. num_window_layers: those
    behind them, which have an arena of their own, and see no more than `window` positions."""

    ops: bytes
    num_ops: int
    buffers: tuple[BufferSpec, ...]
    ropes: tuple[RopeSpec, ...]
    weights: tuple[WeightRef, ...]
    lookups: frozenset[str]  # matrices of which a step reads no more than a row for each token
    logits_buffer: int
    width: int  # of a row of it: the vocabulary, or a state's
    num_layers: int
    num_kv_heads: int
    head_dim: int
    num_window_layers: int = 0
    window: int = 0
    linears: tuple[LinearPlace, ...] = ()
    token_lookups: frozenset[str] = frozenset()  # those whose rows are found by token ids
    kv_layers: tuple[int, ...] = ()  # of the model, in the order in which the arena has them, those with a window last

    def arena(self, max_tokens: int, max_logits: int, *, share: bool = True) -> Arena:
        """Places the buffers for steps of at most this many tokens and logit rows.

        share=False gives every value its own place, so that tests can read all of them after a step.
        """
        if max_tokens < 1 or max_logits < 1:
            raise ValueError(f"max_tokens = {max_tokens} and max_logits = {max_logits}, wanted at least 1")
        rows = {Rows.TOKENS: max_tokens, Rows.LOGITS: max_logits}
        lifetimes = [Lifetime(b.first_op, b.last_op, 4 * b.width * rows[b.rows]) for b in self.buffers]
        placed = (plan if share else plan_apart)(lifetimes)
        packed = b"".join(
            _BUFFER.pack(offset, b.width, b.rows.value) for offset, b in zip(placed.offsets, self.buffers, strict=True)
        )
        return Arena(packed, placed.num_bytes)

    def buffer_of(self, value: str) -> int | None:
        """The buffer that holds a value of the graph, None if fusion swallowed it."""
        return next((i for i, b in enumerate(self.buffers) if b.value == value), None)


class _Op(NamedTuple):
    """struct edge_op with its neutral values. Tuples are padded with -1."""

    kind: int
    ins: tuple[int, ...] = ()
    outs: tuple[int, ...] = ()
    weights: tuple[int, ...] = ()
    biases: tuple[int, ...] = ()
    norms: tuple[int, ...] = ()
    residual: int = -1
    activation: int = _ACT_NONE
    kv_source_layer: int = -1  # where it stores K and V too, if it has any
    num_heads: int = 0
    num_kv_heads: int = 0
    head_dim: int = 0
    rope: int = -1
    eps: float = 0.0
    scale: float = 1.0
    window: int = 0
    mode: int = 0  # enum edge_embed_mode, edge_attention_mode

    def pack(self) -> bytes:
        lists = ((self.ins, 3), (self.outs, 3), (self.weights, 3), (self.biases, 3), (self.norms, 2))
        numbers = [i for values, size in lists for i in (*values, *[-1] * (size - len(values)))]
        layer = self.kv_source_layer if len(self.ins) > 1 else -1
        fields = (self.residual, self.activation, layer, self.kv_source_layer)
        heads = (self.num_heads, self.num_kv_heads, self.head_dim, self.rope)
        return _OP.pack(self.kind, *numbers, *fields, *heads, self.eps, self.scale, self.window, self.mode)


def lower_native(graph: Graph, *, keep_inputs: bool = False) -> NativeProgram:
    """Fuses and packs. GraphError when an op has no native form where it stands.

    keep_inputs: what matrices are multiplied with can be read when a step has run, for calibration: norms stay
    operations of their own, and no later value takes the place of such an input. No bit of the logits changes.
    """
    return _Lowering(graph, fuse(graph, fold_norms=not keep_inputs), keep_inputs).run()


class _Lowering:
    def __init__(self, graph: Graph, nodes: tuple[FusedNode, ...], keep_inputs: bool) -> None:
        self._graph = graph
        self._nodes = nodes
        self._keep_inputs = keep_inputs
        self._buffers: dict[int, int] = {}  # node index -> buffer
        self._weights: dict[tuple[str, tuple[int, int] | None], int] = {}
        self._kinds: list[WeightRef] = []
        self._ropes: list[RopeSpec] = []
        self._kv_layers: dict[int, int] = {}  # layer -> its number in the arena
        self._linears: list[LinearPlace] = []

    def run(self) -> NativeProgram:
        attentions = [(n.op.attention, len(n.inputs)) for n in self._nodes if isinstance(n.op, FusedAttention)]
        geometry = {(op.num_kv_heads, op.head_dim) for op, _ in attentions}
        layers = sorted(op.layer for op, num_inputs in attentions if num_inputs > 1)
        if len(geometry) != 1 or len(set(layers)) != len(layers):
            raise GraphError(f"the KV arena needs one shape and each layer once: layers {layers}, shapes {geometry}")
        if missing := {op.layer for op, _ in attentions} - set(layers):
            raise GraphError(f"attention reads K and V that no layer stores: {sorted(missing)}")
        num_kv_heads, head_dim = geometry.pop()
        windows = {op.layer: op.window for op, num_inputs in attentions if num_inputs > 1}
        if len({op.window for op, _ in attentions if op.window}) > 1 or any(
            op.window != windows[op.layer] for op, _ in attentions
        ):
            raise GraphError("windows of more than one width, which has no native form")
        layers.sort(key=lambda layer: (windows[layer] > 0, layer))
        self._kv_layers = {layer: at for at, layer in enumerate(layers)}  # those that keep K and V of their own
        if all(op.whole for op, _ in attentions):  # nobody reads them when the layer is done: all in one place
            self._kv_layers = dict.fromkeys(layers, 0)
        num_window_layers = sum(window > 0 for window in windows.values())

        last_use = {i: at for at, node in enumerate(self._nodes) for i in (*node.inputs, *node.outputs)}
        kept = [node.inputs[0] for node in self._nodes if isinstance(node.op, FusedLinear) and self._keep_inputs]
        last_use |= dict.fromkeys([*kept, self._graph.output], len(self._nodes) - 1)
        buffers: list[BufferSpec] = []
        for at, node in enumerate(self._nodes):
            for i in node.outputs:
                value = self._graph.nodes[i]
                self._buffers[i] = len(buffers)
                buffers.append(BufferSpec(value.name, value.shape.width, value.shape.rows, at, last_use[i]))
        ops = b"".join(self._op(at, node).pack() for at, node in enumerate(self._nodes))
        logits = self._graph.nodes[self._graph.output]
        if logits.shape.rows is not Rows.LOGITS:
            raise GraphError(f"{logits.name} has rows of tokens: select rows before the head")
        return NativeProgram(
            ops=ops,
            num_ops=len(self._nodes),
            buffers=tuple(buffers),
            ropes=tuple(self._ropes),
            weights=tuple(self._kinds),
            lookups=self._lookups("token", "position", "first"),
            logits_buffer=self._buffers[logits.number],
            width=logits.shape.width,
            num_layers=len({*self._kv_layers.values()}) - num_window_layers,
            num_window_layers=num_window_layers,
            window=max(windows.values()),
            linears=tuple(self._linears),
            token_lookups=self._lookups("token") - self._lookups("position", "first"),
            kv_layers=tuple(layers),
            num_kv_heads=num_kv_heads,
            head_dim=head_dim,
        )

    def _lookups(self, *rows_of: str) -> frozenset[str]:
        """Matrices of which rows are looked up, by one of these, and that nothing is multiplied with."""
        ops = [node.op for node in self._nodes]
        multiplied = {linear.weight for op in ops if isinstance(op, FusedLinear) for linear in op.linears}
        lookups = (op for op in ops if isinstance(op, Embedding) and op.row_of in rows_of)
        return frozenset(op.weight for op in lookups) - multiplied

    def _op(self, at: int, node: FusedNode) -> _Op:
        ins = tuple(self._buffers[i] for i in node.inputs)
        outs = tuple(self._buffers[i] for i in node.outputs)
        match node.op:
            case Embedding(weight, scale, row_of):
                return _Op(_EMBED, (), outs, (self._weight(weight, "matrix"),), scale=scale, mode=_ROW_OF[row_of])
            case RmsNorm(gain, eps):
                return _Op(_RMS_NORM, ins, outs, norms=(self._weight(gain, "vector"),), eps=eps)
            case LayerNorm(gain, bias, eps):
                norms = (self._weight(gain, "vector"), self._weight(bias, "vector"))
                return _Op(_LAYER_NORM, ins, outs, norms=norms, eps=eps)
            case FusedLinear():
                return self._linear(at, node.op, ins, outs)
            case FusedAttention():
                return self._attention(node.op, node.op.attention, ins, outs)
            case Add():
                return _Op(_ADD, ins, outs)
            case Mul():
                return _Op(_MUL, ins, outs)
            case Silu() | Gelu() | GeluErf() | Relu2():
                return _Op(_ACTIVATION, ins, outs, activation=_ACTIVATIONS[type(node.op)])
            case SelectRows():
                return _Op(_SELECT_ROWS, ins, outs)

    def _linear(self, at: int, op: FusedLinear, ins: tuple[int, ...], outs: tuple[int, ...]) -> _Op:
        for index, linear in enumerate(op.linears):
            first, end = linear.rows or (0, self._graph.weight_shapes[linear.weight][0])
            self._linears.append(LinearPlace(linear.weight, first, end - first, at, index))
        return _Op(
            _LINEAR,
            ins[:1],
            outs,
            weights=tuple(self._matrix(linear) for linear in op.linears),
            biases=tuple(-1 if name is None else self._weight(name, "vector") for _, name, _ in op.linears),
            norms=() if op.norm is None else (self._weight(op.norm.gain, "vector"),),
            residual=ins[1] if op.residual else -1,
            activation=_ACT_NONE if op.activation is None else _ACTIVATIONS[type(op.activation)],
            eps=0.0 if op.norm is None else op.norm.eps,
        )

    def _attention(self, fused: FusedAttention, op: Attention, ins: tuple[int, ...], outs: tuple[int, ...]) -> _Op:
        norms = (fused.q_norm, fused.k_norm)
        return _Op(
            _ATTENTION,
            ins,
            outs,
            norms=tuple(-1 if norm is None else self._weight(norm.gain, "vector") for norm in norms),
            kv_source_layer=self._kv_layers[op.layer],
            num_heads=op.num_heads,
            num_kv_heads=op.num_kv_heads,
            head_dim=op.head_dim,
            rope=-1 if fused.rope is None else self._rope(fused.rope),
            eps=next((norm.eps for norm in norms if norm is not None), 0.0),
            scale=op.scale,
            window=op.window,
            mode=int(op.whole),
        )

    def _matrix(self, linear: Linear) -> int:
        """Rows of a tensor that others share become a matrix of their own."""
        if linear.rows is None:
            return self._weight(linear.weight, "matrix")
        (first, end), shape = linear.rows, self._graph.weight_shapes[linear.weight]
        return self._number(WeightRef(linear.weight, "matrix", (end - first, *shape[1:]), first, True), linear.rows)

    def _weight(self, name: str, kind: Literal["matrix", "vector"]) -> int:
        return self._number(WeightRef(name, kind, self._graph.weight_shapes[name]), None)

    def _number(self, ref: WeightRef, rows: tuple[int, int] | None) -> int:
        key = ref.tensor, rows
        if key not in self._weights:
            self._weights[key] = len(self._kinds)
            self._kinds.append(ref)
        return self._weights[key]

    def _rope(self, spec: RopeSpec) -> int:
        if spec not in self._ropes:
            self._ropes.append(spec)
        return self._ropes.index(spec)
