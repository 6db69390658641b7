"""The plan is true from both sides, and equal to what the engine then allocates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.backends.sizes import engine_sizes
from edge.errors import DoesNotFit, RequestError
from edge.formats import GGMLType
from edge.formats.gguf import open_gguf
from edge.memory import Budget, Settings, compiled_for, fitting, parse_bytes, plan_memory, require_fit
from edge.native import Region
from edge.packed.resident import resident
from edge.references import resolve
from edge.sources import GGUFSource
from scripts.random_model import SHAPES, Shape, write
from tests.adapters.made import adaptable, random_pairs, write_adapter

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20


@pytest.fixture(scope="module")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """34 M weights: 36 MB in Q8_0, which gets a packed file, and 19 MB in Q4_0, which does not."""
    folder = tmp_path_factory.mktemp("small")
    paths = {kind: folder / f"{kind}.gguf" for kind in ("Q8_0", "Q4_0")}
    for kind, path in paths.items():
        write("small", kind, path)
    return paths


def peak(model: Path, **options: Any) -> tuple[int, int]:
    """(bytes planned, bytes measured) of a process that fills all contexts."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.memory.measured_peak", str(model), json.dumps(options)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    planned, measured = done.stdout.split()
    return int(planned), int(measured)


def check(model: Path, **options: Any) -> None:
    """Peak in [plan - max(24 MiB, 5 %), plan + max(8 MiB, 1 %)]."""
    planned, measured = peak(model, **options)
    assert measured <= planned + max(8 * MIB, planned // 100), f"planned {planned / MIB:.1f}, was {measured / MIB:.1f}"
    assert measured >= planned - max(24 * MIB, planned // 20), f"planned {planned / MIB:.1f}, was {measured / MIB:.1f}"


@pytest.mark.parametrize(
    "options",
    [
        {"context": 512},
        {"context": 2048, "threads": 1},
        {"context": 2048, "kv_type": "q8"},
        {"context": 512, "sequences": 4},
        {"context": 700, "chunk": 600, "sequences": 3, "kv_type": "f32"},
        {"context": 512, "no_cache": True},
        {"context": 512, "residency": "owned"},
    ],
    ids=str,
)
def test_the_peak_is_as_planned(small_models: dict[str, Path], options: dict[str, Any]) -> None:
    for kind in ("Q8_0", "Q4_0"):  # the first load that packs is one of them
        check(small_models[kind], **options)


def test_the_peak_with_adapters_is_as_planned(small_models: dict[str, Path], tmp_path: Path) -> None:
    """24 MB each, of F16 and of Q8_0, which becomes F32: the files are not in memory beside what is made of them."""
    with open_gguf(small_models["Q4_0"]) as file:
        shapes = adaptable({name: info.shape for name, info in file.tensors.items()})
    paths = {
        kind.name: str(write_adapter(tmp_path / f"{kind.name}.gguf", random_pairs(shapes, (128,)), kinds=(kind,)))
        for kind in (GGMLType.F16, GGMLType.Q8_0)
    }
    check(small_models["Q4_0"], context=256, adapters=paths)


def test_packing_in_memory_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two matrices of 61 MiB and little else: the second is packed from its source beside the first."""
    monkeypatch.setitem(SHAPES, "wide", Shape("llama", 512, 2, 768, 8, 2, 64, 62500, 1e4, False))
    write("wide", "F16", path := tmp_path / "wide.gguf")
    check(path, context=256, no_cache=True)


def test_the_peak_of_the_bundled_model_is_as_planned() -> None:
    check(resolve(None))


@pytest.mark.parametrize("kv_type", ["f16", "q8", "q4", "f32"])
def test_sizes_are_what_the_engine_allocates(tiny_model: Path, kv_type: str) -> None:
    settings = Settings(context=100, num_sequences=3, kv_type=kv_type, chunk=40, num_threads=2)
    with open_gguf(tiny_model) as file:
        sizes = engine_sizes(file, compiled_for(file, settings), kv_type=kv_type, num_threads=2)
    with edge.load(tiny_model, context=100, sequences=3, kv_type=kv_type, chunk=40, threads=2) as model:
        backend = model.native_backend
        program, kv = backend._program, backend._kv  # pyright: ignore[reportPrivateUsage]
        assert program is not None and kv is not None
        assert sizes.program == program.num_bytes
        assert sizes.kv_block == kv.block_bytes
        assert sizes.matrices == model.weights.packed_bytes
        assert model.plan.kv_bytes == kv.block_bytes * kv.num_blocks


def test_what_was_packed_does_not_stay_in_memory_twice(small_models: dict[str, Path]) -> None:
    with edge.load(small_models["Q8_0"], no_cache=True, context=64) as model:
        source = model._source  # pyright: ignore[reportPrivateUsage]
        assert isinstance(source, GGUFSource)
        part = source.file.mapped_parts[0]
        address = Region.watch(part.view[:])
        held = resident(address.address, part.size)
        address.close()
    assert held is not None
    assert held.num_bytes < part.size // 4


def test_the_nearest_settings_fit_and_no_larger_context_does(small_models: dict[str, Path]) -> None:
    settings = Settings(context=8192, num_sequences=2, num_threads=2)
    with open_gguf(small_models["Q4_0"]) as file:
        wanted = plan_memory(file, settings)
        budget = Budget(wanted.total_bytes - 60 * MIB, "memory")
        found = fitting(file, settings, budget, wanted)
        assert {(plan.kv_type, plan.num_sequences) for plan in found} == {("f16", 2), ("q8", 2), ("f16", 1)}
        for plan in found:
            assert plan.total_bytes <= budget.num_bytes
            if plan.context < 8192:
                larger = Settings(
                    context=plan.context + 32, num_sequences=plan.num_sequences, kv_type=plan.kv_type, num_threads=2
                )
                assert plan_memory(file, larger).total_bytes > budget.num_bytes
        with pytest.raises(DoesNotFit, match=r"it would fit with context 8192 and .*; or context \d+"):
            require_fit(file, settings, budget, wanted)
        with pytest.raises(DoesNotFit, match="no context would fit"):
            require_fit(file, settings, Budget(30 * MIB, "memory"), wanted)


def test_planning_reads_the_header_only(small_models: dict[str, Path]) -> None:
    with open_gguf(small_models["Q8_0"]) as file:
        plan_memory(file, Settings())
        region = Region.watch(file.mapped_parts[0].view[:])
        held = resident(region.address, file.file_size)
        region.close()
    assert held is not None
    assert held.num_bytes < 4 * MIB


@pytest.mark.parametrize(
    ("text", "num_bytes"),
    [("1.5GiB", 3 * 2**29), ("900MB", 900 * 10**6), ("2g", 2**31), (" 640 mib ", 640 * MIB), ("4096", 4096), (12, 12)],
)
def test_amounts_of_memory(text: str | int, num_bytes: int) -> None:
    assert parse_bytes(text) == num_bytes


@pytest.mark.parametrize("text", ["", "much", "-1GiB", "1.5TB!", "0", "1e9", "GiB", "1 2", 0, True, 2**70])
def test_amounts_that_are_refused(text: str | int) -> None:
    with pytest.raises(RequestError, match="memory is"):
        parse_bytes(text)


def test_the_budget_is_the_least(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.device import Memory
    from edge.memory import budget

    monkeypatch.setattr(budget, "resident_memory_bytes", lambda: 10 * MIB)
    machine = Memory(2000 * MIB, 990 * MIB, None, None)
    assert Budget.of(None, machine) == Budget(970 * MIB, "available memory")
    assert Budget.of(500 * MIB, machine) == Budget(500 * MIB, "memory")
    assert Budget.of(5000 * MIB, machine) == Budget(970 * MIB, "available memory")
    assert Budget.of(500 * MIB, Memory(2000 * MIB, 990 * MIB, 100 * MIB, 0)) == Budget(100 * MIB, "the cgroup limit")
