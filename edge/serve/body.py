"""A request's body: read within bounds of size and time, and parsed as strict JSON."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

from starlette.requests import Request
from starlette.types import Message

from edge.serve.api_error import ApiError, shown
from edge.serve.disconnect import ClientGone
from edge.serve.settings import ServeSettings

MAX_DEPTH = 64
MAX_VALUES = 1 << 18  # values of a document, keys not counted
_CLOSE = {"connection": "close"}  # what was not read is not read as the next request


class BodyReader:
    """Reads bodies; together they hold at most settings.max_bodies bytes."""

    def __init__(self, settings: ServeSettings) -> None:
        self._settings = settings
        self._held = 0

    async def read(self, request: Request) -> bytes:
        """The whole body. ApiError 413, 408 or 503: too large, too slow, too many at once. ClientGone."""
        limit = self._settings.max_body
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and int(announced[:20]) > limit:
            await self._drain(request)
            raise _too_large(limit)
        deadline = asyncio.get_running_loop().time() + self._settings.body_seconds
        body = bytearray()
        with self._holding() as hold:
            while True:
                message = await self._next(request, deadline)
                if message["type"] == "http.disconnect":
                    raise ClientGone
                chunk: bytes = message.get("body", b"")
                hold(len(chunk))
                body += chunk
                if len(body) > limit:
                    await self._drain(request)
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    return bytes(body)

    async def _next(self, request: Request, deadline: float) -> Message:
        left = deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, min(left, self._settings.pause_seconds))):
                return await request.receive()
        except TimeoutError:
            raise ApiError(408, "the body did not arrive in time", code="timeout", headers=_CLOSE) from None

    async def _drain(self, request: Request) -> None:
        """Lets a sender finish a little more, so that it reads the answer instead of a broken connection."""
        try:
            async with asyncio.timeout(0.5):
                while (await request.receive()).get("more_body", False):
                    pass
        except TimeoutError:
            pass

    @contextmanager
    def _holding(self) -> Generator[Any]:
        taken = 0

        def hold(size: int) -> None:
            nonlocal taken
            if self._held + size > self._settings.max_bodies:
                raise ApiError(
                    503, "too many request bodies at once", code="busy", headers={**_CLOSE, "retry-after": "1"}
                )
            taken += size
            self._held += size

        try:
            yield hold
        finally:
            self._held -= taken


def parse_json(body: bytes) -> Any:
    """The value of a JSON document. ApiError 400: not UTF-8, not JSON, NaN, a key twice, too deep, too many values."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise _bad(f"the body is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise _bad(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise _bad(f"the body is not JSON: {error}") from None
    _check(value)
    return value


def _check(value: object) -> None:
    stack: list[tuple[object, int]] = [(value, 1)]
    seen = 0
    while stack:
        item, depth = stack.pop()
        seen += 1
        if depth > MAX_DEPTH:
            raise _bad(f"the body is nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, float) and not math.isfinite(item):
            raise _bad("the body holds a number that is too large")
        if isinstance(item, dict):
            stack.extend((child, depth + 1) for child in cast("dict[str, object]", item).values())
        elif isinstance(item, list):
            stack.extend((child, depth + 1) for child in cast("list[object]", item))
        if seen + len(stack) > MAX_VALUES:
            raise _bad(f"the body holds more than {MAX_VALUES} values")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1) if len(keys) < 1000 else keys[0]
        raise _bad(f"the body has the key {shown(twice)} twice in one object")
    return values


def _no_constant(text: str) -> NoReturn:
    raise _bad(f"the body holds {text}, which is not JSON")


def _bad(message: str) -> ApiError:
    return ApiError(400, message, param="body", code="invalid_json")


def _too_large(limit: int) -> ApiError:
    return ApiError(413, f"the body is larger than {limit} bytes", param="body", code="too_large", headers=_CLOSE)
