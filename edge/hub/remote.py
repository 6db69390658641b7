"""The header of a model that is elsewhere, read by range, as an open model file: no more than commands look at."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edge.errors import BadModelFile, DownloadError, ModelFileError
from edge.formats.cursor import MAX_HEADER_BYTES
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.header import Header, read_header
from edge.hub.http import Http, TransientError
from edge.hub.listing import RemoteFile, RemoteModel
from edge.hub.retries import Pace, Retries

__all__ = ["Beginning", "OnHeader", "open_remote", "read_beginning"]

FIRST_BYTES = 2**20  # a model of 32,000 tokens has its header in it
_GROWTH = 4
# Small tensors that a plan reads: divisors of frequencies.
_READ_TENSORS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
_MAX_TENSOR_BYTES = 2**16

OnHeader = Callable[[int], None]  # bytes of headers read so far


class Beginning(NamedTuple):
    """What was read of a file before it is downloaded."""

    file: RemoteFile
    data: bytes  # from byte 0 on: all of the header, and perhaps more
    header: Header
    size: int
    etag: str | None
    sha256: str | None


@contextmanager
def open_remote(
    http: Http, model: RemoteModel, on_header: OnHeader | None = None
) -> Generator[tuple[GGUFFile, tuple[Beginning, ...]]]:
    """The model as if it were here, all weights zero, and what was read of each of its files.

    It is a file with holes of the model's size, so that everything that looks at a header looks at this one, and checks
    it against the real size. ModelFileError: the header is refused; DownloadError: it cannot be read.
    """
    beginnings: list[Beginning] = []
    for file in model.files:
        beginnings.append(read_beginning(http, file))
        if on_header is not None:
            on_header(sum(len(beginning.data) for beginning in beginnings))
    with tempfile.TemporaryDirectory(prefix="edge-header-") as folder:
        paths = [_with_holes(http, Path(folder), beginning) for beginning in beginnings]
        try:
            with open_gguf(paths[0]) as opened:
                yield opened, tuple(beginnings)
        except ModelFileError as error:  # the user knows the model by its own name
            if not error.path.startswith(folder):
                raise
            raise type(error)(model.name, str(error).removeprefix(f"{error.path}: ")) from None


def read_beginning(http: Http, file: RemoteFile) -> Beginning:
    """As much of the file as its header takes. A header that is bad is refused as soon as more bytes change nothing."""
    data, etag, size, linked = b"", None, file.size, None
    wanted, complaint = FIRST_BYTES, ""
    label = Path(file.path.name)
    while True:
        data, size, etag, linked = _longer(http, file, data, wanted)
        try:
            header = read_header(label, memoryview(data), file_size=size)
        except BadModelFile as error:
            if str(error) == complaint or len(data) >= min(size, MAX_HEADER_BYTES):
                raise
            complaint = str(error)
            wanted *= _GROWTH
        else:
            return Beginning(file, data, header, size, etag, file.sha256 or linked)


def _longer(http: Http, file: RemoteFile, data: bytes, wanted: int) -> tuple[bytes, int, str | None, str | None]:
    """`data`, read on until it has `wanted` bytes, or all; the file's size, its ETag, and its sha256 if it is told."""
    retries = Retries()
    while True:
        try:
            with http.get(file.url, start=len(data), stop=wanted) as answer:
                if answer.size is None:
                    raise DownloadError(f"{file.url}: the server does not say how long the file is")
                if file.size is not None and answer.size != file.size:
                    raise DownloadError(
                        f"{file.url}: {answer.size} bytes, the list of files says {file.size}; try again later"
                    )
                skip = len(data) - answer.start  # a server without ranges begins again
                end = min(wanted, answer.size)
                pieces = [data]
                length = len(data)
                pace = Pace()
                while length < end:
                    piece = answer.read(end - length + skip)
                    if not piece:
                        raise TransientError(f"{file.path.name}: the connection ended after {length} bytes")
                    pace.came(len(piece))
                    kept = piece[skip:] if skip < len(piece) else b""
                    skip = max(0, skip - len(piece))
                    pieces.append(kept)
                    length += len(kept)
                return b"".join(pieces), answer.size, answer.etag, sha256_of(answer.linked_etag, answer.etag)
        except TransientError as error:
            retries.failed(error, progressed=False)


def sha256_of(*etags: str | None) -> str | None:
    """The first ETag that is a sha256, as the hub's are for large files."""
    for etag in etags:
        text = (etag or "").strip('"')
        if len(text) == 64 and all(character in "0123456789abcdef" for character in text):
            return text
    return None


def _with_holes(http: Http, folder: Path, beginning: Beginning) -> Path:
    path = folder / beginning.file.path.name
    try:
        with open(path, "xb") as out:
            out.write(beginning.data)
            for name in _READ_TENSORS:
                tensor = beginning.header.tensors.get(name)
                if tensor is not None and tensor.num_bytes <= _MAX_TENSOR_BYTES:
                    out.seek(tensor.offset)
                    out.write(_range(http, beginning, tensor.offset, tensor.num_bytes))
            out.flush()
            os.truncate(path, beginning.size)
    except OSError as error:
        problem = f"cannot make a file with holes of {beginning.size} bytes: {error.strerror}; TMPDIR names another"
        raise DownloadError(f"{folder}: {problem}") from None
    return path


def _range(http: Http, beginning: Beginning, start: int, num_bytes: int) -> bytes:
    """Bytes of a file whose server may know no ranges: then they are waited for."""
    if start + num_bytes <= len(beginning.data):
        return beginning.data[start : start + num_bytes]
    data = b""
    with http.get(beginning.file.url, start=start, stop=start + num_bytes) as answer:
        skip = start - answer.start
        while skip:
            piece = answer.read(skip)
            if not piece:
                raise TransientError(f"{beginning.file.path.name}: the connection ended")
            skip -= len(piece)
        while len(data) < num_bytes:
            piece = answer.read(num_bytes - len(data))
            if not piece:
                raise TransientError(f"{beginning.file.path.name}: the connection ended")
            data += piece
    return data
