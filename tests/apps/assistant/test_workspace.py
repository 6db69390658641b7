"""The workspace keeps tools inside: no "..", no links, no devices, no other file systems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.assistant.errors import ToolFailure
from edge.assistant.workspace import MAX_TEXT, Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "secret.txt").write_text("secret")
    root = tmp_path / "files"
    made = Workspace(root)
    (root / "notes").mkdir()
    (root / "notes" / "plan.txt").write_text("buy a boat\nsail away\n")
    return made


def test_read_write_list_search(workspace: Workspace) -> None:
    assert workspace.write("a/b/c.txt", "Grüße", replace=False)
    assert workspace.read("./a//b/c.txt") == "Grüße"
    assert not workspace.write("a/b/c.txt", "new", replace=True)
    assert workspace.read("a/b/c.txt") == "new"
    assert workspace.entries("") == [("a", None), ("notes", None)]
    assert list(workspace.search("BOAT")) == [("notes/plan.txt", 1, "buy a boat")]
    assert list(workspace.search("plan")) == [("notes/plan.txt", 0, "")]
    assert (workspace.root / "a/b/c.txt").stat().st_mode & 0o777 == 0o600


def test_a_file_is_replaced_only_when_the_call_says_so(workspace: Workspace) -> None:
    with pytest.raises(ToolFailure, match="is there already"):
        workspace.write("notes/plan.txt", "gone", replace=False)
    assert workspace.read("notes/plan.txt").startswith("buy")


@pytest.mark.parametrize(
    "path",
    [
        "../secret.txt",
        "notes/../../secret.txt",
        "/etc/passwd",
        "~/x",
        "notes/..",
        "a\\..\\b",
        "\\\\host\\x",
        "a\0b",
        "a\nb",
        "/".join("d" * 20),
        "x" * 300,
        "",
    ],
)
def test_paths_that_lead_out(workspace: Workspace, path: str) -> None:
    with pytest.raises(ToolFailure):
        workspace.read(path)
    with pytest.raises(ToolFailure):
        workspace.write(path, "x", replace=True)


def test_links_and_devices(workspace: Workspace, tmp_path: Path) -> None:
    root = workspace.root
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    (root / "inside").symlink_to(root / "notes")
    (root / "out").symlink_to(tmp_path)
    os.link(tmp_path / "secret.txt", root / "hard.txt")
    os.mkfifo(root / "pipe")
    for path in ("link.txt", "inside/plan.txt", "out/secret.txt", "hard.txt", "pipe", "notes"):
        with pytest.raises(ToolFailure):
            workspace.read(path)
        with pytest.raises(ToolFailure):
            workspace.write(path, "x", replace=True)
    assert workspace.entries("") == [("notes", None)]
    assert list(workspace.search("secret")) == []
    assert (tmp_path / "secret.txt").read_text() == "secret"


def test_devices_of_the_system_are_no_files() -> None:
    workspace = Workspace(Path("/dev"))
    for path in ("zero", "null", "tty"):
        with pytest.raises(ToolFailure):
            workspace.read(path)


def test_a_folder_swapped_for_a_link_in_the_middle(workspace: Workspace, tmp_path: Path) -> None:
    """The walk holds descriptors: what is renamed meanwhile cannot lead it elsewhere."""
    real = os.open

    def swapping(path: object, flags: int, *rest: object, **options: object) -> int:
        opened = real(path, flags, *rest, **options)  # type: ignore[arg-type]
        if path == "notes":
            os.rename(workspace.root / "notes", workspace.root / "was")
            (workspace.root / "notes").symlink_to(tmp_path)
            (tmp_path / "plan.txt").write_text("other")
        return opened

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("edge.assistant.workspace.os.open", swapping)
        assert workspace.read("notes/plan.txt").startswith("buy a boat")


def test_what_is_no_text_or_too_long(workspace: Workspace) -> None:
    (workspace.root / "picture").write_bytes(b"\x89PNG\xff")
    (workspace.root / "zeros").write_bytes(b"a\0b")
    (workspace.root / "long").write_bytes(b"x" * (MAX_TEXT + 1))
    for path in ("picture", "zeros", "long"):
        with pytest.raises(ToolFailure):
            workspace.read(path)
    with pytest.raises(ToolFailure):
        workspace.write("new", "x" * (MAX_TEXT + 1), replace=False)
    assert not (workspace.root / "new").exists()


def test_a_failed_write_leaves_nothing(workspace: Workspace) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("edge.assistant.workspace.os.fsync", full)
        with pytest.raises(ToolFailure, match="No space left"):
            workspace.write("notes/plan.txt", "gone", replace=True)
    assert workspace.read("notes/plan.txt").startswith("buy")
    assert sorted(os.listdir(workspace.root / "notes")) == ["plan.txt"]
