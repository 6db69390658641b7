"""Runs the model's server: a socket before the model is loaded, and an end within two seconds."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.serve.api import Api
from edge.serve.app import make_app
from edge.serve.hosting import serve_app
from edge.serve.settings import ServeSettings

if TYPE_CHECKING:
    from edge.model import Model

_GRACE_SECONDS = 0.5  # for connections, when all answers have been ended
_LAST_SECONDS = 1.6  # from the signal on; then the process ends whatever some thread still does


def run_server(model: Model, settings: ServeSettings, listener: socket.socket, on_ready: Callable[[int], None]) -> int:
    """Serves until SIGTERM (returns 0) or SIGINT (130). on_ready: told the port when requests are taken."""
    return asyncio.run(_serve(model, settings, listener, on_ready))


async def _serve(
    model: Model, settings: ServeSettings, listener: socket.socket, on_ready: Callable[[int], None]
) -> int:
    port: int = listener.getsockname()[1]
    api = Api(model, settings)
    code = 0

    def stop(asked: int) -> None:
        nonlocal code
        code = asked
        if not api.stopping:
            api.stopping = True
            _end_process_after(_LAST_SECONDS, code)
            # Answers end first, so that clients are told and connections become free.
            threading.Thread(target=api.close, args=(_GRACE_SECONDS,), daemon=True).start()

    try:
        await serve_app(make_app(api, settings, port), settings, listener, lambda: on_ready(port), stop)
    finally:
        api.stopping = True
        if not api.close(_GRACE_SECONDS):
            _leave(code or 1)  # a thread still computes: closing the model below it would not be safe
    return code


def _end_process_after(seconds: float, code: int) -> None:
    timer = threading.Timer(seconds, _leave, args=(code,))
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    os._exit(code)
