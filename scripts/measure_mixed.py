"""A stream that is read while a long prompt is computed beside it: what each costs the other.

python -m scripts.measure_mixed [FILE.gguf | SHAPE:TYPE] [--threads 2] [--prompt 2000] [--rounds 3] [--output FILE]

SHAPE:TYPE (tinyllama-1.1b:Q4_0 when nothing is named) is made in --folder, if it is not there, with random weights. Two
threads share the model, as in a server. A round measures each alone and then both together, under both schedules:

latency      seconds per token of the stream while the prompt is computed, against the stream alone, as medians and 99th
             percentiles; and the prompt's tokens per second, against the prompt alone
throughput   stream and prompt one after the other, against both together: seconds until both have ended
"""

from __future__ import annotations

import argparse
import json
import math
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import edge
from edge import device
from edge.errors import EdgeError
from scripts.compare_speed import model_file

DEFAULT = "tinyllama-1.1b:Q4_0"
STREAM_PROMPT = 16  # tokens; a stream needs a prompt too
BEFORE = 8  # tokens that a stream has been read for when the prompt comes


@dataclass(frozen=True, slots=True)
class Mixed:
    """Of one schedule: seconds per token of a stream, tokens per second of a prompt, seconds for both."""

    solo_median: float
    solo_p99: float
    mixed_median: float
    mixed_p99: float
    prompt_alone_tok_s: float
    prompt_mixed_tok_s: float
    apart_seconds: float
    together_seconds: float

    @property
    def slowdown(self) -> float:
        """Of a token at the 99th percentile, in median tokens of the stream alone."""
        return self.mixed_p99 / self.solo_median

    @property
    def prompt_share(self) -> float:
        return self.prompt_mixed_tok_s / self.prompt_alone_tok_s

    @property
    def total_share(self) -> float:
        """Work per second together, against one after the other."""
        return self.apart_seconds / self.together_seconds


class Measured:
    """A loaded model that two threads use. Random weights must not end an answer."""

    def __init__(self, model: edge.Model, prompt: int, seed: int) -> None:
        self._model = model
        self._num_prompt = prompt
        self._random = random.Random(seed)
        self._forbidden = dict.fromkeys(model.tokenizer.eog_ids, -math.inf)

    def stream(self, num_tokens: int | None = None) -> Iterator[float]:
        """The time of every token: seconds of one clock."""
        prompt = self._tokens(STREAM_PROMPT)
        with self._model.stream(prompt, max_tokens=num_tokens, logit_bias=self._forbidden) as stream:
            for _ in stream:
                yield time.perf_counter()

    def prompt(self) -> float:
        """Seconds until a prompt that is new to the model has its first token."""
        prompt = self._tokens(self._num_prompt)
        start = time.perf_counter()
        self._model.generate(prompt, max_tokens=1, logit_bias=self._forbidden)
        return time.perf_counter() - start

    def both(self, num_tokens: int | None) -> tuple[list[float], float, float]:
        """A stream (None: as long as the prompt takes), and the prompt when it has begun.

        (seconds of each of its tokens meanwhile, seconds of the prompt, seconds until both have ended).
        """
        seconds: list[float] = []
        thread = threading.Thread(target=lambda: seconds.append(self.prompt()))
        times: list[float] = []
        start = time.perf_counter()
        for now in self.stream(num_tokens):
            times.append(now)
            if len(times) == BEFORE:
                thread.start()
            elif num_tokens is None and len(times) > BEFORE and not thread.is_alive():
                break
        thread.join()
        return _gaps(times[BEFORE:-1]), seconds[0], time.perf_counter() - start

    def _tokens(self, count: int) -> list[int]:
        return [self._random.randrange(self._model.config.vocab_size) for _ in range(count)]


def measure(path: Path, schedule: str, *, threads: int | None, prompt: int, tokens: int, rounds: int) -> Mixed:
    """Medians over the rounds; percentiles are of all tokens of all rounds. EdgeError: what the model says."""
    solo: list[float] = []
    mixed: list[float] = []
    alone_s, mixed_s, apart, together = list[float](), list[float](), list[float](), list[float]()
    context = prompt + tokens + STREAM_PROMPT + 32
    with edge.load(path, context=context, threads=threads, sequences=2, schedule=schedule) as model:
        for number in range(rounds + 1):  # the first fetches pages, and does not count
            measured = Measured(model, prompt, number)
            start = time.perf_counter()
            times = list(measured.stream(tokens))
            stream_seconds = time.perf_counter() - start
            prompt_seconds = measured.prompt()
            gaps, beside, both_seconds = measured.both(None if schedule == "latency" else tokens)
            if number:
                solo += _gaps(times[BEFORE:])
                mixed += gaps
                alone_s.append(prompt_seconds)
                mixed_s.append(beside)
                apart.append(stream_seconds + prompt_seconds)
                together.append(both_seconds)
    return Mixed(
        solo_median=median(solo),
        solo_p99=_p99(solo),
        mixed_median=median(mixed),
        mixed_p99=_p99(mixed),
        prompt_alone_tok_s=prompt / median(alone_s),
        prompt_mixed_tok_s=prompt / median(mixed_s),
        apart_seconds=median(apart),
        together_seconds=median(together),
    )


def _gaps(times: list[float]) -> list[float]:
    return [after - before for before, after in zip(times, times[1:], strict=False)]


def _p99(values: list[float]) -> float:
    return quantiles(values, n=100, method="inclusive")[-1]


def lines(schedule: str, result: Mixed) -> list[str]:
    if schedule == "throughput":
        return [
            f"throughput: {result.apart_seconds:.2f} s one after the other, {result.together_seconds:.2f} s together: "
            f"{100 * result.total_share:.0f} % of the work a second"
        ]
    return [
        f"latency: a token {1e3 * result.solo_median:.1f} ms alone ({1e3 * result.solo_p99:.1f} at the 99th percentile)"
        f", {1e3 * result.mixed_median:.1f} ms beside a prompt ({1e3 * result.mixed_p99:.1f}): "
        f"{result.slowdown:.2f}x at the 99th percentile",
        f"         prompt {result.prompt_alone_tok_s:.1f} tok/s alone, {result.prompt_mixed_tok_s:.1f} beside the "
        f"stream: {100 * result.prompt_share:.0f} %",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default=DEFAULT, metavar="FILE | SHAPE:TYPE")
    parser.add_argument("--threads", type=int, default=device.cpus().default_threads)
    parser.add_argument("--prompt", type=int, default=2000, help="tokens of the long prompt")
    parser.add_argument("--tokens", type=int, default=128, help="of a stream alone, and under throughput")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/models"), help="where models are made")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    path = model_file(options.model, options.folder)
    cpus = device.cpus()
    print(
        f"{path.name}, {options.threads} threads of {cpus.model}, prompt of {options.prompt}, {options.rounds} rounds"
    )
    results: dict[str, Any] = {
        "file": path.name, "cpu": cpus.model, "threads": options.threads, "prompt": options.prompt,
        "rounds": options.rounds,
    }  # fmt: skip
    for schedule in ("latency", "throughput"):
        try:
            result = measure(
                path,
                schedule,
                threads=options.threads,
                prompt=options.prompt,
                tokens=options.tokens,
                rounds=options.rounds,
            )
        except EdgeError as error:
            raise SystemExit(f"{path}: {error}") from None
        results[schedule] = asdict(result)
        print("\n".join(lines(schedule, result)), flush=True)
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
