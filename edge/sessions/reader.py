"""Opens a saved file as untrusted input: the header must be whole and fit the file, each block its checksum.

Blocks are read, not mapped: what is used is what was checked, and a file cut meanwhile is an error and not a signal.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast, get_args

from edge.errors import BadSessionFile, ModelFileError, SessionFileError, StaleSessionFile
from edge.formats.cursor import quoted
from edge.formats.header import Header, read_header
from edge.formats.types import GGMLType, type_name
from edge.formats.values import Metadata
from edge.packed.pieces import read_into
from edge.sessions.fingerprint import Fingerprint
from edge.sessions.layout import (
    ARCHITECTURE,
    CONTAINER_VERSION,
    DATA_ALIGNMENT,
    FOOTER,
    FOOTER_MAGIC,
    MAX_CONVERSATION_BYTES,
    MAX_HEADER_BYTES,
    MAX_TEXT,
    PREFIX,
    TENSOR,
    Contents,
    Kind,
    fingerprint_key,
    header_digest,
)

__all__ = ["SavedFile"]

_MAX_PARTS = 1024


class SavedFile:
    """An open saved file whose header is whole. Only header and footer are read; `read_block` reads the rest.

    A context manager. Raises SessionFileError: missing, unreadable, someone else's; BadSessionFile: damaged;
    StaleSessionFile: of another container version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = _open(path)
        try:
            self.num_bytes = os.fstat(self._descriptor).st_size
            with _as_session(path):
                header = _read_header(path, self._descriptor, self.num_bytes)
                self.contents = _contents(path, header, self.num_bytes)
            self._data_start = len(header)
        except BaseException:
            os.close(self._descriptor)
            raise

    def check_fingerprint(self, wanted: Fingerprint) -> None:
        """Raises StaleSessionFile naming the first field that the model which is loaded has differently."""
        difference = self.contents.fingerprint.difference(wanted)
        if difference is not None:
            raise StaleSessionFile(self.path, f"was saved for another model or other settings: {difference}")

    def read_block(self, index: int, target: memoryview) -> None:
        """Fills `target`, block_bytes of it. Raises BadSessionFile when it is not what was saved."""
        block_bytes = self.contents.fingerprint.block_bytes
        offset = self._data_start + index * block_bytes
        with _as_session(self.path):
            read_into(self.path, self._descriptor, offset, target)
        found, wanted = zlib.crc32(target), self.contents.checksums[index]
        if found != wanted:
            raise BadSessionFile(
                self.path,
                f"byte {offset}: the {block_bytes} bytes of block {index} have CRC-32 {found:08x}, "
                f"the header says {wanted:08x}",
            )

    def verify(self) -> None:
        """Reads everything. Raises BadSessionFile naming the first block that is not what was saved."""
        if self.contents.num_blocks:
            block = memoryview(bytearray(self.contents.fingerprint.block_bytes))
            for index in range(self.contents.num_blocks):
                self.read_block(index, block)

    def close(self) -> None:
        """Allowed twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _as_session(path: Path) -> Generator[None]:
    """What the readers of model files say, as an error about a session."""
    try:
        yield
    except ModelFileError as error:
        raise BadSessionFile(path, str(error).removeprefix(f"{error.path}: ")) from None


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise SessionFileError(path, "no such file") from None
    except (OSError, ValueError) as error:
        raise SessionFileError(path, f"cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        problem = "is no regular file"
    elif state.st_uid not in (os.geteuid(), 0):  # whoever writes K and V decides what the model says
        problem = f"belongs to user {state.st_uid}, not to you"
    else:
        return descriptor
    os.close(descriptor)
    raise SessionFileError(path, problem)


def _read_header(path: Path, descriptor: int, size: int) -> bytearray:
    """The header, once the footer has vouched for it."""
    if size < FOOTER.size:
        raise BadSessionFile(path, f"has {size} bytes, a saved file has at least a footer of {FOOTER.size}")
    at = size - FOOTER.size
    footer = _read(path, descriptor, at, FOOTER.size)
    magic, version, _, num_bytes, total_bytes, digest = FOOTER.unpack(footer)
    if magic != FOOTER_MAGIC:
        raise BadSessionFile(
            path, f"byte {at}: {magic!r} is no footer ({FOOTER_MAGIC!r}): it was cut, or is no session"
        )
    if version != CONTAINER_VERSION:
        raise StaleSessionFile(
            path, f"byte {at + 8}: container version {version}, this version reads {CONTAINER_VERSION}"
        )
    if total_bytes != size:
        raise BadSessionFile(path, f"byte {at + 24}: says that the file has {total_bytes} bytes, it has {size}")
    if num_bytes > at or num_bytes > MAX_HEADER_BYTES or num_bytes % DATA_ALIGNMENT:
        raise BadSessionFile(
            path,
            f"byte {at + 16}: a header of {num_bytes} bytes; it must be a multiple of {DATA_ALIGNMENT}, at most "
            f"{min(at, MAX_HEADER_BYTES)}",
        )
    header = _read(path, descriptor, 0, num_bytes)
    if header_digest(header, footer) != digest:
        raise BadSessionFile(path, f"byte {at + 32}: the checksum of header and footer does not match")
    return header


def _read(path: Path, descriptor: int, offset: int, num_bytes: int) -> bytearray:
    data = bytearray(num_bytes)
    read_into(path, descriptor, offset, memoryview(data))
    return data


def _contents(path: Path, data: bytearray, size: int) -> Contents:
    header = read_header(path, memoryview(data), file_size=size)
    keys = Metadata(path, memoryview(data), header.entries)
    _same(path, "general.architecture", keys.get_str("general.architecture"), ARCHITECTURE)
    _same(path, PREFIX + "container_version", keys.get_int(PREFIX + "container_version"), CONTAINER_VERSION)
    kind = keys.get_str(PREFIX + "kind")
    if kind not in get_args(Kind):
        raise BadSessionFile(path, f"key '{PREFIX}kind' is {quoted(kind)}, it must be {' or '.join(get_args(Kind))}")
    conversation = keys.get_str(PREFIX + "conversation")
    if len(conversation.encode()) > MAX_CONVERSATION_BYTES:
        raise BadSessionFile(
            path,
            f"key '{PREFIX}conversation' has {len(conversation.encode())} bytes, the limit is {MAX_CONVERSATION_BYTES}",
        )
    contents = Contents(
        kind=cast("Kind", kind),
        fingerprint=_fingerprint(path, keys),
        model_path=_text(path, keys, PREFIX + "model_path"),
        model_name=_text(path, keys, PREFIX + "model_name"),
        saved_at=keys.get_int(PREFIX + "saved_at", minimum=0),
        tokens=tuple(keys.get_ints(PREFIX + "tokens")),
        conversation=conversation,
        checksums=tuple(keys.get_ints(PREFIX + "crc32")),
    )
    _check_sizes(path, contents, header, len(data), size)
    return contents


def _fingerprint(path: Path, keys: Metadata) -> Fingerprint:
    values: dict[str, Any] = {}
    for field in fields(Fingerprint):
        key = fingerprint_key(field.name)
        if field.name == "model_sha256":
            hashes = keys.get_strings(key)
            if len(hashes) > _MAX_PARTS or any(len(text) != 64 for text in hashes):
                raise BadSessionFile(path, f"key {key!r}: it must be at most {_MAX_PARTS} texts of 64 characters")
            values[field.name] = tuple(hashes)
        elif field.name == "adapter" and not keys.has(key):
            values[field.name] = ""
        elif field.type == "str":
            values[field.name] = _text(path, keys, key)
        else:
            values[field.name] = keys.get_int(key, minimum=1, maximum=2**31 - 1)
    return Fingerprint(**values)


def _text(path: Path, keys: Metadata, key: str) -> str:
    text = keys.get_str(key)
    if len(text) > MAX_TEXT:
        raise BadSessionFile(path, f"key {key!r} has {len(text)} characters, the limit is {MAX_TEXT}")
    return text


def _check_sizes(path: Path, contents: Contents, header: Header, data_start: int, size: int) -> None:
    """Blocks, tokens, table and file belong together. All numbers are exact: nothing was allocated by them yet."""
    fingerprint = contents.fingerprint
    kv_bytes = contents.num_blocks * fingerprint.block_bytes
    _same(path, "bytes of the file", size, data_start + kv_bytes + FOOTER.size)
    if contents.num_kept_tokens > len(contents.tokens):
        raise BadSessionFile(
            path,
            f"{contents.num_blocks} blocks of {fingerprint.block_size} tokens, the file has {len(contents.tokens)}",
        )
    if contents.tokens and not 0 <= min(contents.tokens) <= max(contents.tokens) < fingerprint.vocab_size:
        raise BadSessionFile(
            path,
            f"key '{PREFIX}tokens' holds ids from {min(contents.tokens)} to {max(contents.tokens)}, the vocabulary has "
            f"0 to {fingerprint.vocab_size - 1}",
        )
    found = [(name, type_name(t.type), t.shape, t.offset) for name, t in header.tensors.items()]
    wanted = [(TENSOR, type_name(GGMLType.I8), (kv_bytes,), data_start)] if kv_bytes else []
    _same(path, "tensor table", found, wanted)


def _same(path: Path, what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise BadSessionFile(path, f"{what}: {quoted(str(found))}, it must be {quoted(str(wanted))}")
