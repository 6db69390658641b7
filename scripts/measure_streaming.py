"""Weights larger than the budget: peak against plan, and decode speed against what the disk gives, in one run.

python -m scripts.measure_streaming [SHAPE:TYPE] [--memory 400MiB] [--context 512] [--tokens 32] [--threads N]
                                    [--rounds 3] [--folder build/models] [--output FILE] [--peer]

SHAPE:TYPE (tinyllama-1.1b:Q4_0 if none, scripts/random_model.py) is made in --folder, if it is not there, with random
weights. A round is: the disk's bandwidth, reading up to 256 MiB of the packed file past the page cache with one thread
and with four, whichever is faster, best of three; then a process of its own that loads the model under --memory, fills
the context, answers, and says its peak. The share is (tokens/s x streamed bytes) / bandwidth: 1 when the disk is never
idle. A process before the first round packs the model, if it is not.

--peer: then the same twice in control groups of --memory bytes, once with edge and once with llama.cpp, which maps the
file and keeps no copies in its own layout, for which there is no room; nothing of it is in the page cache before. The
ratio is that of their decoded tokens/s in a round. Needs llama-cpp-python (scripts/install_llama.sh) and the right to
make control groups.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import edge
from edge import device, native
from edge.device import peak_memory_bytes
from edge.memory.budget import parse_bytes
from scripts.llama_peer import LlamaPeer
from scripts.memory_group import MemoryGroup, find_parent, forget_pages

MIB = 2**20
DISK_BYTES = 256 * MIB
DISK_THREADS = (1, 4)
Join = Callable[[], None]


def answer(path: str, options: dict[str, Any], num_tokens: int) -> dict[str, Any]:
    """What one process measures: a prompt that leaves room for `num_tokens` in the context, and as many tokens."""
    with edge.load(path, **options) as model:
        prompt = [(7919 * i + 13) % model.config.vocab_size for i in range(model.context - num_tokens)]
        done = model.generate(prompt, max_tokens=num_tokens, seed=1)
        weights = model.weights
        return {
            "plan_bytes": model.plan.total_bytes,
            "peak_bytes": peak_memory_bytes(),
            "decode_tok_s": done.timings.decode_tok_s,
            "prefill_tok_s": done.timings.prefill_tok_s,
            "num_tokens": done.usage.completion_tokens,
            "residency": weights.residency,
            "packed_file": weights.path,
            "packed_bytes": weights.packed_bytes,
            "streamed_bytes": weights.streamed_bytes,
            "streamed_layers": weights.streamed_layers,
            "direct": weights.direct,
            "load_seconds": model.load_seconds,
        }


def disk_bandwidth(path: Path) -> float:
    """Bytes a second, read as streams do. RuntimeError where the page cache cannot be passed by."""
    best, size = 0.0, min(path.stat().st_size, DISK_BYTES)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for num_threads in DISK_THREADS:
            with native.Threads(num_threads) as threads:
                for _ in range(3):
                    started_at = time.perf_counter()
                    with native.Region.load(descriptor, 0, size, threads) as region:
                        best = max(best, size / (time.perf_counter() - started_at))
                        if not region.is_direct:
                            raise RuntimeError(f"{path}: its file system refuses direct reads; choose another --folder")
    finally:
        os.close(descriptor)
    return best


def run_process(path: Path, options: dict[str, Any], num_tokens: int, join: Join | None = None) -> dict[str, Any]:
    """`answer` in a process of its own, in a control group if `join` is one's. RuntimeError with what it said when it
    fails."""
    command = [sys.executable, "-m", "scripts.measure_streaming", "--process", str(path), json.dumps(options)]
    done = subprocess.run([*command, str(num_tokens)], capture_output=True, text=True, preexec_fn=join)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def measure(path: Path, options: dict[str, Any], num_tokens: int, rounds: int) -> dict[str, Any]:
    """All rounds, and the medians of the shares. RuntimeError when everything fits."""
    first = run_process(path, options, num_tokens)
    if first["residency"] != "streamed":
        raise RuntimeError(f"{path}: its weights fit and are {first['residency']}; give it less --memory")
    found: list[dict[str, Any]] = []
    for number in range(rounds):
        disk = disk_bandwidth(Path(first["packed_file"]))
        result = run_process(path, options, num_tokens)
        result["disk_mb_s"] = disk / 1e6
        result["share"] = result["decode_tok_s"] * result["streamed_bytes"] / disk
        found.append(result)
        print(_line(number + 1, result), flush=True)
    report: dict[str, Any] = {
        "model": str(path),
        "options": options,
        "first_load": first,
        "rounds": found,
        "share": median(result["share"] for result in found),
        "decode_tok_s": median(result["decode_tok_s"] for result in found),
        "peak_over_plan_bytes": max(r["peak_bytes"] - r["plan_bytes"] for r in (first, *found)),
    }
    print(
        f"median: {report['decode_tok_s']:.2f} tok/s, {report['share']:.0%} of what the disk allows; "
        f"peak at most {report['peak_over_plan_bytes'] / MIB:+.1f} MiB of the plan, the load that packs included"
    )
    return report


def compare(path: Path, options: dict[str, Any], limit: int, num_tokens: int, rounds: int) -> dict[str, Any]:
    """Decoded tokens/s of edge and llama.cpp, each alone in a control group of `limit` bytes, and the median ratio."""
    parent = find_parent()
    if parent is None:
        raise RuntimeError("no control group can be made here")
    found: list[dict[str, float]] = []
    threads = options.get("threads") or device.cpus().default_threads
    for number in range(rounds):
        forget_pages(path, Path(f"{path}.edge-packed"))
        with MemoryGroup(parent, limit) as group:
            ours = run_process(path, options, num_tokens, group.join)["decode_tok_s"]
        forget_pages(path)
        with MemoryGroup(parent, limit) as group, LlamaPeer(path, options["context"], group.join, maps=True) as peer:
            peer.threads = threads
            seconds = peer.decode(num_tokens, options["context"] - num_tokens)
        found.append({"edge": ours, "llama.cpp": num_tokens / sum(seconds)})
        found[-1]["ratio"] = found[-1]["edge"] / found[-1]["llama.cpp"]
        print(
            f"round {number + 1} in {limit / MIB:.0f} MiB: {ours:.2f} / {found[-1]['llama.cpp']:.2f} tok/s"
            f" = {found[-1]['ratio']:.1f} of llama.cpp",
            flush=True,
        )
    return {"rounds": found, "ratio": median(each["ratio"] for each in found)}


def _line(number: int, result: dict[str, Any]) -> str:
    how = "past the page cache" if result["direct"] else "through the page cache"
    return (
        f"round {number}: peak {result['peak_bytes'] / MIB:.0f} of {result['plan_bytes'] / MIB:.0f} MiB planned, "
        f"{result['decode_tok_s']:.2f} tok/s, {result['streamed_bytes'] / MIB:.0f} of "
        f"{result['packed_bytes'] / MIB:.0f} MiB streamed {how} ({result['streamed_layers']} layers), "
        f"disk {result['disk_mb_s']:.0f} MB/s: {result['share']:.0%}"
    )


def main() -> None:
    if sys.argv[1:2] == ["--process"]:
        print(json.dumps(answer(sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4]))))
        return
    from scripts.random_model import write  # loads NumPy, which must not count in the process that is measured

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="tinyllama-1.1b:Q4_0")
    parser.add_argument("--memory", default="400MiB")
    parser.add_argument("--context", type=int, default=512)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/models"))
    parser.add_argument("--output", type=Path, default=None)
    parser.add_argument("--peer", action="store_true", help="llama.cpp in the same control group, too")
    arguments = parser.parse_args()
    shape, _, kind = arguments.model.partition(":")
    path = arguments.folder / f"{shape}-{kind}.gguf"
    if not path.exists():
        arguments.folder.mkdir(parents=True, exist_ok=True)
        write(shape, kind, path)
    options: dict[str, Any] = {"memory": arguments.memory, "context": arguments.context}
    if arguments.threads is not None:
        options["threads"] = arguments.threads
    report = measure(path, options, arguments.tokens, arguments.rounds)
    if arguments.peer:
        limit = parse_bytes(arguments.memory)
        report["peer"] = compare(path, options, limit, arguments.tokens, arguments.rounds)
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
