"""The ASGI application: which path is which endpoint, behind the guard."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from edge.serve.api import Api, Endpoint, error_response
from edge.serve.api_error import ApiError
from edge.serve.guard import Guard
from edge.serve.settings import ServeSettings


def make_app(api: Api, settings: ServeSettings, port: int) -> ASGIApp:
    """port: the one it is reached at, which Host headers name."""
    table: tuple[tuple[str, str, Endpoint], ...] = (
        ("GET", "/health", api.health),
        ("GET", "/metrics", api.show_metrics),
        ("GET", "/v1/models", api.models),
        ("GET", "/v1/models/{model:path}", api.one_model),
        ("POST", "/v1/chat/completions", api.chat),
        ("POST", "/v1/completions", api.complete),
        ("POST", "/v1/embeddings", api.embed),
        ("POST", "/tokenize", api.tokenize),
        ("POST", "/detokenize", api.detokenize),
    )
    paths = {path for _, path, _ in table}

    async def not_found(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        api.metrics.response("other", error.status_code)
        method = "method_not_allowed" if error.status_code == 405 else "not_found"
        message = f"{request.method} is not for this path" if error.status_code == 405 else "no such path"
        headers = {**(error.headers or {}), "connection": "close"}  # its body is not read
        return error_response(ApiError(error.status_code, message, code=method, headers=headers))

    app = Starlette(
        routes=[Route(path, api.guarded(endpoint, path), methods=[method]) for method, path, endpoint in table],
        exception_handlers={HTTPException: not_found},
    )
    app.router.redirect_slashes = False

    def on_refusal(path: str, status: int) -> None:
        api.metrics.response(path if path in paths else "other", status)

    return Guard(app, settings, port, on_refusal)
