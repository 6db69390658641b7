"""Answers as server-sent events: a chunk as soon as it is made, and signs of life while there is none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from edge.serve.api_error import as_api_error, logged
from edge.serve.disconnect import ClientGone, unless_gone
from edge.serve.job import Job
from edge.serve.reply import Reply
from edge.serve.requests import Ask

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # proxies would keep tokens back
]
_PROGRESS_SECONDS = 0.25


class EventStream:
    """An ASGI response. on_end is called once with the error it ended with (ClientGone: the client left), or None."""

    def __init__(
        self, job: Job, reply: Reply, ask: Ask, keep_alive: float, on_end: Callable[[BaseException | None], None]
    ) -> None:
        self._job = job
        self._reply = reply
        self._delivery = ask.delivery
        self._keep_alive = keep_alive
        self._on_end = on_end
        self._progress: tuple[int, int, int] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        error: BaseException | None = ClientGone()
        try:
            error = await unless_gone(receive, self._send_all(send))
        except ClientGone:
            pass
        finally:
            self._on_end(error)

    async def _send_all(self, send: Send) -> BaseException | None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send(_body(b"".join(_event(chunk) for chunk in self._reply.begin())))
        failure: BaseException | None = None
        try:
            await self._send_pieces(send)
        except Exception as error:
            failure, told = error, as_api_error(error)
            if told.status >= 500:
                logged(error)
            await send(_body(_event(told.body)))
        else:
            end = _event(self._reply.last()) if self._delivery.include_usage else b""
            await send(_body(end + b"data: [DONE]\n\n"))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return failure

    async def _send_pieces(self, send: Send) -> None:
        left = len(self._reply.choices)
        begun = False
        while left:
            shows_progress = self._delivery.return_progress and not begun
            pieces = await self._job.pieces(_PROGRESS_SECONDS if shows_progress else self._keep_alive)
            data = bytearray()
            for piece in pieces:
                begun = True
                if piece.token is not None:
                    chunks = self._reply.push(piece.index, piece.token)
                else:
                    assert piece.completion is not None
                    chunks = self._reply.end(piece.index, piece.completion)
                    left -= 1
                data += b"".join(map(_event, chunks))
            if not pieces:
                data += self._sign_of_life(shows_progress)
            if data:
                await send(_body(bytes(data)))

    def _sign_of_life(self, shows_progress: bool) -> bytes:
        prefill = self._job.prefill()
        if shows_progress and prefill is not None and prefill != self._progress:
            self._progress = prefill
            return _event(self._reply.progress(prefill, time.perf_counter() - self._job.began_at))
        if prefill is None:
            return b": queued\n\n"
        return b": alive\n\n" if prefill[1] == prefill[2] else f": prefill {prefill[1]}/{prefill[2]}\n\n".encode()


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(value, separators=(",", ":")).encode() + b"\n\n"


def _body(data: bytes) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": True}
