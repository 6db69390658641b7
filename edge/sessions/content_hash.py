"""SHA-256 of a model's files: known from its packed file, or computed once and kept beside what tells its version."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import cast

from edge.errors import DoesNotFit
from edge.formats.atomic import atomic_file, remove_orphans
from edge.formats.gguf import GGUFFile
from edge.packed.source import SourceHash, SourceStamp

__all__ = ["content_hashes"]

SMALLEST_BYTES = 32 * 2**20  # less is read in a tenth of a second
_MAX_RECORD_BYTES = 1 << 20
_VERSION = 1


def content_hashes(file: GGUFFile, folder: Path | None) -> tuple[str, ...]:
    """Of each part of a model, in hexadecimal. Reads it whole, unless a record in `folder` has size, times, inode and
    header hash that it has now. None: keep no record."""
    if folder is None or file.file_size < SMALLEST_BYTES:
        return _computed(file)
    name = hashlib.blake2b(os.fsencode(os.path.abspath(file.path)), digest_size=12).hexdigest()
    place, version = folder / "hashes" / f"{name}.json", _version_of(file)
    known = _recorded(place, version, len(file.mapped_parts))
    if known is None:
        known = _computed(file)
        _record(place, version, known)
    return known


def _computed(file: GGUFFile) -> tuple[str, ...]:
    with SourceHash(file) as hashes:
        return hashes.result()


def _version_of(file: GGUFFile) -> dict[str, object]:
    """What changes when a file is written to. A change time cannot be set back, as a modification time can."""
    stamp = SourceStamp.of(file)
    return {
        "version": _VERSION,
        "sizes": list(stamp.sizes),
        "mtimes": list(stamp.mtimes),
        "inodes": list(stamp.inodes),
        "header_hash": stamp.header_hash,
        "ctimes": [part.status.st_ctime_ns for part in file.mapped_parts],
    }


def _recorded(place: Path, version: dict[str, object], num_parts: int) -> tuple[str, ...] | None:
    """What the record says; None when there is none, or it is of another version or no record at all."""
    try:
        with open(place, "rb") as record:
            if os.fstat(record.fileno()).st_uid not in (os.geteuid(), 0):
                return None
            content: object = json.loads(record.read(_MAX_RECORD_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict):
        return None
    fields = cast("dict[str, object]", content)
    hashes = fields.get("sha256")
    if any(fields.get(key) != value for key, value in version.items()) or not isinstance(hashes, list):
        return None
    texts = [text for text in cast("list[object]", hashes) if isinstance(text, str) and len(text) == 64]
    return tuple(texts) if len(texts) == len(cast("list[object]", hashes)) == num_parts else None


def _record(place: Path, version: dict[str, object], hashes: tuple[str, ...]) -> None:
    """Where it cannot be written, the next load computes it again."""
    content = json.dumps({**version, "sha256": hashes}).encode()
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_orphans(place)
        with atomic_file(place, len(content), through_links=False) as out:
            out.write(content)
    except (OSError, DoesNotFit):
        pass
