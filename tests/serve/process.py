"""A live `edge serve` in a child process, and what the system says of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 120  # the machine may be busy


@dataclass(frozen=True, slots=True)
class Server:
    process: subprocess.Popen[str]
    base: str
    output: str  # what it printed when it was ready

    @property
    def port(self) -> int:
        return int(self.base.rpartition(":")[2])

    def call(
        self, path: str, body: object = None, headers: Mapping[str, str] | None = None, *, raw: bytes | None = None
    ) -> tuple[int, Any]:
        """Status and JSON of one request; text where it is not JSON."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, dict(headers or {}))
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, _value(response.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _value(error.read())

    def metric(self, name: str) -> float:
        _, text = self.call("/metrics")
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        assert found, f"no {name} in\n{text}"
        return float(found[1])

    def wait_for(self, name: str, value: float, seconds: float = 5.0) -> None:
        """Until a metric has this value; an assertion with the last one when it never has."""
        deadline = time.monotonic() + seconds
        while (seen := self.metric(name)) != value:
            assert time.monotonic() < deadline, f"{name} is {seen}, wanted {value}"
            time.sleep(0.02)

    @property
    def num_descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    @property
    def num_threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))


@contextmanager
def serving(*arguments: str, environment: Mapping[str, str] | None = None) -> Generator[Server]:
    """Started with --port 0 and these arguments; ended by SIGTERM, which must take at most two seconds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "serve", "--port", "0", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        lines: list[str] = []
        while not lines or "Ctrl-C ends it." not in lines[-1]:
            line = process.stdout.readline()
            assert line, f"the server ended: {process.stderr.read()}"
            lines.append(line)
        base = re.search(r"http://[^/]+", lines[0])
        assert base
        yield Server(process, base[0], "".join(lines))
        code = process.poll()
        assert code in (None, 0), f"the server died with {code}: {process.stderr.read()}"
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 2.0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
    assert "Traceback" not in errors, errors


def _value(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data.decode()
