"""Runs the page's server on loopback until a signal."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import threading
from collections.abc import Callable

import uvicorn

from edge.assistant.assistant import Assistant
from edge.assistant.web.app import MAX_BODY, make_app
from edge.serve.protocol import bounded_protocol
from edge.serve.server import AnnouncedServer, listening_socket
from edge.serve.settings import ServeSettings

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
    config = uvicorn.Config(
        make_app(assistant, settings, port, token), http=bounded_protocol(settings), ws="none", lifespan="off",
        log_config=None, log_level="critical", access_log=False, server_header=False, proxy_headers=False,
        h11_max_incomplete_event_size=settings.max_head, timeout_keep_alive=int(settings.pause_seconds),
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = AnnouncedServer(config, lambda: on_ready(f"http://127.0.0.1:{port}/#{token}"))
    code = 0

    def stop(number: int) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        server.should_exit = True
        threading.Thread(target=assistant.close, daemon=True).start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    await server.serve(sockets=[listener])
    return code
