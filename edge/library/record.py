"""What is kept beside a downloaded file: where it comes from, and what it must be."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from edge.formats.atomic import atomic_file

__all__ = ["PART", "RECORD", "Record"]

PART, RECORD = ".part", ".pull"
_MAX_BYTES = 2**16


@dataclass(frozen=True, slots=True)
class Record:
    """Where a file comes from, and what it must be. model: what to write for it."""

    model: str
    url: str
    size: int
    etag: str | None
    sha256: str | None
    revision: str | None

    @classmethod
    def read(cls, path: Path) -> Record | None:
        """The record beside a file; None when there is none, or when it says nothing that can be."""
        try:
            with open(path, "rb") as file:
                values: Any = json.loads(file.read(_MAX_BYTES))
            record = cls(**values)
        except (OSError, ValueError, TypeError, RecursionError):
            return None
        texts: tuple[object, ...] = (record.etag or "", record.sha256 or "", record.revision or "")
        sound = all(isinstance(text, str) for text in (values["model"], values["url"], *texts))
        return record if sound and isinstance(values["size"], int) else None

    def write(self, path: Path) -> None:
        data = json.dumps(asdict(self)).encode()
        with atomic_file(path, len(data), through_links=False) as file:
            file.write(data)
