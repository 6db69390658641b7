"""Blocks on the disk: what is written is read, the file is as long as it must be, and errors keep nothing."""

from __future__ import annotations

import os
import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.engine.swap_file import SwapFile

BYTES = 4096


@contextmanager
def files_no_longer_than(num_bytes: int) -> Generator[None]:
    """A write beyond fails as on a full disk."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


def content(number: int) -> bytes:
    return bytes([number]) * BYTES


def test_slots_are_read_as_written_and_used_again(tmp_path: Path) -> None:
    file = SwapFile([tmp_path / "new folder"], BYTES, 10)
    assert file.num_bytes == 0
    first, second = file.write(map(content, (1, 2, 3))), file.write(map(content, (4, 5)))
    assert [file.read(slot) for slot in first + second] == [content(number) for number in (1, 2, 3, 4, 5)]
    assert file.num_used == 5
    assert list((tmp_path / "new folder").iterdir()) == []  # unlinked
    file.free(first)
    assert file.num_bytes == 5 * BYTES
    assert sorted(file.write(map(content, (6, 7)))) == [0, 1]
    assert [file.read(slot) for slot in second] == [content(4), content(5)]
    file.free(second)
    assert file.num_bytes == 2 * BYTES
    file.close()
    file.close()
    assert file.num_bytes == 0


def test_the_bound_and_a_full_disk_keep_nothing(tmp_path: Path) -> None:
    file = SwapFile([tmp_path], BYTES, 3)
    kept = file.write([content(1)])
    with pytest.raises(OSError, match="3 blocks in use"):
        file.write(map(content, (2, 3, 4)))
    assert file.num_used == 1
    with files_no_longer_than(2 * BYTES + 100), pytest.raises(OSError):
        file.write(map(content, (2, 3)))
    assert (file.num_used, file.num_bytes) == (1, BYTES)
    assert file.read(kept[0]) == content(1)
    assert file.write(map(content, (2, 3))) == [1, 2]
    file.close()


def test_the_next_folder_is_taken_when_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    file = SwapFile([tmp_path / "file", tmp_path / "folder"], BYTES, 3)
    assert file.write([content(1)]) == [0]
    file.close()
    with pytest.raises(OSError, match="file"):
        SwapFile([tmp_path / "file"], BYTES, 3).write([content(1)])
    with pytest.raises(OSError, match="no folder"):
        SwapFile([], BYTES, 3).write([content(1)])


def test_what_was_lost_or_damaged_is_an_error(tmp_path: Path) -> None:
    file = SwapFile([tmp_path], BYTES, 3)
    slots = file.write(map(content, (1, 2)))
    descriptor = file._file  # pyright: ignore[reportPrivateUsage]
    assert descriptor is not None
    os.ftruncate(descriptor, 2 * BYTES - 1)
    assert file.read(slots[0]) == content(1)
    with pytest.raises(OSError, match="ends inside slot 1"):
        file.read(slots[1])
    os.ftruncate(descriptor, 2 * BYTES)  # a hole reads as zero
    with pytest.raises(OSError, match="slot 1 of the swap file does not hold what was written"):
        file.read(slots[1])
    file.close()
