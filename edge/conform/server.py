"""The server that is asked: one request at a time, over the standard library."""

from __future__ import annotations

import http.client
import json
import time
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from edge.errors import EdgeError, RequestError

MAX_BYTES = 64 << 20  # of an answer
_TRIES = 8  # when the server says that it is busy


@dataclass(frozen=True, slots=True)
class Answer:
    """json: the value, or None where it is none. events: the values of a stream."""

    status: int
    text: str
    json: Any
    events: tuple[Any, ...] = ()

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def at(self, *path: str | int) -> Any:
        """What lies at a path of keys and indices; None where there is nothing."""
        value: Any = self.json
        for step in path:
            if isinstance(value, dict) and isinstance(step, str):
                value = cast("dict[str, Any]", value).get(step)
            elif isinstance(value, list) and isinstance(step, int):
                items = cast("list[object]", value)
                value = items[step] if step < len(items) else None
            else:
                return None
        return value

    @property
    def error(self) -> str:
        message = self.at("error", "message") or self.at("error") or self.at("message") or self.text
        return " ".join(str(message).split())[:200]


class Server:
    """url: of the server or of its /v1. RequestError: it is no URL. EdgeError: it cannot be reached."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = 120.0) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RequestError(f"{url!r} is not the URL of a server, like http://127.0.0.1:8080/v1")
        self.url = f"{parts.scheme}://{parts.netloc}"
        self._prefix = parts.path.rstrip("/").removesuffix("/v1")
        self._https = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._timeout = timeout
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None)

    def post(self, path: str, body: object) -> Answer:
        return self._ask("POST", path, json.dumps(body).encode())

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        for attempt in range(_TRIES):
            answer, wait = self._once(method, path, body)
            if answer.status not in (429, 503) or attempt == _TRIES - 1:
                return answer
            time.sleep(wait)
        raise AssertionError("unreachable")

    def _once(self, method: str, path: str, body: bytes | None) -> tuple[Answer, float]:
        kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=self._timeout)
        try:
            connection.request(method, self._prefix + path, body, self._headers)
            response = connection.getresponse()
            text = response.read(MAX_BYTES).decode(errors="replace")
            is_stream = "event-stream" in (response.getheader("content-type") or "")
            wait = response.getheader("retry-after") or ""
        except (OSError, http.client.HTTPException) as error:
            raise EdgeError(f"{self.url} does not answer {method} {path}: {error or type(error).__name__}") from None
        finally:
            connection.close()
        events = _events(text) if is_stream else ()
        return Answer(response.status, text, None if is_stream else _value(text), events), float(
            min(int(wait), 30) if wait.isdigit() else 1
        )


def _events(text: str) -> tuple[Any, ...]:
    lines = [line.removeprefix("data:").strip() for line in text.splitlines() if line.startswith("data:")]
    return tuple(value for value in map(_value, lines) if value is not None)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
