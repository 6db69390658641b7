"""A server on this machine that plays a hub, well or badly, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Behaviour:
    """What the server does wrong. Counters are used up; what is left at 0 is done right."""

    ranges: bool = True
    cuts: int = 0  # answers of files that end after cut_after bytes
    cut_after: int = 1000
    cut_offset: int = 0  # only of answers that begin at this offset or behind it
    busy: int = 0  # answers 503
    retry_after: str | None = None
    seconds_a_piece: float = 0.0  # slow bytes, 512 at a time
    wrong_byte: bool = False
    redirect_to: str | None = None  # files are elsewhere: base URL
    loops: bool = False
    huge_header: bool = False
    gzip: bool = False
    needs_token: str | None = None
    lies_range: bool = False
    no_length: bool = False
    no_sum: bool = False
    document: bytes | None = None  # the list of files, instead of the true one
    stop_at: int | None = None  # waits there, until `released`
    released: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)


@dataclass
class Asked:
    path: str
    range: str | None
    authorization: str | None
    sent: int = 0


class Hub:
    """files: path inside OWNER/REPO -> content."""

    def __init__(
        self, files: dict[str, bytes], behaviour: Behaviour | None = None, repository: str = "me/tiny"
    ) -> None:
        self.files = files
        self.behaviour = behaviour or Behaviour()
        self.repository = repository
        self.asked: list[Asked] = []
        self.url = ""

    @property
    def sent_bytes(self) -> int:
        """Of files."""
        return sum(one.sent for one in self.asked if "/resolve/" in one.path)

    def listing(self) -> bytes:
        siblings: list[dict[str, Any]] = [{"rfilename": "README.md", "size": 10, "blobId": "x"}]
        for name, content in self.files.items():
            sibling: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": "x"}
            if not self.behaviour.no_sum:
                sum_ = hashlib.sha256(content).hexdigest()
                sibling["lfs"] = {"size": len(content), "sha256": sum_, "pointerSize": 1}
            siblings.append(sibling)
        return json.dumps({"id": self.repository, "sha": COMMIT, "siblings": siblings}).encode()


@contextmanager
def serving(hub: Hub) -> Generator[Hub]:
    class Handler(_Handler):
        owner = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.behaviour.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    owner: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        hub, how = self.owner, self.owner.behaviour
        asked = Asked(self.path, self.headers.get("Range"), self.headers.get("Authorization"))
        hub.asked.append(asked)
        self.close_connection = True
        path = unquote(urlsplit(self.path).path)
        if how.needs_token is not None and asked.authorization != f"Bearer {how.needs_token}":
            return self._plain(401, b"{}")
        if how.busy:
            how.busy -= 1
            return self._plain(503, b"", {"Retry-After": how.retry_after} if how.retry_after else {})
        if how.huge_header:
            return self._plain(200, b"", {"X-Huge": "x" * 100_000})
        if path.startswith("/api/models/"):
            if not path.startswith(f"/api/models/{hub.repository}/"):
                return self._plain(404, b"{}")
            return self._plain(200, hub.listing() if how.document is None else how.document)
        name = re.sub(rf"^/{hub.repository}/resolve/[^/]+/|^/files/", "", path)
        if name not in hub.files:
            return self._plain(404, b"")
        content = hub.files[name]
        sum_ = hashlib.sha256(content).hexdigest()
        if how.loops:
            return self._plain(302, b"", {"Location": self.path})
        if how.redirect_to is not None:
            place = {"Location": f"{how.redirect_to}/files/{name}"} if how.redirect_to else {}
            return self._plain(302, b"", place | {"X-Linked-Etag": f'"{sum_}"'})
        self._file(content, sum_, asked)

    def _file(self, content: bytes, sum_: str, asked: Asked) -> None:
        how = self.owner.behaviour
        start, stop, status = 0, len(content), 200
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.range or "")
        etag = f'"{sum_[:32] if how.no_sum else sum_}"'
        fresh = self.headers.get("If-Range") in (None, etag)
        if match and how.ranges and fresh:
            start, stop, status = int(match[1]), min(int(match[2] or stop) + 1, len(content)), 206
            if start >= len(content):
                return self._plain(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        self.send_response(status)
        if not how.no_length:
            self.send_header("Content-Length", str(stop - start))
        if status == 206:
            first = start + 1 if how.lies_range else start
            self.send_header("Content-Range", f"bytes {first}-{stop - 1}/{len(content)}")
        if how.gzip:
            self.send_header("Content-Encoding", "gzip")
        self.send_header("ETag", etag)
        self.send_header("Connection", "close")
        self.end_headers()
        body = bytearray(content[start:stop])
        if how.wrong_byte and stop == len(content):
            body[-1] ^= 1
        if how.cuts and start >= how.cut_offset and len(body) > how.cut_after:
            how.cuts -= 1
            body = body[: how.cut_after]
        self._send(bytes(body), start, asked)

    def _send(self, body: bytes, start: int, asked: Asked) -> None:
        how = self.owner.behaviour
        step = 512 if how.seconds_a_piece or how.stop_at is not None else 1 << 20
        for at in range(0, len(body), step):
            if how.stop_at is not None and start + at >= how.stop_at:
                how.reached.set()
                how.released.wait(30)
            piece = body[at : at + step]
            try:
                self.wfile.write(piece)
            except OSError:  # the reader has what it wants
                return
            asked.sent += len(piece)
            time.sleep(how.seconds_a_piece)

    def _plain(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), "Connection": "close", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
