"""The stamp of a model: what it sees, and in split models of every part."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import ModelFileError
from edge.formats import open_gguf
from edge.packed.source import SourceHash, SourceStamp, check_unchanged
from tests.formats.raw_gguf import UINT16, UINT64, entry, gguf, string, tensor, u64


def split_model(folder: Path) -> list[Path]:
    """Two parts; only the second has a tensor."""
    paths: list[Path] = []
    for number in range(2):
        values = [string("general.architecture", "llama"), entry("general.note", UINT64, u64(number + 7))]
        values += [entry("split.count", UINT16, b"\2\0"), entry("split.no", UINT16, bytes([number, 0]))]
        table = [tensor("w", [8])] if number else []
        path = folder / f"m-{number + 1:05d}-of-00002.gguf"
        path.write_bytes(gguf(values, table, bytes(32) if number else b""))
        paths.append(path)
    return paths


def stamp_of(path: Path) -> SourceStamp:
    with open_gguf(path) as file:
        return SourceStamp.of(file)


def test_every_part_counts(tmp_path: Path) -> None:
    first, second = split_model(tmp_path)
    stamp = stamp_of(first)
    assert stamp.sizes == (first.stat().st_size, second.stat().st_size)
    assert stamp.inodes == (first.stat().st_ino, second.stat().st_ino)
    header = second.read_bytes()[:-32]
    assert stamp.header_hash == hashlib.sha256(first.read_bytes() + header).hexdigest()
    content = second.read_bytes()
    with second.open("r+b") as file:  # the same size and inode
        file.seek(content.index(u64(8)))
        file.write(u64(9))
    os.utime(second, ns=(1, stamp.mtimes[1]))
    assert (stamp_of(first).difference(stamp) or "").startswith("header hash")
    os.utime(second, ns=(1, stamp.mtimes[1] + 1))
    assert (stamp_of(first).difference(stamp) or "").startswith("mtimes")


def test_difference_names_the_first_field() -> None:
    stamp = SourceStamp((1, 2), (3, 4), (5, 6), "ab" * 32)
    assert stamp.difference(stamp) is None
    assert stamp.difference(replace(stamp, sizes=(1, 3))) == "sizes 1, 2, the model has 1, 3"
    assert stamp.difference(replace(stamp, inodes=(5,))) == "inodes 5, 6, the model has 5"
    assert (
        stamp.difference(replace(stamp, header_hash="cd" * 32)) == f"header hash {'ab' * 8}, the model has {'cd' * 8}"
    )


def test_hashes_are_those_that_hubs_publish(tmp_path: Path) -> None:
    paths = split_model(tmp_path)
    with open_gguf(paths[0]) as file, SourceHash(file) as hashes:
        assert hashes.result() == tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)


def test_changes_on_disk(tmp_path: Path) -> None:
    first, second = split_model(tmp_path)
    with open_gguf(first) as file:
        check_unchanged(file)
        os.utime(second, ns=(1, 2))
        with pytest.raises(ModelFileError, match=f"{second.name}: was written to while it was packed"):
            check_unchanged(file)
    with open_gguf(first) as file:
        content = first.read_bytes()
        first.rename(tmp_path / "moved")
        with pytest.raises(FileNotFoundError):
            check_unchanged(file)
        first.write_bytes(content)
        with pytest.raises(FileNotFoundError, match="was replaced"):
            check_unchanged(file)
