"""GET over HTTP by the standard library: byte ranges, redirects that lose the token, bounds on everything.

urllib brings TLS, the system's certificates and proxies (HTTPS_PROXY). An HTTP package would add several megabytes to a
board for these hundred lines, and the rules for redirects and ranges would be ours all the same.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import time
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import edge
from edge.errors import DownloadError, RequestError

__all__ = ["Answer", "Http", "TransientError"]

DEFAULT_HUB = "https://huggingface.co"
TIMEOUT_SECONDS = 30.0  # without a byte
TEXT_SECONDS = 60.0  # for a whole list of files
MAX_TEXT_BYTES = 16 * 2**20
MAX_REDIRECTS = 8
PIECE_BYTES = 2**20
_REDIRECTS = (301, 302, 303, 307, 308)
_REFUSED = {
    401: "it wants a token: set HF_TOKEN to one that may read it (or the name is wrong)",
    403: "this token, or nobody without one, may read it: accept its licence on its page, and set HF_TOKEN",
    404: "there is no such model, file or revision",
    451: "it was withdrawn for legal reasons",
}


class TransientError(DownloadError):
    """What may be over at the next try: a connection that broke, a busy server. `wait`: seconds that it asked for."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of status 200 or 206. start: the offset of its first byte. size: of the whole, None when not said."""

    body: Any  # http.client.HTTPResponse
    url: str
    start: int
    size: int | None
    etag: str | None
    linked_etag: str | None  # what the hub says of the file before it redirects: a sha256 for large ones

    def read(self, num_bytes: int) -> bytes:
        """Up to so many bytes, as soon as there are some; empty at the end. TransientError: the connection broke."""
        try:
            data: bytes = self.body.read1(min(num_bytes, PIECE_BYTES))
            return data
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(f"{_host(self.url)}: {_reason(error)}") from None


class Http:
    """`hub`: the base URL whose host gets the token, and no other."""

    def __init__(
        self,
        hub: str = DEFAULT_HUB,
        token: str | None = None,
        *,
        offline: bool = False,
        timeout: float = TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.hub = hub.rstrip("/")
        self._origin = _origin(self.hub)
        self._token = token
        self._offline = offline
        self._timeout = timeout
        self._clock = clock
        self._opener = urllib.request.OpenerDirector()  # without handlers for files, FTP, redirects and logins
        for handler in (urllib.request.ProxyHandler, urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
            self._opener.add_handler(handler())
        if token is not None and (not token.isascii() or not token.isprintable() or " " in token or not token):
            raise RequestError("the token of the hub (HF_TOKEN) has characters that no token has; it is not shown here")

    @classmethod
    def of(cls, environment: Mapping[str, str] = os.environ) -> Http:
        """EDGE_HUB or HF_ENDPOINT is the hub, EDGE_HUB_TOKEN or HF_TOKEN the token; HF_HUB_OFFLINE forbids it all."""
        token = environment.get("EDGE_HUB_TOKEN") or environment.get("HF_TOKEN") or None
        return cls(
            hub_of(environment),
            None if token is None else token.strip(),
            offline=environment.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on"),
        )

    @contextmanager
    def get(
        self, url: str, *, start: int = 0, stop: int | None = None, if_range: str | None = None
    ) -> Generator[Answer]:
        """Bytes from `start` on, up to before `stop`. The server may send all of them from 0: see `Answer.start`.

        if_range: the ETag of what was read before; when the file is another by now, it is sent from 0.
        DownloadError: refused. TransientError: may work the next time.
        """
        if self._offline:
            raise DownloadError("HF_HUB_OFFLINE is set: nothing is asked of the network")
        headers = {"User-Agent": f"edge/{edge.__version__}", "Accept": "*/*", "Accept-Encoding": "identity"}
        if start or stop is not None:
            headers["Range"] = f"bytes={start}-" + ("" if stop is None else str(stop - 1))
            if if_range is not None and start:
                headers["If-Range"] = if_range
        response, url, linked_etag = self._follow(url, headers)
        with response:
            yield self._answer(response, url, linked_etag, start)

    def text(self, url: str) -> bytes:
        """A small document, whole. Errors as `get`; also when it is too long or takes too long."""
        deadline = self._clock() + TEXT_SECONDS
        with self.get(url) as answer:
            pieces: list[bytes] = []
            length = 0
            while piece := answer.read(PIECE_BYTES):
                pieces.append(piece)
                length += len(piece)
                if length > MAX_TEXT_BYTES:
                    raise DownloadError(f"{_host(url)}: a list of files of more than {MAX_TEXT_BYTES} bytes")
                if self._clock() > deadline:
                    raise TransientError(f"{_host(url)}: no whole answer in {TEXT_SECONDS:.0f} s")
            if answer.size is not None and length < answer.size:
                raise TransientError(f"{_host(url)}: the answer ended after {length} of {answer.size} bytes")
        return b"".join(pieces)

    def _follow(self, url: str, headers: Mapping[str, str]) -> tuple[Any, str, str | None]:
        """The response at the end of all redirects, its URL, and the hub's own ETag of what lies there."""
        linked_etag: str | None = None
        for _ in range(MAX_REDIRECTS + 1):
            response = self._open(url, headers)
            if response.status not in _REDIRECTS:
                return response, url, linked_etag
            with response:
                if _origin(url) == self._origin:
                    linked_etag = response.headers.get("X-Linked-Etag", linked_etag)
                location = response.headers.get("Location")
                if not location:
                    raise DownloadError(f"{_host(url)}: status {response.status} without a place to go to")
                url = _next(url, location)
        raise DownloadError(f"{_host(url)}: more than {MAX_REDIRECTS} redirects")

    def _open(self, url: str, headers: Mapping[str, str]) -> Any:
        request = urllib.request.Request(url, headers=dict(headers))
        scheme, host, _ = origin = _origin(url)
        if self._token is not None and origin == self._origin and (scheme == "https" or _is_loopback(host)):
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            return self._opener.open(request, timeout=self._timeout)
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            raise TransientError(f"{_host(url)}: {_reason(error)}") from None
        except ValueError as error:  # a URL that http.client cannot send
            raise DownloadError(f"{_host(url)}: {error}") from None

    def _answer(self, response: Any, url: str, linked_etag: str | None, start: int) -> Answer:
        status, headers = response.status, response.headers
        if status in (408, 425, 429) or status >= 500:
            raise TransientError(f"{_host(url)}: status {status}, it is busy or broken", _seconds(headers))
        if status not in (200, 206, 416):
            raise DownloadError(f"{url.partition('?')[0]}: {_REFUSED.get(status, f'status {status}')}")
        if headers.get("Content-Encoding", "identity") != "identity":
            raise DownloadError(f"{_host(url)}: sends {headers['Content-Encoding']!r}, and was asked for plain bytes")
        etag = headers.get("ETag")
        if status == 200:
            return Answer(
                response, url, 0, _number(headers.get("Content-Length")), etag, linked_etag or _linked(headers)
            )
        unit, _, rest = headers.get("Content-Range", "").partition(" ")
        span, _, total = rest.partition("/")
        first = _number(span.partition("-")[0])
        if unit != "bytes" or (status == 206 and first != start) or _number(total) is None:
            problem = f"Content-Range {headers.get('Content-Range')!r}"
            raise DownloadError(f"{_host(url)}: asked for bytes from {start} on, it answers with {problem}")
        if status == 416:
            raise DownloadError(f"{_host(url)}: the file has {total} bytes, none from {start} on")
        return Answer(response, url, start, _number(total), etag, linked_etag or _linked(headers))


def hub_of(environment: Mapping[str, str]) -> str:
    """RequestError: EDGE_HUB, or HF_ENDPOINT, is no base URL."""
    for name in ("EDGE_HUB", "HF_ENDPOINT"):
        if hub := environment.get(name, ""):
            try:
                url = urlsplit(hub)
                sound = url.scheme in ("http", "https") and bool(url.hostname) and not (url.query or url.fragment)
                sound = sound and url.username is None and (url.port is None or url.port > 0)
            except ValueError:
                sound = False
            if not sound:
                raise RequestError(f"{name} is {hub!r}; it must be a base URL such as {DEFAULT_HUB}")
            return hub.rstrip("/")
    return DEFAULT_HUB


def _next(url: str, location: str) -> str:
    """Where a redirect leads. DownloadError: to another scheme, or out of TLS."""
    try:
        target = urljoin(url, location)
        scheme, host = urlsplit(target).scheme, urlsplit(target).hostname
        _origin(target)
    except ValueError:
        scheme, host, target = "", None, ""
    if scheme not in ("http", "https") or not host or not target.isprintable() or " " in target:
        raise DownloadError(f"{_host(url)}: redirects to {location[:200]!r}, which is no URL to follow")
    if urlsplit(url).scheme == "https" and scheme == "http":
        raise DownloadError(
            f"{_host(url)}: redirects from https to http ({host}), which anybody on the way could change"
        )
    return target


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or (443 if scheme == "https" else 80)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _linked(headers: Any) -> str | None:
    value: str | None = headers.get("X-Linked-Etag")
    return value


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _seconds(headers: Any) -> float:
    return float(min(_number(headers.get("Retry-After")) or 0, 300))


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _reason(error: BaseException) -> str:
    reason = getattr(error, "reason", None)  # of a URLError
    inner = reason if isinstance(reason, BaseException) else error
    if isinstance(inner, TimeoutError):
        return "no byte in time"
    return getattr(inner, "strerror", None) or str(inner) or type(inner).__name__
