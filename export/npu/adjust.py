"""What can be moved into the weights: the scale of attention, and the order of rotary pairs.

GGUF files of some models rotate neighbours (2i, 2i+1). NPUs have no cheap way to tell odd from even, so the rows of q
and k are put in the order in which pairs are half of a head apart. q and k move alike, so their products stay.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.errors import UnsupportedModel
from edge.export.npu.static import Order
from edge.graph.ops import Attention, Graph, Linear, Node, RmsNorm, Rope

__all__ = ["Adjustment", "adjustments"]


class Adjustment(NamedTuple):
    """Of the weights of a node."""

    order: Order | None = None
    factor: float = 1.0


def adjustments(graph: Graph, path: str) -> dict[int, Adjustment]:
    """By node. UnsupportedModel: a model in which something else reads what would change."""
    found: dict[int, Adjustment] = {}
    users = graph.users()
    for node in graph.nodes:
        if isinstance(node.op, Attention):
            for i, source in enumerate(node.inputs[:2]):
                _walk(graph, users, source, node.op.scale if i == 0 else 1.0, found, path)
    return found


def _walk(
    graph: Graph, users: list[list[int]], number: int, factor: float, found: dict[int, Adjustment], path: str
) -> None:
    """From an input of attention back to the weights that make it."""
    order: Order | None = None
    node = graph.nodes[number]
    while True:
        if len(users[node.number]) != 1:
            raise UnsupportedModel(path, f"{node.name} is read by more than attention: not exported to NPUs")
        match node.op:
            case Rope(spec, head_dim):
                order = None if spec.neox else Order(head_dim, spec.dims)
            case RmsNorm():
                found[node.number] = Adjustment(order, factor)
                factor = 1.0  # what comes before a norm has no size
            case Linear():
                found[node.number] = Adjustment(order, factor)
                return
            case _:
                raise UnsupportedModel(path, f"{node.name} leads to attention: not exported to NPUs")
        node = _before(graph, node)


def _before(graph: Graph, node: Node) -> Node:
    return graph.nodes[node.inputs[0]]
