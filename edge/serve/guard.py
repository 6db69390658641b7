"""Who may ask: Host, Origin and the key are looked at before anything else of a request."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge.serve.api_error import ApiError, shown
from edge.serve.settings import ServeSettings

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_OPEN_PATHS = ("/health",)  # without a key: says only that the server lives
_CORS_HEADERS = "authorization, content-type"


class Guard:
    """ASGI middleware. `on_refusal` is told the path and the status of what it does not let through."""

    def __init__(
        self, app: ASGIApp, settings: ServeSettings, port: int, on_refusal: Callable[[str, int], None]
    ) -> None:
        self._app = app
        self._key = None if settings.api_key is None else settings.api_key.encode()
        self._port = port
        self._max_head = settings.max_head
        self._names = {name.lower() for name in (*_LOOPBACK_NAMES, settings.host, *settings.allow_hosts)}
        self._origins = frozenset(settings.allow_origins)
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        try:
            self._check_size(scope)
            self._check_host(scope, headers)
            self._check_origin(headers, origin)
            if scope["method"] == "OPTIONS" and origin in self._origins:
                await _preflight(origin)(scope, receive, send)
                return
            self._check_key(scope, headers)
            if scope["method"] == "POST":
                _check_content_type(headers)
        except ApiError as error:
            self._on_refusal(scope["path"], error.status)
            # What this body holds is not read; the next request needs a connection of its own.
            response = JSONResponse(error.body, error.status, {**error.headers, "connection": "close"})
            await response(scope, receive, send)
            return
        if origin in self._origins:
            send = _with_cors(send, origin)
        await self._app(scope, receive, send)

    def _check_size(self, scope: Scope) -> None:
        """What came in one piece was parsed whatever its size."""
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        size += len(scope["raw_path"]) + len(scope["query_string"])
        if size > self._max_head:
            raise ApiError(431, f"the headers are larger than {self._max_head} bytes", code="too_large")

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        if not scope["raw_path"].startswith(b"/"):
            raise ApiError(400, "the request's target must be a path", code="bad_target")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0], scope):
            what = shown(hosts[0]) if len(hosts) == 1 else f"given {len(hosts)} times"
            raise ApiError(
                403, f"the Host header is {what}, not a name of this server; --allow-host adds one",
                param="host", code="host_not_allowed",
            )  # fmt: skip

    def _is_ours(self, host: str, scope: Scope) -> bool:
        """A name of ours with our port, or the address that was connected to: a page cannot make up either."""
        name, colon, port = host.lower().rpartition(":")
        if not colon or "]" in port:
            name, port = host.lower(), "80"
        if port != str(self._port):
            return False
        if name in self._names:
            return True
        try:
            own = ipaddress.ip_address((scope.get("server") or ("", 0))[0])
            own = own.ipv4_mapped or own if isinstance(own, ipaddress.IPv6Address) else own
            return ipaddress.ip_address(name.strip("[]")) == own
        except ValueError:
            return False

    def _check_origin(self, headers: Headers, origin: str | None) -> None:
        own = f"http://{headers['host']}".lower()
        if origin is not None and origin.lower() != own and origin not in self._origins:
            raise ApiError(
                403, f"pages of {shown(origin)} may not use this server; --allow-origin adds one",
                param="origin", code="origin_not_allowed",
            )  # fmt: skip
        site = headers.get("sec-fetch-site")
        if site not in (None, "none", "same-origin") and origin not in self._origins:
            raise ApiError(403, "pages of other sites may not use this server", code="origin_not_allowed")

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        if self._key is None or scope["path"] in _OPEN_PATHS:
            return
        kind, _, given = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._key):
            raise ApiError(
                401, "this server needs its key: Authorization: Bearer ...", code="invalid_api_key",
                headers={"www-authenticate": "Bearer"},
            )  # fmt: skip


def _check_content_type(headers: Headers) -> None:
    """A page may send a form anywhere without asking, but not JSON."""
    kind = headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise ApiError(
            415, f"Content-Type is {shown(kind)}, it must be application/json", param="content-type",
            code="unsupported_media_type",
        )  # fmt: skip
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise ApiError(415, "Content-Encoding is not supported", param="content-encoding", code="unsupported_encoding")


def _preflight(origin: str) -> Response:
    return Response(
        status_code=204,
        headers={
            "access-control-allow-origin": origin,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": _CORS_HEADERS,
            "access-control-max-age": "600",
            "vary": "Origin",
        },
    )


def _with_cors(send: Send, origin: str) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
            message["headers"] = [*message.get("headers", []), *more]
        await send(message)

    return answer
