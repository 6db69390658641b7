"""The event stream: what the bus tells, status while somebody looks, and signs of life."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from edge.assistant.assistant import Assistant
from edge.assistant.bus import Event

__all__ = ["event_stream"]

_ALIVE_SECONDS = 5.0
_STATUS_SECONDS = 1.0
_MOST_WAITING = 8000  # events that a reader who does not read may leave


def event_stream(assistant: Assistant, after: int | None) -> StreamingResponse:
    """after: the last event that the reader has; None: from now on."""
    return StreamingResponse(_events(assistant, after), media_type="text/event-stream")


async def _events(assistant: Assistant, after: int | None) -> AsyncIterator[bytes]:
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue[Event]()

    def tell(event: Event) -> None:
        loop.call_soon_threadsafe(waiting.put_nowait, event)

    end = assistant.bus.subscribe(tell, assistant.bus.last if after is None else after)
    looked, alive, shown = 0.0, loop.time(), dict[str, Any]()
    try:
        yield b": connected\n\n"
        while waiting.qsize() < _MOST_WAITING:
            try:
                async with asyncio.timeout(_STATUS_SECONDS):
                    event = await waiting.get()
                yield _written(event)
                alive = loop.time()
                if not waiting.empty():
                    continue
            except TimeoutError:
                pass
            if loop.time() - looked >= _STATUS_SECONDS:
                looked = loop.time()
                status = await run_in_threadpool(assistant.status)
                if _differs(shown, status) or loop.time() - alive >= _ALIVE_SECONDS:
                    shown, alive = status, loop.time()
                    yield b"event: status\ndata: " + json.dumps(status).encode() + b"\n\n"
            if loop.time() - alive >= _ALIVE_SECONDS:
                alive = loop.time()
                yield b": alive\n\n"
    finally:
        end()


def _written(event: Event) -> bytes:
    return f"id: {event.id}\nevent: {event.name}\ndata: {event.data}\n\n".encode("utf-8", "replace")


def _differs(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether more changed than what always does."""
    return any(old.get(name) != new[name] for name in ("kv", "speed", "running"))
