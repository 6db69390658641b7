"""What a checked ONNX folder is to a backend: names of inputs and outputs, sizes, and how far positions may go.

The interface is that of onnxruntime-genai's decoders: input_ids, attention_mask and perhaps position_ids; K and V of
every layer as past and present; logits of all tokens or of the last one.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from edge.errors import UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields
from edge.formats.onnx import CheckedFolder, ValueSpec

__all__ = ["Decoder", "read_decoder"]

INT64, FLOATS = 7, {1: ("f32", 4), 10: ("f16", 2)}
_TABLE_INPUTS = {"GroupQueryAttention": 7, "RotaryEmbedding": 2}  # operator -> which input is a table of the rotation
MAX_CONTEXT = 2**31 - 1


class Layer(NamedTuple):
    """Names of a layer's K and V."""

    past: tuple[str, str]
    present: tuple[str, str]


class Decoder(NamedTuple):
    """longest: positions that the tables of the rotation, and the configuration, allow. widest: floats of the widest
    row that a token has on its way. head: of which tokens there are logits."""

    model_type: str
    layers: tuple[Layer, ...]
    num_kv_heads: int
    head_dim: int
    kv_type: str
    kv_element_bytes: int
    vocab_size: int
    longest: int
    widest: int
    head: Literal["last", "all"]
    takes_positions: bool
    logits: str

    @property
    def kv_bytes_per_position(self) -> int:
        return 2 * len(self.layers) * self.num_kv_heads * self.head_dim * self.kv_element_bytes


def read_decoder(checked: CheckedFolder) -> Decoder:
    """BadModelFile: the configuration is malformed. UnsupportedModel, by name, for another interface, for K and V that
    are not stored in place, and for tables of a rotation that are computed."""
    return _Reading(checked).decoder()


class _Reading:
    def __init__(self, checked: CheckedFolder) -> None:
        self._graph, self._path = checked.model.model.graph, str(checked.model.path)
        self._config = checked.config
        self._model = self._object(checked.config, "model")
        self._decoder = self._object(self._model, "decoder")

    def decoder(self) -> Decoder:
        heads = self._decoder.get_int("num_key_value_heads", minimum=1, maximum=2**16)
        head_dim = self._decoder.get_int("head_size", minimum=2, maximum=1024)
        count = self._decoder.get_int("num_hidden_layers", minimum=1, maximum=1024)
        inputs, outputs = self._object(self._decoder, "inputs"), self._object(self._decoder, "outputs")
        layers = tuple(self._layer(inputs, outputs, layer) for layer in range(count))
        kinds = {self._kv_kind(name, heads, head_dim) for layer in layers for name in layer.past}
        if len(kinds) > 1:
            raise self._unsupported("K and V of different layers are of different types")
        kv_type, element_bytes = kinds.pop()
        logits = outputs.get_str("logits", "logits")
        head, vocab_size = self._logits(logits)
        taken = self._check_inputs(inputs, layers)
        return Decoder(
            model_type=self._model.get_str("type", "unknown"),
            layers=layers,
            num_kv_heads=heads,
            head_dim=head_dim,
            kv_type=kv_type,
            kv_element_bytes=element_bytes,
            vocab_size=vocab_size,
            longest=self._longest(),
            widest=self._widest(vocab_size),
            head=head,
            takes_positions=taken,
            logits=logits,
        )

    def _object(self, fields: Fields, key: str) -> Fields:
        found = fields.get_object(key)
        return Fields(fields.path, {}) if found is None else found

    def _layer(self, inputs: Fields, outputs: Fields, layer: int) -> Layer:
        """Names as the configuration gives them; what must stand in place of the old K and V is made by attention."""
        kinds = ("key", "value")
        past = tuple(self._name(inputs, f"past_{kind}_names", f"past_key_values.%d.{kind}", layer) for kind in kinds)
        present = tuple(self._name(outputs, f"present_{kind}_names", f"present.%d.{kind}", layer) for kind in kinds)
        for old, new in zip(past, present, strict=True):
            maker = next((node for node in self._graph.nodes if new in node.outputs), None)
            if maker is None or maker.op_type != "GroupQueryAttention" or old not in maker.inputs:
                how = "nothing" if maker is None else maker.said
                raise self._unsupported(f"{quoted(new)} comes of {how}: K and V are not stored in place")
        return Layer((past[0], past[1]), (present[0], present[1]))

    def _name(self, fields: Fields, key: str, default: str, layer: int) -> str:
        pattern = fields.get_str(key, default)
        if pattern.count("%") != 1 or "%d" not in pattern:
            fields.fail(key, f"is {quoted(pattern)}, wanted a name with one %d")
        return pattern.replace("%d", str(layer))

    def _kv_kind(self, name: str, heads: int, head_dim: int) -> tuple[str, int]:
        value = self._graph.inputs.get(name)
        if value is None:
            raise self._unsupported(f"there is no input {quoted(name)}")
        if value.data_type not in FLOATS:
            raise self._unsupported(f"{quoted(name)} is neither float32 nor float16")
        shape = value.shape
        wanted = (heads, head_dim)
        if shape is None or len(shape) != 4 or any(
            isinstance(said, int) and said != size for said, size in zip(shape[1::2], wanted, strict=True)
        ):  # fmt: skip
            raise self._unsupported(
                f"{quoted(name)} has the shape {shape}, wanted (batch, {heads}, length, {head_dim})"
            )
        return FLOATS[value.data_type]

    def _logits(self, name: str) -> tuple[Literal["last", "all"], int]:
        value = self._graph.outputs.get(name)
        if value is None or value.data_type != 1 or value.shape is None or len(value.shape) != 3:
            raise self._unsupported(f"there is no output {quoted(name)} of float32 and three dimensions")
        vocab_size = self._model.get_int("vocab_size", minimum=1, maximum=2**24)
        if isinstance(value.shape[2], int) and value.shape[2] != vocab_size:
            self._model.fail("vocab_size", f"is {vocab_size}, and {quoted(name)} has {value.shape[2]} values a token")
        return ("last" if value.shape[1] == 1 else "all"), vocab_size

    def _check_inputs(self, inputs: Fields, layers: tuple[Layer, ...]) -> bool:
        """Whether position_ids are to be given. Refuses inputs that nobody would fill."""
        known = {"input_ids", "attention_mask", "position_ids"}
        for key in known:
            if inputs.get_str(key, key) != key:
                inputs.fail(key, "is another name than the input's own, which edge does not read")
        known |= {name for layer in layers for name in layer.past}
        other = next((name for name in self._graph.inputs if name not in known), None)
        if other is not None:
            raise self._unsupported(f"it has the input {quoted(other)}, which edge does not fill")
        for key in ("input_ids", "attention_mask"):
            if not self._is_ids(self._graph.inputs.get(key)):
                raise self._unsupported(f"there is no input {key!r} of int64 and two dimensions")
        positions = self._graph.inputs.get("position_ids")
        if positions is not None and not self._is_ids(positions):
            raise self._unsupported("position_ids is not of int64 and two dimensions")
        return positions is not None

    def _is_ids(self, value: ValueSpec | None) -> bool:
        return value is not None and value.data_type == INT64 and value.shape is not None and len(value.shape) == 2

    def _longest(self) -> int:
        """Beyond the rows of these tables an operator would read what is not there."""
        longest = self._model.get_int("context_length", minimum=1, maximum=MAX_CONTEXT)
        for node in self._graph.nodes:
            index = _TABLE_INPUTS.get(node.op_type)
            if index is None or len(node.inputs) <= index or not node.inputs[index]:
                continue
            table = self._graph.initializers.get(node.inputs[index])
            if table is None or not table.shape:
                raise self._unsupported(f"node {quoted(node.name)} rotates by a table that is computed")
            longest = min(longest, table.shape[0])
        return longest

    def _widest(self, vocab_size: int) -> int:
        """Of what products make, the head's left out; and of their input."""
        sizes = [1]
        for node in self._graph.nodes:
            if node.op_type == "MatMulNBits":
                sizes += [size for size in map(node.attributes.get, ("K", "N")) if isinstance(size, int)]
            elif node.op_type == "MatMul" and len(node.inputs) > 1 and node.inputs[1] in self._graph.initializers:
                sizes += self._graph.initializers[node.inputs[1]].shape
        return max(size for size in sizes if size != vocab_size)

    def _unsupported(self, reason: str) -> UnsupportedModel:
        return UnsupportedModel(self._path, f"edge does not run this ONNX model: {reason}")
