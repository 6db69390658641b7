"""Saves a session again and again until it is killed: `python -m tests.sessions.killed_writer FILE FIRST`.

Version N of the file holds the token N and blocks of bytes that depend on N. A line is printed before and after each.
"""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from edge.errors import SessionFileError
from edge.sessions import Fingerprint, SavedFile
from edge.sessions.layout import Contents
from edge.sessions.writer import write_saved
from tests.sessions.raw_session import FINGERPRINT

ROOT = Path(__file__).resolve().parents[2]
BLOCK_BYTES, NUM_BLOCKS = 1 << 18, 16  # 4 MiB: a save takes milliseconds
VOCAB_SIZE = 1 << 30
SAVES = 5  # of one writer at most; it is killed within the second


def contents_of(version: int) -> Contents:
    fields = {name: value if isinstance(value, (int, str)) else tuple(value) for name, value in FINGERPRINT.items()}
    fingerprint = replace(
        Fingerprint(**fields),  # type: ignore[arg-type]
        block_bytes=BLOCK_BYTES,
        block_size=1,
        vocab_size=VOCAB_SIZE,
    )
    return Contents("session", fingerprint, "model.gguf", "tiny", 0, (version,) * NUM_BLOCKS, "", ())


def blocks_of(version: int) -> list[bytes]:
    return [random.Random(f"{version}/{index}").randbytes(64) * (BLOCK_BYTES // 64) for index in range(NUM_BLOCKS)]


def save_until_killed(path: Path, first: int) -> None:
    for version in range(first, first + SAVES):
        contents, blocks = contents_of(version), blocks_of(version)
        print("saving", version, flush=True)
        write_saved(path, contents, NUM_BLOCKS, blocks)
        print("saved", version, flush=True)


def version_in(path: Path) -> int:
    """Which version a file holds. AssertionError when it is not whole, or not all of one version."""
    with SavedFile(path) as saved:
        version = saved.contents.tokens[0]
        assert replace(saved.contents, checksums=()) == contents_of(version)
        assert saved.contents.num_blocks == NUM_BLOCKS
        block = bytearray(BLOCK_BYTES)
        for index, wanted in enumerate(blocks_of(version)):
            saved.read_block(index, memoryview(block))
            assert block == wanted
    return version


def kill_once(path: Path, rng: random.Random, slowest_save: float) -> tuple[str, float]:
    """Starts a writer on a file that may be there, and kills it while it saves its second version.

    Gives what the file was found to hold, "old" or "new", and how long the first save took. AssertionError: neither.
    """
    first = version_in(path) + 1 if path.exists() else 1
    command = [sys.executable, "-m", "tests.sessions.killed_writer", str(path), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().split() == ["saving", str(first)]
            start = time.perf_counter()
            assert process.stdout.readline().split() == ["saved", str(first)]
            taken = time.perf_counter() - start
            assert process.stdout.readline().split() == ["saving", str(first + 1)]
            time.sleep(1.5 * rng.random() * max(slowest_save, taken))
        finally:
            process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    saved = [int(version) for word, version in zip(rest[::2], rest[1::2], strict=False) if word == "saved"]
    last = max(saved, default=first)
    try:
        found = version_in(path)
    except SessionFileError as error:
        raise AssertionError(f"killed while it saved version {last + 1}: {error}") from error
    assert found in (last, last + 1), f"version {found}, saved was {last}"
    return ("old" if found == last else "new"), taken


if __name__ == "__main__":
    save_until_killed(Path(sys.argv[1]), int(sys.argv[2]))
