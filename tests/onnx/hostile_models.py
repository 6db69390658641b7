"""ONNX files to refuse, each with its whole error behind "PATH: " (and "byte N: ", where there is one)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from edge.export.onnx import messages
from edge.export.onnx.messages import MICROSOFT, DataType
from edge.export.onnx.protobuf import integer, integers, nested, number, text, varint
from tests.onnx.small import BLOCK, K, N, Pieces, inside, matmul, outside, relu

Change: TypeAlias = Callable[[Pieces], None]
Row: TypeAlias = tuple[str, Change | bytes, str]


def rows() -> list[Row]:
    return [*_encoding(), *_headers(), *_graphs(), *_nodes(), *_tensors(), *_operands()]


def _of(**fields: object) -> Change:
    """Replaces parts of the model."""

    def change(pieces: Pieces) -> None:
        for name, value in fields.items():
            setattr(pieces, name, value)

    return change


def _encoding() -> list[Row]:
    """Bytes that are no message."""
    return [
        ("empty", b"", "the file is empty (0 bytes), was the download interrupted?"),
        ("zeros", bytes(64), "ModelProto: field number 0, wanted 1 to 536870911"),
        (
            "text",
            b"GGUF is no message of protocol buffers",
            "ModelProto: field 8 has the wire type 7, wanted 0, 1, 2 or 5",
        ),
        ("cut tag", b"\x80", "ModelProto: ends inside a number"),
        ("cut number", b"\x08\xff", "ModelProto: ends inside a number"),
        ("endless number", b"\x08" + b"\xff" * 11, "ModelProto: a number of more than 10 bytes"),
        ("number beyond 64 bits", b"\x08" + b"\xff" * 9 + b"\x7f", "ModelProto: a number of more than 64 bits"),
        ("length beyond the file", b"\x3a\x7f\x00", "ModelProto: field 7 has 127 bytes, 1 are left of it"),
        (
            "length of 2^63",
            b"\x3a" + varint(2**63),
            "ModelProto: field 7 has 9223372036854775808 bytes, 0 are left of it",
        ),
        ("wire type 3", b"\x0b\x08", "ModelProto: field 1 has the wire type 3, wanted 0, 1, 2 or 5"),
        ("wire type 7", b"\x0f\x08", "ModelProto: field 1 has the wire type 7, wanted 0, 1, 2 or 5"),
        ("version as bytes", nested(1, b"\x0b"), "ModelProto: field 1 has the wire type 2, wanted 0"),
        ("graph as a number", integer(1, 11) + integer(7, 1), "ModelProto: field 7 has the wire type 0, wanted 2"),
        ("cut fixed", b"\x0d\x01\x02", "ModelProto: field 1 has 4 bytes, 2 are left of it"),
    ]


def _headers() -> list[Row]:
    return [
        ("unknown field", _of(extra=integer(99, 1)), "ModelProto: field 99, which ONNX does not have"),
        ("no graph", _of(has_graph=False), "holds no graph"),
        ("two graphs", _of(extra=nested(7, b"")), "ModelProto: has two graphs"),
        ("old IR", _of(ir_version=3), "IR version 3, wanted 7 to 14"),
        ("IR of the future", _of(ir_version=2**31), "IR version 2147483648, wanted 7 to 14"),
        ("no operators", _of(opsets={MICROSOFT: 1}), "does not say which version of ONNX's operators it uses"),
        (
            "operators of the future",
            _of(opsets={"": 999, MICROSOFT: 1}),
            "operators of 'ai.onnx' in version 999, edge runs 13 to 27",
        ),
        (
            "operators twice",
            _of(extra=nested(8, text(1, "") + integer(2, 22))),
            "ModelProto: imports the operators of '' twice",
        ),
        ("functions", _of(extra=nested(25, text(1, "f"))), "ModelProto: holds functions, which edge does not run"),
        ("training", _of(extra=nested(20, b"")), "ModelProto: holds training information, which edge does not read"),
        (
            "producer that is no text",
            _of(extra=nested(2, b"\xff\xfe")),
            "ModelProto: producer_name is not UTF-8 at byte 0",
        ),
        (
            "producer of 2 MiB",
            _of(extra=nested(2, b"a" * 2**21)),
            "ModelProto: producer_name has 2097152 bytes, the limit is 1048576",
        ),
    ]


def _graphs() -> list[Row]:
    sequence = text(1, "s") + nested(2, nested(4, b""))
    huge = messages.value_info("x", DataType.FLOAT, ("rows", 2**62))
    return [
        (
            "sparse initializer",
            _of(of_graph=nested(15, b"")),
            "GraphProto: holds a sparse initializer, which edge does not read",
        ),
        ("unknown field of a graph", _of(of_graph=integer(77, 1)), "GraphProto: field 77, which ONNX does not have"),
        (
            "two inputs of one name",
            lambda p: p.inputs.append(p.inputs[0]),
            "GraphProto: two inputs are named 'x', or one has no name",
        ),
        (
            "an output of no name",
            lambda p: p.outputs.append(messages.value_info("", DataType.FLOAT, ())),
            "GraphProto: two outputs are named '', or one has no name",
        ),
        (
            "an output that nothing makes",
            _of(outputs=[messages.value_info("q", DataType.FLOAT, ("rows",))]),
            "GraphProto: nothing makes its output 'q'",
        ),
        (
            "a sequence as input",
            lambda p: p.inputs.append(sequence),
            "TypeProto: 's' is a sequence, map, optional or sparse tensor",
        ),
        (
            "an input of 2^62",
            _of(inputs=[huge]),
            "Dimension: a dimension of 4611686018427387904, wanted 0 to 1099511627776",
        ),
        (
            "a dimension below 0",
            _of(inputs=[messages.value_info("x", DataType.FLOAT, (-1, K))]),
            "Dimension: a dimension of -1, wanted 0 to 1099511627776",
        ),
        (
            "graphs in graphs",
            _of(nodes=[matmul(), relu(more=_nested_graphs(6))]),
            "GraphProto: graphs are nested more than 4 deep",
        ),
        ("a name of 2 KiB", _of(of_graph=text(2, "n" * 2048)), "GraphProto: name has 2048 bytes, the limit is 1024"),
    ]


def _nested_graphs(depth: int) -> bytes:
    """An attribute with a graph with a node with an attribute with a graph ..."""
    graph = b""
    for _ in range(depth):
        attribute = nested(5, text(1, "body") + nested(6, graph) + integer(20, 5))
        graph = nested(1, messages.node("If", ["x"], ["i"], name="if") + attribute)
    return nested(5, text(1, "body") + nested(6, graph) + integer(20, 5))


def _attribute(name: str, content: bytes, kind: int) -> Change:
    return _of(nodes=[matmul(), relu(more=nested(5, text(1, name) + content + integer(20, kind)))])


def _nodes() -> list[Row]:
    return [
        (
            "unknown domain",
            _of(nodes=[matmul(), relu(domain="evil.ops")]),
            "node 'act': operators of the domain 'evil.ops'; edge runs ONNX's and com.microsoft's",
        ),
        ("unknown operator", _of(nodes=[matmul(), relu(op_type="Exec")]), "node 'act': edge does not run 'Exec'"),
        (
            "an operator with a file",
            _of(nodes=[matmul(), relu(op_type="EPContext", domain=MICROSOFT)]),
            "node 'act': edge does not run 'com.microsoft.EPContext'",
        ),
        (
            "an operator with a program",
            _of(nodes=[matmul(), relu(op_type="Tokenizer", domain=MICROSOFT)]),
            "node 'act': edge does not run 'com.microsoft.Tokenizer'",
        ),
        (
            "operators not imported",
            _of(opsets={"": 23}),
            "node 'mm': is of 'com.microsoft', whose operators the file does not import",
        ),
        (
            "reads what is not there",
            _of(nodes=[matmul(), relu("nowhere")]),
            "node 'act': reads 'nowhere', which nothing before it makes",
        ),
        (
            "a circle",
            _of(nodes=[matmul(("z", "B", "S")), relu()]),
            "node 'mm': reads 'z', which nothing before it makes",
        ),
        (
            "makes what is there",
            _of(nodes=[matmul(), relu(target="y")]),
            "node 'act': makes 'y', which is there already",
        ),
        ("makes a weight", _of(nodes=[matmul(), relu(target="B")]), "node 'act': makes 'B', which is there already"),
        (
            "makes nothing",
            _of(nodes=[matmul(), messages.node("Relu", ["y"], [], name="act")]),
            "node 'act': makes nothing",
        ),
        (
            "a function's node",
            _of(nodes=[matmul(), relu(more=text(8, "o"))]),
            "NodeProto: calls a function of the model, which edge does not run",
        ),
        (
            "unknown field of a node",
            _of(nodes=[matmul(), relu(more=integer(55, 1))]),
            "NodeProto: field 55, which ONNX does not have",
        ),
        ("a graph where none belongs", _attribute("g", nested(6, b""), 5), "node 'act': Relu does not take a graph"),
        (
            "an attribute twice",
            _of(nodes=[matmul(), relu(more=2 * nested(5, text(1, "a") + integer(3, 1) + integer(20, 2)))]),
            "NodeProto: attribute 'a' is there twice",
        ),
        (
            "an attribute of no type",
            _attribute("a", integer(3, 1), 0),
            "AttributeProto: attribute 'a' has the type 0, wanted one of 1 to 8, and a name",
        ),
        (
            "an attribute of another type",
            _attribute("a", number(2, 1.0), 2),
            "AttributeProto: attribute 'a' is said to be an integer, and holds field 2",
        ),
        (
            "a sparse attribute",
            _attribute("a", nested(22, b""), 11),
            "AttributeProto: attribute 'a' is a sparse tensor, which edge does not read",
        ),
        (
            "an attribute of a function",
            _attribute("a", text(21, "r"), 2),
            "AttributeProto: refers to an attribute of a function, which edge does not run",
        ),
        (
            "a tensor that is not there",
            _attribute("a", b"", 4),
            "AttributeProto: attribute 'a' is said to be a tensor, and holds nothing",
        ),
    ]


def _tensors() -> list[Row]:
    def first(tensor: bytes) -> Change:
        return lambda pieces: pieces.tensors.__setitem__(0, tensor)

    many = integers(1, [1] * 9)
    return [
        (
            "two weights of one name",
            lambda p: p.tensors.append(p.tensors[0]),
            "GraphProto: two initializers are named 'B', or one has no name",
        ),
        (
            "a weight of 2^80",
            first(inside(shape=(2**40, 2**40), size=1)),
            "TensorProto: tensor 'B' of shape [1099511627776, 1099511627776] has more than 1099511627776 elements",
        ),
        (
            "a weight below 0",
            first(inside(shape=(-32, 2, 16), size=4)),
            "TensorProto: tensor 'B' has a dimension of -32, wanted 0 to 1099511627776",
        ),
        ("nine dimensions", first(many + inside()), "TensorProto: has 9 dimensions, the limit is 8"),
        ("a weight cut short", first(inside(size=5)), "TensorProto: tensor 'B' has 5 bytes, its shape takes 1024"),
        (
            "a weight of an unknown type",
            first(outside(kind=77)),
            "TensorProto: tensor 'B' has the data type 77, which ONNX does not have",
        ),
        (
            "a weight of texts",
            first(outside(kind=8)),
            "TensorProto: tensor 'B' holds texts, which no model for edge needs",
        ),
        (
            "a segment",
            first(inside() + nested(3, b"")),
            "TensorProto: is a segment of a tensor, which edge does not read",
        ),
        ("bytes twice", first(inside() + nested(9, b"x")), "TensorProto: has raw_data twice"),
        (
            "bytes inside and beside",
            first(outside() + nested(9, bytes(1024))),
            "TensorProto: tensor 'B' has bytes inside the file and beside it",
        ),
        (
            "numbers in the wrong list",
            first(integers(1, (2,)) + integer(2, 2) + text(8, "B") + nested(4, bytes(8))),
            "TensorProto: tensor 'B' of uint8 is in float_data",
        ),
        (
            "a third of a float",
            first(integers(1, (2,)) + integer(2, 1) + text(8, "B") + nested(4, bytes(7))),
            "TensorProto: float_data holds 7 bytes, wanted a multiple of 4",
        ),
        ("an unknown place", first(outside() + integer(14, 2)), "TensorProto: data_location is 2, wanted 0 or 1"),
    ]


def _operands() -> list[Row]:
    said = "node 'mm' (com.microsoft.MatMulNBits)"
    blocks = K // BLOCK
    rotating = messages.node(
        "GroupQueryAttention",
        ["y", "", "", "", "", "", "", "S"],
        ["z"],
        name="mm",
        domain=MICROSOFT,
        attributes={"num_heads": 2, "kv_num_heads": 1, "do_rotary": 1},
    )
    return [
        (
            "more rows than codes",
            _of(nodes=[matmul(N=4 * N), relu()]),
            f"{said}: B has the shape ({N}, {blocks}, 16), wanted ({4 * N}, {blocks}, 16)",
        ),
        (
            "more columns than codes",
            _of(nodes=[matmul(K=4 * K), relu()]),
            f"{said}: B has the shape ({N}, {blocks}, 16), wanted ({N}, {4 * blocks}, 16)",
        ),
        ("three bits", _of(nodes=[matmul(bits=3), relu()]), f"{said}: bits is 3, wanted 2, 4 or 8"),
        (
            "a block of 0",
            _of(nodes=[matmul(block_size=0), relu()]),
            f"{said}: attribute 'block_size' is 0, wanted 16 to 65536",
        ),
        (
            "a block of 48",
            _of(nodes=[matmul(block_size=48), relu()]),
            f"{said}: block_size is 48, wanted a power of two",
        ),
        ("K below 0", _of(nodes=[matmul(K=-1), relu()]), f"{said}: attribute 'K' is -1, wanted 1 to 2147483647"),
        (
            "codes that are computed",
            _of(nodes=[matmul(("x", "x", "S")), relu()]),
            f"{said}: B is 'x', which is computed: edge wants it stored",
        ),
        (
            "too few scales",
            lambda p: p.tensors.__setitem__(1, outside("S", (3, 2), DataType.FLOAT, length="24")),
            f"{said}: scales has the shape (3, 2), wanted ({N}, {blocks}) or ({N * blocks},)",
        ),
        (
            "indices of groups",
            _of(nodes=[matmul(("x", "B", "S", "", "S")), relu()]),
            f"{said}: g_idx is given, which edge does not let run",
        ),
        (
            "heads that do not divide",
            _of(
                nodes=[
                    matmul(),
                    messages.node(
                        "GroupQueryAttention",
                        ["y"],
                        ["z"],
                        name="mm",
                        domain=MICROSOFT,
                        attributes={"num_heads": 3, "kv_num_heads": 2},
                    ),
                ]
            ),
            "node 'mm' (com.microsoft.GroupQueryAttention): num_heads is 3, wanted a multiple of kv_num_heads, 2",
        ),
        (
            "a rotation without tables",
            _of(nodes=[matmul(), rotating]),
            "node 'mm' (com.microsoft.GroupQueryAttention): rotates without cos_cache and sin_cache",
        ),
    ]
