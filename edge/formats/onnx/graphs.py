"""Graphs of an ONNX file: nodes, attributes, inputs and outputs, read with a limit on everything."""

from __future__ import annotations

from edge.formats.cursor import quoted
from edge.formats.onnx.parts import (
    MAX_ATTRIBUTES,
    MAX_DIMS,
    MAX_ELEMENTS,
    MAX_LIST,
    MAX_NAME_BYTES,
    MAX_NESTING,
    MAX_NODES,
    MAX_OPERANDS,
    MAX_TENSORS,
    MAX_TEXT_BYTES,
    MAX_VALUES,
    AttributeValue,
    GraphSpec,
    NodeSpec,
    ValueSpec,
)
from edge.formats.onnx.tensors import read_entry, read_tensor
from edge.formats.onnx.wire import Field, Message

__all__ = ["read_graph"]

# AttributeProto.AttributeType -> (the field that holds it, what it is)
_KINDS = {
    1: (2, "a float"),
    2: (3, "an integer"),
    3: (4, "a text"),
    4: (5, "a tensor"),
    5: (6, "a graph"),
    6: (7, "floats"),
    7: (8, "integers"),
    8: (9, "texts"),
}
_SPARSE = (11, 12, 22, 23)  # types and fields of sparse tensors


def read_graph(message: Message, depth: int = 0) -> GraphSpec:
    """A GraphProto. BadModelFile: malformed, more of anything than a model has, or something that edge refuses."""
    if depth > MAX_NESTING:
        message.fail(f"graphs are nested more than {MAX_NESTING} deep")
    graph = GraphSpec(at=message.first)
    for field in message.fields():
        match field.number:
            case 1:
                graph.nodes.append(_node(message.inside(field, "NodeProto"), depth))
                _limit(message, "nodes", len(graph.nodes), MAX_NODES)
            case 2:
                graph.name = message.text(field, "name", MAX_NAME_BYTES)
            case 5:
                tensor = read_tensor(message.inside(field, "TensorProto"))
                if not tensor.name or tensor.name in graph.initializers:
                    message.fail(f"two initializers are named {quoted(tensor.name)}, or one has no name", field.at)
                graph.initializers[tensor.name] = tensor
                _limit(message, "initializers", len(graph.initializers), MAX_TENSORS)
            case 10:
                message.text(field, "doc_string", MAX_TEXT_BYTES)
            case 11 | 12:
                values, what = (graph.inputs, "inputs") if field.number == 11 else (graph.outputs, "outputs")
                value = _value(message.inside(field, "ValueInfoProto"))
                if not value.name or value.name in values:
                    message.fail(f"two {what} are named {quoted(value.name)}, or one has no name", field.at)
                values[value.name] = value
                _limit(message, what, len(values), MAX_VALUES)
            case 13:
                _value(message.inside(field, "ValueInfoProto"))
            case 14:
                message.inside(field, "TensorAnnotation")  # notes of tools; nothing runs by them
            case 15:
                message.fail("holds a sparse initializer, which edge does not read", field.at)
            case 16:
                read_entry(message.inside(field, "StringStringEntryProto"))
            case _:
                message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return graph


def _limit(message: Message, what: str, count: int, most: int) -> None:
    if count > most:
        message.fail(f"more than {most} {what}")


def _node(message: Message, depth: int) -> NodeSpec:
    inputs, outputs = list[str](), list[str]()
    name = op_type = domain = ""
    attributes: dict[str, AttributeValue] = {}
    for field in message.fields():
        match field.number:
            case 1 | 2:
                operands = inputs if field.number == 1 else outputs
                operands.append(message.text(field, "an operand's name", MAX_NAME_BYTES))
                _limit(message, "operands", len(operands), MAX_OPERANDS)
            case 3:
                name = message.text(field, "name", MAX_NAME_BYTES)
            case 4:
                op_type = message.text(field, "op_type", MAX_NAME_BYTES)
            case 5:
                key, value = _attribute(message.inside(field, "AttributeProto"), depth)
                if key in attributes:
                    message.fail(f"attribute {quoted(key)} is there twice", field.at)
                attributes[key] = value
                _limit(message, "attributes", len(attributes), MAX_ATTRIBUTES)
            case 6:
                message.text(field, "doc_string", MAX_TEXT_BYTES)
            case 7:
                domain = message.text(field, "domain", MAX_NAME_BYTES)
            case 8:
                if message.text(field, "overload", MAX_NAME_BYTES):
                    message.fail("calls a function of the model, which edge does not run", field.at)
            case 9 | 10:
                message.inside(field, "metadata")
            case _:
                message.fail(f"field {field.number}, which ONNX does not have", field.at)
    if domain == "ai.onnx":
        domain = ""
    return NodeSpec(name, op_type, domain, tuple(inputs), tuple(outputs), attributes, message.first)


def _attribute(message: Message, depth: int) -> tuple[str, AttributeValue]:
    name, kind = "", 0
    found: list[Field] = []
    for field in message.fields():
        match field.number:
            case 1:
                name = message.text(field, "name", MAX_NAME_BYTES)
            case 13:
                message.text(field, "doc_string", MAX_TEXT_BYTES)
            case 20:
                kind = message.signed(field)
            case 21:
                message.fail("refers to an attribute of a function, which edge does not run", field.at)
            case 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9:
                found.append(field)
            case 10 | 11 | 14 | 15:
                message.fail(f"attribute {quoted(name)} is a list of tensors or graphs, or a type", field.at)
            case number if number in _SPARSE:
                message.fail(f"attribute {quoted(name)} is a sparse tensor, which edge does not read", field.at)
            case _:
                message.fail(f"field {field.number}, which ONNX does not have", field.at)
    if kind in _SPARSE:
        message.fail(f"attribute {quoted(name)} is a sparse tensor, which edge does not read")
    if not name or kind not in _KINDS:
        message.fail(f"attribute {quoted(name)} has the type {kind}, wanted one of 1 to 8, and a name")
    wanted, what = _KINDS[kind]
    other = next((field for field in found if field.number != wanted), None)
    if other is not None:
        message.fail(f"attribute {quoted(name)} is said to be {what}, and holds field {other.number}", other.at)
    if kind <= 5 and len(found) > 1:
        message.fail(f"attribute {quoted(name)} holds {what} {len(found)} times")
    return name, _attribute_value(message, name, kind, found, depth)


def _attribute_value(message: Message, name: str, kind: int, found: list[Field], depth: int) -> AttributeValue:
    match kind:
        case 1:
            return message.float(found[0]) if found else 0.0
        case 2:
            return message.signed(found[0]) if found else 0
        case 3:
            return message.text(found[0], f"attribute {quoted(name)}", MAX_TEXT_BYTES) if found else ""
        case 6:
            floats = [value for field in found for value in message.floats(field)]
            _limit(message, "numbers in an attribute", len(floats), MAX_LIST)
            return tuple(floats)
        case 7:
            integers = [value for field in found for value in message.integers(field)]
            _limit(message, "numbers in an attribute", len(integers), MAX_LIST)
            return tuple(integers)
        case 8:
            _limit(message, "texts in an attribute", len(found), MAX_LIST)
            return tuple(message.text(field, f"attribute {quoted(name)}", MAX_TEXT_BYTES) for field in found)
        case _:
            if not found:
                message.fail(f"attribute {quoted(name)} is said to be {_KINDS[kind][1]}, and holds nothing")
            if kind == 4:
                return read_tensor(message.inside(found[0], "TensorProto"))
            return read_graph(message.inside(found[0], "GraphProto"), depth + 1)


def _value(message: Message) -> ValueSpec:
    """A ValueInfoProto; BadModelFile for anything but a tensor."""
    name, kind, shape = "", 0, None
    for field in message.fields():
        if field.number == 1:
            name = message.text(field, "name", MAX_NAME_BYTES)
        elif field.number == 2:
            for inner in (type_message := message.inside(field, "TypeProto")).fields():
                if inner.number == 1:
                    kind, shape = _tensor_type(type_message.inside(inner, "TypeProto.Tensor"))
                elif inner.number != 6:  # a denotation, which is text
                    type_message.fail(f"{quoted(name)} is a sequence, map, optional or sparse tensor", inner.at)
        elif field.number == 3:
            message.text(field, "doc_string", MAX_TEXT_BYTES)
        elif field.number == 4:
            read_entry(message.inside(field, "StringStringEntryProto"))
        else:
            message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return ValueSpec(name, kind, shape, message.first)


def _tensor_type(message: Message) -> tuple[int, tuple[int | str, ...] | None]:
    kind, shape = 0, None
    for field in message.fields():
        if field.number == 1:
            kind = message.signed(field)
        elif field.number == 2:
            shape_message = message.inside(field, "TensorShapeProto")
            dims = [_dimension(shape_message.inside(dim, "Dimension")) for dim in shape_message.fields()]
            _limit(message, "dimensions", len(dims), MAX_DIMS)
            shape = tuple(dims)
        else:
            message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return kind, shape


def _dimension(message: Message) -> int | str:
    said: int | str = ""
    for field in message.fields():
        if field.number == 1:
            said = message.signed(field)
            if not 0 <= said <= MAX_ELEMENTS:
                message.fail(f"a dimension of {said}, wanted 0 to {MAX_ELEMENTS}", field.at)
        elif field.number == 2:
            said = message.text(field, "a dimension's name", MAX_NAME_BYTES)
        elif field.number != 3:
            message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return said
