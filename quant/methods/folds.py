"""Where channels can be scaled without changing what a model computes: found in its graph, whatever the architecture.

A value x that only matrices read may be divided by s, channel by channel, if their columns are multiplied by s. What
makes the value does the dividing: a norm's gain, or the rows of the matrix that x is linear in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.graph.ops import Attention, Embedding, Graph, Linear, Mul, Node, RmsNorm

__all__ = ["Fold", "find_folds"]

Doubles: TypeAlias = NDArray[np.float64]


class Fold(NamedTuple):
    """targets: matrices whose columns are multiplied, all with one input. makers: the tensors that are divided: a gain,
    or a matrix by rows and its bias. Columns are channels of the maker; only query heads that share a KV head share its
    channels: then each occurs in `repeat` heads of head_dim."""

    targets: tuple[str, ...]
    makers: tuple[str, ...]
    repeat: int = 1
    head_dim: int = 1

    def channels(self, columns: Doubles, reduce: Callable[..., Doubles]) -> Doubles:
        """What is known of columns, for the maker's channels. reduce: np.mean or np.max, over heads of a group."""
        return reduce(columns.reshape(-1, self.repeat, self.head_dim), axis=1).ravel()

    def columns(self, channels: Doubles) -> Doubles:
        """The maker's channels, each as often as it occurs among the columns."""
        groups = channels.reshape(-1, 1, self.head_dim)
        return np.broadcast_to(groups, (len(groups), self.repeat, self.head_dim)).reshape(-1)


def find_folds(graph: Graph) -> list[Fold]:
    """In the order of the graph. The head is left as it is, and so is a tensor that is used in two places."""
    uses = Counter(name for node in graph.nodes for name in _tensors(node))
    users = graph.users()

    def movable(names: Iterable[str]) -> bool:
        return all(uses[name] == 1 for name in names)

    folds: list[Fold] = []
    for node in graph.nodes:
        readers = [graph.nodes[i] for i in users[node.number]]
        targets = tuple(reader.op.weight for reader in readers if isinstance(reader.op, Linear))
        if not targets or len(targets) < len(readers) or graph.output in users[node.number]:
            continue
        fold = _fold(graph, users, node, targets)
        if fold is not None and movable(fold.targets) and movable(fold.makers):
            folds.append(fold)
    return folds


def _fold(graph: Graph, users: list[list[int]], node: Node, targets: tuple[str, ...]) -> Fold | None:
    """How the value of a node that only `targets` read can be divided, None when it cannot."""

    def alone(index: int) -> Linear | None:
        op = graph.nodes[index].op
        return op if isinstance(op, Linear) and len(users[index]) == 1 else None

    match node.op:
        case RmsNorm(gain) if graph.weight_shapes[gain] == (node.shape.width,):
            return Fold(targets, (gain,))
        case Mul():
            factor = next((op for op in map(alone, node.inputs) if op is not None), None)
            return None if factor is None else Fold(targets, _parts(factor))
        case Attention() if len(node.inputs) == 3:
            v = alone(node.inputs[2])
            others = sum(isinstance(n.op, Attention) and n.op.layer == node.op.layer for n in graph.nodes)
            if v is None or others > 1:  # a later layer reads the same V
                return None
            return Fold(targets, _parts(v), node.op.num_heads // node.op.num_kv_heads, node.op.head_dim)
        case _:
            return None


def _parts(op: Linear) -> tuple[str, ...]:
    return (op.weight,) if op.bias is None else (op.weight, op.bias)


def _tensors(node: Node) -> tuple[str, ...]:
    match node.op:
        case Linear():
            return _parts(node.op)
        case Embedding(weight):
            return (weight,)
        case RmsNorm(gain):
            return (gain,)
        case _:
            return ()
