"""Lowers a model's graph to ONNX for ONNX Runtime's CPU operators: MatMulNBits, GroupQueryAttention, fused norms.

Inputs and outputs are those of onnxruntime-genai: input_ids, attention_mask, past_key_values.N.key and .value of
(batch, KV heads, positions, head_dim); logits, present.N.key and .value. Bound to the same memory, past and present
are one buffer in which K and V are stored in place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from edge.errors import RequestError, UnsupportedModel
from edge.export.onnx import nodes
from edge.export.onnx.attention import attention
from edge.export.onnx.graph_writer import GraphWriter, Part
from edge.export.onnx.matrices import Rounding, Rows, form_of
from edge.export.onnx.messages import DataType
from edge.export.onnx.nodes import MatrixParts
from edge.export.source import SourceTensor, TensorSource
from edge.formats.config import ModelConfig
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

__all__ = ["Lowered", "OnnxOptions", "lower_onnx"]

ACCURACY_LEVELS = (0, 4)


class OnnxOptions(NamedTuple):
    """accuracy_level: 4 multiplies with activations of eight bits, 0 with floats. all_logits: of every token, not of
    the last one alone. context: positions of a sequence (None: the model's own)."""

    rounding: Rounding = Rounding()
    accuracy_level: int = 4
    all_logits: bool = False
    context: int | None = None

    def check(self) -> None:
        """RequestError for what cannot be."""
        self.rounding.check()
        if self.accuracy_level not in ACCURACY_LEVELS:
            raise RequestError(f"accuracy level is {self.accuracy_level!r}; it must be 0 or 4")


class Lowered(NamedTuple):
    """forms: how each matrix is stored, "Q4 of 32, kept" and how many weights there are of it."""

    onnx: GraphWriter
    num_layers: int
    forms: Mapping[str, int]


def lower_onnx(
    graph: Graph, config: ModelConfig, source: TensorSource, options: OnnxOptions, *, context: int
) -> Lowered:
    """The graph with its weights, none of them read yet. context: rows of the rotary tables.

    UnsupportedModel, by name, for what ONNX Runtime's operators cannot say.
    """
    return _Lowering(graph, config, source, options, context).run()


class _Lowering:
    def __init__(
        self, graph: Graph, config: ModelConfig, source: TensorSource, options: OnnxOptions, context: int
    ) -> None:
        self._graph, self._config, self._source, self._options = graph, config, source, options
        self._context = context
        self._onnx = GraphWriter()
        self._tensors: dict[str, SourceTensor] = {tensor.name: tensor for tensor in source.tensors}
        self._users = graph.users()
        self._values: dict[int, str] = {}  # node -> what it is called in ONNX
        self._matrices: dict[tuple[tuple[str, int, int], ...], MatrixParts] = {}
        self._vectors: dict[str, str] = {}
        self._ropes: dict[RopeSpec, tuple[str, str]] = {}
        self._layers: list[int] = []
        self._forms: dict[str, int] = {}
        self._groups = _projections(graph, self._users)

    def run(self) -> Lowered:
        self._inputs()
        for node in self._graph.nodes:
            if node.number not in self._values:
                self._lower(node)
        rows: str | int = "sequence_length" if self._options.all_logits else 1
        shape = ("batch_size", rows, self._config.vocab_size)
        if self._values[self._graph.output] != "logits":
            self._onnx.node("Identity", [self._values[self._graph.output]], "logits")
        self._onnx.output("logits", DataType.FLOAT, shape)
        self._caches("present", "total_sequence_length", as_input=False)
        return Lowered(self._onnx, len(self._layers), self._forms)

    def _inputs(self) -> None:
        onnx = self._onnx
        onnx.input("input_ids", DataType.INT64, ("batch_size", "sequence_length"))
        onnx.input("attention_mask", DataType.INT64, ("batch_size", "total_sequence_length"))
        for node in self._graph.nodes:
            if isinstance(node.op, Attention):
                if node.op.layer in self._layers:
                    raise self._unsupported(f"layer {node.op.layer} shares its K and V with {node.name}")
                self._layers.append(node.op.layer)
        if self._layers != list(range(len(self._layers))):
            raise self._unsupported(f"K and V of layers {self._layers}, wanted one layer behind the other")
        self._caches("past_key_values", "past_sequence_length", as_input=True)
        one = onnx.shared("one", np.array([1], np.int64))
        num_seen = onnx.node("ReduceSum", ["attention_mask", one], "num_seen", keepdims=0)
        onnx.node("Cast", [onnx.node("Sub", [num_seen, one], "last_seen")], "seqlens_k", to=int(DataType.INT32))
        second = onnx.constant("second", np.array(1, np.int64))
        shape = onnx.node("Shape", ["attention_mask"], "mask_shape")
        total = onnx.node("Gather", [shape, second], "total_length_64", axis=0)
        onnx.node("Cast", [total], "total_length", to=int(DataType.INT32))

    def _caches(self, prefix: str, length: str, *, as_input: bool) -> None:
        c = self._config
        declare = self._onnx.input if as_input else self._onnx.output
        for layer in self._layers:
            for kind in ("key", "value"):
                shape = ("batch_size", c.num_key_value_heads, length, c.head_dim)
                declare(f"{prefix}.{layer}.{kind}", DataType.FLOAT, shape)

    def _lower(self, node: Node) -> None:
        onnx, values = self._onnx, self._values
        inputs = [values[i] for i in node.inputs]
        out = node.name
        match node.op:
            case Embedding(weight, scale):
                values[node.number] = self._embedding(weight, scale, out)
            case RmsNorm(gain, eps):
                values[node.number] = self._rms_norm(inputs[0], gain, eps, node)
            case Linear():
                self._linear(node, inputs[0])
            case Rope():  # turned by the attention that reads it
                if not all(isinstance(self._graph.nodes[i].op, Attention) for i in self._users[node.number]):
                    raise self._unsupported(f"{node.name}: a rotation that no attention reads")
                values[node.number] = inputs[0]
            case Attention():
                values[node.number] = self._attention(node, inputs)
            case Add():
                values[node.number] = self._add(node, inputs)
            case Mul():
                values[node.number] = onnx.node("Mul", inputs, out)
            case Silu():
                values[node.number] = nodes.silu(onnx, inputs[0], out)
            case Gelu():
                values[node.number] = nodes.gelu(onnx, inputs[0], out)
            case Relu2():
                values[node.number] = nodes.relu2(onnx, inputs[0], out)
            case SelectRows():
                if self._options.all_logits:
                    values[node.number] = inputs[0]
                else:
                    last = onnx.shared("last_token", np.array([-1], np.int64))
                    values[node.number] = onnx.node("Gather", [inputs[0], last], out, axis=1)
            case _:
                raise self._unsupported(f"{node.name}: {type(node.op).__name__}")

    def _embedding(self, weight: str, scale: float, out: str) -> str:
        onnx, tensor = self._onnx, self._tensors[weight]
        matrix = self._matrix([Rows(tensor, 0, tensor.shape[0])], out, is_table=True)
        form, blocks = matrix.form, matrix.form.blocks(matrix.columns)
        if blocks * form.block_size != matrix.columns:
            raise self._unsupported(f"{weight} has {matrix.columns} columns, no multiple of {form.block_size}")
        looked_up = nodes.look_up(onnx, matrix, "input_ids", f"{out}/rows" if scale != 1.0 else out)
        if scale == 1.0:
            return looked_up
        return onnx.node("Mul", [looked_up, onnx.constant(f"{out}/scale", np.array([scale], np.float32))], out)

    def _rms_norm(self, x: str, gain: str, eps: float, node: Node) -> str:
        width = self._graph.weight_shapes[gain][0]
        whole = node.shape.width
        if width == whole:
            return nodes.rms_norm(self._onnx, x, self._vector(gain), node.name, eps)
        heads = self._onnx.shared(f"heads_of_{width}", np.array([0, 0, -1, width], np.int64))
        rows = self._onnx.shared(f"rows_of_{whole}", np.array([0, 0, whole], np.int64))
        split = self._onnx.node("Reshape", [x, heads], f"{node.name}/heads")
        normed = nodes.rms_norm(self._onnx, split, self._vector(gain), f"{node.name}/normed", eps)
        return self._onnx.node("Reshape", [normed, rows], node.name)

    def _add(self, node: Node, inputs: list[str]) -> str:
        """A norm of the sum is computed with it."""
        for number in self._users[node.number]:
            user = self._graph.nodes[number]
            if isinstance(user.op, RmsNorm) and self._graph.weight_shapes[user.op.gain][0] == user.shape.width:
                outputs = [user.name, "", "", node.name]
                gain = self._vector(user.op.gain)
                self._onnx.contrib(
                    "SkipSimplifiedLayerNormalization", [*inputs, gain], outputs, epsilon=float(user.op.eps)
                )
                self._values[number] = user.name
                return node.name
        return self._onnx.node("Add", inputs, node.name)

    def _linear(self, node: Node, x: str) -> None:
        """One projection, or those of an attention's q, k and v in one product."""
        group = [self._graph.nodes[i] for i in self._groups.get(node.number, (node.number,))]
        pieces = [self._rows(member) for member in group]
        biases = [member.op.bias for member in group if isinstance(member.op, Linear) and member.op.bias is not None]
        same = len({form_of(piece.tensor, self._options.rounding) for piece in pieces}) == 1
        if not same or len(biases) not in (0, len(group)):
            for member in group:
                self._values[member.number] = self._project(x, [self._rows(member)], [member], member.name)
            return
        name = f"{node.name}+{len(group) - 1}" if len(group) > 1 else node.name
        product = self._project(x, pieces, group, name)
        self._values |= {member.number: product for member in group}
        if len(group) > 1 and not self._reads_packed(group):
            sizes = self._onnx.constant(f"{name}/sizes", np.array([m.shape.width for m in group], np.int64))
            self._onnx.node("Split", [product, sizes], [member.name for member in group], axis=-1)
            self._values |= {member.number: member.name for member in group}

    def _project(self, x: str, pieces: list[Rows], group: list[Node], name: str) -> str:
        biases = [member.op.bias for member in group if isinstance(member.op, Linear) and member.op.bias is not None]
        matrix = self._matrix(pieces, name)
        bias = self._vector(*biases) if biases else ""
        level = self._options.accuracy_level
        return nodes.matmul(self._onnx, x, matrix, name, accuracy_level=level, bias=bias)

    def _rows(self, node: Node) -> Rows:
        assert isinstance(node.op, Linear)
        tensor = self._tensors[node.op.weight]
        first, end = node.op.rows or (0, tensor.shape[0])
        return Rows(tensor, first, end)

    def _reads_packed(self, group: list[Node]) -> bool:
        """Whether nothing stands between the projections and their attention but rotations."""
        users = [self._graph.nodes[self._users[member.number][0]].op for member in group]
        return all(isinstance(op, Rope | Attention) for op in users)

    def _matrix(self, pieces: list[Rows], name: str, *, is_table: bool = False) -> MatrixParts:
        key = tuple((piece.tensor.name, piece.first, piece.end) for piece in pieces)
        if key not in self._matrices:
            form = form_of(pieces[0].tensor, self._options.rounding)
            matrix = nodes.matrix_parts(self._onnx, self._source, f"{name}.weight", pieces, form, is_table=is_table)
            self._matrices[key] = matrix
            self._forms[form.said] = self._forms.get(form.said, 0) + matrix.rows * matrix.columns
        return self._matrices[key]

    def _vector(self, *names: str) -> str:
        """Vectors one behind the other, among the weights."""
        key = "+".join(names)
        if key not in self._vectors:
            width = sum(self._graph.weight_shapes[name][0] for name in names)
            part = Part(key, DataType.FLOAT, (width,))
            self._onnx.weights([part], lambda: [np.concatenate([self._source.read(name) for name in names])])
            self._vectors[key] = part.name
        return self._vectors[key]

    def _attention(self, node: Node, inputs: list[str]) -> str:
        op = node.op
        assert isinstance(op, Attention)
        specs = [op.rope for op in (self._graph.nodes[i].op for i in node.inputs[:2]) if isinstance(op, Rope)]
        if len(specs) == 1 or len(set(specs)) > 1:
            raise self._unsupported(f"{node.name}: q and k are not rotated in the same way")
        if specs and specs[0].dims % 16:
            raise self._unsupported(f"{node.name} rotates {specs[0].dims} dimensions, no multiple of 16")
        tables = self._rotary(specs[0]) if specs else None
        query = inputs[:1] if len(set(inputs)) == 1 else inputs
        return attention(self._onnx, op, query, tables, interleaved=bool(specs) and not specs[0].neox, out=node.name)

    def _rotary(self, spec: RopeSpec) -> tuple[str, str]:
        if spec not in self._ropes:
            shape = (self._context, spec.dims // 2)
            which = f".{len(self._ropes)}" if self._ropes else ""
            parts = [Part(f"{name}_cache{which}", DataType.FLOAT, shape) for name in ("cos", "sin")]
            self._onnx.weights(parts, lambda: nodes.rotary_tables(spec, self._context))
            self._ropes[spec] = parts[0].name, parts[1].name
        return self._ropes[spec]

    def _unsupported(self, message: str) -> UnsupportedModel:
        return UnsupportedModel(self._config.path, f"{message}: ONNX Runtime's operators cannot say it")


def _projections(graph: Graph, users: list[list[int]]) -> dict[int, tuple[int, ...]]:
    """Those of q, k and v that read the same value and are read by one attention alone, by the first of them."""
    found: dict[int, tuple[int, ...]] = {}
    for node in graph.nodes:
        if not isinstance(node.op, Attention) or len(node.inputs) != 3:
            continue
        group = [_projection(graph, users, number) for number in node.inputs]
        if None in group or len(set(group)) < 3:
            continue
        numbers = tuple(number for number in group if number is not None)
        read = {graph.nodes[number].inputs for number in numbers}
        if len(read) == 1 and numbers == tuple(sorted(numbers)):
            found[numbers[0]] = numbers
    return found


def _projection(graph: Graph, users: list[list[int]], number: int) -> int | None:
    """The projection behind a rotation and a norm, if nothing else reads what is between."""
    while isinstance(graph.nodes[number].op, Rope | RmsNorm) and len(users[number]) == 1:
        number = graph.nodes[number].inputs[0]
    return number if isinstance(graph.nodes[number].op, Linear) and len(users[number]) == 1 else None
