"""Runs the application: a socket before the model is loaded, signals, an end within two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import uvicorn

from edge.errors import RequestError
from edge.serve.api import Api
from edge.serve.app import make_app
from edge.serve.protocol import bounded_protocol
from edge.serve.settings import ServeSettings

if TYPE_CHECKING:
    from edge.model import Model

_GRACE_SECONDS = 0.5  # for connections, when all answers have been ended
_LAST_SECONDS = 1.6  # from the signal on; then the process ends whatever some thread still does


def listening_socket(settings: ServeSettings) -> socket.socket:
    """Bound, not listening yet: clients are turned away until the model is loaded. RequestError: it cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host.strip("[]"), settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise RequestError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror or error}; --port takes another"
        ) from None
    return listener


def run_server(model: Model, settings: ServeSettings, listener: socket.socket, on_ready: Callable[[int], None]) -> int:
    """Serves until SIGTERM (returns 0) or SIGINT (130). on_ready: told the port when requests are taken."""
    return asyncio.run(_serve(model, settings, listener, on_ready))


async def _serve(
    model: Model, settings: ServeSettings, listener: socket.socket, on_ready: Callable[[int], None]
) -> int:
    port: int = listener.getsockname()[1]
    api = Api(model, settings)
    config = uvicorn.Config(
        make_app(api, settings, port),
        http=bounded_protocol(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # errors are ours to tell; a peer's bad bytes are none
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=settings.max_head,
        timeout_keep_alive=int(settings.pause_seconds),
        timeout_graceful_shutdown=1,
    )
    server = AnnouncedServer(config, lambda: on_ready(port))
    code = 0

    def stop(number: int) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        if not api.stopping:
            api.stopping = True
            _end_process_after(_LAST_SECONDS, code)
            server.should_exit = True
            # Answers end first, so that clients are told and connections become free.
            threading.Thread(target=api.close, args=(_GRACE_SECONDS,), daemon=True).start()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    try:
        await server.serve(sockets=[listener])
    finally:
        api.stopping = True
        if not api.close(_GRACE_SECONDS):
            _leave(code or 1)  # a thread still computes: closing the model below it would not be safe
    return code


class AnnouncedServer(uvicorn.Server):
    """Leaves signals to us, and says when it listens."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._on_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _end_process_after(seconds: float, code: int) -> None:
    timer = threading.Timer(seconds, _leave, args=(code,))
    timer.daemon = True
    timer.start()


def _leave(code: int) -> None:
    os._exit(code)
