"""`edge serve`: an OpenAI-compatible server over one loaded model (extra `serve`: starlette, uvicorn), and its parts
for programs that bring a local page or API of their own:

    settings = ServeSettings(model_name="mine", port=8080)
    listener = listening_socket(settings)
    app = Guard(my_starlette_app, settings, listener.getsockname()[1], lambda path, status: None)
    asyncio.run(serve_app(app, settings, listener, on_ready=..., on_stop=...))

`Guard` checks Host, Origin and key before anything else; `BodyReader` and `parse_json` read bodies within bounds;
`serve_app` ends clients that stand still. All but `ServeSettings` need the extra and are imported when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.serve.settings import ServeSettings

if TYPE_CHECKING:
    from edge.serve.api_error import ApiError
    from edge.serve.body import BodyReader, parse_json
    from edge.serve.disconnect import ClientGone
    from edge.serve.guard import Guard
    from edge.serve.hosting import listening_socket, serve_app

__all__ = [
    "ApiError",
    "BodyReader",
    "ClientGone",
    "Guard",
    "ServeSettings",
    "listening_socket",
    "parse_json",
    "serve_app",
]

_LAZY = {
    "ApiError": "api_error",
    "BodyReader": "body",
    "ClientGone": "disconnect",
    "Guard": "guard",
    "listening_socket": "hosting",
    "parse_json": "body",
    "serve_app": "hosting",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'edge.serve' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(f"edge.serve.{_LAZY[name]}"), name)
    globals()[name] = value  # next time without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
