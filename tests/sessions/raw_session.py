"""Builds saved files byte by byte, right or wrong. It shares no code with edge.sessions: the format, written twice."""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.formats.raw_gguf import STRING, UINT32, array, entry, i32, string, strings, tensor, text, u32, u64

INT32, UINT64, I8 = 5, 10, 24
PAGE = 4096
HASH = "ab" * 32

FINGERPRINT: Mapping[str, str | int | Sequence[str]] = {
    "kv_type": "f16",
    "architecture": "llama",
    "weights": "F32 x 5, Q8_0 x 16",
    "num_layers": 2,
    "num_kv_heads": 2,
    "head_dim": 16,
    "vocab_size": 259,
    "rope": "theta 10000.0, 16 dimensions",
    "block_size": 4,
    "block_bytes": 64,
    "kv_version": 1,
    "model_sha256": [HASH],
}


@dataclass(frozen=True, slots=True)
class Sound:
    """What a sound file holds: three blocks of four tokens, and two tokens in a block that is not full."""

    kind: str = "session"
    tokens: Sequence[int] = tuple(range(14))
    blocks: Sequence[bytes] = tuple(bytes([number]) * 64 for number in (7, 8, 9))
    conversation: str = json.dumps({"messages": [{"role": "user", "content": "hi"}], "tools": None})


@dataclass(frozen=True, slots=True)
class Changes:
    """entries: key -> its encoded entry, or None to leave it out. table: rows of the tensor table instead of the right
    one. footer: field -> value. digest: instead of the right one. padding: spaces more than needed."""

    entries: Mapping[str, bytes | None] = field(default_factory=dict[str, bytes | None])
    table: Sequence[bytes] | None = None
    num_tensors: int | None = None
    footer: Mapping[str, int | bytes] = field(default_factory=dict[str, int | bytes])
    data: bytes | None = None
    padding: int = 0


def entries_of(sound: Sound) -> dict[str, bytes]:
    prefix = "edge.session."
    rows = [
        string("general.architecture", "edge-session"),
        entry("general.alignment", UINT32, u32(64)),
        entry(prefix + "container_version", UINT32, u32(1)),
        string(prefix + "kind", sound.kind),
        string(prefix + "model_path", "/models/tiny.gguf"),
        string(prefix + "model_name", "tiny"),
        entry(prefix + "saved_at", UINT64, u64(1_700_000_000)),
        array(prefix + "tokens", INT32, [i32(token) for token in sound.tokens]),
        string(prefix + "conversation", sound.conversation),
        array(prefix + "crc32", UINT32, [u32(zlib.crc32(block)) for block in sound.blocks]),
    ]
    for name, value in FINGERPRINT.items():
        key = f"{prefix}fingerprint.{name}"
        if isinstance(value, int):
            rows.append(entry(key, UINT64, u64(value)))
        else:
            rows.append(string(key, value) if isinstance(value, str) else strings(key, value))
    return {row[8 : 8 + struct.unpack_from("<Q", row)[0]].decode(): row for row in rows}


def table_of(sound: Sound) -> list[bytes]:
    size = sum(map(len, sound.blocks))
    return [tensor("kv", [size], I8, 0)] if size else []


def session_file(sound: Sound | None = None, changes: Changes | None = None) -> bytes:
    sound = Sound() if sound is None else sound
    changes = Changes() if changes is None else changes
    kept = [value for value in {**entries_of(sound), **changes.entries}.values() if value is not None]
    rows = table_of(sound) if changes.table is None else changes.table
    head = b"GGUF" + u32(3) + u64(len(rows) if changes.num_tensors is None else changes.num_tensors)
    head += u64(len(kept) + 1) + b"".join(kept)
    key = text("edge.session.padding") + u32(STRING)
    padding = -(len(head) + len(key) + 8 + sum(map(len, rows))) % PAGE + changes.padding
    header = head + key + u64(padding) + b" " * padding + b"".join(rows)
    data = b"".join(sound.blocks) if changes.data is None else changes.data
    return header + data + footer(header, len(header) + len(data) + 64, changes.footer)


def footer(header: bytes, total: int, changes: Mapping[str, int | bytes] | None = None) -> bytes:
    changes = {} if changes is None else changes
    fields: dict[str, int | bytes] = {
        "magic": b"EDGESESS",
        "version": 1,
        "zero": 0,
        "header_bytes": len(header),
        "total_bytes": total,
        **{name: value for name, value in changes.items() if name != "digest"},
    }
    front = struct.pack("<8sIIQQ", *fields.values())
    digest = changes.get("digest", hashlib.sha256(header + front).digest())
    assert isinstance(digest, bytes)
    return front + digest
