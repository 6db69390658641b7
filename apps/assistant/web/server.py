"""Runs the page's server on loopback until a signal."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from collections.abc import Callable

from edge.assistant.assistant import Assistant
from edge.assistant.web.app import MAX_BODY, make_app
from edge.serve import ServeSettings, listening_socket, serve_app

__all__ = ["listening", "run_page", "serve_settings"]


def serve_settings(port: int) -> ServeSettings:
    """Loopback, and nothing else."""
    return ServeSettings(model_name="assistant", port=port, max_body=MAX_BODY, max_connections=64)


def listening(port: int) -> socket.socket:
    """Bound to loopback. RequestError: the port is taken."""
    return listening_socket(serve_settings(port))


def run_page(assistant: Assistant, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    """Serves until SIGTERM (returns 0) or SIGINT (130). on_ready: told the address, token included."""
    return asyncio.run(_serve(assistant, listener, on_ready))


async def _serve(assistant: Assistant, listener: socket.socket, on_ready: Callable[[str], None]) -> int:
    port: int = listener.getsockname()[1]
    token, settings = secrets.token_urlsafe(24), serve_settings(port)

    def stop(code: int) -> None:
        threading.Thread(target=assistant.close, daemon=True).start()

    return await serve_app(
        make_app(assistant, settings, port, token), settings, listener,
        lambda: on_ready(f"http://127.0.0.1:{port}/#{token}"), stop,
    )  # fmt: skip
