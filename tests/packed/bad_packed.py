"""Packed files that must be refused, each with what the message must hold. Their checksums are right unless the case
is about them: whoever writes a hostile file can compute a checksum."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.formats.raw_gguf import (
    FLOAT32,
    MINUS_ONE,
    STRING,
    UINT16,
    UINT32,
    UINT64,
    array,
    entry,
    f32,
    string,
    strings,
    tensor,
    u32,
    u64,
)
from tests.packed.raw_packed import I8, Changes, Matrix, Source, entries_of, offsets, packed_file, table_of

SIZE = "edge.packed.source.sizes"


@dataclass(frozen=True, slots=True)
class BadPacked:
    """A file to refuse, and the fragments that the message must hold."""

    name: str
    content: bytes
    expected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sound:
    """What a sound file of a model is made of."""

    matrices: Sequence[Matrix]
    source: Source
    layout_version: int

    def file(self, changes: Changes | None = None) -> bytes:
        return packed_file(self.matrices, self.source, self.layout_version, changes)


def bad_packed_files(sound: Sound) -> Iterator[BadPacked]:
    """One after the other: each has at least 2 MiB."""
    for group in (_lengths, _footers, _versions, _stamps, _keys, _tables, _matrices, _flips):
        yield from group(sound)


def _lengths(sound: Sound) -> Iterator[BadPacked]:
    content = sound.file()
    yield BadPacked("empty", b"", ("has 0 bytes", "footer of 64"))
    yield BadPacked("one-byte", b"G", ("has 1 bytes",))
    yield BadPacked("shorter-than-a-footer", content[-63:], ("has 63 bytes",))
    yield BadPacked("only-a-footer", content[-64:], ("says that the file has", "it has 64"))
    yield BadPacked("zeros", bytes(4096), ("is no footer", "never finished"))
    yield BadPacked("zeros-of-the-right-length", bytes(len(content)), ("is no footer",))
    for cut in (1, 63, 64, 65, 4096, len(content) // 2, len(content) - 100):
        yield BadPacked(f"cut-by-{cut}", content[:-cut], (": b'", "is no footer"))
    yield BadPacked("one-byte-more", content + b"\0", ("is no footer",))
    yield BadPacked("page-missing-inside", content[:4096] + content[8192:], ("says that the file has",))
    yield BadPacked("text", b"once upon a time" * 10, ("is no footer",))


def _footers(sound: Sound) -> Iterator[BadPacked]:
    content = sound.file()
    numbers = (0, 1, 64, 2**21 - 1, 2**21 + 1, 2**31, 2**32, 2**63, MINUS_ONE)
    for number in numbers:
        changed = sound.file(Changes(footer={"header_bytes": number}))
        yield BadPacked(f"header-bytes-{number}", changed, (f"a header of {number} bytes",))
        changed = sound.file(Changes(footer={"total_bytes": number}))
        yield BadPacked(f"total-bytes-{number}", changed, (f"says that the file has {number} bytes",))
    yield BadPacked("footer-version", sound.file(Changes(footer={"version": 2})), ("container version 2", "reads 1"))
    yield BadPacked("footer-digest", sound.file(Changes(footer={"digest": bytes(32)})), ("checksum",))
    other = sound.file(Changes(footer={"zero": 1}))[-64:-32]
    yield BadPacked("footer-of-another", content[:-64] + other + content[-32:], ("checksum",))


def _versions(sound: Sound) -> Iterator[BadPacked]:
    for key, value, expected in (
        ("general.architecture", string("general.architecture", "llama"), "llama, this model and version have"),
        ("edge.packed.container_version", entry("edge.packed.container_version", UINT32, u32(2)), "version: 2,"),
    ):
        yield BadPacked(f"wrong-{key}", sound.file(Changes(entries={key: value})), (key, expected))
    for version in (0, sound.layout_version - 1, sound.layout_version + 1, 2**32 - 1):
        key = "edge.packed.layout_version"
        changed = sound.file(Changes(entries={key: entry(key, UINT32, u32(version))}))
        yield BadPacked(f"layout-version-{version}", changed, (key, f"{version}, this model"))


def _stamps(sound: Sound) -> Iterator[BadPacked]:
    stale = "made from another version of the model"
    source = sound.source
    for name, changed, fragment in (
        ("size", replace(source, sizes=[source.sizes[0] + 1]), f"sizes {source.sizes[0] + 1}"),
        ("mtime", replace(source, mtimes=[source.mtimes[0] - 1]), "mtimes"),
        ("inode", replace(source, inodes=[2**64 - 1]), "inodes 18446744073709551615"),
        ("parts", replace(source, sizes=[*source.sizes, 5]), "sizes"),
        ("no-parts", replace(source, sizes=[], mtimes=[], inodes=[]), "sizes"),
        ("header-hash", replace(source, header_hash="0" * 64), "header hash 0000000000000000"),
    ):
        content = packed_file(sound.matrices, changed, sound.layout_version)
        yield BadPacked(f"stale-{name}", content, (stale, fragment))


def _keys(sound: Sound) -> Iterator[BadPacked]:
    right = entries_of(sound.matrices, sound.source, sound.layout_version)
    for key in right:
        if key != "general.alignment":
            yield BadPacked(f"without-{key}", sound.file(Changes(entries={key: None})), (f"missing key {key!r}",))
        wrong = entry(key, FLOAT32, f32(1.0))
        yield BadPacked(f"float-{key}", sound.file(Changes(entries={key: wrong})), (key, "float32"))
        if ".matrix." in key or ".source." in key and not key.endswith("hash"):
            kind = STRING if key.endswith("sha256") else UINT32
            changed = sound.file(Changes(entries={key: array(key, kind, [])}))
            yield BadPacked(f"empty-{key}", changed, (".edge-packed",))
            changed = sound.file(Changes(entries={key: array(key, kind, [], count=2**60)}))
            yield BadPacked(f"endless-{key}", changed, (key, "array length 1152921504606846976"))
    for alignment in (0, 1, 48, 65536, 2**31):  # with 8, 16, 32 or none it is the same file
        key = "general.alignment"
        value = entry(key, UINT32, u32(alignment))
        yield BadPacked(f"alignment-{alignment}", sound.file(Changes(entries={key: value})), (".edge-packed",))
    sha = "edge.packed.source.sha256"
    two = sound.file(Changes(entries={sha: strings(sha, [*sound.source.sha256, "0" * 64])}))
    yield BadPacked("two-sha256", two, ("number of SHA-256 hashes: 2",))
    bad_text = sound.file(Changes(entries={sha: strings(sha, [b"\xff" * 64])}))
    yield BadPacked("sha256-not-utf8", bad_text, ("not UTF-8",))
    crc = "edge.packed.matrix.crc32"
    changed = sound.file(Changes(entries={crc: array(crc, UINT16, [b"\0\0"])}))
    yield BadPacked("one-crc32", changed, ("number of CRC-32 checksums: 1",))


def _tables(sound: Sound) -> Iterator[BadPacked]:
    rows, places = table_of(sound.matrices), offsets(sound.matrices)
    first, second = sound.matrices[:2]
    sizes = [len(first.packed)], [len(second.packed)]

    def with_row(index: int, row: bytes) -> bytes:
        return sound.file(Changes(table=[*rows[:index], row, *rows[index + 1 :]]))

    yield BadPacked("no-tensors", sound.file(Changes(table=[])), ("numbers of tensors",))
    yield BadPacked("a-tensor-less", sound.file(Changes(table=rows[:-1])), ("numbers of tensors",))
    extra = tensor("extra", [64], I8, places[-1] + (len(sound.matrices[-1].packed) + 63) // 64 * 64 - 64)
    yield BadPacked("a-tensor-more", sound.file(Changes(table=[*rows, extra])), ("extra",))
    for count in (len(rows) + 1, 2**18 + 1, 2**32, MINUS_ONE):
        yield BadPacked(f"tensor-count-{count}", sound.file(Changes(num_tensors=count)), (".edge-packed",))
    yield BadPacked("swapped-rows", sound.file(Changes(table=[rows[1], rows[0], *rows[2:]])), ("matrix 0",))
    yield BadPacked("other-name", with_row(0, tensor("x" * len(first.name), sizes[0], I8, 0)), ("matrix 0", "xxx"))
    yield BadPacked("twice-a-name", with_row(1, tensor(first.name, sizes[1], I8, places[1])), ("occurs twice",))
    yield BadPacked("other-type", with_row(0, tensor(first.name, sizes[0], 28, 0)), (".edge-packed",))
    yield BadPacked("type-unknown", with_row(0, tensor(first.name, sizes[0], 77, 0)), ("tensor type 77",))
    for size in (0, 1, len(first.packed) - 1, 2**40, 2**62, 2**63, MINUS_ONE):
        yield BadPacked(f"first-of-{size}-bytes", with_row(0, tensor(first.name, [size], I8, 0)), (".edge-packed",))
    square = tensor(first.name, [len(first.packed) // 2, 2], I8, 0)
    yield BadPacked("two-dimensions", with_row(0, square), (".edge-packed",))
    index, other = next(
        (i, j)
        for i, one in enumerate(sound.matrices)
        for j, two in enumerate(sound.matrices[:i])
        if len(one.packed) == len(two.packed)
    )
    swapped = list(rows)
    for here, there in ((index, other), (other, index)):
        matrix = sound.matrices[here]
        swapped[here] = tensor(matrix.name, [len(matrix.packed)], I8, places[there])
    yield BadPacked("swapped-offsets", sound.file(Changes(table=swapped)), (f"matrix {other}: byte offset",))
    for at in (1, 32, 64, places[2], 2**40, 2**62 + 64, MINUS_ONE - 63, MINUS_ONE):
        row = tensor(second.name, sizes[1], I8, at)
        yield BadPacked(f"second-at-{at}", with_row(1, row), (".edge-packed",))


def _matrices(sound: Sound) -> Iterator[BadPacked]:
    for name, change in (
        ("rows", {"rows": sound.matrices[1].rows + 1}),
        ("cols", {"cols": 2**63 - 1}),
        ("shape", {"rows": sound.matrices[1].cols, "cols": sound.matrices[1].rows * 3}),
        ("type", {"type": 0}),
        ("no-type", {"type": 2**32 - 1}),
    ):
        matrices = list(sound.matrices)
        matrices[1] = replace(matrices[1], **change)  # type: ignore[arg-type]
        content = packed_file(matrices, sound.source, sound.layout_version)
        yield BadPacked(f"other-{name}", content, ("matrix 1", "this model and version have"))
    fewer = packed_file(sound.matrices[:-1], sound.source, sound.layout_version)
    yield BadPacked("fewer-matrices", fewer, ("numbers of tensors",))
    key = "edge.packed.matrix.rows"
    changed = sound.file(Changes(entries={key: array(key, UINT64, [u64(1)])}))
    yield BadPacked("one-row-count", changed, ("numbers of tensors",))
    more = sound.file(Changes(data=bytes(sum(len(m.packed) + 64 for m in sound.matrices))))
    yield BadPacked("more-data", more, ("bytes of the file",))


def _flips(sound: Sound) -> Iterator[BadPacked]:
    """A bit changed in metadata, padding, table or footer, wherever it is."""
    content, rng = sound.file(), random.Random(7)
    header = struct.unpack_from("<Q", content, len(content) - 48)[0]
    table = sum(map(len, table_of(sound.matrices)))
    metadata = sum(map(len, entries_of(sound.matrices, sound.source, sound.layout_version).values())) + 24
    places = [
        *range(24),
        *rng.sample(range(24, metadata), 60),
        *rng.sample(range(metadata, header - table), 5),
        *rng.sample(range(header - table, header), 60),
    ]
    for at in places:
        yield BadPacked(f"flip-{at}", _flip(content, at, rng), ("checksum",))
    for at in range(len(content) - 64, len(content)):
        yield BadPacked(f"flip-footer-{at - len(content)}", _flip(content, at, rng), (".edge-packed",))


def _flip(content: bytes, at: int, rng: random.Random) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << rng.randrange(8)]) + content[at + 1 :]
