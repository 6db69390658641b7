"""Many clients at once, half of whom go away at random times; what the others get must be what each gets alone."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from tests.serve.process import Server
from tests.serve.wire import ask, connect, request

NUM_DIFFERENT = 24  # requests, each asked again and again


@dataclass(slots=True)
class Tally:
    """answered and equal: those who stayed. busy: told to come later, and they came."""

    answered: int = 0
    aborted: int = 0
    busy: int = 0
    wrong: list[str] = field(default_factory=list[str])


def different_requests(seed: int) -> list[tuple[str, dict[str, Any]]]:
    """(path, body): chats, completions, hot and cold, with and without tools and stop strings, short and long."""
    rng = random.Random(seed)
    made: list[tuple[str, dict[str, Any]]] = []
    for number in range(NUM_DIFFERENT):
        words = " ".join(rng.choice(("light", "kitchen", "timer", "five", "off", "music", "list")) for _ in range(3))
        body: dict[str, Any] = {"max_tokens": rng.choice((1, 8, 40, 120)), "seed": number}
        body["temperature"] = rng.choice((0.0, 0.7, 1.5))
        if number % 3 == 0:
            made.append(("/v1/completions", body | {"prompt": words * rng.choice((1, 20)), "n": rng.choice((1, 1, 3))}))
        else:
            body["messages"] = [{"role": "user", "content": f"please {words} number {number}"}]
            if number % 3 == 1:
                body["tools"] = [{"name": "set_light", "description": words}]
            made.append(("/v1/chat/completions", body))
    return made


def solo_answers(server: Server, requests: list[tuple[str, dict[str, Any]]]) -> list[Any]:
    """What each is answered when nobody else asks."""
    answers: list[Any] = []
    for path, body in requests:
        status, value = server.call(path, body)
        assert status == 200, value
        answers.append(essence(value))
    return answers


def essence(value: Any) -> Any:
    """Of an answer, what does not depend on when it was given."""
    choices: list[Any] = []
    for choice in value["choices"]:
        message = choice.get("message", {})
        calls = [call["function"] for call in message.get("tool_calls", ())]
        choices.append([choice["index"], choice.get("text", message.get("content")), calls, choice["finish_reason"]])
    usage = value["usage"]
    return [choices, usage["prompt_tokens"], usage["completion_tokens"]]


def run_load(server: Server, *, num_requests: int, num_clients: int, seed: int) -> Tally:
    """Half of the requests are aborted; all clients have ended when this returns."""
    requests = different_requests(seed)
    expected = solo_answers(server, requests)
    tally, lock = Tally(), threading.Lock()
    left = iter(range(num_requests))

    def client(number: int) -> None:
        rng = random.Random(seed * 1000 + number)
        while True:
            with lock:
                if next(left, None) is None:
                    return
            which = rng.randrange(len(requests))
            path, body = requests[which]
            streams = rng.random() < 0.5
            data = request(server, path, json.dumps(body | {"stream": streams}).encode())
            try:
                if rng.random() < 0.5:
                    _abort(server, data, rng)
                    with lock:
                        tally.aborted += 1
                else:
                    _stay(server, path, body, expected[which], tally, lock)
            except Exception as error:
                with lock:
                    tally.wrong.append(f"{path} {body}: {type(error).__name__}: {error}")

    clients = [threading.Thread(target=client, args=(number,)) for number in range(num_clients)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    return tally


def _abort(server: Server, data: bytes, rng: random.Random) -> None:
    """Goes away while it sends, waits in the queue, or reads."""
    with connect(server) as peer:
        if rng.random() < 0.1:
            peer.sendall(data[: rng.randrange(1, len(data))])
            return
        peer.sendall(data)
        peer.settimeout(rng.choice((0.001, 0.01, 0.05, 0.2)))
        with_reset = rng.random() < 0.5
        try:
            peer.recv(rng.choice((1, 400)))
        except TimeoutError:
            pass
        if with_reset:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def _stay(server: Server, path: str, body: dict[str, Any], expected: Any, tally: Tally, lock: threading.Lock) -> None:
    data = request(server, path, json.dumps(body).encode())
    while True:
        answer = ask(server, data)
        if answer.status != 429:
            break
        assert int(answer.headers["retry-after"]) >= 1
        with lock:
            tally.busy += 1
        time.sleep(0.05)
    with lock:
        if answer.status != 200 or essence(answer.json) != expected:
            tally.wrong.append(f"{path} {body}: {answer.status} {answer.body[:300]!r}, alone {expected}")
        else:
            tally.answered += 1


def check_nothing_is_left(server: Server, descriptors: int, threads: int) -> None:
    """All places, blocks, descriptors and threads are free again."""
    server.wait_for("edge_answers_inside", 0, 10)
    for name in ("running", "waiting", "set_aside"):
        assert server.metric(f"edge_answers_{name}") == 0
    assert server.metric("edge_kv_blocks_used") == 0
    deadline = time.monotonic() + 10
    while server.num_descriptors > descriptors or server.num_threads > threads:
        assert time.monotonic() < deadline, (
            f"{server.num_descriptors} descriptors and {server.num_threads} threads, {descriptors} and {threads} before"
        )
        time.sleep(0.05)
