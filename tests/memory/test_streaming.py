"""Weights that do not fit are streamed, as few layers as will do, and the plan stays true."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge
from edge.backends.compiled import Compiled
from edge.backends.streaming import groups_of_layers, packed_matrices, streamable_groups
from edge.errors import DoesNotFit
from edge.formats.gguf import open_gguf
from edge.memory import Budget, MemoryPlan, Settings, compiled_for, plan_compiled, require_fit, stream_to_fit
from edge.memory.plan import with_streaming
from scripts.random_model import write
from tests.memory.test_plan import MIB, check, peak

SETTINGS = Settings(context=512, num_threads=2)
LAYERS = 24


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """81 MB in layers, and an embedding that is the head, too."""
    write("deep", "Q8_0", path := tmp_path_factory.mktemp("streamed") / "m.gguf")
    return path


def planned(path: Path, streamed_layers: int = 0) -> MemoryPlan:
    with open_gguf(path) as file:
        groups = groups_of_layers(compiled_for(file, SETTINGS).program, streamed_layers)
    return with_groups(path, groups)


def with_groups(path: Path, groups: int) -> MemoryPlan:
    with open_gguf(path) as file:
        compiled = compiled_for(file, SETTINGS)
        return with_streaming(file, compiled, plan_compiled(file, compiled, SETTINGS), groups)


def fitted(path: Path, num_bytes: int) -> MemoryPlan:
    with open_gguf(path) as file:
        compiled: Compiled = compiled_for(file, SETTINGS)
        return stream_to_fit(file, compiled, plan_compiled(file, compiled, SETTINGS), Budget(num_bytes, "memory"))


def test_no_more_is_streamed_than_must_be(large: Path) -> None:
    """Down to the matrices of one operation, and buffers have room for those."""
    whole = planned(large)
    room = planned(large, LAYERS).total_bytes
    before = LAYERS + 1
    while room < whole.total_bytes - 2 * MIB:
        plan = fitted(large, room)
        assert plan.total_bytes <= room < with_groups(large, plan.streamed_groups - 1).total_bytes
        assert plan.streamed_layers <= before
        before, room = plan.streamed_layers, room + MIB
    assert before < 3
    with open_gguf(large) as file:
        compiled = compiled_for(file, SETTINGS)
        matrices = packed_matrices(file, compiled.program.weights)
        groups = streamable_groups(compiled.program)
    assert len(groups) == 4 * LAYERS  # q, k and v; output; gate and up; down
    largest = max(sum(matrices[index].num_bytes for index in group) for group in groups)
    assert planned(large, LAYERS).ring_bytes <= 2 * largest + 64 * 1024


def test_the_fewest_layers_are_streamed(large: Path) -> None:
    whole = planned(large)
    for count in (3, 4, 10, 18):
        plan = planned(large, count)
        assert plan.streamed_layers == count and plan.total_bytes < planned(large, count - 1).total_bytes
        assert fitted(large, plan.total_bytes) == plan
        assert plan.weights_bytes + plan.streamed_bytes == whole.weights_bytes
        assert plan.ring_bytes < 2 * whole.weights_bytes / LAYERS
    assert fitted(large, whole.total_bytes) == whole
    floor = planned(large, LAYERS).total_bytes  # what packing takes
    assert fitted(large, floor).total_bytes == floor
    assert fitted(large, floor - 1) == whole


@pytest.mark.parametrize("options", [{"context": 512}, {"context": 300, "kv_type": "q8", "threads": 1}], ids=str)
def test_the_peak_is_as_planned(large: Path, options: dict[str, object]) -> None:
    """The first load packs. Streaming saves 57 MiB here, more than the peak may differ from the plan."""
    large.with_name("m.gguf.edge-packed").unlink(missing_ok=True)
    budget = planned(large, 20).total_bytes
    for _ in range(2):
        check(large, memory=budget, **options)
    with_all, _ = peak(large, **options)
    streamed, measured = peak(large, memory=budget, **options)
    assert streamed <= budget < with_all and measured <= budget


def test_a_load_streams_what_does_not_fit(large: Path) -> None:
    with edge.load(large, context=512, threads=2) as model:
        expected = model.generate([1, 2, 3], max_tokens=20, seed=1)
        assert model.plan.streamed_layers == 0 and model.weights.residency != "streamed"
    budget = planned(large, 15).total_bytes
    with edge.load(large, context=512, threads=2, memory=budget) as model:
        assert model.generate([1, 2, 3], max_tokens=20, seed=1).tokens == expected.tokens
        weights = model.weights
        assert (weights.residency, weights.streamed_layers) == ("streamed", 15)
        assert weights.streamed_bytes == model.plan.streamed_bytes
        assert weights.resident_bytes is not None
        assert weights.resident_bytes < weights.packed_bytes - weights.streamed_bytes + 4 * MIB


@pytest.mark.parametrize(
    ("options", "reason"),
    [({"residency": "mapped"}, "residency was given"), ({"no_cache": True}, "no_cache forbids packed files")],
)
def test_what_may_not_be_streamed_is_refused(large: Path, options: dict[str, object], reason: str) -> None:
    budget = planned(large, 5).total_bytes
    with pytest.raises(DoesNotFit, match=f"{LAYERS} layers streamed from the disk.*not streamed, since {reason}"):
        edge.load(large, context=512, threads=2, memory=budget, **options)  # type: ignore[arg-type]  # pyright: ignore


def test_streaming_is_among_what_would_fit(large: Path) -> None:
    with open_gguf(large) as file:
        settings = Settings(context=8192, num_threads=2)
        compiled = compiled_for(file, settings)
        plan = plan_compiled(file, compiled, settings)
        budget = Budget(plan.total_bytes - plan.kv_bytes, "memory")
        assert stream_to_fit(file, compiled, plan, budget) is plan  # the context is too much for it
        with pytest.raises(DoesNotFit, match=r"context \d+ and 24 layers streamed from the disk"):
            require_fit(file, settings, budget, plan)


def test_small_models_are_not_streamed(tmp_path: Path) -> None:
    write("small", "Q4_0", path := tmp_path / "m.gguf")
    assert fitted(path, planned(path).total_bytes - MIB).streamed_layers == 0
