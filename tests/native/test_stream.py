"""Streams and loaded regions through the binding: arguments, closing, what they say of themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import native
from edge.errors import NativeError

SIZE = 100_000
SPANS = [(448, 30_000), (40_000, 50_000)]


@pytest.fixture
def descriptor(tmp_path: Path) -> Iterator[int]:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(SIZE))
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


def test_ring_bytes() -> None:
    assert native.ring_bytes(SPANS, 2) == 2 * (13 * 4096) + 4096  # bytes 36,864 .. 90,112
    assert native.ring_bytes(SPANS, 3) == 3 * (13 * 4096) + 4096
    for spans, slots in (([], 2), ([(0, 0)], 2), ([(2**62, 1)], 2), (SPANS, 1), (SPANS, 65)):
        with pytest.raises(NativeError, match="a ring of"):
            native.ring_bytes(spans, slots)
    with pytest.raises(NativeError, match="offset is -1"):
        native.ring_bytes([(-1, 5)], 2)


def test_a_stream_says_how_it_reads(descriptor: int) -> None:
    with native.Region.map_file(descriptor, SIZE) as region:
        for buffered in (False, True):
            with native.Stream(region, descriptor, SPANS, buffered=buffered) as stream:
                assert stream.failure is None
                assert not (buffered and stream.is_direct)
            assert stream.closed
        with pytest.raises(NativeError, match="a stream of 1 spans"):
            native.Stream(region, descriptor, [(SIZE - 5, 6)])
        with pytest.raises(NativeError, match="closed"):
            _ = stream.is_direct


def test_a_stream_says_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "cut"
    path.write_bytes(os.urandom(SIZE))
    opened = os.open(path, os.O_RDONLY)
    with native.Region.map_file(opened, SIZE) as region:
        os.truncate(path, 60_000)
        with native.Stream(region, opened, SPANS) as stream:
            while stream.failure is None:
                os.sched_yield()
            assert stream.failure == "the file ends at byte 60000"
    os.close(opened)


def test_weights_of_a_stream_keep_it(descriptor: int) -> None:
    with native.Region.map_file(descriptor, SIZE) as region:
        stream = native.Stream(region, descriptor, SPANS)
    weights = native.Weights.streamed(8, 16, 32, stream, 1, 40_000)
    stream.close()
    assert weights.packed_bytes == native.weights_sizes(8, 16, 32)[1]
    with pytest.raises(NativeError, match="nowhere between two steps"):
        _ = weights.packed
    with pytest.raises(NativeError, match="row 0"):
        weights.row(0)
    weights.close()


def test_weights_outside_a_stream(descriptor: int) -> None:
    with native.Region.map_file(descriptor, SIZE) as region, native.Stream(region, descriptor, SPANS) as stream:
        for span, offset in ((0, 40_000), (2, 448), (1, 40_001), (1, 39_936), (1, 89_984)):
            with pytest.raises(NativeError, match=f"byte {offset} of span {span}"):
                native.Weights.streamed(8, 16, 32, stream, span, offset)


def test_regions_are_loaded(tmp_path: Path) -> None:
    content = os.urandom(5 * 2**20 + 77)
    path = tmp_path / "file"
    path.write_bytes(content)
    opened = os.open(path, os.O_RDONLY)
    with native.Threads(2) as threads:
        for pool in (None, threads):
            for offset, size in ((0, len(content)), (1, 1), (4095, 5_000_000), (len(content) - 3, 3)):
                for buffered in (False, True):
                    with native.Region.load(opened, offset, size, pool, buffered=buffered) as region:
                        assert region.view == content[offset : offset + size]
                        assert region.view.readonly and not (buffered and region.is_direct)
    with pytest.raises(NativeError, match=f"reading 6 bytes from byte {len(content) - 5} on: the file ends at byte"):
        native.Region.load(opened, len(content) - 5, 6)
    os.close(opened)
