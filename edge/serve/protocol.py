"""HTTP/1.1 connections that end when their peer stands still: uvicorn waits for ever for the rest of a request."""

from __future__ import annotations

import asyncio
import json
import math
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from edge.serve.api_error import ApiError
from edge.serve.settings import ServeSettings


class _Waiting(H11Protocol):
    """waits_since: since when a head is awaited, by the loop's clock; None: a request is being answered."""

    waits_since: float | None = None


def bounded_protocol(settings: ServeSettings) -> type[H11Protocol]:
    """A protocol class with the limits of these settings."""

    class BoundedProtocol(_Waiting):
        """The head of a request has a deadline from its first byte on, and so has a reader who does not read."""

        _deadline: asyncio.TimerHandle | None = None
        _stalled: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(cast("asyncio.Transport", transport))
            self._await_head()
            if len(self.connections) > settings.max_connections:
                self._make_room()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.transport.is_closing():
                self._head_came()
            elif self.conn.their_state is not h11.IDLE:
                self._head_came()
            elif self._deadline is None:
                self._await_head()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.conn.their_state is h11.IDLE:
                self.waits_since = self.loop.time()  # for as long as uvicorn keeps it alive

        def connection_lost(self, exc: Exception | None) -> None:
            self._head_came()
            self._is_read()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._is_read()
            self._stalled = self.loop.call_later(settings.pause_seconds, self.transport.abort)

        def resume_writing(self) -> None:
            self._is_read()
            super().resume_writing()

        def timeout_keep_alive_handler(self) -> None:
            super().timeout_keep_alive_handler()
            self._abort_later()

        def send_400_response(self, msg: str) -> None:
            body = json.dumps(ApiError(400, msg, code="bad_http").body).encode()
            headers = [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(body)).encode()),
                (b"connection", b"close"),
            ]
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                start = h11.Response(status_code=400, headers=headers, reason=b"Bad Request")
                for event in (start, h11.Data(data=body), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()
            self._abort_later()

        def _await_head(self) -> None:
            self._head_came()
            self.waits_since = self.loop.time()
            self._deadline = self.loop.call_later(settings.head_seconds, self.transport.abort)

        def _head_came(self) -> None:
            self.waits_since = None
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

        def _is_read(self) -> None:
            if self._stalled is not None:
                self._stalled.cancel()
                self._stalled = None

        def _abort_later(self) -> None:
            """close() alone waits until the peer has read everything."""
            self.loop.call_later(settings.pause_seconds, self.transport.abort)

        def _make_room(self) -> None:
            """Ends the connection that has kept its head to itself for longest; it may be this one."""
            waiting = [other for other in self.connections if isinstance(other, _Waiting)]
            min(waiting, key=_idle_since).transport.abort()

    return BoundedProtocol


def _idle_since(connection: _Waiting) -> float:
    return math.inf if connection.waits_since is None else connection.waits_since
