"""What a step of a model must do: the matrices that it multiplies by, its layers, and the shape of its attention."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from edge import native
from edge.formats.config import ModelConfig
from edge.graph import Graph
from edge.graph.ops import Linear, Rows

__all__ = ["Matrix", "StepWork", "TypedShape", "step_work"]

TypedShape = tuple[tuple[int, ...], int]  # of a tensor: shape, ggml type


@dataclass(frozen=True, slots=True)
class Matrix:
    """(rows, cols) of a ggml type."""

    type: int
    rows: int
    cols: int

    @property
    def num_weights(self) -> int:
        return self.rows * self.cols

    @property
    def packed_bytes(self) -> int:
        """The same on every machine."""
        return native.weights_sizes(self.type, self.rows, self.cols)[1]


@dataclass(frozen=True, slots=True)
class StepWork:
    """matrices: how often a step multiplies every token by each; a matrix used twice is read twice. head: the one for
    the rows whose logits are wanted; None: an encoder, which has none."""

    matrices: Mapping[Matrix, int]
    head: Matrix | None
    num_layers: int
    hidden_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    num_window_layers: int = 0  # of the layers, those that see no more than `window` positions
    window: int = 0

    def seen(self, depth: int) -> float:
        """Of `depth` positions in front, how many a layer sees, as a mean over the layers."""
        return depth - max(0, depth - self.window) * self.num_window_layers / self.num_layers

    @property
    def num_bytes(self) -> int:
        """Packed bytes that a step reads.

        The embedding table counts only where the head is tied to it: looking up a row reads nothing worth counting.
        """
        head_bytes = 0 if self.head is None else self.head.packed_bytes
        return sum(count * matrix.packed_bytes for matrix, count in self.matrices.items()) + head_bytes

    @property
    def kv_values(self) -> int:
        """Values of K and V of one position, all layers."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim

    def kv_bytes(self, kv_type: str) -> float:
        """Of one position, all layers."""
        block = native.kv_block_bytes(kv_type, self.num_layers, self.num_kv_heads, self.head_dim)
        return block / native.BLOCK_SIZE


def step_work(config: ModelConfig, graph: Graph, tensors: Mapping[str, TypedShape]) -> StepWork:
    """Of the graph that `edge.models.build` makes of the configuration."""
    matrices: Counter[Matrix] = Counter()
    head: Matrix | None = None
    for node in graph.nodes:
        if not isinstance(node.op, Linear):
            continue
        (_, cols), kind = tensors[node.op.weight]
        rows = node.shape.width
        if node.shape.rows is Rows.LOGITS:
            head = Matrix(kind, rows, cols)
        else:
            matrices[Matrix(kind, rows, cols)] += 1
    return StepWork(
        matrices,
        head,
        num_layers=config.num_hidden_layers,
        hidden_size=config.hidden_size,
        num_heads=config.num_attention_heads,
        num_kv_heads=config.num_key_value_heads,
        head_dim=config.head_dim,
        num_window_layers=sum(config.window_of(layer) > 0 for layer in range(config.num_hidden_layers)),
        window=config.sliding_window,
    )
