"""A live `edge assistant` in a child process, spoken to as the page does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
START_SECONDS = 300  # the machine may be busy


class PageServer:
    """base: without a slash at its end."""

    def __init__(self, process: subprocess.Popen[str], base: str, token: str) -> None:
        self.process, self.base, self.token = process, base, token

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        token: str | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON."""
        data = None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.token if token is None else token}", **(headers or {})}
        if data is not None:
            given.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.base + path, data, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                text = response.read()
                return response.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def get(self, path: str) -> Any:
        status, value = self.call("GET", path)
        assert status == 200, (path, status, value)
        return value

    def post(self, path: str, body: Any = None) -> Any:
        status, value = self.call("POST", path, {} if body is None else body)
        assert status in (200, 201, 202), (path, status, value)
        return value

    @contextmanager
    def events(self, after: int) -> Generator[Iterator[tuple[str, Any]]]:
        """(name, data) as they come."""
        request = urllib.request.Request(
            f"{self.base}/api/stream?after={after}", headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:

            def read() -> Iterator[tuple[str, Any]]:
                name = ""
                for line in response:
                    text = line.decode().rstrip("\n")
                    if text.startswith("event: "):
                        name = text[7:]
                    elif text.startswith("data: "):
                        yield name, json.loads(text[6:])

            yield read()

    def ask(self, conversation: int, text: str, consent: str = "once") -> dict[str, Any]:
        """A request to its end, over the event stream, as the page follows it."""
        with self.events(self.get("/api/state")["last_event"]) as events:
            turn = self.post(f"/api/conversations/{conversation}/turns", {"text": text})
            for name, data in events:
                if name == "call.updated" and data["turn"] == turn["id"] and data["status"] == "asking":
                    self.post(f"/api/calls/{data['id']}/consent", {"answer": consent, "digest": data["digest"]})
                if name == "turn.ended" and data["id"] == turn["id"]:
                    return dict(data)
        raise AssertionError("the stream ended")


@contextmanager
def page_server(data: Path, *options: str, **environment: str) -> Generator[PageServer]:
    """With a database in `data`, on a free port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "assistant", "--port", "0", "--data", str(data), *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "EDGE_NO_CACHE": "1", **environment},
    )  # fmt: skip
    timer = threading.Timer(START_SECONDS, process.kill)
    timer.start()
    try:
        assert process.stdout is not None
        lines: list[str] = []
        address = ""
        for line in process.stdout:
            lines.append(line)
            if line.startswith("http://"):
                address = line.strip()
                break
        assert address, "".join(lines)
        timer.cancel()
        base, _, token = address.partition("/#")
        yield PageServer(process, base, token)
    finally:
        timer.cancel()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdout is not None:
            process.stdout.close()


def until(check: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What check gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)
    return value
