"""Half-sent requests, idle connections and readers that do not read: a good request is answered all the same."""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import time
from collections.abc import Generator

import pytest

from edge.serve import ServeSettings
from tests.serve.process import Server, serving
from tests.serve.wire import ask, connect, request

HALVES = 256
IDLE = 64
GOOD = b'{"messages": [{"role": "user", "content": "Set a timer for five minutes"}], "max_tokens": 2}'


@pytest.fixture
def peers() -> Generator[list[socket.socket]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2048)), hard))
    opened: list[socket.socket] = []
    yield opened
    for peer in opened:
        peer.close()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_half_sent_requests_keep_nobody_waiting(server: Server, peers: list[socket.socket]) -> None:
    full = request(server, "/v1/chat/completions", GOOD)
    cuts = (1, 20, len(full) - len(GOOD) - 2, len(full) - len(GOOD), len(full) - 1)
    for number in range(HALVES):
        peer = connect(server)
        peer.sendall(full[: cuts[number % len(cuts)]])
        peers.append(peer)
    peers += [connect(server) for _ in range(IDLE)]
    for _ in range(3):
        answer = ask(server, full)
        assert answer.status == 200 and answer.seconds < 1.0
    for peer in peers:
        peer.close()
    server.wait_for("edge_answers_inside", 0)


def test_half_sent_requests_are_cut_off(server: Server, peers: list[socket.socket]) -> None:
    limits = ServeSettings("m")
    full = request(server, "/v1/chat/completions", GOOD)
    peers += [connect(server) for _ in range(3)]
    peers[0].sendall(full[:30])  # in the head
    peers[1].sendall(full[: len(full) - 5])  # in the body
    began = time.monotonic()
    while time.monotonic() - began < limits.head_seconds - 2:  # bytes now and then do not help
        peers[0].sendall(b"x")
        time.sleep(0.5)
    for peer in peers:
        peer.settimeout(limits.pause_seconds + 5)
    assert _ends(peers[0])
    assert b" 408 " in peers[1].recv(4096)
    assert _ends(peers[2])
    assert time.monotonic() - began < limits.head_seconds + 5


def test_a_reader_who_does_not_read_is_left(server: Server, peers: list[socket.socket]) -> None:
    """Its answers end, its blocks are free, and in the end its connection is."""
    body = {
        "messages": [{"role": "user", "content": "Set a timer for five minutes"}],
        "n": 4, "max_tokens": 700, "stream": True, "logprobs": True, "top_logprobs": 20, "logit_bias": {"4": -100},
    }  # fmt: skip
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    peer.settimeout(20)
    peer.connect(("127.0.0.1", server.port))
    peers.append(peer)
    peer.sendall(request(server, "/v1/chat/completions", json.dumps(body).encode()))
    server.wait_for("edge_answers_inside", 4)
    server.wait_for("edge_answers_inside", 0, 60)
    assert server.metric("edge_kv_blocks_used") == 0
    time.sleep(ServeSettings("m").pause_seconds + 1)
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while more := peer.recv(1 << 20):
            received += more
    assert received and b"[DONE]" not in received  # what had been sent before it was cut off


def test_more_connections_than_allowed_push_the_idle_ones_out(peers: list[socket.socket]) -> None:
    limit = ServeSettings("m").max_connections
    with serving() as server:
        peers += [connect(server) for _ in range(limit + 50)]
        for _ in range(3):
            assert ask(server, request(server, "/health", method="GET")).seconds < 1.0
        assert server.num_descriptors < limit + 100


def _ends(peer: socket.socket) -> bool:
    try:
        return peer.recv(4096) == b""
    except ConnectionResetError:
        return True
