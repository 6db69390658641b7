"""Composes ops on symbolic values, and checks every tensor of the file against the shape the model gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.graph.ops import (
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
    Op,
    Relu2,
    RmsNorm,
    Rope,
    RopeSpec,
    SelectRows,
    Shape,
    Silu,
    infer_shape,
)

# Read by the configuration, or left over from converters: angles that the configuration gives again.
_NOT_WEIGHTS = re.compile(
    r"rope_(freqs|factors_long|factors_short)\.weight|"
    r"(blk\.\d+\.)?(attn_rot_embd|attention\.rotary_emb\.inv_freq)(\.weight)?"
)


class Value(NamedTuple):
    """A handle on a node's result. Compare and pass it on; nothing is computed."""

    node: int
    shape: Shape


class GraphBuilder:
    """Builds one graph from the tensors of one file.

    tensors: name -> shape in NumPy order. modules: Hugging Face's module name (with {i} for the layer) -> the tensors'
    stem in GGUF. Inside a layer what comes before its name, "model.layers.{i}.", is left out. A module's tensors are
    `stem.weight` and `stem.bias`.
    """

    def __init__(
        self, tensors: Mapping[str, tuple[int, ...]], modules: Mapping[str, str], *, path: str = "model"
    ) -> None:
        self._tensors = tensors
        self._modules = modules
        self._layers = next((name.partition("{i}.")[0] + "{i}." for name in modules if "{i}" in name), "")
        self._path = path
        self._layer: int | None = None
        self._nodes: list[Node] = []
        self._taken: set[str] = set()
        self._used: dict[str, tuple[int, ...]] = {}
        self._stores: dict[int, Attention] = {}  # by layer

    def layer(self, i: int) -> None:
        """Modules and value names from here on belong to layer i."""
        self._layer = i

    def end_layers(self) -> None:
        self._layer = None

    def embedding(self, module: str, vocab_size: int, width: int, *, scale: float = 1.0) -> Value:
        stem = self._stem(module)
        return self._add(stem, Embedding(self._weight(f"{stem}.weight", (vocab_size, width)), scale))

    def row_embedding(self, module: str, rows: int, width: int, row_of: Literal["position", "first"]) -> Value:
        """Rows that do not depend on the token id."""
        stem = self._stem(module)
        return self._add(stem, Embedding(self._weight(f"{stem}.weight", (rows, width)), 1.0, row_of))

    def layer_norm(self, x: Value, module: str, eps: float) -> Value:
        stem, shape = self._stem(module), (x.shape.width,)
        gain, bias = self._weight(f"{stem}.weight", shape), self._weight(f"{stem}.bias", shape)
        return self._add(stem, LayerNorm(gain, bias, eps), x)

    def rms_norm(self, x: Value, module: str, eps: float, *, width: int | None = None) -> Value:
        """Normalises groups of `width` values, whole rows when it is not given."""
        stem = self._stem(module)
        return self._add(stem, RmsNorm(self._weight(f"{stem}.weight", (width or x.shape.width,)), eps), x)

    def linear(self, x: Value, module: str, out: int, *, bias: bool = False, name: str | None = None) -> Value:
        """A projection to `out` values. bias: the file must hold one; without, one is added if the file does."""
        stem = self._stem(module)
        weight = self._weight(f"{stem}.weight", (out, x.shape.width))
        has_bias = bias or f"{stem}.bias" in self._tensors
        return self._add(name or stem, Linear(weight, self._weight(f"{stem}.bias", (out,)) if has_bias else None), x)

    def linears(self, x: Value, module: str, outs: Mapping[str, int]) -> tuple[Value, ...]:
        """Projections whose rows stand one behind the other in one tensor: their names and how many values each has."""
        stem, first, values = self._stem(module), 0, list[Value]()
        weight = self._weight(f"{stem}.weight", (sum(outs.values()), x.shape.width))
        for name, out in outs.items():
            values.append(self._add(f"{stem}.{name}", Linear(weight, rows=(first, first + out)), x))
            first += out
        return tuple(values)

    def rope(self, x: Value, spec: RopeSpec, head_dim: int, name: str) -> Value:
        return self._add(self._local(name), Rope(spec, head_dim), x)

    def attention(
        self,
        q: Value,
        k: Value,
        v: Value,
        *,
        num_heads: int,
        num_kv_heads: int,
        head_dim: int,
        scale: float,
        window: int = 0,
        whole: bool = False,
    ) -> Value:
        """Causal attention over the layer's KV cache, after storing k and v in it. window: over so many positions, the
        row's own the last of them; 0: over all. whole: over the whole sequence instead."""
        if self._layer is None:
            raise GraphError("attention outside a layer")
        op = Attention(self._layer, num_heads, num_kv_heads, head_dim, scale, window, whole)
        self._stores[self._layer] = op
        return self._add(self._local("attention"), op, q, k, v)

    def shared_attention(self, q: Value, kv_source_layer: int) -> Value:
        """Attention of the layer's own q over the KV cache of an earlier layer; this one keeps none."""
        op = self._stores.get(kv_source_layer)
        if op is None:
            raise GraphError(f"no layer before this one stores K and V as layer {kv_source_layer}")
        return self._add(self._local("attention"), op, q)

    def add(self, a: Value, b: Value, name: str) -> Value:
        return self._add(self._local(name), Add(), a, b)

    def mul(self, a: Value, b: Value, name: str) -> Value:
        return self._add(self._local(name), Mul(), a, b)

    def silu(self, x: Value, name: str) -> Value:
        return self._add(self._local(name), Silu(), x)

    def gelu(self, x: Value, name: str) -> Value:
        """With tanh."""
        return self._add(self._local(name), Gelu(), x)

    def gelu_erf(self, x: Value, name: str) -> Value:
        return self._add(self._local(name), GeluErf(), x)

    def relu2(self, x: Value, name: str) -> Value:
        return self._add(self._local(name), Relu2(), x)

    def select_rows(self, x: Value) -> Value:
        return self._add(self._local("selected"), SelectRows(), x)

    def finish(self, logits: Value) -> Graph:
        """The graph. UnsupportedModel when the file holds a tensor that the model as defined does not read."""
        unused = [n for n in self._tensors if n not in self._used and not _NOT_WEIGHTS.fullmatch(n)]
        if unused:
            more = f" and {len(unused) - 1} more" if len(unused) > 1 else ""
            raise UnsupportedModel(
                self._path, f"tensor {quoted(unused[0])}{more}: not part of the architecture as edge computes it"
            )
        return Graph(tuple(self._nodes), logits.node, dict(self._used))

    def _stem(self, module: str) -> str:
        if self._layer is None:
            return self._modules[module]
        return self._modules[self._layers + module].format(i=self._layer)

    def _local(self, name: str) -> str:
        return name if self._layer is None else f"blk.{self._layer}.{name}"

    def _weight(self, name: str, wanted: tuple[int, ...]) -> str:
        found = self._tensors.get(name)
        if found is None:
            raise BadModelFile(self._path, f"tensor {name} is missing, wanted shape {wanted}")
        if found != wanted:
            raise BadModelFile(self._path, f"tensor {name} has shape {found}, wanted {wanted}")
        self._used[name] = found
        return name

    def _add(self, name: str, op: Op, *inputs: Value) -> Value:
        if name in self._taken:
            raise GraphError(f"two values are named {name!r}")
        self._taken.add(name)
        shape = infer_shape(op, [x.shape for x in inputs], self._used)
        node = Node(len(self._nodes), name, op, tuple(x.node for x in inputs), shape)
        self._nodes.append(node)
        return Value(node.number, shape)
