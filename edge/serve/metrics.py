"""Counters of a server in Prometheus' text format. No text of a request or answer is in them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge.serve.choice import Choice

if TYPE_CHECKING:
    from edge.model import Model
    from edge.serve.gate import Gate

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class _Histogram:
    def __init__(self) -> None:
        self._counts = [0] * (len(_SECONDS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def lines(self, name: str) -> Iterator[str]:
        total = 0
        for bound, count in zip((*map(str, _SECONDS), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{bound}"}} {total}'
        yield f"{name}_sum {self._sum:.6f}"
        yield f"{name}_count {total}"


class Metrics:
    """May be told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._responses: Counter[tuple[str, int]] = Counter()
        self._prompt_tokens = self._cached_tokens = self._answer_tokens = self._disconnects = 0
        self._first_token = _Histogram()
        self._duration = _Histogram()

    def response(self, path: str, status: int) -> None:
        with self._lock:
            self._responses[path, status] += 1

    def disconnect(self) -> None:
        """A client went away before its answer had ended."""
        with self._lock:
            self._disconnects += 1

    def answers(self, choices: list[Choice], n: int, seconds: float) -> None:
        """The answers to one request, which took so long from its arrival on."""
        with self._lock:
            self._duration.observe(seconds)
            for choice in choices:
                if choice.completion is None:
                    continue
                usage = choice.completion.usage
                self._answer_tokens += usage.completion_tokens
                if choice.index % n == 0:
                    self._prompt_tokens += usage.prompt_tokens
                    self._cached_tokens += usage.cached_tokens
                    if choice.completion.timings.time_to_first_token is not None:
                        self._first_token.observe(choice.completion.timings.time_to_first_token)

    def text(self, model: Model, gate: Gate) -> str:
        """All series, counters since the start."""
        stats = model.stats
        with self._lock:
            lines: list[str] = []
            _family(lines, "edge_responses_total", "counter", "HTTP responses by path and status.")
            for (path, status), count in sorted(self._responses.items()):
                lines.append(f'edge_responses_total{{path="{path}",status="{status}"}} {count}')
            for name, kind, about, value in (
                ("edge_prompt_tokens_total", "counter", "Tokens of prompts answered.", self._prompt_tokens),
                ("edge_cached_tokens_total", "counter", "Of these, found in the KV cache.", self._cached_tokens),
                ("edge_answer_tokens_total", "counter", "Tokens of answers.", self._answer_tokens),
                ("edge_disconnects_total", "counter", "Clients gone before their answer ended.", self._disconnects),
                ("edge_queue_refused_total", "counter", "Requests refused: the queue was full.", gate.num_refused),
                ("edge_preemptions_total", "counter", "Answers set aside for others.", stats.preemptions),
                ("edge_swaps_total", "counter", "Of these, written to the disk.", stats.swaps),
                ("edge_answers_inside", "gauge", "Answers that run or wait.", gate.inside),
                ("edge_answers_running", "gauge", "Answers that share the engine's steps.", stats.running),
                ("edge_answers_waiting", "gauge", "Answers not begun.", stats.waiting),
                ("edge_answers_set_aside", "gauge", "Answers begun and set aside.", stats.preempted),
                ("edge_kv_blocks_used", "gauge", "KV blocks with an owner.", stats.blocks_used),
                ("edge_kv_blocks_free", "gauge", "KV blocks without one.", stats.blocks_free),
                ("edge_kv_cached_tokens", "gauge", "Tokens in free blocks, to be found.", stats.cached_tokens),
            ):  # fmt: skip
                _family(lines, name, kind, about)
                lines.append(f"{name} {value}")
            _family(lines, "edge_first_token_seconds", "histogram", "From the request to its first token.")
            lines += self._first_token.lines("edge_first_token_seconds")
            _family(lines, "edge_request_seconds", "histogram", "From the request to the end of its answers.")
            lines += self._duration.lines("edge_request_seconds")
        return "\n".join(lines) + "\n"


def _family(lines: list[str], name: str, kind: str, about: str) -> None:
    lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
