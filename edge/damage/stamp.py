"""Writes metadata into a finished GGUF file: its header is made anew, its tensors' bytes are copied as they are."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from edge.errors import RequestError
from edge.formats.atomic import atomic_file
from edge.formats.encoding import Value, encode_string, encode_value
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.header import DEFAULT_ALIGNMENT

__all__ = ["stamp"]

_FIRST_KEY = 24  # byte: behind magic, version and both counts
_PIECE = 8 * 2**20


def stamp(path: str | os.PathLike[str], values: Mapping[str, Value]) -> None:
    """Adds `values` to the file's metadata, replacing keys of the same names; the file is replaced in one step.

    Raises ModelFileError for what is no sound GGUF file of one part, DoesNotFit when there is no room for the new file
    beside the old one, OSError when writing fails: then the old file is as it was.
    """
    path = Path(path)
    with open_gguf(path) as file:
        if len(file.parts) > 1:
            raise RequestError(f"{path}: a model of {len(file.parts)} parts; metadata is added to models of one part")
        view = file.mapped_parts[0].view
        pairs, keys_end = _pairs(file)
        table_end = keys_end + _table_bytes(file)
        kept = [pair for key, pair in pairs.items() if key not in values]
        kept += [encode_string(key.encode()) + encode_value(value, None) for key, value in values.items()]
        counts = struct.pack("<QQ", len(file.tensors), len(kept))
        header = b"".join([bytes(view[:8]), counts, *kept, bytes(view[keys_end:table_end])])
        alignment = file.get_int("general.alignment", default=DEFAULT_ALIGNMENT)
        start = -(-table_end // alignment) * alignment  # of the tensors
        header += bytes(-len(header) % alignment)
        with atomic_file(path, len(header) + len(view) - start) as out:
            out.write(header)
            for at in range(start, len(view), _PIECE):
                out.write(view[at : at + _PIECE])


def _pairs(file: GGUFFile) -> tuple[dict[str, bytes], int]:
    """Each key with its value as the file holds them, and the byte behind the last."""
    view, start = file.mapped_parts[0].view, _FIRST_KEY
    pairs: dict[str, bytes] = {}
    for key in file.keys():
        end = file.value_end(key)
        pairs[key] = bytes(view[start:end])
        start = end
    return pairs, start


def _table_bytes(file: GGUFFile) -> int:
    """Of the tensor table: names behind their lengths, and per tensor dimensions, type and offset."""
    return sum(8 + len(info.name.encode()) + 4 + 8 * len(info.shape) + 4 + 8 for info in file.tensors.values())
