"""More than 200 hostile requests: 4xx with JSON within a second, and /health answers meanwhile."""

from __future__ import annotations

import threading
import time

from tests.serve.hostile import hostile_requests
from tests.serve.process import Server
from tests.serve.wire import ask, request


def test_hostile_requests(server: Server) -> None:
    ask(server, request(server, "/health", method="GET"))
    descriptors, threads = server.num_descriptors, server.num_threads
    slowest, ended = 0.0, threading.Event()

    def watch() -> None:
        nonlocal slowest
        while not ended.is_set():
            slowest = max(slowest, ask(server, request(server, "/health", method="GET")).seconds)
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    wrong: list[str] = []
    count = 0
    try:
        for name, data in hostile_requests(server):
            count += 1
            answer = ask(server, data)
            told = answer.json.get("error") if answer.headers.get("content-type") == "application/json" else None
            if not 400 <= answer.status < 500 or told is None or not told["message"] or answer.seconds > 1.0:
                wrong.append(f"{name}: {answer.status} {answer.body[:200]!r} after {answer.seconds:.2f} s")
    finally:
        ended.set()
        watcher.join()
    assert not wrong, "\n".join(wrong)
    assert count >= 200
    assert slowest < 1.0
    server.wait_for("edge_answers_inside", 0)
    assert server.metric("edge_kv_blocks_used") == 0
    deadline = time.monotonic() + 5
    while server.num_descriptors > descriptors:
        assert time.monotonic() < deadline, f"{server.num_descriptors} descriptors, {descriptors} before"
        time.sleep(0.05)
    assert server.num_threads <= threads + 2  # of the pool that reads requests, at most two


def test_a_refusal_names_the_field(server: Server) -> None:
    status, value = server.call("/v1/chat/completions", {"messages": [{"role": "user", "content": [{"type": "x"}]}]})
    assert status == 400 and value["error"]["param"] == "messages[0].content[0].type"
