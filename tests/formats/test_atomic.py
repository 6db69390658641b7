"""A name holds the old content or the new; links, permissions, full disks and what killed writers leave behind."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from edge.errors import DoesNotFit
from edge.formats.atomic import atomic_file, atomic_folder, remove_orphans, scratch_folder


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_name_appears_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o640)
    with atomic_file(path, 3) as file:
        file.write(b"new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640
    with pytest.raises(KeyboardInterrupt), atomic_file(path, 3) as file:
        raise KeyboardInterrupt
    assert path.read_text() == "new" and names(tmp_path) == ["file"]


def test_links(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with atomic_file(link, 3) as file:
        file.write(b"new")
    assert link.is_symlink() and target.read_text() == "new"
    with atomic_file(link, 3, through_links=False) as file:
        file.write(b"own")
    assert not link.is_symlink() and link.read_text() == "own" and target.read_text() == "new"


def test_too_little_space_is_said_before(tmp_path: Path) -> None:
    with pytest.raises(DoesNotFit, match="writing takes 1000000000000000000 bytes"):
        with atomic_file(tmp_path / "file", 10**18):
            raise AssertionError("never begun")
    assert names(tmp_path) == []


def test_orphans_go_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    old = time.time() - 3600
    for name in (".model.gguf.0123456789ab.part", ".model.gguf.cdcdcdcdcdcd.part", ".other.gguf.0123456789ab.part"):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (old, old))
    (tmp_path / ".model.gguf.ffffffffffff.part").write_text("just begun")
    (tmp_path / ".model.gguf.folder.part").mkdir()
    killed = tmp_path / ".model.gguf.abababababab.part"
    killed.mkdir()
    (killed / "source.gguf").write_text("x")
    os.utime(killed, (old, old))
    with (tmp_path / ".model.gguf.cdcdcdcdcdcd.part").open() as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        remove_orphans(path)
        with atomic_file(path, 1) as file:
            file.write(b"1")
            file.flush()
            for written in tmp_path.glob(".model.gguf.*.part"):
                if written.is_file():
                    os.utime(written, (old, old))
            remove_orphans(path)  # a second process: what is written is locked
    assert names(tmp_path) == [
        ".model.gguf.cdcdcdcdcdcd.part",
        ".model.gguf.folder.part",
        ".other.gguf.0123456789ab.part",
        "model.gguf",
    ]
    remove_orphans(tmp_path / "none" / "file")  # no folder, no matter


def test_a_scratch_folder_is_no_orphan_while_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    old = time.time() - 3600
    with pytest.raises(ValueError, match="in the block"), scratch_folder(path) as folder:
        (folder / "copy.gguf").write_text("x")
        os.utime(folder, (old, old))
        remove_orphans(path)
        assert (folder / "copy.gguf").exists()
        raise ValueError("in the block")
    assert names(tmp_path) == []


def test_folder_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with atomic_folder(target, 10) as folder:
        (folder / "a").write_bytes(b"new")
        assert not target.exists()
    assert (target / "a").read_bytes() == b"new"
    with pytest.raises(RuntimeError), atomic_folder(target, 10) as folder:
        (folder / "a").write_bytes(b"newer")
        raise RuntimeError
    assert (target / "a").read_bytes() == b"new"
    with atomic_folder(target, 10) as folder:
        (folder / "b").write_bytes(b"newest")
    assert [path.name for path in target.iterdir()] == ["b"]
    with pytest.raises(DoesNotFit, match="writing takes 9223372036854775807 bytes"), atomic_folder(target, 2**63 - 1):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
