"""Importance matrices in files: ours come back, llama.cpp's are read, and broken ones are refused with their error."""

from __future__ import annotations

import dataclasses
import struct
from pathlib import Path

import numpy as np
import pytest

from edge.calibration import Calibration, read_imatrix, write_imatrix
from edge.errors import BadModelFile, EdgeError, ModelFileError, UnsupportedModel
from edge.formats import open_gguf
from tests.formats.raw_gguf import F16, F32, entry, gguf, string, strings, tensor, u32
from tests.formats.raw_gguf import UINT32 as U32

NAME = "blk.0.attn_q.weight"


def calibration() -> Calibration:
    rng = np.random.default_rng(1)
    squares = {
        f"blk.{i}.{part}.weight": rng.random(cols).astype(np.float32)
        for i in range(2)
        for part, cols in (("attn_q", 64), ("ffn_down", 96))
    }
    return Calibration(squares=squares, num_tokens=1300, text_hash="ab" * 32, window=512)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "m.imatrix.gguf"
    written = calibration()
    write_imatrix(written, path, dataset="text.txt")
    found = read_imatrix(path)
    assert (found.num_tokens, found.text_hash, found.window) == (1300, "ab" * 32, 512)
    assert list(found.squares) == list(written.squares) and not found.grams and not found.maxima
    for name, squares in written.squares.items():
        np.testing.assert_allclose(found.squares[name], squares, rtol=3e-7)
    with open_gguf(path) as file:
        assert (file.get_int("imatrix.chunk_count"), file.get_int("imatrix.chunk_size")) == (3, 512)
        assert list(file.get_strings("imatrix.datasets")) == ["text.txt"]


def test_gguf_py_reads_what_llama_cpp_reads(tmp_path: Path) -> None:
    gguf_py = pytest.importorskip("gguf")
    write_imatrix(calibration(), tmp_path / "m.gguf", dataset="text.txt")
    reader = gguf_py.GGUFReader(tmp_path / "m.gguf")
    assert reader.fields["general.type"].contents() == "imatrix"
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    sums, counts = tensors[f"{NAME}.in_sum2"], tensors[f"{NAME}.counts"]
    assert (list(sums.shape), list(counts.shape)) == ([64], [1])
    np.testing.assert_allclose(sums.data / counts.data[0], calibration().squares[NAME], rtol=3e-7)


def test_a_file_of_llama_cpps_tool(tmp_path: Path) -> None:
    """Its shapes have a second dimension for experts when a writer keeps it, and it knows no hash of the text."""
    gguf_py = pytest.importorskip("gguf")
    writer = gguf_py.GGUFWriter(tmp_path / "theirs.gguf", "")
    writer.add_string("general.type", "imatrix")
    writer.add_array("imatrix.datasets", ["wiki.train.raw"])
    writer.add_uint32("imatrix.chunk_count", 4)
    writer.add_uint32("imatrix.chunk_size", 512)
    sums = np.arange(32, dtype=np.float32)
    writer.add_tensor(f"{NAME}.in_sum2", sums.reshape(1, 32))
    writer.add_tensor(f"{NAME}.counts", np.array([[2048.0]], np.float32))
    writer.add_tensor("blk.1.attn_q.weight.in_sum2", sums.reshape(1, 32))
    writer.add_tensor("blk.1.attn_q.weight.counts", np.array([[0.0]], np.float32))  # no row came by
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = read_imatrix(tmp_path / "theirs.gguf")
    assert (found.num_tokens, found.text_hash, found.window) == (2048, "", 512)
    assert list(found.squares) == [NAME]
    np.testing.assert_array_equal(found.squares[NAME], sums / np.float32(2048))


def floats(*values: float) -> bytes:
    return struct.pack(f"<{len(values)}f", *values)


def file(
    *,
    entries: list[bytes] | None = None,
    sums: bytes = floats(1, 2),
    counts: bytes = floats(4),
    tensors: list[bytes] | None = None,
) -> bytes:
    """Two columns and one count; counts at byte 32 of the data."""
    if tensors is None:
        tensors = [tensor(f"{NAME}.in_sum2", [2]), tensor(f"{NAME}.counts", [1], offset=32)]
    data = sums.ljust(32, b"\0") + counts.ljust(64, b"\0")
    return gguf([string("general.type", "imatrix")] if entries is None else entries, tensors, data)


GOOD_SUMS, GOOD_COUNTS = tensor(f"{NAME}.in_sum2", [2]), tensor(f"{NAME}.counts", [1], offset=32)
REFUSED = {
    "no type": (file(entries=[]), "key 'general.type' is '', an importance matrix has 'imatrix'"),
    "a model": (file(entries=[string("general.type", "model")]), "'model', an importance matrix has 'imatrix'"),
    "type of another type": (file(entries=[entry("general.type", U32, u32(7))]), "it must be a string"),
    "negative sum": (file(sums=floats(1, -2)), r"in_sum2': value 1 is -2\.0, it must be from 0 to 1e\+30"),
    "sum not a number": (file(sums=floats(float("nan"), 2)), "in_sum2': value 0 is nan"),
    "endless sum": (file(sums=floats(1, float("inf"))), "in_sum2': value 1 is inf"),
    "enormous sum": (file(sums=floats(1, 2e30)), "in_sum2': value 1 is"),
    "negative count": (file(counts=floats(-1)), r"counts': value 0 is -1\.0"),
    "count not a number": (file(counts=floats(float("nan"))), "counts': value 0 is nan"),
    "nothing counted": (file(counts=floats(0)), "holds no statistics: none of its 2 tensors counts a row"),
    "no tensors": (file(tensors=[]), "holds no statistics: none of its 0 tensors"),
    "sums without counts": (file(tensors=[GOOD_SUMS]), r"in_sum2' has no 'blk\.0\.attn_q\.weight\.counts' beside it"),
    "counts without sums": (file(tensors=[GOOD_COUNTS]), r"counts' has no 'blk\.0\.attn_q\.weight\.in_sum2' beside it"),
    "two counts": (
        file(tensors=[GOOD_SUMS, tensor(f"{NAME}.counts", [2], offset=32)]),
        "counts' has 2 values, wanted 1",
    ),
    "sums of halves": (
        file(tensors=[tensor(f"{NAME}.in_sum2", [2], F16), GOOD_COUNTS]),
        "in_sum2' is F16, it must be F32",
    ),
    "counts of halves": (
        file(tensors=[GOOD_SUMS, tensor(f"{NAME}.counts", [1], F16, 32)]),
        "counts' is F16, it must be F32",
    ),
    "another tensor": (
        file(tensors=[GOOD_SUMS, GOOD_COUNTS, tensor(NAME, [2], F32, 64)]),
        "ends neither in .in_sum2 nor in .counts",
    ),
    "a chunk size below zero": (
        file(entries=[string("general.type", "imatrix"), entry("imatrix.chunk_size", 5, struct.pack("<i", -1))]),
        "'imatrix.chunk_size' .* is -1, it must be at least 0",
    ),
    "a hash of another type": (
        file(entries=[string("general.type", "imatrix"), strings("edge.calibration.text_sha256", ["ab"])]),
        "it must be a string",
    ),
    "cut off": (file()[:-70], "the file has"),
    "a legacy file": (struct.pack("<i", 1) + struct.pack("<i", 19) + NAME.encode(), "byte 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    content, message = REFUSED[name]
    (tmp_path / "bad.gguf").write_bytes(content)
    with pytest.raises(BadModelFile, match=message):
        read_imatrix(tmp_path / "bad.gguf")


def test_the_good_one_of_the_refused(tmp_path: Path) -> None:
    (tmp_path / "good.gguf").write_bytes(file())
    np.testing.assert_array_equal(read_imatrix(tmp_path / "good.gguf").squares[NAME], [0.25, 0.5])


def test_statistics_of_experts(tmp_path: Path) -> None:
    content = file(tensors=[tensor(f"{NAME}.in_sum2", [2, 3]), GOOD_COUNTS], sums=floats(*range(6)))
    (tmp_path / "moe.gguf").write_bytes(content)
    with pytest.raises(UnsupportedModel, match=r"shape \(3, 2\): statistics of experts"):
        read_imatrix(tmp_path / "moe.gguf")
    with pytest.raises(ModelFileError):
        read_imatrix(tmp_path / "missing.gguf")


def test_mutations_never_end_in_anything_else(tmp_path: Path) -> None:
    """A byte changed anywhere: read, or refused with one of edge's errors."""
    write_imatrix(dataclasses.replace(calibration()), tmp_path / "m.gguf", dataset="t")
    content = bytearray((tmp_path / "m.gguf").read_bytes())
    rng = np.random.default_rng(3)
    outcomes = {True: 0, False: 0}
    for _ in range(400):
        at, value = int(rng.integers(0, len(content))), int(rng.integers(0, 256))
        changed = content.copy()
        changed[at] = value
        (tmp_path / "bad.gguf").write_bytes(changed)
        try:
            found = read_imatrix(tmp_path / "bad.gguf")
            assert all(np.isfinite(squares).all() and (squares >= 0).all() for squares in found.squares.values())
            outcomes[True] += 1
        except EdgeError:
            outcomes[False] += 1
    assert min(outcomes.values()) > 20
