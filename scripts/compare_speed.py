"""Speed beside llama.cpp: same file, same threads, taking turns in one run, read bandwidth measured in every round.

python -m scripts.compare_speed [FILE.gguf | SHAPE:TYPE]... [--threads 1,2] [--rounds 5] [--deep 4096] [--output FILE]

SHAPE:TYPE (tinyllama-1.1b:Q4_0, scripts/random_model.py) is made in --folder, if it is not there, with random weights.
Without any, the files of the README's table. Needs llama-cpp-python (scripts/install_llama.sh). A round is: bandwidth,
edge, llama.cpp. Prints medians over the rounds and ratios edge / llama.cpp, and writes them as JSON after every file;
scripts/speed_report.py makes a table and a plot of that.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Protocol

import edge
from edge import device
from edge.bench import StepBytes, Steps, step_matrix_bytes
from edge.errors import EdgeError
from edge.formats.gguf import open_gguf
from edge.native.measure import read_bandwidth
from scripts.llama_peer import MICRO_BATCH, LlamaPeer
from scripts.random_model import SHAPES, write

FILE_TYPES = ("Q8_0", "Q4_0", "Q4_K_M", "Q2_K", "TQ2_0", "TQ1_0")
TABLE = tuple(f"{shape}:{kind}" for shape in ("tinyllama-1.1b", "qwen2.5-0.5b") for kind in FILE_TYPES)
PROMPT, DECODE, REPEATS = 512, 32, 8  # tokens of a prompt and of a decode, single steps of each size
STEP_SIZES = (1, 4, 8)
MAX_SPREAD = 0.2  # of the middle half of decode steps; more is something else's work
OURS, PEER = "edge", "llama.cpp"


class Side(Protocol):
    """What takes turns; times in seconds, as edge.bench.Steps documents them."""

    def prefill(self, num_tokens: int, depth: int) -> float: ...
    def decode(self, num_tokens: int, depth: int) -> list[float]: ...
    def step(self, num_tokens: int, depth: int) -> float: ...


Samples = dict[str, dict[str, list[float]]]  # side -> case -> seconds


def shallow_cases(side: Side) -> Iterator[tuple[str, list[float]]]:
    """(case, seconds of each time): a prompt, then everything behind it."""
    yield "prefill", [side.prefill(PROMPT, 0)]
    yield "decode", side.decode(DECODE, PROMPT)
    for size in STEP_SIZES:
        yield f"step {size}", [side.step(size, PROMPT) for _ in range(REPEATS)]


def take_turns(
    sides: dict[str, Side],
    run: Callable[[Side], Iterator[tuple[str, list[float]]]],
    rounds: int,
    before: Callable[[], None],
) -> Samples:
    """Seconds of all rounds after one that does not count: it fetches pages and fills the KV in front."""
    samples: Samples = {name: {} for name in sides}
    for number in range(rounds + 1):
        if number:
            before()
        for name, side in sides.items():
            for case, seconds in run(side):
                if number:
                    samples[name].setdefault(case, []).extend(seconds)
    return samples


def compare(path: Path, threads: int, rounds: int, deep: int, peer: LlamaPeer, context: int) -> dict[str, Any]:
    """A row of the results: one file with one number of threads."""
    bandwidth: list[float] = []

    def measure_bandwidth() -> None:
        bandwidth.append(read_bandwidth(threads))

    def deep_cases(side: Side) -> Iterator[tuple[str, list[float]]]:
        yield "deep decode", side.decode(DECODE, deep)

    peer.threads = threads
    with edge.load(path, context=context, threads=threads, chunk=MICRO_BATCH, sequences=max(STEP_SIZES)) as model:
        backend = model.native_backend
        with open_gguf(path) as file:
            step_bytes = StepBytes(step_matrix_bytes(file), backend.kv_bytes_per_position)
        sides: dict[str, Side] = {OURS: Steps(backend), PEER: peer}
        samples = take_turns(sides, shallow_cases, rounds, measure_bandwidth)
        if deep:
            for side, cases in take_turns(sides, deep_cases, rounds, measure_bandwidth).items():
                samples[side] |= cases
        row = {
            "file": path.name,
            "file_bytes": path.stat().st_size,
            "threads": threads,
            "isa": model.isa,
            "residency": model.weights.residency,
            "kv_type": backend.kv_type,
        }
    return row | figures(samples, median(bandwidth), step_bytes, deep)


def figures(samples: Samples, bandwidth: float, step_bytes: StepBytes, deep: int) -> dict[str, Any]:
    """Medians of each side, and the ratios edge / llama.cpp; tokens per second, bytes per second."""
    sides = {name: _medians(cases) for name, cases in samples.items()}
    ratios = {key: sides[OURS][key] / sides[PEER][key] for key in sides[OURS] if key.endswith("tok_s")}
    shares = {"decode": (step_bytes.decode(DECODE, PROMPT), "decode_tok_s")}
    if deep:
        shares["deep_decode"] = (step_bytes.decode(DECODE, deep), "deep_decode_tok_s")
    return {
        "read_bytes_s": bandwidth,
        "limit_tok_s": bandwidth / shares["decode"][0],
        "share": {name: num_bytes * sides[OURS][key] / bandwidth for name, (num_bytes, key) in shares.items()},
        "ratio": ratios,
        **sides,
    }


def _medians(cases: dict[str, list[float]]) -> dict[str, float]:
    """prefill_tok_s, decode_tok_s, deep_decode_tok_s; step_4_cost: a step of 4 tokens, in steps of one; decode_spread:
    how far the middle half of the decode's steps lies apart, in medians."""
    result = {"prefill_tok_s": PROMPT / median(cases["prefill"])}
    for case in ("decode", "deep decode"):
        if case in cases:
            result[f"{case.replace(' ', '_')}_tok_s"] = 1 / median(cases[case])
    one = median(cases["step 1"])
    result |= {f"step_{size}_cost": median(cases[f"step {size}"]) / one for size in STEP_SIZES[1:]}
    low, _, high = quantiles(cases["decode"], n=4)
    return result | {"decode_spread": (high - low) / median(cases["decode"])}


def print_row(row: dict[str, Any], deep: int) -> None:
    name = f"{row['file']}, {row['threads']} thread{'s' * (row['threads'] != 1)}"
    print(f"{name}: {row['isa']}, reads {row['read_bytes_s'] / 1e9:.1f} GB/s")
    phases = {"prefill": f"prefill {PROMPT}", "decode": f"decode at {PROMPT}", "deep_decode": f"decode at {deep}"}
    for phase, label in phases.items():
        key = f"{phase}_tok_s"
        if key in row[OURS]:
            of = f", {100 * row['share'][phase]:.0f} % of the bandwidth" if phase in row["share"] else ""
            print(f"  {label:15} {row[OURS][key]:8.1f} / {row[PEER][key]:8.1f} tok/s = {row['ratio'][key]:.2f}x{of}")
    for size in STEP_SIZES[1:]:
        key = f"step_{size}_cost"
        print(f"  step of {size:<7} {row[OURS][key]:8.2f} / {row[PEER][key]:8.2f} steps of one", flush=True)
    if is_busy(row):
        print("  the machine was busy: decode steps of one kind differ too much to be compared", flush=True)


def is_busy(row: dict[str, Any]) -> bool:
    """Whether something else took so much of the machine that the row says little."""
    return any(float(row[side]["decode_spread"]) > MAX_SPREAD for side in (OURS, PEER))


def model_file(reference: str, folder: Path) -> Path:
    """The file that is named, or that is made. SystemExit: neither."""
    shape, colon, kind = reference.partition(":")
    if not colon:
        return Path(reference)
    if shape not in SHAPES:
        raise SystemExit(f"{reference}: no shape is called {shape}; there are {', '.join(SHAPES)}")
    path = folder / f"{shape}-{kind}.gguf"
    if not path.exists():
        print(f"making {path}", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            write(shape, kind, path)
        except ValueError as error:
            raise SystemExit(f"{reference}: {error}") from None
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=TABLE, metavar="FILE | SHAPE:TYPE")
    parser.add_argument("--threads", default=str(device.cpus().default_threads), help="numbers with commas between")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--deep", type=int, default=4096, help="depth of the second decode; 0: none")
    parser.add_argument("--folder", type=Path, default=Path("build/models"), help="where models are made")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    options = parser.parse_args()
    threads = [int(number) for number in options.threads.split(",")]
    context = max(options.deep + DECODE, PROMPT + DECODE)
    context += -context % 256  # llama.cpp rounds up to that
    cpus = device.cpus()
    results: dict[str, Any] = {
        "edge": edge.__version__, "cpu": cpus.model, "cores": cpus.num_allowed_cores, "machine": cpus.machine,
        "rounds": options.rounds, "prompt": PROMPT, "decode": DECODE, "deep": options.deep, "rows": [],
    }  # fmt: skip
    for reference in options.models:
        path = model_file(reference, options.folder)
        try:
            with LlamaPeer(path, context) as peer:
                results["llama.cpp"] = peer.about
                for number in threads:
                    row = compare(path, number, options.rounds, options.deep, peer, context)
                    results["rows"].append(row)
                    print_row(row, options.deep)
        except (EdgeError, RuntimeError) as error:
            raise SystemExit(f"{path}: {error}") from None
        if options.output is not None:
            options.output.parent.mkdir(parents=True, exist_ok=True)
            options.output.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
