"""Threads, weights, KV arena and levels: checks, lifetimes, buffers of every kind."""

from __future__ import annotations

import mmap
import struct
from array import array
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import edge
from edge import native
from edge.device import resident_memory_bytes
from edge.errors import DoesNotFit, NativeError
from edge.native import library

if TYPE_CHECKING:
    from typing_extensions import Buffer

F32, F16, Q8_0, Q4_K, BF16 = 0, 1, 8, 12, 30


def test_threads_are_counted_and_close() -> None:
    with native.Threads(3) as threads:
        assert threads.num_threads == 3
        assert threads.barrier_count == 0
    assert threads.closed
    threads.close()
    with pytest.raises(NativeError, match="this Threads is closed"):
        _ = threads.barrier_count


@pytest.mark.parametrize("count", [0, -1, native.MAX_THREADS + 1, 1.0, "2", True, None])
def test_a_bad_number_of_threads_is_refused(count: object) -> None:
    with pytest.raises(NativeError, match="num_threads"):
        native.Threads(count)  # type: ignore[arg-type]


def test_levels() -> None:
    levels = native.isa_supported()
    assert levels[0] == "scalar"
    assert native.isa_select(None) == native.isa_select("") == levels[-1]
    for level in levels:
        assert native.isa_select(level) == level
    for name in ("pentium", "AVX2 ", "a\0b", 3):
        with pytest.raises(NativeError, match="level"):
            native.isa_select(name)  # type: ignore[arg-type]
    for name in {"sse41", "avx2", "avxvnni", "avx512vnni", "avx512vbmi", "neon", "dotprod", "i8mm"} - set(levels):
        with pytest.raises(NativeError, match=name):
            native.isa_select(name)


def test_a_matrix_gives_its_rows_back() -> None:
    values = array("f", [i * 0.5 - 7 for i in range(3 * 5)])
    with native.Weights.matrix(F32, 3, 5, values) as w:
        assert [list(w.row(i)) for i in range(3)] == [list(values[5 * i : 5 * i + 5]) for i in range(3)]
        assert w.packed_bytes >= 60
        for index in (-1, 3, 0.0):
            with pytest.raises(NativeError, match="row"):
                w.row(index)  # type: ignore[arg-type]
    with pytest.raises(NativeError, match="closed"):
        w.row(0)


def test_quantised_rows_are_decoded() -> None:
    block = struct.pack("<e32b", 0.5, *range(-16, 16))
    with native.Threads(2) as threads, native.Weights.matrix(Q8_0, 2, 32, block * 2, threads) as w:
        assert list(w.row(1)) == [0.5 * i for i in range(-16, 16)]


def test_every_kind_of_buffer_is_read_in_place(tmp_path: Path) -> None:
    data = array("f", [1.0, 2.0, 3.0, 4.0])
    raw = data.tobytes()
    path = tmp_path / "weights"
    path.write_bytes(b"skip" + raw)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        whole = memoryview(mapped)
        part = whole[4:]
        sources: list[Buffer] = [
            data,
            raw,
            bytearray(raw),
            memoryview(raw),
            part,
            memoryview(data).cast("B").cast("f", (2, 2)),
        ]
        for source in sources:
            with native.Weights.matrix(F32, 2, 2, source) as w:
                assert [*w.row(0), *w.row(1)] == [1.0, 2.0, 3.0, 4.0]
        part.release()
        whole.release()


@pytest.mark.parametrize(
    ("kind", "rows", "cols", "data", "message"),
    [
        (F32, 2, 2, b"123", "has 3 bytes, wanted 16"),
        (F32, 2, 2, b"", "has 0 bytes"),
        (F32, 0, 2, b"", "rows"),
        (F32, 2, -1, b"", "cols"),
        (F32, 2**62, 2**62, b"", "invalid"),
        (Q8_0, 1, 33, b"", "invalid"),
        (Q4_K, 1, 32, b"", "invalid"),
        (99, 1, 32, b"", "unsupported"),
        (F32, 1, 1, "text", "contiguous memory"),
        (F32, 1, 1, None, "contiguous memory"),
        (F32, 1, 2, memoryview(bytes(16))[::2], "contiguous memory"),
    ],
)
def test_bad_matrices_are_refused(kind: int, rows: int, cols: int, data: object, message: str) -> None:
    with pytest.raises(NativeError, match=message):
        native.Weights.matrix(kind, rows, cols, data)  # type: ignore[arg-type]


def test_vectors() -> None:
    with native.Weights.vector(F16, 3, struct.pack("<3e", 1.0, 2.0, 3.0)) as w:
        assert w.is_vector and (w.rows, w.cols) == (1, 3)
        with pytest.raises(NativeError, match="vector"):
            w.row(0)
    for kind, data in ((Q8_0, bytes(34)), (F32, bytes(11)), (BF16, bytes(12))):
        with pytest.raises(NativeError, match="vector of type"):
            native.Weights.vector(kind, 3, data)


def test_sizes_of_matrices() -> None:
    assert native.weights_sizes(Q8_0, 16, 32) == (16 * 34, 544)
    assert native.weights_sizes(Q4_K, 16, 256) == (16 * 144, 2368)
    with pytest.raises(NativeError, match="unsupported"):
        native.weights_sizes(31, 16, 256)


def test_kv_of_int8_has_a_scale_for_each_head_of_a_position() -> None:
    with native.KV("q8", num_layers=2, num_kv_heads=3, head_dim=64, num_blocks=1) as kv:
        assert kv.block_bytes == 2 * 2 * 3 * native.BLOCK_SIZE * (64 + 4)


def test_kv_sizes_and_copies() -> None:
    with native.KV("f16", num_layers=2, num_kv_heads=3, head_dim=8, num_blocks=4) as kv:
        assert kv.block_bytes == 2 * 2 * 3 * native.BLOCK_SIZE * 8 * 2
        kv.copy_block(0, 3)
        for source, target in ((-1, 0), (0, 4), (4, 0)):
            with pytest.raises(NativeError, match="block"):
                kv.copy_block(source, target)
        assert not any(kv.read_block(1))
        content = bytes(index % 251 for index in range(kv.block_bytes))
        kv.write_block(1, content)
        kv.copy_block(1, 2)
        assert kv.read_block(2) == content
        assert not any(kv.read_block(0) + kv.read_block(3))
        with pytest.raises(NativeError, match="not 12"):
            kv.write_block(1, bytes(12))
        for block in (-1, 4):
            with pytest.raises(NativeError, match="block"):
                kv.read_block(block)
            with pytest.raises(NativeError, match="block"):
                kv.write_block(block, content)
    with pytest.raises(NativeError, match="closed"):
        kv.copy_block(0, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "int8"}, "KV type 'int8' is not one of f32, f16"),
        ({"num_layers": 0}, "num_layers is 0"),
        ({"num_kv_heads": 2**20 + 1}, "num_kv_heads"),
        ({"head_dim": 7}, "invalid"),
        ({"head_dim": 2048}, "head_dim"),
        ({"num_blocks": -1}, "num_blocks"),
    ],
)
def test_bad_kv_arenas_are_refused(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {"type": "f16", "num_layers": 1, "num_kv_heads": 1, "head_dim": 8, "num_blocks": 1}
    with pytest.raises(NativeError, match=message):
        native.KV(**{**fields, **change})  # type: ignore[arg-type]


def test_memory_that_is_not_there_does_not_fit() -> None:
    with pytest.raises(DoesNotFit, match="KV arena of 1 blocks.*not enough memory"):
        native.KV("f32", 2**20, 2**20, 1024, 1)  # 2^58 bytes


def test_a_missing_library_says_how_to_build_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(edge, "__path__", [str(tmp_path)])
    with pytest.raises(NativeError, match=r"pip install"):
        library.library_path()


def test_a_library_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    name = native.library_path().name
    (tmp_path / name).write_bytes(b"not a library")
    monkeypatch.setattr(edge, "__path__", [str(tmp_path)])
    library.library.cache_clear()
    try:
        with pytest.raises(NativeError, match="cannot be loaded"):
            library.library()
    finally:
        library.library.cache_clear()


def test_structs_have_the_sizes_of_the_headers() -> None:
    from ctypes import sizeof

    from edge.native import structs

    assert sizeof(structs.Error) == 256
    assert sizeof(structs.KVConfig) == 20
    assert sizeof(structs.Rope) == 32
    assert sizeof(structs.ProgramConfig) == 4 * 8 + 8 * 4 + 8 + 8 * 4 + 8 + 2 * 4
    assert sizeof(structs.Batch) == 4 * 4 + 8 * 8
    assert sizeof(structs.Sampling) == 6 * 4 + 3 * 8
    assert sizeof(structs.GptqBlock) == 6 * 8 + 8 + 2 * 4


def test_an_arena_takes_memory_as_it_is_written() -> None:
    """Context that nobody uses costs nothing."""
    before = resident_memory_bytes()
    with native.KV("f16", num_layers=8, num_kv_heads=8, head_dim=128, num_blocks=512) as kv:
        assert kv.num_blocks * kv.block_bytes == 512 * 2**20
        allocated = resident_memory_bytes()
        for block in range(3, 12, 2):
            kv.write_block(block, b"\1" * kv.block_bytes)
        written = resident_memory_bytes()
        if before is None or allocated is None or written is None:
            pytest.skip("the system does not say what is resident")
        assert allocated - before < 4 * 2**20
        assert 4.5 * kv.block_bytes < written - allocated < 5 * (kv.block_bytes + 4 * 2**20)
