"""A thousand requests of all kinds leave nothing behind: memory, descriptors, blocks, entries of any container."""

from __future__ import annotations

import gc
import os
import random
from array import array
from collections import deque
from pathlib import Path
from typing import Any, cast

import pytest

import edge
from edge.device import resident_memory_bytes
from edge.engine import Engine

WARM_UP, REQUESTS = 240, 1000
MIB = 2**20
PROFILE = """
format = 1

[device]
name = "a disk so fast that KV is always swapped"
kind = "other"
machine = "any"

[[disks]]
name = "dream"
read_mb_s = 1000000
measured = false
source = "https://example.org"
"""


def num_items(thing: object, seen: set[int]) -> int:
    """Entries of all containers that an object of edge reaches, but for the backend, which is native, and the curve of
    step costs, which fills up to a bound of its own (test_step_cost)."""
    if id(thing) in seen or isinstance(thing, (str, bytes, bytearray, memoryview, type)):
        return 0
    seen.add(id(thing))
    total, parts = 0, []
    if isinstance(thing, (list, tuple, set, frozenset, dict, deque)):
        items = cast("Any", thing)
        total, parts = len(items), list(items.values() if isinstance(thing, dict) else items)
    elif isinstance(thing, array):
        return len(cast("Any", thing))
    elif type(thing).__module__.startswith("edge.engine"):
        names = [*getattr(thing, "__dict__", {}), *getattr(type(thing), "__slots__", ())]
        parts = [getattr(thing, name) for name in names if name not in ("backend", "_backend", "cost", "_cost")]
    return total + sum(num_items(part, seen) for part in parts)


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def four_requests(model: edge.Model, rng: random.Random) -> None:
    """Side by side: read to the end, left in the middle, cancelled, of both priorities; and one that is refused."""
    streams: list[edge.Stream] = []
    for number in range(4):
        prompt = [rng.randrange(256) for _ in range(rng.choice((3, 30, 60)))]
        if number == 3 and rng.random() < 0.2:
            with pytest.raises(edge.DoesNotFit):
                model.stream(prompt * 100)
            prompt = [5 + i % 40 for i in range(50)]  # has been there before
        streams.append(
            model.stream(
                prompt,
                max_tokens=rng.choice((1, 20, 60)),
                temperature=1.0,
                seed=rng.randrange(1000),
                stop=rng.choice(((), ("a", "e"))),
                priority="background" if number < 2 else "interactive",
            )
        )
        if number == 1:
            next(streams[0], None)  # the others come while these run
    for stream in streams:
        what = rng.random()
        if what < 0.6:
            list(stream)
        elif what < 0.8:
            next(stream, None)
            stream.close()
        else:
            stream.cancel()
            list(stream)
    del streams


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts what Linux shows in /proc")
def test_a_thousand_mixed_requests(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "profile.toml").write_text(PROFILE)
    monkeypatch.setenv("EDGE_PROFILE", str(tmp_path / "profile.toml"))
    monkeypatch.setenv("EDGE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("edge.device.is_in_memory", lambda folder: False)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    rng = random.Random(1)
    with edge.load(tiny_model, context=128, sequences=3, kv_tokens=160) as model:
        engine: Engine = model._engine  # pyright: ignore[reportPrivateUsage]
        for _ in range(WARM_UP // 4):
            four_requests(model, rng)
        gc.collect()
        items, files, memory = num_items(engine, set()), descriptors(), resident_memory_bytes()
        for _ in range((REQUESTS - WARM_UP) // 4):
            four_requests(model, rng)
        gc.collect()
        stats = model.stats
        assert (stats.running, stats.waiting, stats.preempted, stats.swapped, stats.blocks_used) == (0, 0, 0, 0, 0)
        assert stats.preemptions > 100
        assert stats.swaps > 10
        assert engine.shelf.num_swap_bytes == 0
        assert descriptors() <= files
        assert num_items(engine, set()) <= items + 2 * engine.blocks.num_blocks  # which blocks are found may differ
        now = resident_memory_bytes()
        assert memory is not None and now is not None
        assert now - memory <= MIB, f"{(now - memory) / MIB:.2f} MiB more"
