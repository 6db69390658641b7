"""Speed of an ONNX folder in edge's onnx backend and in onnxruntime-genai: same folder, same threads, same run.

    python -m scripts.compare_onnx                       random weights of 4 bits in the shape of SmolLM 135M
    python -m scripts.compare_onnx --folder model-onnx   a folder that is there

Each round measures both, now the one first, now the other: reading a prompt, then a greedy answer. Printed are
medians, and the median of the rounds' ratios (above 1: edge is faster), and peak memory of a process of edge's own
beside its plan.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edge.export.gguf_source import GGUFSource
from edge.export.onnx import OnnxOptions
from edge.export.onnx.export import export_onnx
from edge.loading import load
from scripts.random_model import SHAPES, write

CONTEXT, REST_SECONDS = 1024, 0.25


class Speed(NamedTuple):
    """Tokens a second."""

    prefill: float
    decode: float


def random_folder(shape: str, scratch: Path) -> Path:
    """A model of random Q4_0 weights in a real one's shape, exported: no weight is rounded twice."""
    path = scratch / f"{shape}.gguf"
    write(shape, "pure-Q4_0", path)
    with GGUFSource(path) as source:
        return export_onnx(source, scratch / "onnx", OnnxOptions(context=CONTEXT)).path


class Genai:
    """onnxruntime-genai on a folder: tokens and their text, as edge's answers have them."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._genai: Any = importlib.import_module("onnxruntime_genai")
        config = self._genai.Config(str(folder))
        options = {"intra_op_num_threads": threads, "inter_op_num_threads": 1}
        config.overlay(json.dumps({"model": {"decoder": {"session_options": options}}}))
        self._model = self._genai.Model(config)
        self._tokenizer = self._genai.Tokenizer(self._model)

    def run(self, prompt: list[int], count: int) -> Speed:
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=len(prompt) + count + 1, do_sample=False)
        generator, text = self._genai.Generator(self._model, params), self._tokenizer.create_stream()
        start = time.perf_counter()
        generator.append_tokens(np.array(prompt, np.int32))
        generator.generate_next_token()
        first = time.perf_counter()
        for _ in range(count):
            generator.generate_next_token()
            text.decode(generator.get_next_tokens()[0])
        end = time.perf_counter()
        return Speed(len(prompt) / (first - start), count / (end - first))


def rested(side: Callable[[], Speed]) -> Speed:
    """After a pause: threads of the other side go on spinning for a while, on the same cores."""
    time.sleep(REST_SECONDS)
    return side()


def edge_speed(model: Any, prompt: list[int], count: int) -> Speed:
    """As a user has it: engine, sampling and text with it."""
    done = model.generate(prompt, max_tokens=count + 1, temperature=0.0, stop=())
    if done.usage.completion_tokens != count + 1 or done.usage.cached_tokens:
        raise SystemExit("the answer ended early, or a prompt was read before: nothing to measure")
    timings = done.timings
    return Speed(timings.prefill_tok_s, timings.decode_tok_s)


_PEAK = """
import json, sys, edge
from edge.device import peak_memory_bytes
folder, context, threads, prompt = sys.argv[1], *map(int, sys.argv[2:5])
with edge.load(folder, context=context, threads=threads) as model:
    model.generate(list(range(1, prompt + 1)), max_tokens=16, temperature=0.0)
    print(json.dumps([peak_memory_bytes(), model.plan.total_bytes]))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=None)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="smollm-135m")
    parser.add_argument("--keep", type=Path, default=None, help="make the random folder here, and leave it")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--prompt", type=int, default=256)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--edge-first", action="store_true", help="load edge's model before genai's")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="compare-onnx-") as scratch:
        folder = arguments.folder
        if folder is None:
            place = Path(scratch) if arguments.keep is None else arguments.keep
            place.mkdir(exist_ok=True)
            folder = place / "onnx" if (place / "onnx").is_dir() else random_folder(arguments.shape, place)
        sizes = arguments.threads, arguments.prompt, arguments.tokens, arguments.rounds
        report = compare(folder, *sizes, edge_first=arguments.edge_first)
    if arguments.json:
        print(json.dumps(report))
        return 0
    for name in ("prefill", "decode"):
        row = report[name]
        speeds = f"edge {row['edge']:8.1f} tok/s   genai {row['genai']:8.1f} tok/s"
        low, high = row["quartiles"]
        print(f"{name:8} {speeds}   ratio {row['ratio']:.3f} ({low:.3f} to {high:.3f})")
    print(f"peak     {report['peak_bytes'] / 2**20:.0f} MiB of {report['plan_bytes'] / 2**20:.0f} MiB planned")
    return 0


def compare(
    folder: Path, threads: int, num_prompt: int, count: int, rounds: int, *, edge_first: bool = False
) -> dict[str, Any]:
    context = num_prompt + count + 2
    there = None if edge_first else Genai(folder, threads)
    found: list[tuple[Speed, Speed]] = []
    with load(folder, context=context, threads=threads) as model:
        there = Genai(folder, threads) if there is None else there
        vocab = model.step_backend.limits.vocab_size
        for number in range(rounds + 1):
            prompt = np.random.default_rng(number).integers(300, vocab, num_prompt).tolist()
            sides = [lambda: edge_speed(model, prompt, count), lambda: there.run(prompt, count)]  # noqa: B023
            speeds = [rested(side) for side in (sides if number % 2 else sides[::-1])]
            found.append((speeds[0], speeds[1]) if number % 2 else (speeds[1], speeds[0]))
    found = found[1:]  # the first round warms up
    report: dict[str, Any] = {"folder": str(folder), "threads": threads, "rounds": rounds}
    for name in ("prefill", "decode"):
        ours, theirs = ([getattr(speed, name) for speed in column] for column in zip(*found, strict=True))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        report[name] = {
            "edge": statistics.median(ours),
            "genai": statistics.median(theirs),
            "ratio": statistics.median(ratios),
            "quartiles": statistics.quantiles(ratios, n=4)[::2],
        }
    command = [sys.executable, "-c", _PEAK, str(folder), str(context), str(threads), str(num_prompt)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    report["peak_bytes"], report["plan_bytes"] = json.loads(output.splitlines()[-1])
    return report


if __name__ == "__main__":
    sys.exit(main())
