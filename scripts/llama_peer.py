"""llama.cpp in a process of its own, so that neither side's threads, memory or crashes reach the other's.

`LlamaPeer` starts this file as a child and sends it one JSON line for each thing to run. Needs llama-cpp-python
(scripts/install_llama.sh).
"""

from __future__ import annotations

import ctypes
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

MICRO_BATCH = 512  # its default: most tokens of a prompt that it computes at once


class LlamaPeer:
    """One model in llama.cpp, with the times of its steps in seconds. As `edge.bench.Steps`, but computing at a depth
    drops what lay behind it: measure deep things last. RuntimeError when the child ends.

    join: what the child calls before anything else, MemoryGroup.join for instance. maps: computes on the weights as the
    mapped file holds them, not on copies in its own layout."""

    def __init__(self, path: Path, context: int, join: Callable[[], None] | None = None, *, maps: bool = False) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "scripts.llama_peer", str(path), str(context), *(["--maps"] * maps)],
            cwd=Path(__file__).resolve().parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=join,
        )
        self._num_positions = 0
        self.threads = 1
        try:
            self.about: dict[str, str] = self._answer()
        except RuntimeError:
            self.close()
            raise

    def reach(self, depth: int) -> None:
        if self._num_positions < depth:
            self._run(self._num_positions, _chunks(depth - self._num_positions), all_logits=False)

    def prefill(self, num_tokens: int, depth: int) -> float:
        self.reach(depth)
        return sum(self._run(depth, _chunks(num_tokens), all_logits=False))

    def decode(self, num_tokens: int, depth: int) -> list[float]:
        self.reach(depth)
        return self._run(depth, [1] * num_tokens, all_logits=False)

    def step(self, num_tokens: int, depth: int) -> float:
        self.reach(depth)
        return self._run(depth, [num_tokens], all_logits=True)[0]

    def close(self) -> None:
        """Ends the child. Allowed twice."""
        assert self._child.stdin is not None and self._child.stdout is not None
        try:
            self._child.stdin.close()
        except BrokenPipeError:
            pass
        self._child.stdout.close()
        self._child.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, first: int, sizes: list[int], *, all_logits: bool) -> list[float]:
        assert self._child.stdin is not None
        request = {"first": first, "sizes": sizes, "all_logits": all_logits, "threads": self.threads}
        try:
            self._child.stdin.write(json.dumps(request) + "\n")
            self._child.stdin.flush()
        except BrokenPipeError:
            pass  # the answer that does not come says so
        seconds: list[float] = self._answer()["seconds"]
        self._num_positions = first + sum(sizes)
        return seconds

    def _answer(self) -> dict[str, Any]:
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"llama.cpp ended with exit code {self._child.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def _chunks(num_tokens: int) -> list[int]:
    return [min(MICRO_BATCH, num_tokens - start) for start in range(0, num_tokens, MICRO_BATCH)]


class _Server:
    """The child: a context of llama.cpp with its defaults, but no log, the threads it is told, and copies or none."""

    def __init__(self, path: str, context: int, maps: bool) -> None:
        self._llama: Any = importlib.import_module("llama_cpp")  # its stubs lag behind it
        self._quiet = self._llama.llama_log_callback(_ignore)  # must outlive the calls
        self._llama.llama_backend_init()
        self._llama.llama_log_set(self._quiet, None)
        model_params = self._llama.llama_model_default_params()
        model_params.use_extra_bufts = not maps
        model = self._llama.llama_model_load_from_file(path.encode(), model_params)
        if not model:
            raise SystemExit(f"llama.cpp does not load {path}")
        params = self._llama.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = context, MICRO_BATCH, MICRO_BATCH
        self._context = self._llama.llama_init_from_model(model, params)
        if not self._context:
            raise SystemExit(f"llama.cpp has no memory for a context of {context}")
        self._memory = self._llama.llama_get_memory(self._context)
        self._vocab_size = self._llama.llama_vocab_n_tokens(self._llama.llama_model_get_vocab(model))

    def about(self) -> dict[str, str]:
        system: bytes = self._llama.llama_print_system_info()
        version: str = self._llama.__version__
        return {"version": f"llama-cpp-python {version}", "system": system.decode().strip(" |")}

    def run(self, first: int, sizes: list[int], all_logits: bool, threads: int) -> list[float]:
        """Seconds of consecutive steps, the first of which begins at position `first`."""
        self._llama.llama_set_n_threads(self._context, threads, threads)
        self._llama.llama_memory_seq_rm(self._memory, 0, first, -1)
        return [self._step(first + sum(sizes[:i]), size, all_logits) for i, size in enumerate(sizes)]

    def _step(self, first: int, size: int, all_logits: bool) -> float:
        batch = self._llama.llama_batch_init(size, 0, 1)
        batch.n_tokens = size
        for i in range(size):
            batch.token[i] = (first + i) * 7919 % self._vocab_size
            batch.pos[i] = first + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = all_logits or i == size - 1
        started_at = time.perf_counter()
        status = self._llama.llama_decode(self._context, batch)
        self._llama.llama_synchronize(self._context)
        seconds = time.perf_counter() - started_at
        self._llama.llama_batch_free(batch)
        if status:
            raise SystemExit(f"llama_decode of {size} tokens at {first} returned {status}")
        return seconds


def _ignore(level: int, text: ctypes.c_char_p, user: ctypes.c_void_p) -> None:
    """llama.cpp's log goes nowhere."""


def main() -> None:
    server = _Server(sys.argv[1], int(sys.argv[2]), "--maps" in sys.argv[3:])
    print(json.dumps(server.about()), flush=True)
    for line in sys.stdin:
        print(json.dumps({"seconds": server.run(**json.loads(line))}), flush=True)


if __name__ == "__main__":
    main()
