"""Regions and the weights in them, through the binding."""

from __future__ import annotations

import mmap
import os
import random
from array import array
from pathlib import Path

import pytest

from edge import native
from edge.errors import DoesNotFit, NativeError

F32, Q8_0 = 0, 8
PAGE = mmap.PAGESIZE


def mapped(path: Path, content: bytes) -> native.Region:
    path.write_bytes(content)
    with path.open("rb") as file:
        return native.Region.map_file(file.fileno(), len(content))


def test_a_mapped_file_is_there_until_it_is_cut(tmp_path: Path) -> None:
    content = random.Random(1).randbytes(5 * PAGE + 9)
    with mapped(tmp_path / "f", content) as region:
        assert region.num_bytes == region.readable_bytes == len(content)
        assert region.address % PAGE == 0
        view = region.view
        assert bytes(view) == content and view.readonly
        os.truncate(tmp_path / "f", PAGE)
        assert bytes(view) == content[:PAGE] + bytes(len(content) - PAGE)
        assert region.readable_bytes == PAGE
    assert bytes(view[:PAGE]) == content[:PAGE], "a view keeps the memory"
    with pytest.raises(NativeError, match="closed"):
        _ = region.readable_bytes


def test_watching_what_python_mapped(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(bytes([1]) * 3 * PAGE)
    with path.open("rb") as file:
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    with native.Region.watch(memory) as region:
        os.truncate(path, 0)
        assert memory[2 * PAGE] == 0
        assert region.readable_bytes == 2 * PAGE, "from the page on that was touched"
        with pytest.raises(BufferError):
            memory.close()  # a watched mapping stays
    memory.close()


def test_memory_of_its_own() -> None:
    with native.Region.allocate(1000) as region:
        assert bytes(region.view) == bytes(1000)
        region.view[5] = 7
        assert region.view[5] == 7 and region.readable_bytes == 1000


def test_what_cannot_be_mapped(tmp_path: Path) -> None:
    for descriptor, size, message in ((-1, 1, "descriptor is -1"), (0, 0, "bytes of a mapped file is 0")):
        with pytest.raises(NativeError, match=message):
            native.Region.map_file(descriptor, size)
    with pytest.raises(DoesNotFit, match="mapping 5 bytes of a file"):
        native.Region.map_file(2**31 - 1, 5)
    with pytest.raises(DoesNotFit, match="bytes of memory"):
        native.Region.allocate(2**62)
    with pytest.raises(NativeError, match="invalid"):
        native.Region.watch(memoryview(mmap.mmap(-1, PAGE))[8:])
    with pytest.raises(NativeError, match="invalid"):
        native.Region.watch(b"")


def test_weights_in_a_region(tmp_path: Path) -> None:
    values = array("f", [float(i) for i in range(20 * 3)])
    with native.Weights.matrix(F32, 20, 3, values) as weights:
        packed = bytes(weights.packed)
        assert len(packed) == weights.packed_bytes == native.weights_sizes(F32, 20, 3)[1]
        with pytest.raises(TypeError):
            weights.packed[0] = 1
    region = mapped(tmp_path / "f", bytes(64) + packed + bytes(64))
    with native.Weights.mapped(F32, 20, 3, region, 64) as weights:
        region.close()  # the weights keep it
        assert [value for i in range(20) for value in weights.row(i)] == list(values)
        assert bytes(weights.packed) == packed


@pytest.mark.parametrize(
    ("kind", "rows", "cols", "offset", "message"),
    [
        (Q8_0, 16, 32, 64, "at byte 64 of a region of 608: invalid"),
        (Q8_0, 16, 32, 1, "invalid"),
        (Q8_0, 17, 32, 0, "invalid"),
        (Q8_0, 16, 31, 0, "invalid"),
        (Q8_0, 16, 32, 2**64 - 64, "invalid"),
        (Q8_0, 16, 32, -1, "offset is -1"),
        (99, 16, 32, 0, "unsupported"),
    ],
)
def test_weights_outside_a_region(kind: int, rows: int, cols: int, offset: int, message: str) -> None:
    region = native.Region.allocate(544 + 64)
    native.Weights.mapped(Q8_0, 16, 32, region, 0).close()
    with pytest.raises(NativeError, match=message):
        native.Weights.mapped(kind, rows, cols, region, offset)


def test_the_layout_has_a_version() -> None:
    assert native.layout_version() >= 2
