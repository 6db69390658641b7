"""Packed bytes and their version belong together: a packed file of other bytes under the same version would be read as
weights that nobody made."""

from __future__ import annotations

import hashlib
import random
import re
from pathlib import Path

from edge import native
from edge.backends.compiled import MATRIX_TYPES
from edge.formats.types import BLOCKS

ROWS = 37  # two whole tile rows and a part of one
# Version -> SHA-256 of the packed bytes of all types. When this fails because the layout changed: give it a new version
# (EDGE_LAYOUT_VERSION in native/include/edge/weights.h, and native/src/tile.h), and write the new hash here.
PACKED = {2: "36f7c7f57f9b3059d0b6d1f015eb2a72b1ed1ec812bb815d38eb4fa4fa75e205"}


def packed_bytes() -> bytes:
    """Of a matrix of each type, from random bytes."""
    parts: list[bytes] = []
    for kind in sorted(MATRIX_TYPES):
        values, size = BLOCKS[kind]
        cols = 512 if values > 1 else 70
        source = random.Random(f"layout/{int(kind)}").randbytes(ROWS * cols // values * size)
        with native.Weights.matrix(kind, ROWS, cols, source) as weights:
            parts.append(bytes(weights.packed))
    return b"".join(parts)


def test_the_bytes_of_this_version_stay() -> None:
    assert hashlib.sha256(packed_bytes()).hexdigest() == PACKED[native.layout_version()]


def test_the_description_has_the_version() -> None:
    text = (Path(__file__).resolve().parents[2] / "native" / "src" / "tile.h").read_text()
    (version,) = re.findall(r"Layout version (\d+)", text)
    assert int(version) == native.layout_version()
