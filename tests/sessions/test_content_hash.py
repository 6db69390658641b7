"""The hash of a model's files: computed once, and again when they are others."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from edge.formats import open_gguf
from edge.sessions import content_hash
from edge.sessions.content_hash import content_hashes


@pytest.fixture
def model(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(content_hash, "SMALLEST_BYTES", 0)
    path = tmp_path / "model.gguf"
    path.write_bytes(tiny_model.read_bytes())
    return path


def hashes(model: Path, folder: Path | None) -> tuple[str, ...]:
    with open_gguf(model) as file:
        return content_hashes(file, folder)


def records(folder: Path) -> list[Path]:
    return list((folder / "hashes").iterdir())


def test_it_is_computed_once(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = (hashlib.sha256(model.read_bytes()).hexdigest(),)
    assert hashes(model, None) == hashes(model, tmp_path / "cache") == wanted
    with monkeypatch.context() as without_reading:
        without_reading.setattr(content_hash, "SourceHash", None)
        assert hashes(model, tmp_path / "cache") == wanted
    assert len(records(tmp_path / "cache")) == 1


def test_a_changed_byte_with_the_old_times_is_noticed(model: Path, tmp_path: Path) -> None:
    """Equal header, size, inode and modification time: what a changed weight leaves when someone restores the time."""
    before = hashes(model, tmp_path), model.stat()
    with open(model, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        last = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([last[0] ^ 1]))
    os.utime(model, ns=(before[1].st_atime_ns, before[1].st_mtime_ns))
    after = hashes(model, tmp_path)
    assert after != before[0] and after == (hashlib.sha256(model.read_bytes()).hexdigest(),)


OTHER_RECORDS: tuple[bytes | dict[str, object], ...] = (  # bytes, or what changes in a good one
    b"",
    b"{",
    b"[" * 10_000,
    b"[]",
    b"\xff\xfe",
    {"sha256": "x" * 64},
    {"sha256": ["x" * 63]},
    {"sha256": ["x" * 64, "x" * 64]},
    {"sha256": [1]},
    {"sha256": ["x" * 64], "version": 0},
    {"sha256": ["x" * 64], "inodes": [1]},
    {"sha256": ["x" * 64], "ctimes": [1]},
)


@pytest.mark.parametrize("other", OTHER_RECORDS)
def test_a_record_that_says_something_else_is_none(
    model: Path, tmp_path: Path, other: bytes | dict[str, object]
) -> None:
    wanted = hashes(model, tmp_path)
    (record,) = records(tmp_path)
    good = record.read_bytes()
    record.write_bytes(other if isinstance(other, bytes) else json.dumps(json.loads(good) | other).encode())
    assert hashes(model, tmp_path) == wanted
    assert record.read_bytes() == good


def test_nowhere_to_keep_it(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert hashes(model, tmp_path / "file") == hashes(model, None)
