"""Time and memory of quantising a file, beside llama.cpp's quantiser on the same file.

python -m scripts.compare_quantise [--shape SHAPE] [--type Q4_K_M] [--threads 2] [--rounds 3] [--folder build/models]

The source is a random F16 model, made once. Each side runs in a process of its own, in turns; seconds are those of the
whole process, memory is its largest resident set. Exit code 1 when edge takes over 1.5 times llama.cpp's least time, or
over 1.5 GiB.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import NamedTuple

from edge.quant.mixtures import FILE_TYPES
from scripts.random_model import SHAPES

MOST_TIMES = 1.5  # of llama.cpp's time
MOST_BYTES = 1536 << 20

_PEER = """
import ctypes, sys
import llama_cpp
params = llama_cpp.llama_model_quantize_default_params()
params.ftype, params.nthread = int(sys.argv[3]), int(sys.argv[4])
quiet = llama_cpp.llama_log_callback(lambda level, text, user: None)
llama_cpp.llama_log_set(quiet, None)
sys.exit(llama_cpp.llama_model_quantize(sys.argv[1].encode(), sys.argv[2].encode(), ctypes.byref(params)))
"""


class Run(NamedTuple):
    seconds: float
    peak_bytes: int


def run(arguments: list[str]) -> Run:
    """RuntimeError when the program fails."""
    start = time.perf_counter()
    child = os.posix_spawn(arguments[0], arguments, os.environ)
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise RuntimeError(f"{arguments[0]} {arguments[1]} ... ended with {os.waitstatus_to_exitcode(status)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Run(time.perf_counter() - start, usage.ru_maxrss * unit)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", default="tinyllama-1.1b", choices=SHAPES)
    parser.add_argument("--type", default="Q4_K_M", choices=FILE_TYPES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("build/models"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    source = options.folder / f"{options.shape}-F16.gguf"
    if not source.exists():  # in a process of its own: a child's largest resident set begins with its parent's
        run([sys.executable, "-m", "scripts.random_model", options.shape, "F16", str(source)])
    target, threads = options.folder / "quantised.gguf", str(options.threads)
    sides = {
        "edge": ["-m", "edge", "quantize", str(source), str(target), options.type, "--threads", threads, "--force",
                 "--no-measure"],
        "llama.cpp": ["-c", _PEER, str(source), str(target), str(FILE_TYPES[options.type]), threads],
    }  # fmt: skip
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    for _ in range(options.rounds):
        for name, arguments in sides.items():
            runs[name].append(run([sys.executable, *arguments]))
    target.unlink()
    print(f"{source.name} to {options.type}, {threads} threads, {options.rounds} rounds")
    for name, found in runs.items():
        seconds = [one.seconds for one in found]
        peak = max(one.peak_bytes for one in found) / 2**20
        print(f"{name:10} {min(seconds):7.2f} s least {statistics.median(seconds):7.2f} s median {peak:7.0f} MiB")
    times = min(one.seconds for one in runs["edge"]) / min(one.seconds for one in runs["llama.cpp"])
    peak_bytes = max(one.peak_bytes for one in runs["edge"])
    good = times <= MOST_TIMES and peak_bytes <= MOST_BYTES
    print(f"edge takes {times:.2f} of llama.cpp's time (at most {MOST_TIMES}): {'good' if good else 'NOT GOOD'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
