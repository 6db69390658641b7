"""Safetensors files that break the format are refused with the byte or key, the value and the limit."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import EdgeError, ModelFileError
from edge.export.safetensors import SafetensorsFile
from edge.formats.mapping import MappedFile
from tests.export.folders import safetensors

T: dict[str, Any] = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
DATA = bytes(24)


def one(**changes: Any) -> bytes:
    """A file of the one tensor T, changed."""
    return safetensors({"w": {**T, **changes}}, DATA)


def two(first: list[int], second: list[int], size: int = 48) -> bytes:
    entry = {"dtype": "U8"}
    header = {
        "a": entry | {"shape": [first[1] - first[0]], "data_offsets": first},
        "b": entry | {"shape": [second[1] - second[0]], "data_offsets": second},
    }
    return safetensors(header, bytes(size))


def raw(text: str, data: bytes = DATA) -> bytes:
    return safetensors(text.encode(), data)


SOUND = json.dumps({"w": T})
KEYS = "must have exactly the keys data_offsets, dtype, shape"
SHAPE = "shape must be at most 8 whole numbers from 0 to 2**63 - 1"
OFFSETS = "data_offsets must be two whole numbers, the first not above the second"
BAD: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "the file is empty (0 bytes)"),
    "seven-bytes": (bytes(7), "has 7 bytes, a safetensors file has at least 8"),
    "length-zero": (bytes(8), "byte 8: the header must begin with '{'"),
    "length-beyond-file": (struct.pack("<Q", 100) + b"{}", "byte 0: header length 100, only 2 bytes follow"),
    "length-above-limit": (struct.pack("<Q", 100_000_001) + b"{}", "header length 100000001, the limit is 100000000"),
    "length-huge": (b"\xff" * 8 + b"{}", "header length 18446744073709551615, the limit is 100000000"),
    "pickle": (b"\x80\x02}q\x00." + bytes(20), "it looks like a Python pickle, which edge never opens"),
    "zip": (b"PK\x03\x04" + bytes(40), "it looks like a zip archive or a PyTorch checkpoint"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1", "it looks like a git-lfs pointer: the model itself"),
    "array": (raw("[]"), "byte 8: the header must begin with '{'"),
    "space-first": (raw(" " + SOUND), "byte 8: the header must begin with '{'"),
    "cut-json": (raw(SOUND[:-1]), "header: not JSON at character"),
    "two-values": (raw(SOUND + "{}"), "header: not JSON at character"),
    "not-utf8": (safetensors(b'{"\xff": 1}', DATA), "header: not UTF-8 at byte 2"),
    "nul-bytes": (raw(SOUND + "\0\0"), "header: not JSON at character"),
    "deep": (raw('{"w":' + "[" * 100_000), "header: JSON nested too deeply"),
    "deep-objects": (raw('{"w":' * 100_000), "header: JSON nested too deeply"),
    "digits": (raw('{"w": {"shape": [' + "9" * 5000 + "]}}"), "header: not JSON: "),
    "name-twice": (raw('{"w": %s, "w": %s}' % ((json.dumps(T),) * 2)), "header: key 'w' is there twice"),
    "key-twice": (raw('{"w": {"dtype": "F32", "dtype": "F32"}}'), "header: key 'dtype' is there twice"),
    "entry-list": (raw('{"w": [1]}'), KEYS),
    "entry-null": (raw('{"w": null}'), KEYS),
    "no-dtype": (raw('{"w": {"shape": [1], "data_offsets": [0, 4]}}'), KEYS),
    "no-shape": (raw('{"w": {"dtype": "F32", "data_offsets": [0, 4]}}'), KEYS),
    "no-offsets": (raw('{"w": {"dtype": "F32", "shape": [1]}}'), KEYS),
    "one-key-more": (one(extra=1), KEYS),
    "dtype-number": (one(dtype=1), "dtype must be a text"),
    "dtype-unknown": (one(dtype="F31"), "dtype 'F31'; edge reads"),
    "dtype-lower": (one(dtype="f32"), "dtype 'f32'; edge reads"),
    "dtype-four-bits": (one(dtype="F4"), "dtype 'F4'; edge reads"),
    "shape-text": (one(shape="2,3"), SHAPE),
    "shape-negative": (one(shape=[-2, -3]), SHAPE),
    "shape-float": (one(shape=[2.0, 3]), SHAPE),
    "shape-bool": (one(shape=[True, 6]), SHAPE),
    "shape-null": (one(shape=[2, None]), SHAPE),
    "shape-nine-dims": (one(shape=[6, *[1] * 8]), SHAPE),
    "shape-too-large": (one(shape=[2**63]), SHAPE),
    "shape-wraps": (one(shape=[2**62, 2**62, 4]), "takes 340282366920938463463374607431768211456 bytes"),
    "shape-other": (one(shape=[2, 4]), "F32 of shape (2, 4) takes 32 bytes, data_offsets span 24"),
    "shape-scalar": (one(shape=[]), "F32 of shape () takes 4 bytes, data_offsets span 24"),
    "dtype-wider": (one(dtype="F64"), "F64 of shape (2, 3) takes 48 bytes, data_offsets span 24"),
    "offsets-text": (one(data_offsets="0-24"), OFFSETS),
    "offsets-one": (one(data_offsets=[24]), OFFSETS),
    "offsets-three": (one(data_offsets=[0, 12, 24]), OFFSETS),
    "offsets-negative": (one(data_offsets=[-24, 0]), OFFSETS),
    "offsets-float": (one(data_offsets=[0, 24.0]), OFFSETS),
    "offsets-backwards": (one(data_offsets=[24, 0]), OFFSETS),
    "offsets-beyond": (
        safetensors({"w": {"dtype": "U8", "shape": [999], "data_offsets": [0, 999]}}, DATA),
        "bytes; was the download interrupted?",
    ),
    "gap-first": (two([8, 24], [24, 48]), "tensor 'a' begins at byte 141 and leaves a gap before it"),
    "gap-between": (two([0, 8], [24, 48]), "and leaves a gap before it"),
    "overlap": (two([0, 24], [16, 48]), "and overlaps the one before it"),
    "same-bytes": (two([0, 24], [0, 24], 24), "and overlaps the one before it"),
    "bytes-behind": (two([0, 24], [24, 40]), "8 bytes follow the last tensor, there must be none"),
    "no-tensors-but-bytes": (safetensors({}, DATA), "24 bytes follow the last tensor, there must be none"),
    "metadata-text": (raw('{"__metadata__": "pt", "w": %s}' % json.dumps(T)), "must be an object of texts"),
    "metadata-number": (raw('{"__metadata__": {"a": 1}, "w": %s}' % json.dumps(T)), "must be an object of texts"),
}


def opened(path: Path, content: bytes) -> SafetensorsFile:
    path.write_bytes(content)
    return SafetensorsFile(path, MappedFile(path))


def test_there_are_fifty() -> None:
    assert len(BAD) >= 50


@pytest.mark.parametrize("name", BAD)
def test_refused(tmp_path: Path, name: str) -> None:
    content, message = BAD[name]
    path = tmp_path / f"{name}.safetensors"
    with pytest.raises(ModelFileError) as caught:
        opened(path, content)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


def test_the_file_that_they_were_made_from_is_sound(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    file = opened(tmp_path / "x", safetensors({"__metadata__": {"format": "pt"}, "w": T}, values.tobytes()))
    assert np.array_equal(file.floats("w"), values)
    file.close()


def test_every_float_type_is_read_as_the_formats_own_library_and_torch_do(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    library = pytest.importorskip("safetensors.torch")
    values = torch.randn(5, 7)
    kinds = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
    arrays = {str(kind): values.to(kind) for kind in kinds}
    for kind in (torch.float8_e4m3fn, torch.float8_e5m2):
        arrays[str(kind)] = torch.arange(256, dtype=torch.uint8).view(kind)
    library.save_file(arrays, tmp_path / "x")
    file = SafetensorsFile(tmp_path / "x", MappedFile(tmp_path / "x"))
    for name, wanted in arrays.items():
        assert np.array_equal(file.floats(name), wanted.float().numpy(), equal_nan=True), name
    file.close()


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_changed_header_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes of a sound file changed, dropped or repeated: an error of edge, or tensors inside the file. Nothing else."""
    header = {"__metadata__": {"format": "pt"}, "w": T, "v": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]}}
    content = bytearray(safetensors(header, bytes(32)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, max(0, len(content) - 1)))
        match data.draw(st.sampled_from(("set", "drop", "insert", "digit"))):
            case "set":
                content[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
            case "drop":
                del content[at : at + data.draw(st.integers(1, 9))]
            case "insert":
                content[at:at] = data.draw(st.binary(max_size=9))
            case _:
                content[at : at + 1] = data.draw(st.sampled_from((b"0", b"9", b"-", b".", b"e", b'"', b"[", b"}")))
    path = tmp_path_factory.mktemp("mutated") / "x.safetensors"
    try:
        file = opened(path, bytes(content))
    except EdgeError as error:
        assert str(error).startswith(str(path))
        return
    for name, stored in file.tensors.items():
        assert 0 <= stored.start <= stored.end <= len(content)
        if stored.dtype in ("F32", "BF16", "F16"):
            assert file.floats(name).shape == stored.shape
    file.close()
