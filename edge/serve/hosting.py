"""Runs an ASGI application on a socket of this machine: limits for slow clients, signals, an orderly end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.types import ASGIApp

from edge.errors import RequestError
from edge.serve.protocol import bounded_protocol
from edge.serve.settings import ServeSettings


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


async def serve_app(
    app: ASGIApp,
    settings: ServeSettings,
    listener: socket.socket,
    on_ready: Callable[[], None],
    on_stop: Callable[[int], None],
) -> int:
    """Serves until SIGTERM (returns 0) or SIGINT (130); to be run in the main thread.

    on_ready is called when requests are taken. on_stop is called at every such signal with that number, on the event
    loop: it must return at once, and see to it that open answers end, for which there is a second. Nobody is asked who
    they are: that is what `Guard` around the application does.
    """
    config = uvicorn.Config(
        app,
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
    server = _AnnouncedServer(config, on_ready)
    code = 0

    def stop(number: int) -> None:
        nonlocal code
        code = 130 if number == signal.SIGINT else 0
        server.should_exit = True
        on_stop(code)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    await server.serve(sockets=[listener])
    return code


class _AnnouncedServer(uvicorn.Server):
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
