"""Time from Enter to an executed action, and memory, of `edge assistant` with the bundled model, as the page sees it.

    python -m scripts.assistant_latency [--requests 50] [--json FILE]

A real process on loopback; each request is sent as the page sends it, and the event stream is read for the first call
that is done. Tools are allowed beforehand: what a person takes to consent is not counted. Every request stands in a
conversation of its own, so that nothing but the tool list is shared. Memory is the process's own peak (VmHWM).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.apps.assistant.page_server import PageServer, page_server

REQUESTS = (
    "set a timer for five minutes", "turn on the kitchen light", "what is 17 times 6", "add milk to the shopping list",
    "note that the car is due for a service", "remind me to call mum tomorrow at nine", "wake me at half past six",
    "set the bedroom to 19 degrees", "what time is it", "convert 10 miles to kilometers",
    "turn off the TV", "put yoga on tuesday at 6 pm in my calendar", "what's in my diary for friday",
)  # fmt: skip
ALLOWED = (
    "set_timer", "set_light", "add_to_list", "add_note", "add_reminder", "set_alarm", "set_heating", "set_socket",
    "add_event",
)  # fmt: skip


def one(server: PageServer, text: str) -> tuple[float, float] | None:
    """Seconds from sending to the first token of the answer, and to the first call done; None: nothing was called."""
    conversation = server.post("/api/conversations")["id"]
    with server.events(server.get("/api/state")["last_event"]) as events:
        began = time.perf_counter()
        turn = server.post(f"/api/conversations/{conversation}/turns", {"text": text})["id"]
        times: tuple[float, float] | None = None
        first = 0.0
        for name, data in events:
            if data.get("turn") == turn and name == "turn.prefill" and not first:
                first = time.perf_counter() - began
            if data.get("turn") == turn and name == "call.updated" and data["status"] == "done" and times is None:
                times = first, time.perf_counter() - began
            if name == "turn.ended" and data["id"] == turn:
                return times
    return None


def measure(requests: int) -> dict[str, Any]:
    options = [word for name in ALLOWED for word in ("--allow", name)]
    with tempfile.TemporaryDirectory() as folder, page_server(Path(folder), *options) as server:
        for text in REQUESTS[:3]:
            one(server, text)  # the tool list is read, and the interpreter has seen every path
        times = [one(server, REQUESTS[number % len(REQUESTS)]) for number in range(requests)]
        done = [each for each in times if each is not None]
        memory = server.get("/api/status")["memory"]
        uss = psutil.Process(server.process.pid).memory_full_info().uss
    first, action = [each[0] for each in done], [each[1] for each in done]
    return {
        "requests": requests,
        "acted": len(done),
        "first_token_ms": round(1000 * statistics.median(first), 1),
        "action_ms": round(1000 * statistics.median(action), 1),
        "action_ms_p90": round(1000 * statistics.quantiles(action, n=10)[-1], 1),
        "peak_mib": round(memory["peak"] / 2**20, 1),
        "own_mib": round(uss / 2**20, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50)
    parser.add_argument("--json", default=None)
    options = parser.parse_args()
    result = measure(options.requests)
    print(json.dumps(result, indent=1))
    if options.json:
        Path(options.json).write_text(json.dumps(result))


if __name__ == "__main__":
    main()
