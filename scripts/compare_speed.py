"""Prefill and decode speed beside llama.cpp: same file, same threads, taking turns in one run.

python scripts/compare_speed.py FILE.gguf... [--threads N] [--rounds N] [--json]
needs llama-cpp-python (scripts/install_llama.sh); scripts/random_model.py makes files in real shapes.

Prints medians over the rounds and the ratio ours / llama.cpp. Each round: our prefill and decode, then the peer's.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import statistics
import time
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge import device
from edge.backends import Batch
from edge.backends.native import NativeBackend
from edge.formats.gguf import open_gguf

PROMPT, DECODE, CONTEXT = 512, 32, 1024


def _ignore(level: int, text: bytes, user: object) -> None:
    """llama.cpp's log goes nowhere."""


llama_cpp: Any = importlib.import_module("llama_cpp")  # its stubs lag behind it
_QUIET = llama_cpp.llama_log_callback(_ignore)  # must outlive the calls
Step = Callable[[list[int], int], None]  # (token ids, position of the first): runs one batch


def ours(path: Path, threads: int) -> tuple[Step, Callable[[], None], str]:
    with open_gguf(path) as file:
        backend = NativeBackend(file, context=CONTEXT, num_threads=threads, chunk=PROMPT)
    table = array("i", range(backend.limits.num_blocks))

    def step(tokens: list[int], start: int) -> None:
        backend.step(
            Batch(
                token_ids=array("i", tokens),
                positions=array("i", range(start, start + len(tokens))),
                sequences=array("i", [0] * len(tokens)),
                block_tables=table,
                table_stride=len(table),
                logit_rows=array("i", [len(tokens) - 1]),
            )
        )

    return step, backend.close, backend.name


def peer(path: Path, threads: int) -> tuple[Step, Callable[[], None]]:
    model = llama_cpp.llama_model_load_from_file(bytes(path), llama_cpp.llama_model_default_params())
    if not model:
        raise SystemExit(f"llama.cpp does not load {path}")
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_batch, params.n_ubatch = CONTEXT, PROMPT, PROMPT
    params.n_threads = params.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, params)
    memory = llama_cpp.llama_get_memory(context)

    def step(tokens: list[int], start: int) -> None:
        if start == 0:
            llama_cpp.llama_memory_clear(memory, True)
        ids = (ctypes.c_int32 * len(tokens))(*tokens)
        if llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(ids, len(tokens))):
            raise RuntimeError("llama_decode failed")
        llama_cpp.llama_synchronize(context)

    def close() -> None:
        llama_cpp.llama_free(context)
        llama_cpp.llama_model_free(model)

    return step, close


def measure(step: Step) -> tuple[float, list[float]]:
    """(prefill tok/s, decode tok/s of each token) for one prompt of PROMPT tokens."""
    tokens = [(i * 7919) % 255 + 1 for i in range(PROMPT + DECODE)]
    start = time.perf_counter()
    step(tokens[:PROMPT], 0)
    prefill = PROMPT / (time.perf_counter() - start)
    decode: list[float] = []
    for position in range(PROMPT, PROMPT + DECODE):
        start = time.perf_counter()
        step([tokens[position]], position)
        decode.append(1 / (time.perf_counter() - start))
    return prefill, decode


def compare(path: Path, threads: int, rounds: int) -> dict[str, Any]:
    our_step, our_close, name = ours(path, threads)
    peer_step, peer_close = peer(path, threads)
    sides = {"edge": our_step, "llama.cpp": peer_step}
    prefill: dict[str, list[float]] = {side: [] for side in sides}
    decode: dict[str, list[float]] = {side: [] for side in sides}
    for step in sides.values():
        measure(step)  # pages, caches, clocks
    for _ in range(rounds):
        for side, step in sides.items():
            speed, tokens = measure(step)
            prefill[side].append(speed)
            decode[side] += tokens
    our_close()
    peer_close()
    result: dict[str, Any] = {"file": path.name, "bytes": path.stat().st_size, "threads": threads, "isa": name}
    for phase, speeds in (("prefill", prefill), ("decode", decode)):
        medians = {side: statistics.median(values) for side, values in speeds.items()}
        result |= {f"{phase}_{side}_tok_s": round(value, 2) for side, value in medians.items()}
        result[f"{phase}_ratio"] = round(medians["edge"] / medians["llama.cpp"], 3)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=device.cpus().default_threads)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    llama_cpp.llama_backend_init()
    llama_cpp.llama_log_set(_QUIET, None)
    if not options.json:
        print(f"prefill of {PROMPT}, decode at {PROMPT}+ tokens; tok/s, medians; llama.cpp in the same run")
        print(f"{'file':40} {'prefill':>8} {'llama':>8} {'ratio':>6}   {'decode':>8} {'llama':>8} {'ratio':>6}")
    for path in options.files:
        row = compare(path, options.threads, options.rounds)
        if options.json:
            print(json.dumps(row), flush=True)
            continue
        cells = [
            f"{row[f'{p}_edge_tok_s']:8} {row[f'{p}_llama.cpp_tok_s']:8} {row[f'{p}_ratio']:6}"
            for p in ("prefill", "decode")
        ]
        print(f"{path.name:40} {'   '.join(cells)}   {row['isa']}, {row['threads']} threads", flush=True)


if __name__ == "__main__":
    main()
