"""A whole ONNX file: its header, its graph, and where everything that a node reads comes from."""

from __future__ import annotations

from pathlib import Path

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.onnx.graphs import read_graph
from edge.formats.onnx.operands import check_operands
from edge.formats.onnx.operators import DOMAINS, is_known, subgraph_operators
from edge.formats.onnx.parts import (
    MAX_ENTRIES,
    MAX_FILE_BYTES,
    MAX_NAME_BYTES,
    MAX_TEXT_BYTES,
    GraphSpec,
    NodeSpec,
    OnnxModel,
)
from edge.formats.onnx.tensors import read_entry
from edge.formats.onnx.wire import Message

__all__ = ["read_model"]

IR_VERSIONS = (7, 14)
_TEXTS = {2: "producer_name", 3: "producer_version", 4: "domain", 6: "doc_string"}


def read_model(path: Path, view: memoryview, *, compiled: bool = False) -> OnnxModel:
    """Reads and checks the file that is mapped in `view`; nothing of it runs, no other file is looked at.

    compiled: it may hold what a provider's compiler made.

    BadModelFile: malformed, at which byte and why. UnsupportedModel: sound, but not of operators that edge lets run.
    """
    if len(view) > MAX_FILE_BYTES:
        raise BadModelFile(path, f"has {len(view)} bytes, an ONNX file has at most {MAX_FILE_BYTES}")
    message = Message(path, view, "ModelProto", 0, len(view))
    texts: dict[int, str] = {}
    opsets: dict[str, int] = {}
    metadata: dict[str, str] = {}
    graph: GraphSpec | None = None
    ir_version = 0
    for field in message.fields():
        match field.number:
            case 1:
                ir_version = message.signed(field)
            case 2 | 3 | 4 | 6:
                texts[field.number] = message.text(field, _TEXTS[field.number], MAX_TEXT_BYTES)
            case 5:
                message.signed(field)
            case 7:
                if graph is not None:
                    message.fail("has two graphs", field.at)
                graph = read_graph(message.inside(field, "GraphProto"))
            case 8:
                domain, version = _opset(message.inside(field, "OperatorSetIdProto"))
                if domain in opsets:
                    message.fail(f"imports the operators of {quoted(domain)} twice", field.at)
                opsets[domain] = version
            case 14:
                key, value = read_entry(message.inside(field, "StringStringEntryProto"))
                metadata[key] = value
                if len(metadata) > MAX_ENTRIES:
                    message.fail(f"more than {MAX_ENTRIES} entries of metadata", field.at)
            case 20:
                message.fail("holds training information, which edge does not read", field.at)
            case 25:
                message.fail("holds functions, which edge does not run", field.at)
            case 26:
                message.inside(field, "DeviceConfigurationProto")
            case _:
                message.fail(f"field {field.number}, which ONNX does not have", field.at)
    if not IR_VERSIONS[0] <= ir_version <= IR_VERSIONS[1]:
        raise BadModelFile(path, f"IR version {ir_version}, wanted {IR_VERSIONS[0]} to {IR_VERSIONS[1]}")
    if graph is None:
        raise BadModelFile(path, "holds no graph")
    _check_opsets(path, opsets)
    _Wiring(path, opsets, compiled).check(graph, frozenset())
    check_operands(path, graph)
    found = (tensor.outside.location for tensor in graph.initializers.values() if tensor.outside is not None)
    return OnnxModel(ir_version, opsets, graph, metadata, texts.get(2, ""), tuple(dict.fromkeys(found)))


def _opset(message: Message) -> tuple[str, int]:
    domain, version = "", 0
    for field in message.fields():
        if field.number == 1:
            domain = message.text(field, "domain", MAX_NAME_BYTES)
        elif field.number == 2:
            version = message.signed(field)
        else:
            message.fail(f"field {field.number}, which ONNX does not have", field.at)
    return "" if domain == "ai.onnx" else domain, version


def _check_opsets(path: Path, opsets: dict[str, int]) -> None:
    """Imported and unused domains are harmless, and builders leave some."""
    if "" not in opsets:
        raise BadModelFile(path, "does not say which version of ONNX's operators it uses")
    for domain, version in opsets.items():
        if domain in DOMAINS:
            oldest, newest, _ = DOMAINS[domain]
            if not oldest <= version <= newest:
                name = quoted(domain or "ai.onnx")
                raise UnsupportedModel(
                    path, f"operators of {name} in version {version}, edge runs {oldest} to {newest}"
                )


class _Wiring:
    """Every value is made once, before it is read; every operator is one that edge lets run."""

    def __init__(self, path: Path, opsets: dict[str, int], compiled: bool) -> None:
        self._path, self._opsets, self._compiled = path, opsets, compiled

    def check(self, graph: GraphSpec, outer: frozenset[str]) -> None:
        """outer: values of the graphs around this one."""
        known = {*outer, *graph.inputs, *graph.initializers}
        for node in graph.nodes:
            self._check_operator(node)
            missing = next((name for name in node.inputs if name and name not in known), None)
            if missing is not None:
                raise self._bad(node, f"reads {quoted(missing)}, which nothing before it makes")
            inside = frozenset(known)
            for value in node.attributes.values():
                if isinstance(value, GraphSpec):
                    self.check(value, inside)
            for name in filter(None, node.outputs):
                if name in known:
                    raise self._bad(node, f"makes {quoted(name)}, which is there already")
                known.add(name)
        for name in graph.outputs:
            if name not in known:
                raise BadModelFile(self._path, f"byte {graph.at}: GraphProto: nothing makes its output {quoted(name)}")

    def _check_operator(self, node: NodeSpec) -> None:
        if node.domain not in DOMAINS:
            said = f"operators of the domain {quoted(node.domain)}; edge runs ONNX's and com.microsoft's"
            raise UnsupportedModel(self._path, f"node {quoted(node.name)}: {said}")
        if not is_known(node.domain, node.op_type, compiled=self._compiled):
            raise UnsupportedModel(self._path, f"node {quoted(node.name)}: edge does not run {quoted(node.said)}")
        if node.domain not in self._opsets:
            raise self._bad(node, f"is of {quoted(node.domain)}, whose operators the file does not import")
        has_graphs = any(isinstance(value, GraphSpec) for value in node.attributes.values())
        if has_graphs and node.op_type not in subgraph_operators():
            raise self._bad(node, f"{node.said} does not take a graph")
        if not any(node.outputs):
            raise self._bad(node, "makes nothing")

    def _bad(self, node: NodeSpec, reason: str) -> BadModelFile:
        return BadModelFile(self._path, f"byte {node.at}: node {quoted(node.name)}: {reason}")
