"""What a server is told when it starts: where it listens, who may ask, and how much at once."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from edge.errors import RequestError

LEAST_KEY_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class ServeSettings:
    """host: an address or name to listen on; anything but loopback needs a key. port: 0 takes a free one.

    model_name: what requests call the model. allow_hosts: names of this machine that a Host header may have, beside
    loopback's and the address that was connected to. allow_origins: web pages that may ask, as "https://example.org".
    queue: answers that may wait beside those that run. Times in seconds, sizes in bytes.
    Raises RequestError naming the option.
    """

    model_name: str
    host: str = "127.0.0.1"
    port: int = 8080
    api_key: str | None = None
    allow_hosts: tuple[str, ...] = ()
    allow_origins: tuple[str, ...] = ()
    sequences: int = 4
    queue: int = 32
    max_connections: int = 512
    max_body: int = 4 << 20
    max_bodies: int = 64 << 20  # of all requests that are being read
    max_head: int = 16 << 10
    head_seconds: float = 10.0  # from the first byte of a request to the end of its headers
    body_seconds: float = 30.0
    pause_seconds: float = 10.0  # without a byte, of the sender's or the reader's
    keep_alive_seconds: float = 5.0  # of silence in a stream, then a comment

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise RequestError(f"--port is {self.port}; it must be from 0 to 65535")
        if self.sequences < 1:
            raise RequestError(f"--sequences is {self.sequences}; at least one answer must run")
        if self.queue < 0:
            raise RequestError(f"--queue is {self.queue}; it must be at least 0")
        key = self.api_key
        if key is None:
            if not is_loopback(self.host):
                raise RequestError(
                    f"--host {self.host} can be reached from other machines, so a key is needed: set EDGE_API_KEY or "
                    "--api-key-file, or listen on 127.0.0.1"
                )
        elif len(key) < LEAST_KEY_CHARACTERS or not all("!" <= character <= "~" for character in key):
            raise RequestError(
                f"the API key must have at least {LEAST_KEY_CHARACTERS} visible ASCII characters, without spaces"
            )
        for origin in self.allow_origins:
            if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
                raise RequestError(f"--allow-origin {origin!r} must look like https://example.org, without a path")


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine reach an address. A name other than localhost counts as reachable."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
