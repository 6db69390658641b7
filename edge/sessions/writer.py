"""Writes a saved file: blocks as they come, then the header, then the footer that makes it valid."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import RequestError, SessionFileError
from edge.formats.atomic import atomic_file, remove_orphans
from edge.sessions.layout import FOOTER, MAX_CONVERSATION_BYTES, Contents, encode_footer, encode_header, header_bytes

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["write_saved"]


def write_saved(path: Path, contents: Contents, most_blocks: int, blocks: Iterable[Buffer]) -> Contents:
    """Gives `path` the contents and the blocks that come, at most `most_blocks` of them; the checksums in `contents`
    are not looked at. Until all is on the disk the name keeps what it had.

    Raises DoesNotFit when the disk has no room, SessionFileError when it cannot be written, RequestError for a
    conversation longer than a file may hold.
    """
    size = len(contents.conversation.encode())
    if size > MAX_CONVERSATION_BYTES:
        raise RequestError(f"the conversation takes {size} bytes, a session holds at most {MAX_CONVERSATION_BYTES}")
    data_start = header_bytes(contents, most_blocks)
    planned = data_start + most_blocks * contents.fingerprint.block_bytes + FOOTER.size
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_orphans(path)
        with atomic_file(path, planned, through_links=False) as out:
            os.fchmod(out.fileno(), 0o600)  # conversations are nobody else's business
            out.seek(data_start)
            checksums: list[int] = []
            for block in blocks:
                checksums.append(zlib.crc32(block))
                out.write(block)
            written = replace(contents, checksums=tuple(checksums))
            total = data_start + len(checksums) * contents.fingerprint.block_bytes + FOOTER.size
            header = encode_header(written, data_start)
            out.write(encode_footer(header, total))
            out.seek(0)
            out.write(header)
    except OSError as error:
        raise SessionFileError(path, f"cannot be written: {error.strerror or error}") from error
    return written
