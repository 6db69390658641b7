"""Exports again and again until it is killed: `python -m tests.export.killed_export FOLDER FILE FIRST`.

Version N of the file is the model of FOLDER with `general.version` N. A line is printed before and after each.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.export.export import export
from edge.export.hugging_face import HuggingFaceSource
from edge.export.source import SourceTensor
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.quant import encode

ROOT = Path(__file__).resolve().parents[2]
EXPORTS = 5  # of one writer at most; it is killed within the second


def _encode(tensor: SourceTensor, values: NDArray[np.float32], kind: str) -> bytes:
    return encode(GGMLType[kind], values)


def write_version(folder: Path, target: Path, version: int) -> Path:
    """One export, all of F32."""
    keys: dict[str, Any] = {"general.version": str(version)}
    with HuggingFaceSource(folder) as source:
        types = {tensor.name: "F32" for tensor in source.tensors}
        return export(source, target, types=types, encode=_encode, extra_metadata=keys)


def version_in(folder: Path, target: Path) -> int:
    """Which version a file holds. AssertionError unless it is byte for byte what a whole export of it writes."""
    with open_gguf(target) as file:
        version = int(file.get_str("general.version"))
    again = write_version(folder, target.with_name("again.gguf"), version)
    assert again.read_bytes() == target.read_bytes(), f"{target} is not a whole version {version}"
    return version


def kill_once(folder: Path, target: Path, rng: random.Random, slowest: float) -> tuple[str, float]:
    """Starts a writer on a file that may be there, and kills it while it writes its second version.

    Gives what the file was found to hold, "old" or "new", and how long the first export took. AssertionError: neither.
    """
    first = version_in(folder, target) + 1 if target.exists() else 1
    command = [sys.executable, "-m", "tests.export.killed_export", str(folder), str(target), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().split() == ["writing", str(first)]
            start = time.perf_counter()
            assert process.stdout.readline().split() == ["written", str(first)]
            taken = time.perf_counter() - start
            assert process.stdout.readline().split() == ["writing", str(first + 1)]
            time.sleep(1.2 * rng.random() * max(slowest, taken))
        finally:
            process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    written = [int(version) for word, version in zip(rest[::2], rest[1::2], strict=False) if word == "written"]
    last = max(written, default=first)
    found = version_in(folder, target)
    assert found in (last, last + 1), f"version {found}, written was {last}"
    return ("old" if found == last else "new"), taken


if __name__ == "__main__":
    for number in range(int(sys.argv[3]), int(sys.argv[3]) + EXPORTS):
        print("writing", number, flush=True)
        write_version(Path(sys.argv[1]), Path(sys.argv[2]), number)
        print("written", number, flush=True)
