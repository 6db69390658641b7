"""Saved files that must be refused, each for a reason of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.formats.raw_gguf import FLOAT32, STRING, UINT32, array, entry, f32, i32, string, strings, tensor, u32, u64
from tests.sessions.raw_session import (
    FINGERPRINT,
    HASH,
    I8,
    INT32,
    UINT64,
    Changes,
    Sound,
    entries_of,
    session_file,
    table_of,
)

PREFIX = "edge.session."
MINUS_ONE = 2**64 - 1


@dataclass(frozen=True, slots=True)
class BadSession:
    """`expected`: parts of the message."""

    name: str
    content: bytes
    expected: tuple[str, ...]


def bad_sessions() -> list[BadSession]:
    return [case for group in (_lengths, _footers, _keys, _tokens, _blocks, _tables, _texts) for case in group()]


def _key(key: str, value: bytes | None) -> bytes:
    return session_file(changes=Changes(entries={key: value}))


def _lengths() -> Iterator[BadSession]:
    content = session_file()
    yield BadSession("empty", b"", ("has 0 bytes", "footer of 64"))
    yield BadSession("one-byte", b"G", ("has 1 bytes",))
    yield BadSession("shorter-than-a-footer", content[-63:], ("has 63 bytes",))
    yield BadSession("only-a-footer", content[-64:], ("says that the file has", "it has 64"))
    yield BadSession("zeros", bytes(300), ("is no footer", "it was cut"))
    yield BadSession("text", b"once upon a time" * 10, ("is no footer",))
    for cut in (1, 63, 64, 65, 200, len(content) // 2):
        yield BadSession(f"cut-by-{cut}", content[:-cut], ("is no footer",))
    yield BadSession("one-byte-more", content + b"\0", ("is no footer",))
    yield BadSession("bytes-missing-inside", content[:1024] + content[1088:], ("says that the file has",))


def _footers() -> Iterator[BadSession]:
    content = session_file()
    for number in (1, 64, 4095, 4097, 8192, 2**26, 2**31, 2**32, 2**63, MINUS_ONE):
        changed = session_file(changes=Changes(footer={"header_bytes": number}))
        yield BadSession(f"header-bytes-{number}", changed, (f"a header of {number} bytes",))
    no_header = session_file(changes=Changes(footer={"header_bytes": 0}))
    yield BadSession("header-bytes-0", no_header, ("checksum",))
    for number in (0, 1, 64, 2**32, 2**63, MINUS_ONE):
        changed = session_file(changes=Changes(footer={"total_bytes": number}))
        yield BadSession(f"total-bytes-{number}", changed, (f"says that the file has {number} bytes",))
    version = session_file(changes=Changes(footer={"version": 2}))
    yield BadSession("footer-version", version, ("container version 2", "reads 1"))
    yield BadSession("footer-digest", session_file(changes=Changes(footer={"digest": bytes(32)})), ("checksum",))
    other = session_file(changes=Changes(footer={"zero": 1}))[-64:-32]
    yield BadSession("footer-of-another", content[:-64] + other + content[-32:], ("checksum",))


def _keys() -> Iterator[BadSession]:
    for key in entries_of(Sound()):
        if key != "general.alignment":
            yield BadSession(f"without-{key}", _key(key, None), (f"missing key {key!r}",))
        yield BadSession(f"float-{key}", _key(key, entry(key, FLOAT32, f32(1.0))), (key, "float32"))
        if key.endswith(("tokens", "crc32", "sha256")):
            kind = STRING if key.endswith("sha256") else UINT32
            endless = _key(key, array(key, kind, [], count=2**60))
            yield BadSession(f"endless-{key}", endless, (key, "array length 1152921504606846976"))
    yield BadSession("a-model", _key("general.architecture", string("general.architecture", "llama")), ("llama",))
    key = PREFIX + "container_version"
    yield BadSession("other-version", _key(key, entry(key, UINT32, u32(2))), (key, "'2', it must be '1'"))
    key = PREFIX + "kind"
    yield BadSession("unknown-kind", _key(key, string(key, "dream")), ("'dream'", "session or prepared"))
    key = PREFIX + "saved_at"
    negative = _key(key, entry(key, INT32, i32(-1)))
    yield BadSession("saved-before-time", negative, (key, "is -1, it must be at least 0"))
    for name, value in FINGERPRINT.items():
        if isinstance(value, int):
            key = f"{PREFIX}fingerprint.{name}"
            for number in (0, 2**31, MINUS_ONE):
                yield BadSession(f"{name}-{number}", _key(key, entry(key, UINT64, u64(number))), (key, f"is {number}"))
    key = PREFIX + "fingerprint.model_sha256"
    yield BadSession("short-hash", _key(key, strings(key, [HASH[:-1]])), (key, "64 characters"))
    yield BadSession("many-parts", _key(key, strings(key, [HASH] * 1025)), (key, "at most 1024"))
    yield BadSession("hash-not-utf8", _key(key, strings(key, [b"\xff" * 64])), ("not UTF-8",))
    key = PREFIX + "model_path"
    yield BadSession("long-path", _key(key, string(key, "x" * 4097)), (key, "4097 characters, the limit is 4096"))


def _tokens() -> Iterator[BadSession]:
    sound = Sound()
    for name, tokens, expected in (
        ("token-negative", (-1, *range(13)), ("ids from -1 to 12", "0 to 258")),
        ("token-beyond", (*range(13), 259), ("ids from 0 to 259", "0 to 258")),
        ("fewer-tokens-than-blocks", range(11), ("3 blocks of 4 tokens, the file has 11",)),
        ("no-tokens", (), ("3 blocks of 4 tokens, the file has 0",)),
    ):
        yield BadSession(name, session_file(replace(sound, tokens=tokens)), expected)
    key = PREFIX + "fingerprint.block_size"
    large = _key(key, entry(key, UINT64, u64(2**31 - 1)))
    yield BadSession("block-of-many-tokens", large, ("3 blocks of 2147483647 tokens",))


def _blocks() -> Iterator[BadSession]:
    sound = Sound()
    data = b"".join(sound.blocks)
    for name, changed in (
        ("a-byte-of-kv-less", data[:-1]),
        ("a-byte-of-kv-more", data + b"\0"),
        ("a-block-less", data[:-64]),
        ("a-block-more", data + bytes(64)),
        ("no-kv", b""),
    ):
        yield BadSession(name, session_file(changes=Changes(data=changed)), ("byte",))
    key = PREFIX + "fingerprint.block_bytes"
    for number in (1, 63, 65, 2**31 - 1):
        yield BadSession(f"blocks-of-{number}", _key(key, entry(key, UINT64, u64(number))), ("bytes of the file",))
    key = PREFIX + "crc32"
    yield BadSession("two-checksums", _key(key, array(key, UINT32, [u32(0)] * 2)), ("bytes of the file",))
    yield BadSession("four-checksums", _key(key, array(key, UINT32, [u32(0)] * 4)), ("bytes of the file",))


def _tables() -> Iterator[BadSession]:
    rows = table_of(Sound())

    def with_table(*table: bytes) -> bytes:
        return session_file(changes=Changes(table=table))

    yield BadSession("no-tensor", with_table(), ("tensor table",))
    yield BadSession("two-tensors", with_table(rows[0], tensor("more", [64], I8, 192)), ("tensor table", "more"))
    yield BadSession("other-name", with_table(tensor("vk", [192], I8, 0)), ("tensor table", "vk"))
    yield BadSession("other-type", with_table(tensor("kv", [48], 0, 0)), ("tensor table",))
    yield BadSession("other-offset", with_table(tensor("kv", [128], I8, 64)), ("tensor table",))
    for size in (0, 1, 191, 2**40, 2**62, 2**63, MINUS_ONE):
        yield BadSession(f"kv-of-{size}", with_table(tensor("kv", [size], I8, 0)), (".edge-session",))
    for count in (2, 2**18 + 1, 2**32, MINUS_ONE):
        changed = session_file(changes=Changes(num_tensors=count))
        yield BadSession(f"tensor-count-{count}", changed, (".edge-session",))


def _texts() -> Iterator[BadSession]:
    """Conversations of another form: found when the session is opened, not by lists."""
    for name, value, expected in (
        ("not-json", "{", ("not JSON",)),
        ("nested", "[" * 100_000, ("not JSON",)),
        ("long-number", '{"messages": [' + "1" * 5000 + "]}", ("not JSON",)),
        ("a-list", "[]", ("no JSON object",)),
        ("no-messages", "{}", ("messages of the conversation",)),
        ("messages-text", '{"messages": "hi"}', ("messages of the conversation",)),
        ("message-text", '{"messages": ["hi"]}', ("messages[0]", "object")),
        ("no-role", '{"messages": [{"content": "hi"}]}', ("messages[0]", "role")),
        ("role-number", '{"messages": [{"role": 1}]}', ("messages[0]", "role")),
        ("tools-object", json.dumps({"messages": [], "tools": {}}), ("tools of the conversation",)),
        ("tool-text", json.dumps({"messages": [], "tools": ["x"]}), ("tools[0]",)),
    ):
        yield BadSession(f"conversation-{name}", session_file(replace(Sound(), conversation=value)), expected)
    long = json.dumps({"messages": [{"role": "user", "content": "x" * 2**22}]})
    yield BadSession("conversation-long", session_file(replace(Sound(), conversation=long)), ("the limit is 4194304",))
