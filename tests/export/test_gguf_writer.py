"""What the writer writes, our reader and the gguf package read; a failure leaves the folder as it was."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import DoesNotFit
from edge.export import GGUFWriter
from edge.formats import GGMLType, ValueType, open_gguf
from edge.quant import decode, encode

TYPES = (GGMLType.F32, GGMLType.F16, GGMLType.BF16, GGMLType.Q8_0, GGMLType.Q4_0, GGMLType.Q6_K)


def _write(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A file with one value of each kind and one matrix in each type; returns the matrix, (3, 512)."""
    matrix = np.random.default_rng(0).standard_normal((3, 512)).astype(np.float32)
    writer = GGUFWriter(path)
    writer.add("general.architecture", "llama")
    writer.add("positive", 7)
    writer.add("negative", -7)
    writer.add("long", 2**40)
    writer.add("small", 200, ValueType.UINT8)
    writer.add("real", 0.1)
    writer.add("double", 0.1, ValueType.FLOAT64)
    writer.add("flag", True)
    writer.add("text", "grüße 👋")
    writer.add("texts", ["a", "", "▁b"])
    writer.add("numbers", [1, -1])
    writer.add("shorts", [1, 2], ValueType.INT16)
    writer.add("reals", [1, 0.5])
    writer.add("flags", [True, False])
    writer.add("nothing", [], ValueType.FLOAT32)
    for kind in TYPES:
        writer.add_tensor(f"{kind.name}.weight", kind, matrix.shape, encode(kind, matrix))
    writer.add_tensor("bias", GGMLType.F32, (512,), matrix[1])
    writer.add_tensor("odd", GGMLType.I8, (3,), b"abc")
    writer.add_tensor("cube", GGMLType.F32, (2, 3, 256), matrix)
    writer.finish()
    return matrix


def test_our_reader_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    matrix = _write(path)
    with open_gguf(path) as file:
        assert file.version == 3
        assert {key: file.value_type(key) for key in file.keys()} == {
            "general.architecture": "string",
            "positive": "uint32",
            "negative": "int32",
            "long": "uint64",
            "small": "uint8",
            "real": "float32",
            "double": "float64",
            "flag": "bool",
            "text": "string",
            "texts": "array of string",
            "numbers": "array of int32",
            "shorts": "array of int16",
            "reals": "array of float32",
            "flags": "array of bool",
            "nothing": "array of float32",
        }
        assert [file.get_int(key) for key in ("positive", "negative", "long", "small")] == [7, -7, 2**40, 200]
        assert (file.get_float("real"), file.get_float("double")) == (float(np.float32(0.1)), 0.1)
        assert (file.get_bool("flag"), file.get_str("text")) == (True, "grüße 👋")
        assert list(file.get_strings("texts")) == ["a", "", "▁b"]
        assert list(file.get_ints("numbers")) == [1, -1]
        assert list(file.get_ints("shorts")) == [1, 2]
        assert list(file.get_floats("reals")) == [1.0, 0.5]
        assert list(file.get_floats("nothing")) == []
        for kind in TYPES:
            info = file.tensors[f"{kind.name}.weight"]
            assert (info.type, info.shape, info.offset % 32) == (kind, (3, 512), 0)
            assert bytes(file.tensor_data(info.name)) == encode(kind, matrix)
        assert bytes(file.tensor_data("bias")) == matrix[1].tobytes()
        assert bytes(file.tensor_data("odd")) == b"abc"
        assert file.tensors["cube"].shape == (2, 3, 256)


def test_the_gguf_package_reads_it(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
    path = tmp_path / "model.gguf"
    matrix = _write(path)
    reader = gguf.GGUFReader(path)
    values = {key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
    assert values == {
        "general.architecture": "llama",
        "positive": 7,
        "negative": -7,
        "long": 2**40,
        "small": 200,
        "real": float(np.float32(0.1)),
        "double": 0.1,
        "flag": True,
        "text": "grüße 👋",
        "texts": ["a", "", "▁b"],
        "numbers": [1, -1],
        "shorts": [1, 2],
        "reals": [1.0, 0.5],
        "flags": [True, False],
        "nothing": [],
    }
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    for kind in TYPES:
        tensor = tensors[f"{kind.name}.weight"]
        assert (tensor.tensor_type.name, list(tensor.shape)) == (kind.name, [512, 3])
        theirs = gguf.dequantize(tensor.data, tensor.tensor_type)
        assert np.array_equal(theirs, decode(kind, encode(kind, matrix), matrix.shape))
    assert list(tensors["cube"].shape) == [256, 3, 2]


def test_we_read_what_the_gguf_package_writes(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="the gguf package is not installed")
    path = tmp_path / "model.gguf"
    matrix = np.random.default_rng(1).standard_normal((4, 64)).astype(np.float32)
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_block_count(2)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_token_list(["<s>", "a", "▁b"])
    writer.add_token_scores([0.0, -1.0, -2.0])
    writer.add_token_types([3, 1, 1])
    writer.add_add_bos_token(False)
    writer.add_tensor("float", matrix)
    writer.add_tensor("half", matrix.astype(np.float16))
    quantised = gguf.quantize(matrix, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor("eight", quantised, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with open_gguf(path) as file:
        assert file.get_str("general.architecture") == "qwen3"
        assert file.get_int("qwen3.block_count") == 2
        assert list(file.get_strings("tokenizer.ggml.tokens")) == ["<s>", "a", "▁b"]
        assert list(file.get_floats("tokenizer.ggml.scores")) == [0.0, -1.0, -2.0]
        assert file.get_bool("tokenizer.ggml.add_bos_token") is False
        assert {name: (info.type, info.shape) for name, info in file.tensors.items()} == {
            "float": (GGMLType.F32, (4, 64)),
            "half": (GGMLType.F16, (4, 64)),
            "eight": (GGMLType.Q8_0, (4, 64)),
        }
        assert bytes(file.tensor_data("float")) == matrix.tobytes()
        assert bytes(file.tensor_data("eight")) == quantised.tobytes()


@given(
    values=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).map(lambda key: "x." + key),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(width=32, allow_nan=False, allow_infinity=False)
        | st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), min_size=1, max_size=9)
        | st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9),
        max_size=8,
    )
)
def test_metadata_round_trip(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("round") / "model.gguf"
    writer = GGUFWriter(path)
    for key, value in values.items():
        writer.add(key, value)
    writer.finish()
    with open_gguf(path) as file:
        assert file.keys() == tuple(values)
        for key, value in values.items():
            match value:
                case [str(), *_]:
                    assert list(file.get_strings(key)) == value
                case [*_]:
                    assert list(file.get_ints(key)) == value
                case bool():
                    assert file.get_bool(key) is value
                case int():
                    assert file.get_int(key) == value
                case float():
                    assert file.get_float(key) == value
                case _:
                    assert file.get_str(key) == value


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "model.gguf")
    writer.add("once", 1)
    writer.add_tensor("w", GGMLType.F32, (1,), bytes(4))
    refusals: tuple[tuple[Callable[[], None], type[Exception], str], ...] = (
        (lambda: writer.add("once", 1), ValueError, "'once' was added twice"),
        (lambda: writer.add("", 1), ValueError, "must not be empty"),
        (lambda: writer.add("general.alignment", 64), ValueError, "aligns to 32"),
        (lambda: writer.add("k", 2**64), ValueError, "fits no integer type"),
        (lambda: writer.add("k", 256, ValueType.UINT8), ValueError, "'k': "),
        (lambda: writer.add("k", 1e39), ValueError, "'k': "),
        (lambda: writer.add("k", "\ud800"), ValueError, "'k': .*surrogates"),
        (lambda: writer.add("k", []), ValueError, "an empty array needs a type"),
        (lambda: writer.add("k", [1], ValueType.ARRAY), ValueError, "type of the elements"),
        (lambda: writer.add("k", True, ValueType.UINT8), TypeError, "True cannot be stored as uint8"),
        (lambda: writer.add("k", 1, ValueType.BOOL), TypeError, "1 cannot be stored as bool"),
        (lambda: writer.add("k", "1", ValueType.UINT32), TypeError, "'1' cannot be stored as uint32"),
        (lambda: writer.add("k", 1, ValueType.STRING), TypeError, "1 is not a string"),
        (lambda: writer.add("k", ["a", 1]), TypeError, "of one type"),  # type: ignore[arg-type]
        (lambda: writer.add_tensor("w", GGMLType.F32, (1,), bytes(4)), ValueError, "'w' was added twice"),
        (
            lambda: writer.add_tensor("n" * 65, GGMLType.F32, (1,), bytes(4)),
            ValueError,
            "65 bytes, allowed are 1 to 64",
        ),
        (lambda: writer.add_tensor("", GGMLType.F32, (1,), bytes(4)), ValueError, "0 bytes, allowed are 1 to 64"),
        (lambda: writer.add_tensor("t", GGMLType.F32, (2,), bytes(4)), ValueError, "takes 8 bytes, there are 4"),
        (lambda: writer.add_tensor("t", GGMLType.F32, (0,), b""), ValueError, "'t': dimension 0"),
        (lambda: writer.add_tensor("t", GGMLType.Q8_0, (33,), bytes(34)), ValueError, "not a multiple of 32"),
        (lambda: writer.add_tensor("t", 5, (32,), bytes(4)), ValueError, "tensor type 5"),
        (
            lambda: writer.add_tensor("t", GGMLType.I8, (2, 2), np.zeros((2, 4), np.int8)[:, :2]),
            ValueError,
            "contiguous",
        ),
    )
    for call, error, message in refusals:
        with pytest.raises(error, match=message):
            call()
    writer.finish()
    with open_gguf(writer.path) as file:
        assert file.keys() == ("once",)
        assert list(file.tensors) == ["w"]


def test_nothing_is_written_before_finish(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "model.gguf")
    writer.add("k", 1)
    writer.add_tensor("w", GGMLType.F32, (1,), bytes(4))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="Input/output error"):
        _write(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.gguf"]
    assert path.read_bytes() == b"old"


def test_a_full_disk_is_noticed_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        f_bavail, f_frsize = 3, 512

        def __init__(self, path: Path) -> None: ...

    monkeypatch.setattr(os, "statvfs", Full)
    with pytest.raises(DoesNotFit, match=r"model.gguf: writing takes \d+ bytes, the file system has 1536 free"):
        _write(tmp_path / "model.gguf")
    assert list(tmp_path.iterdir()) == []


def test_permissions_and_links(tmp_path: Path) -> None:
    path, link = tmp_path / "model.gguf", tmp_path / "link.gguf"
    link.symlink_to(path.name)
    mask = os.umask(0o027)
    try:
        _write(link)
    finally:
        os.umask(mask)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640  # as any new file
    path.chmod(0o600)
    _write(path)
    assert path.stat().st_mode & 0o777 == 0o600  # as the file that was replaced


_WRITE_FOREVER = """
import sys
from edge.export import GGUFWriter
number = 0
while True:
    number += 1
    writer = GGUFWriter(sys.argv[1])
    writer.add("number", number)
    writer.add_tensor("w", 0, (250_000,), bytes([number % 256]) * 1_000_000)
    writer.finish()
    if number == 1:
        print("ready", flush=True)
"""


def test_a_killed_writer_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    for delay in (0.0, 0.003, 0.011, 0.04):
        with subprocess.Popen([sys.executable, "-c", _WRITE_FOREVER, str(path)], stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            time.sleep(delay)
            child.kill()
        with open_gguf(path) as file:
            number = file.get_int("number", minimum=1)
            assert set(bytes(file.tensor_data("w"))) == {number % 256}
