"""What lies at the borders of a folder's graphs: names, types and shapes, by its manifest and its table."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.onnx import CheckedModel, ValueSpec
from edge.npu.encoding import Encoding
from edge.npu.manifest import ENCODINGS, Manifest, Phase

__all__ = ["HIDDEN", "HIDDEN_OUT", "Borders", "check_borders"]

HIDDEN, HIDDEN_OUT = "hidden", "hidden_out"
Shape: TypeAlias = tuple[int, ...]
_ONNX_TYPES = {"uint8": 2, "uint16": 4}


class Borders(NamedTuple):
    """Of one phase. fed: what the host fills in every step, past: K and V in slots; made: what the graphs must give."""

    fed: dict[str, Shape]
    past: dict[str, Shape]
    made: dict[str, Shape]

    @classmethod
    def of(cls, manifest: Manifest, phase: Phase) -> Borders:
        tokens, hidden = manifest.tokens(phase), manifest.hidden_size
        fed: dict[str, Shape] = {HIDDEN: (1, tokens, hidden)}
        for i, spec in enumerate(manifest.ropes):
            fed[f"cos.{i}"] = fed[f"sin.{i}"] = (1, 1, tokens, spec.dims // 2)
        for i, mask in enumerate(manifest.masks):
            fed[f"mask.{i}"] = (1, 1, tokens, mask.slots + tokens)
        past: dict[str, Shape] = {}
        made: dict[str, Shape] = {HIDDEN_OUT: (1, tokens, hidden)}
        for slots in manifest.kv:
            size = manifest.masks[slots.mask].slots
            heads, dim = slots.kv_heads, slots.head_dim
            past |= zip(slots.past, ((1, heads, dim, size), (1, heads, size, dim)), strict=True)
            made |= zip(slots.new, ((1, heads, dim, tokens), (1, heads, tokens, dim)), strict=True)
        return cls(fed, past, made)


def check_borders(
    manifest: Manifest, table: dict[str, Encoding], graphs: tuple[CheckedModel, ...], phase: Phase
) -> None:
    """BadModelFile: a graph takes what nobody gives, gives what is of another type or shape than the table and the
    manifest say, or leaves something out. graphs: of the phase, in their order."""
    borders, tokens = Borders.of(manifest, phase), manifest.tokens(phase)
    beside = [shadow.output for shadow in manifest.shadows]
    without = next((name for name in (*borders.fed, *borders.past, *beside) if name not in table), None)
    if without is not None:
        raise BadModelFile(graphs[0].path.parent / ENCODINGS, f"has no encoding for {quoted(without)}, which is filled")
    shapes: dict[str, Shape] = {**borders.fed, **borders.past}
    shapes |= {shadow.output: (1, tokens, shadow.out) for shadow in manifest.shadows}
    for graph in graphs:
        for value in graph.model.graph.inputs.values():
            if value.name not in shapes:
                raise BadModelFile(graph.path, f"takes the value {quoted(value.name)}, which nothing makes")
            _check(graph, table, value, shapes[value.name])
        for value in graph.model.graph.outputs.values():
            if value.name in shapes:
                raise BadModelFile(graph.path, f"makes {quoted(value.name)}, which is there already")
            shapes[value.name] = _check(graph, table, value, borders.made.get(value.name))
    missing = next((name for name in borders.made if name not in shapes), None)
    if missing is not None:
        raise BadModelFile(graphs[-1].path, f"no graph of its phase makes {quoted(missing)}")
    for shadow in manifest.shadows:
        shape = shapes.get(shadow.input)
        if shape is None or len(shape) != 3 or max(shadow.channels, default=0) >= shape[-1]:
            raise BadModelFile(graphs[-1].path, f"the outliers of {quoted(shadow.input)} are of no value that it makes")


def _check(graph: CheckedModel, table: dict[str, Encoding], value: ValueSpec, wanted: Shape | None) -> Shape:
    """The shape that the graph says; that it is the wanted one, None: any, and of the type of the table."""
    encoding = table.get(value.name)
    if encoding is None:
        raise BadModelFile(
            graph.path.parent / ENCODINGS, f"has no encoding for {quoted(value.name)}, which a graph has"
        )
    if value.data_type != _ONNX_TYPES[encoding.type]:
        raise BadModelFile(graph.path, f"{quoted(value.name)} is not of {encoding.type}, as {ENCODINGS} says")
    shape = tuple(size for size in value.shape or () if isinstance(size, int))
    if value.shape is None or len(shape) != len(value.shape) or 0 in shape:
        raise BadModelFile(graph.path, f"{quoted(value.name)} has no fixed shape")
    if wanted is not None and shape != wanted:
        raise BadModelFile(graph.path, f"{quoted(value.name)} has the shape {shape}, by npu.json it is {wanted}")
    return shape
