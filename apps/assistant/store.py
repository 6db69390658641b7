"""The assistant's memory: one SQLite file, changed in transactions that survive `kill -9` and a loss of power."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.assistant.errors import StoreError
from edge.assistant.migrations import MIGRATIONS

__all__ = ["Store"]

_FILES = ("", "-wal", "-shm")  # of one database


class Store:
    """`assistant.db` in a folder. For all threads; one process at a time, which a lock file sees to.

    A file that is no database, or a damaged one, is set aside under another name, and a new one is begun: `notice` says
    so. Raises StoreError: another process has the folder, a newer version made the file, it cannot be written.
    """

    def __init__(self, folder: Path, *, now: float | None = None) -> None:
        self.path = folder / "assistant.db"
        self.notice: str | None = None
        self._lock = threading.RLock()
        self._closed = False
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._claim = os.open(folder / "assistant.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(f"{folder}: {error.strerror}; --data takes another folder") from None
        try:
            fcntl.flock(self._claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._claim)
            raise StoreError(f"{folder} is used by another assistant; end it, or take another --data") from None
        try:
            self._db = self._opened(time.time() if now is None else now)
        except BaseException:
            os.close(self._claim)
            raise

    @contextmanager
    def write(self) -> Generator[sqlite3.Connection]:
        """A transaction: all of it is kept, or nothing when the block raises. Nested ones belong to the outermost."""
        with self._lock, _stated(self.path):
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                if self._db.in_transaction:  # SQLite may have rolled back by itself, where the disk is full
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock, _stated(self.path):
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Row | None:
        found = self.rows(sql, values)
        return found[0] if found else None

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._db.close()
                os.close(self._claim)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _opened(self, now: float) -> sqlite3.Connection:
        existed = self.path.exists()
        try:
            return _connect(self.path)
        except sqlite3.OperationalError as error:  # it cannot be opened, read or written: nothing is damaged
            raise StoreError(f"{self.path}: {error}; --data takes another folder") from None
        except sqlite3.DatabaseError as error:
            if not existed:
                raise StoreError(f"{self.path}: {error}") from None
            aside = self._set_aside(now)
            self.notice = (
                f"The database was damaged ({error}). It lies at {aside} as it was; the assistant began a new one."
            )
        try:
            return _connect(self.path)
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from None

    def _set_aside(self, now: float) -> Path:
        stamp, number = time.strftime("%Y%m%d-%H%M%S", time.localtime(now)), 0
        while True:
            aside = self.path.with_name(f"assistant-damaged-{stamp}{f'-{number}' if number else ''}.db")
            if not any(os.path.lexists(f"{aside}{suffix}") for suffix in _FILES):
                break
            number += 1
        for suffix in _FILES:
            if os.path.lexists(f"{self.path}{suffix}"):
                os.rename(f"{self.path}{suffix}", f"{aside}{suffix}")
        return aside


def _connect(path: Path) -> sqlite3.Connection:
    """Checked and at the newest schema. sqlite3.DatabaseError: damaged. StoreError: newer than this program."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10.0)
    try:
        os.chmod(path, 0o600)
        db.row_factory = sqlite3.Row
        db.create_function("fold", 1, _fold, deterministic=True)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a commit is on the disk, also when the power goes
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA trusted_schema = OFF")
        faults = [row[0] for row in db.execute("PRAGMA quick_check(3)")]
        if faults != ["ok"]:
            raise sqlite3.DatabaseError("; ".join(str(fault) for fault in faults)[:300])
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{path} has schema {version}, and this version of edge knows up to {len(MIGRATIONS)}: update edge"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            db.executescript(f"BEGIN IMMEDIATE; {script}; PRAGMA user_version = {number}; COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _fold(text: object) -> str:
    return str(text).casefold()


@contextmanager
def _stated(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # ours
    except sqlite3.Error as error:
        raise StoreError(f"{path}: {error}; what was asked is not kept") from error
