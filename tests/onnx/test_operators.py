"""Layouts of every operator and width that exports use, against NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import NumericalError
from edge.export.gguf_source import GGUFSource
from edge.export.gguf_writer import GGUFWriter
from edge.export.onnx import GraphWriter, MatrixForm, Rounding, Rows, nodes
from edge.export.onnx.attention import attention
from edge.export.onnx.matrices import form_of, read_matrix
from edge.export.onnx.messages import DataType
from edge.export.onnx.rounding import pack_codes, round_blocks
from edge.export.source import SourceTensor
from edge.formats.types import GGMLType
from edge.graph import numerics
from edge.graph.ops import Attention, RopeSpec
from edge.quant import decode, encode
from tests.onnx.runtime import onnxruntime, run_graph

N, K, TOKENS = 48, 256, 3
KEPT = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4", "TQ1_0", "TQ2_0")


class Floats:
    """A source of one matrix."""

    metadata: dict[str, Any] = {}

    def __init__(self, values: NDArray[np.float32]) -> None:
        self.values = values
        self.tensors = [SourceTensor("w", values.shape, "F32")]

    def read(self, name: str) -> NDArray[np.float32]:
        del name
        return self.values


def weights(rows: int = N, columns: int = K, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def values_of(arrays: list[NDArray[Any]], form: MatrixForm, columns: int) -> NDArray[np.float64]:
    """The matrix that codes, scales, zero points and offsets say, written apart from what packs them."""
    codes, scales = arrays[0], arrays[1].astype(np.float64)
    each, top = 8 // form.bits, 2**form.bits - 1
    unpacked = np.stack([codes >> (form.bits * i) & top for i in range(each)], -1).reshape(*codes.shape[:2], -1)
    zeros: NDArray[Any] = np.full(scales.shape, 2 ** (form.bits - 1))
    if form.zero_points:
        packed = arrays[2]
        zeros = np.stack([packed >> (form.bits * i) & top for i in range(each)], -1).reshape(len(packed), -1)
        zeros = zeros[:, : scales.shape[1]]
    matrix = (unpacked.astype(np.float64) - zeros[:, :, None]) * scales[:, :, None]
    if form.offsets:
        matrix += arrays[-1].T.astype(np.float64)[:, :, None]
    flat: NDArray[np.float64] = matrix.reshape(len(codes), -1)[:, :columns]
    return flat


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("block_size", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("columns", [256, 160])
def test_matmul(bits: int, block_size: int, columns: int, tmp_path: Path) -> None:
    onnxruntime()
    source = Floats(weights(columns=columns))
    form = form_of(source.tensors[0], Rounding(bits, block_size))
    assert (form.bits, form.block_size, form.zero_points) == (bits, block_size, bits == 2)
    onnx = GraphWriter()
    onnx.input("x", DataType.FLOAT, (1, TOKENS, columns))
    pieces = [Rows(source.tensors[0], 0, 16), Rows(source.tensors[0], 16, N)]
    matrix = nodes.matrix_parts(onnx, source, "w", pieces, form)
    bias = onnx.constant("b", np.arange(N, dtype=np.float32))
    nodes.matmul(onnx, "x", matrix, "exact", accuracy_level=0, bias=bias)
    nodes.matmul(onnx, "x", matrix, "fast", accuracy_level=4, bias=bias)
    onnx.output("exact", DataType.FLOAT, (1, TOKENS, N))
    onnx.output("fast", DataType.FLOAT, (1, TOKENS, N))
    x = np.random.default_rng(1).standard_normal((1, TOKENS, columns)).astype(np.float32)
    exact, fast = run_graph(onnx, tmp_path, {"x": x})
    w = values_of(read_matrix(source, pieces, form), form, columns)
    wanted = x.astype(np.float64) @ w.T + np.arange(N)
    scale = np.abs(wanted).max()
    assert np.abs(exact - wanted).max() <= 2e-6 * scale
    assert np.abs(fast - wanted).max() <= 1e-2 * scale
    limits = {2: 0.45, 4: 0.13, 8: 0.009}  # of weights that are spread evenly about zero
    assert np.sqrt(np.mean((w - source.values) ** 2)) <= limits[bits]


@pytest.mark.parametrize("kind", KEPT)
def test_codes_of_gguf_are_kept(kind: str, tmp_path: Path) -> None:
    """Bit for bit: a matrix of a type that is taken over has the values of that type, in products and look-ups."""
    onnxruntime()
    columns = 512
    values = weights(columns=columns)
    if kind.startswith("TQ"):
        values = np.sign(values) * np.float32(0.5)
    data = encode(GGMLType[kind], values)
    writer = GGUFWriter(tmp_path / "m.gguf")
    writer.add("general.architecture", "llama")
    writer.add_tensor("w", GGMLType[kind], values.shape, data)
    writer.finish()
    stored = decode(GGMLType[kind], data, values.shape, np.float64)
    onnx = GraphWriter()
    onnx.input("x", DataType.FLOAT, (1, TOKENS, columns))
    onnx.input("ids", DataType.INT64, (1, 5))
    with GGUFSource(tmp_path / "m.gguf") as source:
        tensor = source.tensors[0]
        form = form_of(tensor, Rounding())
        assert form.kept
        matrix = nodes.matrix_parts(onnx, source, "w", [Rows(tensor, 0, N)], form, is_table=True)
        nodes.matmul(onnx, "x", matrix, "y", accuracy_level=0)
        nodes.look_up(onnx, matrix, "ids", "rows")
        onnx.output("y", DataType.FLOAT, (1, TOKENS, N))
        onnx.output("rows", DataType.FLOAT, (1, 5, columns))
        arrays = read_matrix(source, [Rows(tensor, 0, N)], form)
        x = np.random.default_rng(1).standard_normal((1, TOKENS, columns)).astype(np.float32)
        ids = np.array([[0, N - 1, 3, 3, 17]])
        y, rows = run_graph(onnx, tmp_path, {"x": x, "ids": ids})
    largest = np.abs(stored).max()
    assert np.abs(values_of(arrays, form, columns) - stored).max() <= 3e-7 * largest
    assert np.abs(rows - stored[ids]).max() <= 3e-7 * largest
    wanted = x.astype(np.float64) @ stored.T
    assert np.abs(y - wanted).max() <= 2e-6 * np.abs(wanted).max()


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_look_up_of_rounded_rows(bits: int, tmp_path: Path) -> None:
    onnxruntime()
    source = Floats(weights())
    form = form_of(source.tensors[0], Rounding(bits, 64))
    onnx = GraphWriter()
    onnx.input("ids", DataType.INT64, (1, 4))
    table = nodes.matrix_parts(onnx, source, "w", [Rows(source.tensors[0], 0, N)], form, is_table=True)
    nodes.look_up(onnx, table, "ids", "rows")
    onnx.output("rows", DataType.FLOAT, (1, 4, K))
    ids = np.array([[5, 0, N - 1, 5]])
    (rows,) = run_graph(onnx, tmp_path, {"ids": ids})
    wanted = values_of(read_matrix(source, [Rows(source.tensors[0], 0, N)], form), form, K)[ids]
    assert np.abs(rows - wanted).max() <= 1e-6


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("neox", [False, True])
@pytest.mark.parametrize("dims", [32, 16])
@pytest.mark.parametrize("window", [0, 4])
def test_attention(packed: bool, neox: bool, dims: int, window: int, tmp_path: Path) -> None:
    """Prompts in chunks of any size, with the rotation of both kinds, of a part of a head too."""
    onnxruntime()
    heads, kv_heads, head_dim, length = 4, 2, 32, 24
    spec = RopeSpec(10000.0, dims, neox, 1.1, tuple(1.0 / (1 + i) for i in range(dims // 2)))
    op = Attention(0, heads, kv_heads, head_dim, 0.3, window)
    widths = [heads * head_dim, kv_heads * head_dim, kv_heads * head_dim]
    onnx = GraphWriter()
    names = ["qkv"] if packed else ["q", "k", "v"]
    for name, width in zip(names, [sum(widths)] if packed else widths, strict=True):
        onnx.input(name, DataType.FLOAT, (1, "tokens", width))
    for kind in ("key", "value"):
        onnx.input(f"past_key_values.0.{kind}", DataType.FLOAT, (1, kv_heads, "past", head_dim))
    onnx.input("seqlens_k", DataType.INT32, (1,))
    onnx.input("total_length", DataType.INT32, ())
    cos, sin = nodes.rotary_tables(spec, length)
    tables = onnx.constant("cos", cos), onnx.constant("sin", sin)
    attention(onnx, op, names, tables, interleaved=not neox, out="y")
    for name in ("y", "present.0.key", "present.0.value"):
        onnx.output(name, DataType.FLOAT, (1, None or "a", "b", "c") if name != "y" else (1, "tokens", widths[0]))
    rng = np.random.default_rng(0)
    q, k, v = (rng.standard_normal((length, width)).astype(np.float32) for width in widths)
    past: list[NDArray[Any]] = [np.zeros((1, kv_heads, 0, head_dim), np.float32) for _ in range(2)]
    outputs, first = list[NDArray[Any]](), 0
    for count in (7, 1, 1, 9, 6):
        rows = slice(first, first + count)
        parts = [x[None, rows] for x in (q, k, v)]
        feed = {"qkv": np.concatenate(parts, -1)} if packed else dict(zip(names, parts, strict=True))
        feed |= {"past_key_values.0.key": past[0], "past_key_values.0.value": past[1]}
        feed |= {
            "seqlens_k": np.array([first + count - 1], np.int32),
            "total_length": np.array(first + count, np.int32),
        }
        y, *past = run_graph(onnx, tmp_path, feed)
        outputs.append(y[0])
        first += count
    positions = np.arange(length)
    turned = [numerics.rope(x.astype(np.float64), spec, head_dim, positions) for x in (q, k)]
    grouped = [x.reshape(length, -1, head_dim) for x in (*turned, v.astype(np.float64))]
    wanted = numerics.attend(grouped[0], grouped[1], grouped[2], positions, op.scale, window)
    assert np.abs(np.concatenate(outputs) - wanted).max() <= 2e-6 * np.abs(wanted).max()
    assert np.abs(past[0][0].swapaxes(0, 1) - grouped[1]).max() <= 1e-5


@pytest.mark.parametrize("kind", ["silu", "gelu", "relu2"])
def test_activations(kind: str, tmp_path: Path) -> None:
    onnxruntime()
    onnx = GraphWriter()
    onnx.input("x", DataType.FLOAT, (1, 2, 64))
    getattr(nodes, kind)(onnx, "x", "y")
    onnx.output("y", DataType.FLOAT, (1, 2, 64))
    x = np.linspace(-9, 9, 128).astype(np.float32).reshape(1, 2, 64)
    (y,) = run_graph(onnx, tmp_path, {"x": x})
    wanted = getattr(numerics, kind)(x.astype(np.float64))
    assert np.abs(y - wanted).max() <= 5e-7 * np.abs(wanted).max()


def test_norm(tmp_path: Path) -> None:
    onnxruntime()
    onnx = GraphWriter()
    onnx.input("x", DataType.FLOAT, (1, 3, 64))
    gain = np.random.default_rng(2).standard_normal(64).astype(np.float32)
    nodes.rms_norm(onnx, "x", onnx.constant("gain", gain), "y", 1e-6)
    onnx.output("y", DataType.FLOAT, (1, 3, 64))
    x = weights(3, 64)[None]
    (y,) = run_graph(onnx, tmp_path, {"x": x})
    assert np.abs(y[0] - numerics.rms_norm(x[0].astype(np.float64), gain.astype(np.float64), 1e-6)).max() <= 2e-6


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_codes_are_packed_low_bits_first(bits: int) -> None:
    codes = (np.arange(5)[None] % 2**bits).astype(np.uint8)
    packed = pack_codes(codes, bits)[0]
    whole = sum(int(code) << (bits * i) for i, code in enumerate(codes[0]))
    assert bytes(packed) == whole.to_bytes(-(-5 * bits // 8), "little")


def test_weights_that_are_not_finite_are_refused() -> None:
    values = weights(4, 64)
    values[2, 7] = np.nan
    with pytest.raises(NumericalError, match="row 2, column 7 is"):
        round_blocks(values, 4, 32)
