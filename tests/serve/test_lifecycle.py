"""Clients that go away, and servers that are told to end, at every stage of an answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import NAN_BYTE
from tests.serve.process import ROOT, Server, serving
from tests.serve.wire import connect, request


def _send(server: Server, *, stream: bool, words: int = 250) -> socket.socket:
    peer = connect(server)
    prompt = " ".join(f"light{time.monotonic_ns() % 997}" for _ in range(words))  # none that is cached
    body = {"prompt": prompt, "max_tokens": 700, "stream": stream}
    peer.sendall(request(server, "/v1/completions", json.dumps(body).encode()))
    return peer


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("wait", [0.0, 0.02, 0.06])  # an answer takes 0.15 s on a quick machine
def test_a_client_that_goes_frees_its_blocks(server: Server, stream: bool, wait: float) -> None:
    """In the prompt, in the answer."""
    gone = server.metric("edge_disconnects_total")
    peer = _send(server, stream=stream, words=100)
    server.wait_for("edge_answers_inside", 1)
    time.sleep(wait)
    peer.close()
    server.wait_for("edge_answers_inside", 0, 2.0)
    assert server.metric("edge_kv_blocks_used") == 0
    server.wait_for("edge_disconnects_total", gone + 1)


def test_a_client_that_goes_from_the_queue_leaves_it() -> None:
    with serving("--sequences", "1", "--queue", "4") as server:
        running = _send(server, stream=True, words=5)
        server.wait_for("edge_answers_running", 1)
        waiting = [_send(server, stream=bool(number % 2), words=5) for number in range(4)]
        server.wait_for("edge_answers_inside", 5)
        for peer in waiting:
            peer.close()
        server.wait_for("edge_answers_inside", 1, 2.0)
        assert server.metric("edge_answers_waiting") == 0
        assert running.recv(100)  # its answer goes on
        running.close()
        server.wait_for("edge_answers_inside", 0)


@pytest.mark.parametrize("stage", ["idle", "head", "body", "prompt", "answer", "queue"])
def test_sigterm_ends_it_within_two_seconds(stage: str) -> None:
    """`serving` measures that, and that the exit code is 0."""
    with serving("--sequences", "1") as server:
        peers: list[socket.socket] = []
        if stage in ("head", "body"):
            data = request(server, "/v1/completions", b'{"prompt": "a"}')
            peers.append(connect(server))
            peers[0].sendall(data[:10] if stage == "head" else data[:-3])
        elif stage != "idle":
            peers = [_send(server, stream=True) for _ in range({"prompt": 1, "answer": 1, "queue": 8}[stage])]
            server.wait_for("edge_answers_inside", len(peers))
            if stage == "answer":
                while b'"text"' not in peers[0].recv(4096):
                    pass
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert server.process.wait(10) == 0
        assert time.monotonic() - began < 2.0
        for peer in peers:
            peer.close()


def test_ctrl_c_returns_130() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "serve", "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert process.stdout is not None
    while "Ctrl-C ends it." not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    process.stdout.close()


def test_a_stream_is_told_that_the_server_ends() -> None:
    with serving("--sequences", "1") as server:
        peer = _send(server, stream=True, words=5)
        while b'"text"' not in peer.recv(4096):
            pass
        server.process.send_signal(signal.SIGTERM)
        rest = b""
        while more := peer.recv(65536):
            rest += more
        assert b'"code":"stopping"' in rest and b"[DONE]" not in rest
        peer.close()


def test_logits_that_are_no_numbers_are_an_error_and_the_server_lives(poisoned_model: Path) -> None:
    with serving(str(poisoned_model)) as server:
        for stream in (False, True):
            status, value = server.call("/v1/completions", {"prompt": f"abc{NAN_BYTE}", "stream": stream})
            if stream:
                assert status == 200 and "numerical_error" in value and "[DONE]" not in value
            else:
                assert status == 500 and value["error"]["code"] == "numerical_error"
        assert server.call("/health")[0] == 200
        server.wait_for("edge_answers_inside", 0)


def test_what_cannot_start_says_why() -> None:
    def error(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "edge", "serve", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, text = error("--port", str(taken.getsockname()[1]))
        assert code == 2 and "--port takes another" in text
    code, text = error("--host", "0.0.0.0")
    assert code == 2 and "a key is needed" in text
    code, text = error("--api-key", "short")
    assert code == 2 and "at least 16" in text


def test_a_service_is_printed_without_the_key() -> None:
    command = [sys.executable, "-m", "edge", "serve", "--print-service", "--memory", "1GiB", "--host", "0.0.0.0"]
    key = "k" * 20
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=60, env={**os.environ, "EDGE_API_KEY": key}
    )
    assert done.returncode == 0 and key not in done.stdout
    lines = done.stdout.splitlines()
    started = next(line for line in lines if line.startswith("ExecStart="))
    assert started.endswith("assistant.gguf --host 0.0.0.0 --memory 1GiB")
    assert f"MemoryMax={2**30 + 2**30 // 20}" in lines
    assert any(line.startswith("EnvironmentFile=") for line in lines)
