"""One file, downloaded so that a broken connection, Ctrl-C or `kill -9` loses nothing, and so that its name means that
its bytes were checked.

NAME.part holds what has come, NAME.pull what it is of (URL, size, ETag, sha256); NAME appears, by rename, when every
byte is there, is on the disk, and has the sum that was announced.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from edge.errors import DownloadError
from edge.formats.atomic import sync_folder
from edge.hub.http import Answer, Http, TransientError
from edge.hub.remote import Beginning
from edge.hub.retries import STALL_BYTES, Pace, Retries
from edge.library.record import PART, RECORD, Record

__all__ = ["Download", "OnProgress"]

PIECE_BYTES = 2**20

OnProgress = Callable[
    [str, int, int], None
]  # (what is done: "checking" or "downloading", bytes done, bytes of the file)


class Download:
    """One file on its way to `target`, which must not be there yet."""

    def __init__(
        self,
        http: Http,
        beginning: Beginning,
        target: Path,
        *,
        model: str,
        revision: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._beginning = beginning
        self._target = target
        self._clock = clock
        self.part = target.with_name(target.name + PART)
        self._record_path = target.with_name(target.name + RECORD)
        self._record = Record(model, beginning.file.url, beginning.size, beginning.etag, beginning.sha256, revision)

    @property
    def missing_bytes(self) -> int:
        """What has still to come."""
        return self._record.size - self._kept()

    def _kept(self) -> int:
        """Bytes of an earlier try that are of the same file."""
        if not _same(Record.read(self._record_path), self._record):
            return 0
        try:
            return min(os.stat(self.part, follow_symlinks=False).st_size, self._record.size)
        except OSError:
            return 0

    def run(self, on_progress: OnProgress) -> str | None:
        """The sha256 that was checked; None when the server announced none.

        DownloadError: it cannot go on, or came out wrong. What has come stays for the next try, unless it is wrong.
        OSError: the disk refused.
        """
        self._target.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        with open(descriptor, "r+b", buffering=0) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise DownloadError(f"{self._target.name} is being downloaded by another process") from None
            except OSError:
                pass  # a file system without locks
            offset = self._kept()
            if offset < len(self._beginning.data):  # the header has been read already: it need not come again
                offset = 0
            self._record.write(self._record_path)
            os.ftruncate(file.fileno(), offset)
            digest = hashlib.sha256()
            self._hash_kept(file, digest, offset, on_progress)
            if not offset:
                offset = self._put(file, digest, self._beginning.data, 0)
            self._fetch(file, digest, offset, on_progress)
            self._finish(file, digest.hexdigest())
        return self._record.sha256

    def _hash_kept(self, file: BinaryIO, digest: Any, length: int, on_progress: OnProgress) -> None:
        file.seek(0)
        done = 0
        while done < length:
            data = file.read(min(PIECE_BYTES, length - done))
            if not data:
                raise DownloadError(f"{self.part} became shorter while it was read")
            digest.update(data)
            done += len(data)
            on_progress("checking", done, self._record.size)

    def _fetch(self, file: BinaryIO, digest: Any, offset: int, on_progress: OnProgress) -> None:
        retries = Retries()
        size = self._record.size
        while offset < size:
            before = offset
            try:
                with self._http.get(self._record.url, start=offset, if_range=_strong(self._record.etag)) as answer:
                    self._check_same(answer)
                    skip = offset - answer.start  # the server knows no ranges: it sends from the beginning
                    pace = Pace(self._clock)
                    while offset < size:
                        data = answer.read(PIECE_BYTES)
                        if not data:
                            raise TransientError(
                                f"{self._target.name}: the connection ended at {offset} of {size} bytes"
                            )
                        kept = data[skip : skip + size - offset]
                        skip = max(0, skip - len(data))
                        offset = self._put(file, digest, kept, offset)
                        on_progress("downloading", offset, size)
                        pace.came(len(data))
            except TransientError as error:
                retries.failed(error, progressed=offset - before >= STALL_BYTES)

    def _check_same(self, answer: Answer) -> None:
        record = self._record
        # Servers of one file may give it several ETags: where there is a sum, that decides.
        other = record.sha256 is None and record.etag is not None and answer.etag != record.etag
        if other or (answer.size is not None and answer.size != record.size):
            was, now = f"{record.size} bytes, ETag {record.etag}", f"{answer.size} bytes, ETag {answer.etag}"
            raise DownloadError(f"{self._target.name}: was changed meanwhile (from {was} to {now}); try again")

    def _put(self, file: BinaryIO, digest: Any, data: bytes, offset: int) -> int:
        view = memoryview(data)
        while view:
            written = file.write(view)
            digest.update(view[:written])
            view = view[written:]
        return offset + len(data)

    def _finish(self, file: BinaryIO, digest: str) -> None:
        wanted = self._record.sha256
        if wanted is not None and digest != wanted:
            self.part.unlink(missing_ok=True)
            self._record_path.unlink(missing_ok=True)
            raise DownloadError(
                f"{self._target.name}: its sha256 is {digest}, announced was {wanted}: it arrived damaged, or is "
                "another file; what came was removed, try again"
            )
        os.fsync(file.fileno())
        os.rename(self.part, self._target)
        sync_folder(self._target.parent)


def _same(kept: Record | None, wanted: Record) -> bool:
    """Whether what was begun is the file that is wanted: by its sum, or by size and ETag of the same URL."""
    if kept is None or kept.size != wanted.size:
        return False
    if wanted.sha256 is not None:
        return kept.sha256 == wanted.sha256
    return kept.url == wanted.url and kept.etag == wanted.etag and kept.etag is not None


def _strong(etag: str | None) -> str | None:
    """If-Range takes strong ETags only."""
    return etag if etag is not None and etag.startswith('"') else None
