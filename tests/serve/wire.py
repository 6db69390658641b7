"""Bytes on a socket: requests that no client library would send."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any, NamedTuple

from tests.serve.process import Server


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=120)


def request(
    server: Server, path: str, body: bytes = b"", *, method: str = "POST", host: str | None = None, **headers: str
) -> bytes:
    """The bytes of a good request; a header's name is written with _ for -."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{server.port}'}"]
    given = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    if method == "GET":
        del given["Content-Type"], given["Content-Length"]
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines += [f"{name}: {value}" for name, value in given.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def ask(server: Server, data: bytes) -> Answer:
    """Sends these bytes and reads until the connection ends, or the answer is whole."""
    began = time.monotonic()
    with connect(server) as peer:
        try:
            peer.sendall(data)
        except OSError:
            pass  # it answered before it had read everything
        received = b""
        while not _whole(received):
            try:
                more = peer.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            received += more
    seconds = time.monotonic() - began
    assert received, f"no answer to {data[:200]!r}"
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body, seconds)


def _whole(data: bytes) -> bool:
    head, end, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    return bool(end) and length is not None and len(body) >= int(length[1])
