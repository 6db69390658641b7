"""Packed files as untrusted input: hundreds of bad ones are refused with a message, and the model runs all the same."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from edge.errors import BadModelFile, DoesNotFit, EdgeError, ModelFileError
from edge.formats import open_gguf
from edge.packed import PackedFile
from edge.packed.layout import PackedLayout
from edge.packed.source import SourceStamp
from tests.formats.mutations import mutate
from tests.packed.bad_packed import bad_packed_files
from tests.packed.models import answer, matrices_of, sound
from tests.packed.raw_packed import Changes

FEWEST_BAD_FILES = 300
NUM_MUTATIONS = 300
OWNERS = frozenset({os.geteuid()})


def layout_of(model: Path) -> PackedLayout:
    with open_gguf(model) as file:
        return PackedLayout.of(matrices_of(file), SourceStamp.of(file))


def test_the_description_gives_the_file_that_is_written(model: Path, packed: Path) -> None:
    answer(model)
    assert packed.read_bytes() == sound(model).file()


def test_bad_files_are_refused(model: Path, packed: Path) -> None:
    layout, count = layout_of(model), 0
    for case in bad_packed_files(sound(model)):
        packed.write_bytes(case.content)
        start = time.perf_counter()
        with pytest.raises(ModelFileError) as caught:
            PackedFile(packed, layout, owners=OWNERS)
        seconds = time.perf_counter() - start
        message = str(caught.value)
        for fragment in (str(packed), *case.expected):
            assert fragment in message, f"{case.name}: {message}"
        assert len(message) < 1000 and "\n" not in message, case.name
        assert seconds < 1.0, case.name
        count += 1
    assert count >= FEWEST_BAD_FILES


def test_mutated_headers_are_refused_or_the_same(model: Path, packed: Path) -> None:
    """Changes that the checksum vouches for: an error of ours, or a file that says the same."""
    parts, layout, rng = sound(model), layout_of(model), random.Random(11)
    content = parts.file()
    header = content[: layout.header_bytes]
    spaces = b" " * 1000
    metadata, table = header[: header.index(spaces)], header[header.rindex(spaces) + len(spaces) :]
    accepted = 0
    for _ in range(NUM_MUTATIONS):
        if rng.random() < 0.5:
            front, back = mutate(metadata, rng), table
        else:
            front, back = metadata, mutate(table, rng)
        changed = front + b" " * (layout.header_bytes - len(front) - len(back)) + back
        packed.write_bytes(changed + content[layout.header_bytes : -64] + layout.footer(changed))
        try:
            PackedFile(packed, layout, owners=OWNERS).close()
            accepted += 1
        except ModelFileError as error:
            assert str(error).startswith(f"{packed}: ") and len(str(error)) < 1500 and "\n" not in str(error)
    assert accepted < NUM_MUTATIONS // 4


def test_no_bad_file_costs_a_descriptor(model: Path, packed: Path) -> None:
    layout = layout_of(model)
    before = len(os.listdir("/proc/self/fd"))
    for content in (b"", bytes(5000), sound(model).file(Changes(footer={"version": 9}))):
        packed.write_bytes(content)
        with pytest.raises(ModelFileError):
            PackedFile(packed, layout, owners=OWNERS)
    assert len(os.listdir("/proc/self/fd")) == before


def test_what_is_no_file_of_ours_is_refused(model: Path, packed: Path) -> None:
    layout = layout_of(model)
    packed.write_bytes(sound(model).file())
    with pytest.raises(ModelFileError, match=f"belongs to user {os.geteuid()}, neither to you nor"):
        PackedFile(packed, layout, owners={os.geteuid() + 1})
    packed.unlink()
    with pytest.raises(ModelFileError, match="no such file"):
        PackedFile(packed, layout, owners=OWNERS)
    packed.mkdir()
    with pytest.raises(ModelFileError, match="is no regular file"):
        PackedFile(packed, layout, owners=OWNERS)
    packed.rmdir()
    os.mkfifo(packed)  # opening it must not wait for a writer
    with pytest.raises(ModelFileError, match="is no regular file"):
        PackedFile(packed, layout, owners=OWNERS)
    packed.unlink()
    packed.symlink_to(packed)
    with pytest.raises(ModelFileError, match="cannot be opened"):
        PackedFile(packed, layout, owners=OWNERS)


def test_damaged_data_is_found_on_demand(model: Path, packed: Path) -> None:
    parts, layout = sound(model), layout_of(model)
    content, rng = parts.file(), random.Random(3)
    for index, matrix in enumerate(parts.matrices):
        at = layout.offsets[index] + rng.randrange(len(matrix.packed))
        packed.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        file = PackedFile(packed, layout, owners=OWNERS)  # not looked at
        with pytest.raises(BadModelFile, match=f"byte {layout.offsets[index]}: .* tensor '{matrix.name}' have CRC-32"):
            file.verify(parts.source.sha256)
        file.close()
    packed.write_bytes(content)
    for residency in ("mapped", "owned"):
        file = PackedFile(packed, layout, owners=OWNERS)
        if residency == "owned":
            file.own(num_threads=2)
        file.verify(parts.source.sha256)
        with pytest.raises(ModelFileError, match="was made from a model of SHA-256"):
            file.verify(["0" * 64])
        file.close()
        file.close()


def test_any_data_is_safe(model: Path, packed: Path) -> None:
    """Nothing in the data is believed: scales, codes and indices may be anything."""
    parts, rng = sound(model), random.Random(5)
    size = len(b"".join(m.packed + bytes(-len(m.packed) % 64) for m in parts.matrices))
    for content in (b"\xff" * size, b"\x80" * size, *(rng.randbytes(size) for _ in range(6))):
        packed.write_bytes(parts.file(Changes(data=content)))
        for residency in ("mapped", "owned"):
            try:
                assert answer(model, residency=residency).info.residency == residency
            except EdgeError as error:
                assert "not finite" in str(error)


def test_owning_a_file_that_was_cut(model: Path, packed: Path) -> None:
    parts, layout = sound(model), layout_of(model)
    packed.write_bytes(parts.file())
    file = PackedFile(packed, layout, owners=OWNERS)
    os.truncate(packed, layout.total_bytes - 1000)
    with pytest.raises(ModelFileError, match=rf"the file ends at byte {layout.total_bytes - 1000}"):
        file.own(num_threads=2)
    file.close()


def test_no_memory_to_own_is_said(model: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from edge import native

    def refuse(descriptor: int, offset: int, num_bytes: int, threads: native.Threads) -> native.Region:
        raise DoesNotFit(f"{num_bytes} bytes of memory: not enough memory")

    packed.write_bytes(sound(model).file())
    monkeypatch.setattr(native.Region, "load", refuse)
    with pytest.raises(DoesNotFit, match="not enough memory"):
        answer(model, residency="owned")


def test_common_tools_can_list_it(model: Path, packed: Path) -> None:
    gguf = pytest.importorskip("gguf")
    answer(model)
    reader = gguf.GGUFReader(packed)
    parts = sound(model)
    assert [t.name for t in reader.tensors] == [m.name for m in parts.matrices]
    for found, matrix in zip(reader.tensors, parts.matrices, strict=True):
        assert found.tensor_type.name == "I8"
        assert found.data.tobytes() == matrix.packed
        assert found.data_offset % 64 == 0
    assert reader.data_offset % 2**21 == 0
    with open_gguf(packed) as file:
        assert file.get_str("general.architecture") == "edge-packed"
