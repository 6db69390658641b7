"""The ASGI application: the page's files, the API behind its token, the event stream, and headers on everything."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import edge
from edge.assistant.assistant import Assistant
from edge.assistant.errors import Busy, Conflict, NotFound, StoreError
from edge.assistant.web.api import Api
from edge.assistant.web.events import event_stream
from edge.assistant.web.fields import BadField, Fields, query
from edge.serve import ApiError, BodyReader, ClientGone, Guard, ServeSettings, parse_json

__all__ = ["PAGE", "make_app"]

PAGE = Path(__file__).parents[1] / "page"
MAX_BODY = 256 << 10
_TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2",
}  # fmt: skip
_HEADERS = [
    (b"content-security-policy",
     b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
     b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"),
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]  # fmt: skip


def make_app(assistant: Assistant, settings: ServeSettings, port: int, token: str) -> ASGIApp:
    """port: the one it is reached at. token: what every request to /api/ must carry."""
    api, bodies = Api(assistant), BodyReader(settings)

    def get(path: str, answer: Callable[[], tuple[int, Any]]) -> Route:
        async def endpoint(request: Request) -> Response:
            query(request.query_params)
            return _json(*await run_in_threadpool(answer))

        return Route(path, _safe(endpoint), methods=["GET"])

    def one(path: str, answer: Callable[[int], tuple[int, Any]], method: str = "GET") -> Route:
        async def endpoint(request: Request) -> Response:
            query(request.query_params)
            return _json(*await run_in_threadpool(answer, _number(request)))

        return Route(path, _safe(endpoint), methods=[method])

    def post(path: str, answer: Callable[..., tuple[int, Any]], method: str = "POST") -> Route:
        async def endpoint(request: Request) -> Response:
            query(request.query_params)
            fields = Fields(parse_json(await bodies.read(request)))
            numbers = [_number(request)] if "number" in request.path_params else []
            return _json(*await run_in_threadpool(answer, *numbers, fields))

        return Route(path, _safe(endpoint), methods=[method])

    async def search(request: Request) -> Response:
        given = query(request.query_params, "q", "limit")
        limit = given.get("limit", "50")
        if not limit.isdigit() or not 1 <= int(limit[:9]) <= 200:
            raise BadField("limit must be a whole number from 1 to 200", "limit")
        return _json(*await run_in_threadpool(api.search, given.get("q", "")[:500], int(limit)))

    async def notes(request: Request) -> Response:
        given = query(request.query_params, "q")
        return _json(*await run_in_threadpool(api.notes, given.get("q", "")[:500]))

    async def stream(request: Request) -> Response:
        given = query(request.query_params, "after")
        after = request.headers.get("last-event-id") or given.get("after")
        if after is not None and not after.isdigit():
            raise BadField("after must be the number of an event", "after")
        return event_stream(assistant, None if after is None else int(after[:18]))

    turns, timers = "/api/turns/{number:int}", "/api/timers/{number:int}"
    routes = [
        get("/api/state", api.state),
        get("/api/conversations", api.conversations),
        post("/api/conversations", api.create),
        one("/api/conversations/{number:int}", api.conversation),
        post("/api/conversations/{number:int}", api.rename, "PATCH"),
        one("/api/conversations/{number:int}", api.remove, "DELETE"),
        post("/api/conversations/{number:int}/turns", api.start),
        post(f"{turns}/edit", api.edit),
        post(f"{turns}/retry", api.retry),
        post(f"{turns}/select", api.select),
        post(f"{turns}/stop", api.stop),
        post("/api/calls/{number:int}/consent", api.consent),
        Route("/api/search", _safe(search), methods=["GET"]),
        get("/api/timers", api.timers),
        post(f"{timers}/dismiss", api.dismiss),
        post(f"{timers}/snooze", api.snooze),
        post(f"{timers}/cancel", api.cancel),
        get("/api/home", api.home),
        Route("/api/notes", _safe(notes), methods=["GET"]),
        get("/api/lists", api.lists),
        get("/api/calendar", api.calendar),
        get("/api/tools", api.tools),
        get("/api/grants", api.grants),
        one("/api/grants/{number:int}", api.revoke, "DELETE"),
        get("/api/status", api.status),
        Route("/api/stream", _safe(stream), methods=["GET"]),
        *_page_routes(),
    ]

    async def not_found(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        text = f"{request.method} is not for this path" if error.status_code == 405 else "there is no such path"
        return _refusal(error.status_code, "not_found", text)

    app = Starlette(routes=routes, exception_handlers={HTTPException: not_found})
    app.router.redirect_slashes = False
    return _Headers(Guard(_Token(app, token), settings, port, lambda path, status: None))


class _Token:
    """Lets requests to /api/ through that carry the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_page(scope["path"]):
            given = dict(scope["headers"]).get(b"authorization", b"")
            kind, _, key = given.partition(b" ")
            if kind.lower() != b"bearer" or not hmac.compare_digest(key.strip(), self._token):
                response = _refusal(
                    401, "wrong_token", "open the address that the terminal shows: it has this start's token"
                )
                response.headers["connection"] = "close"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_page(path: str) -> bool:
    return path != "/api" and not path.startswith("/api/")


class _Headers:
    """Puts the security headers on every response, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name for name, _ in _HEADERS}
                own = [pair for pair in message.get("headers", []) if pair[0].lower() not in names]
                message["headers"] = [*own, *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers)


def _page_routes() -> list[Route]:
    """The files that are there now; a path of a request is looked up, never opened."""
    routes: list[Route] = []
    for file in sorted(PAGE.rglob("*")):
        kind = _TYPES.get(file.suffix)
        if kind is None or not file.is_file():
            continue
        path = f"/{file.relative_to(PAGE).as_posix()}"
        routes.append(Route(path, _file(file, kind), methods=["GET"]))
        if path == "/index.html":
            routes.append(Route("/", _file(file, kind), methods=["GET"]))
    return routes


def _file(file: Path, kind: str) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        return Response(await run_in_threadpool(file.read_bytes), media_type=kind)

    return endpoint


def _safe(endpoint: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        try:
            response: Response = await endpoint(request)
        except ClientGone:
            return Response(status_code=400)
        except BadField as error:
            return _refusal(error.status, error.code, error.message, error.field)
        except ApiError as error:
            return _refusal(error.status, error.code or "invalid_json", error.message, error.param)
        except NotFound as error:
            return _refusal(404, "not_found", str(error))
        except Busy as error:
            return _refusal(409, "busy", str(error))
        except Conflict as error:
            return _refusal(409, error.code, str(error))
        except StoreError as error:
            return _refusal(507, "cannot_store", str(error))
        except edge.EdgeError as error:
            return _refusal(400, "invalid_field", str(error))
        return response

    return answer


def _number(request: Request) -> int:
    number: int = request.path_params["number"]
    return min(number, 2**62)


def _json(status: int, value: Any) -> Response:
    return Response(status_code=status) if value is None else JSONResponse(value, status)


def _refusal(status: int, code: str, message: str, field: str | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "field": field}}, status)
