"""The database: kept, migrated, set aside when damaged, one process at a time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edge.assistant.errors import StoreError
from edge.assistant.migrations import MIGRATIONS
from edge.assistant.store import Store


def test_what_was_written_is_there_again(tmp_path: Path) -> None:
    with Store(tmp_path) as store, store.write() as db:
        db.execute("INSERT INTO notes (text, created_at) VALUES ('x', 1)")
    with Store(tmp_path) as store:
        assert [row["text"] for row in store.rows("SELECT text FROM notes")] == ["x"]
        assert store.notice is None


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with pytest.raises(RuntimeError), store.write() as db:
            db.execute("INSERT INTO notes (text, created_at) VALUES ('x', 1)")
            with store.write() as inner:
                inner.execute("INSERT INTO notes (text, created_at) VALUES ('y', 1)")
            raise RuntimeError
        assert store.rows("SELECT * FROM notes") == []


def test_migrations_run_once_and_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path) as store, store.write() as db:
        db.execute("INSERT INTO notes (text, created_at) VALUES ('old', 1)")
    newer = (*MIGRATIONS, "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0")
    monkeypatch.setattr("edge.assistant.store.MIGRATIONS", newer)
    for _ in range(2):
        with Store(tmp_path) as store:
            assert [tuple(row) for row in store.rows("SELECT text, pinned FROM notes")] == [("old", 0)]


def test_a_failing_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path):
        pass
    broken = (*MIGRATIONS, "ALTER TABLE notes ADD COLUMN pinned INTEGER; SELECT * FROM nowhere")
    with monkeypatch.context() as patched:
        patched.setattr("edge.assistant.store.MIGRATIONS", broken)
        with pytest.raises(StoreError):
            Store(tmp_path)
    with Store(tmp_path) as store:
        assert "pinned" not in [row["name"] for row in store.rows("PRAGMA table_info(notes)")]


def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        path = store.path
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="schema 99.*update edge"):
        Store(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["no database", "torn page", "zeroed middle"])
def test_a_damaged_database_is_set_aside(tmp_path: Path, damage: str) -> None:
    with Store(tmp_path) as store:
        with store.write() as db:
            db.executemany("INSERT INTO notes (text, created_at) VALUES (?, 1)", [(f"{n} " * 200,) for n in range(400)])
        path = store.path
    data = bytearray(path.read_bytes())
    if damage == "no database":
        data[:16] = b"not a database!!"
    elif damage == "torn page":
        data[4096 * 20 : 4096 * 21] = b"\xff" * 4096
    else:
        data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)
    with Store(tmp_path, now=0.0) as store:
        assert store.notice is not None and "began a new one" in store.notice
        assert store.rows("SELECT * FROM notes") == []
    aside = list(tmp_path.glob("assistant-damaged-*.db"))
    assert [file.read_bytes() for file in aside] == [bytes(data)]
    assert str(aside[0]) in (store.notice or "")
    path.write_bytes(b"damaged again, in the same second")
    with Store(tmp_path, now=0.0):
        assert len(list(tmp_path.glob("assistant-damaged-*.db"))) == 2


def test_two_assistants_do_not_share_a_folder(tmp_path: Path) -> None:
    with Store(tmp_path), pytest.raises(StoreError, match="used by another assistant"):
        Store(tmp_path)
    with Store(tmp_path):
        pass


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="--data takes another folder"):
        Store(tmp_path / "file" / "inside")


def test_a_full_disk_is_said_and_nothing_is_kept_half(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        store.rows("PRAGMA max_page_count = 40")
        with pytest.raises(StoreError, match="not kept"), store.write() as db:
            for _ in range(200):
                db.execute("INSERT INTO notes (text, created_at) VALUES (?, 1)", ("x" * 2000,))
        assert store.rows("SELECT * FROM notes") == []
        with store.write() as db:
            db.execute("INSERT INTO notes (text, created_at) VALUES ('small', 1)")
        assert len(store.rows("SELECT * FROM notes")) == 1
