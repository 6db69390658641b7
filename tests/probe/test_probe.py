"""Probes: every figure measured and with its method, each part within its time, and what is missing is said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge import device, native
from edge.errors import DoesNotFit
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from edge.memory import Settings, compiled_for
from edge.predict.measured import work_of
from edge.probe import Sample, full_probe, quick_probe
from edge.probe import full as full_module
from edge.probe import sample as sample_module
from edge.probe.disk import disk_name, disk_record
from edge.probe.full import measure
from edge.probe.kernels import kernels_part, peaks_part, shapes_of, streamed_types, streams_part
from edge.probe.reads import caches_part, quick_size, read_record, residency_record, size_for
from edge.probe.sample import SampleModel, made_up
from edge.probe.steps import MAX_SMALL, Steps
from edge.probe.tasks import Part, Task, run_parts
from edge.profiles import Machine, parse_profile, to_toml
from edge.profiles.records import Device, Disk, Evidence, Read, Record
from tests.conftest import WriteModel

TWO = Machine("A processor", "x86_64", 2)
SMALL = 8 << 20
PROOF = Evidence(measured=True, method="m")


class Clock:
    """Time that passes when it is told to, and a little whenever somebody looks."""

    def __init__(self, tick: float = 0.0) -> None:
        self.now = 0.0
        self._tick = tick

    def __call__(self) -> float:
        self.now += self._tick
        return self.now


def reading(clock: Clock, seconds: float, threads: int) -> Task:
    def run() -> Record:
        clock.now += seconds
        return Read(threads=threads, gb_s=1.0, evidence=PROOF)

    return Task(f"reads with {threads} threads", run)


def failing(error: Exception) -> Task:
    def run() -> Record:
        raise error

    return Task("what fails", run)


@pytest.fixture
def small_sample(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sample]:
    """The typical sample with one layer and a small vocabulary."""
    monkeypatch.setattr(sample_module, "ENOUGH_BYTES", 1)
    monkeypatch.setattr(sample_module, "_MAX_VOCAB", 256)
    yield Sample.typical()


def test_parts_keep_to_their_time() -> None:
    clock, progress = Clock(), list[tuple[int, int]]()
    parts = [
        Part([reading(clock, 4, threads) for threads in (1, 2, 3, 4)], 7.0),
        Part([reading(clock, 1, 5)], 1.0),
    ]
    results = list(run_parts(parts, clock, lambda done, total: progress.append((done, total))))
    assert [record is not None for _, record, _ in results] == [True, True, False, False, True]
    assert results[2][2] == "the 7 s of this part were over"
    assert progress == [(i, 5) for i in range(1, 6)]


def test_what_fails_is_missing_and_said() -> None:
    clock = Clock()
    parts = [Part([failing(DoesNotFit("no memory")), failing(OSError(28, "disk full")), reading(clock, 0, 1)], 1.0)]
    found = measure(TWO, parts, clock, None)
    assert [read.threads for read in found.profile.reads] == [1]
    assert found.missing[0] == "not measured: what fails: no memory"
    assert "disk full" in found.missing[1]


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        measure(TWO, [Part([failing(ZeroDivisionError())], 1.0)], Clock(), None)


@pytest.mark.parametrize("huge_pages", [True, False])
def test_reads(huge_pages: bool) -> None:
    record = read_record(2, SMALL, huge_pages=huge_pages, seconds=0.001)
    assert (record.threads, record.huge_pages) == (2, huge_pages)
    assert record.evidence.measured
    assert "8 MiB" in str(record.evidence.method)


@pytest.mark.parametrize("residency", ["mapped", "owned"])
def test_residencies_leave_nothing_behind(residency: str, tmp_path: Path) -> None:
    record = residency_record(2, residency, tmp_path / "new", SMALL, seconds=0.001)
    assert record.residency == residency
    assert math.isfinite(record.gb_s)
    assert not any(tmp_path.rglob("*.*"))


def test_sizes_leave_memory_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 30, 100 << 20, None, None))
    assert size_for(512 << 20) == 25 << 20
    assert quick_size() == 25 << 20
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 30, 0, None, None))
    assert size_for(512 << 20) == 1 << 16


def test_the_quick_size_is_beyond_the_last_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 40, 1 << 40, None, None))
    for cache, size in ((0, 64), (32, 128), (64, 256), (1024, 512)):
        monkeypatch.setattr(device, "last_cache_bytes", lambda mib=cache: mib << 20)
        assert quick_size() == size << 20


def test_every_type_has_finite_made_up_values() -> None:
    with native.Threads(1) as pool:
        for kind, _ in shapes_of(None):
            row = made_up(kind, 3, 512, pool).row(2)
            assert all(math.isfinite(value) for value in row), GGMLType(kind).name
            assert any(row), GGMLType(kind).name


def test_kernels_of_every_level() -> None:
    shapes = [(int(GGMLType.Q4_0), (64, 256)), (int(GGMLType.Q4_K), (300, 256))]
    found = measure(TWO, [kernels_part(TWO, shapes, 60.0, each=1e-4), peaks_part(TWO, 60.0, each=1e-3)], Clock(), None)
    levels = native.isa_supported()
    assert found.missing == ()
    kernels = {(c.isa, c.threads, c.weights, c.tokens) for c in found.profile.compute if c.weights is not None}
    cases = [*((isa, 2) for isa in levels), (levels[-1], 1)]  # the highest level with one thread too
    assert kernels == {(*case, kind, tokens) for case in cases for kind in ("Q4_0", "Q4_K") for tokens in (1, 64)}
    assert {c.isa for c in found.profile.compute if c.weights is None} == {*levels}


def test_streams_are_of_the_size_asked_for_with_every_thread_count() -> None:
    part = streams_part(TWO, [GGMLType.Q8_0], 1 << 20, 60.0, each=1e-4, cols=256)
    compute = measure(TWO, [part], Clock(), None).profile.compute
    # 16 rows of 256 are 8 tiles of 544 bytes: 240 of them are the most that a MiB holds
    assert [(c.isa, c.rows, c.columns, c.tokens, c.threads) for c in compute] == [
        (native.isa_supported()[-1], 3840, 256, 1, 2), (native.isa_supported()[-1], 3840, 256, 1, 1),
    ]  # fmt: skip


def test_streams_are_of_the_types_that_predictions_need(tiny_model: Path) -> None:
    assert streamed_types(None)[:5] == (
        GGMLType.Q4_0, GGMLType.Q8_0, GGMLType.Q4_K, GGMLType.Q6_K, GGMLType.Q2_K,
    )  # fmt: skip
    with open_gguf(tiny_model) as file:
        assert streamed_types(Sample.of(file)) == (GGMLType.Q8_0, GGMLType.Q4_0)


def test_caches_are_measured_around_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "last_cache_bytes", lambda: 1 << 20)
    caches = measure(TWO, [caches_part(TWO, 60.0, each=1e-4)], Clock(), None).profile.caches
    sizes = [1 << 18, 1 << 19, 1 << 20, 3 << 19, 1 << 21, 3 << 20]
    assert [(c.threads, c.num_bytes) for c in caches] == [(threads, size) for threads in (2, 1) for size in sizes]
    monkeypatch.setattr(device, "last_cache_bytes", lambda: 0)
    assert caches_part(TWO, 60.0).tasks == []


def test_steps(small_sample: Sample) -> None:
    clock = Clock(tick=1.0)  # every step takes one second: each is measured once
    steps = Steps(TWO, small_sample, clock)
    try:
        part = steps.part(1e9)
        name = small_sample.name
        wanted = [task for task in part.tasks if task.what == f"steps of 1 tokens with 1 threads, {name}"]
        wanted += [t for t in part.tasks if t.what == f"steps of 1 tokens with 2 threads behind 1920 positions, {name}"]
        names = {task.what for task in part.tasks}
        assert len(part.tasks) == len(names)
        assert {f"steps of {n} tokens with 2 threads, {name}" for n in range(1, MAX_SMALL + 1)} <= names
        assert {task.what for task in steps.comparison(1.0).tasks} == {
            f"steps of {tokens} tokens with {threads} threads{behind}, {name}"
            for tokens in (1, 128) for threads in (1, 2) for behind in ("", " behind 1920 positions")
        }  # fmt: skip
        found = measure(TWO, [Part([*wanted, *part.tasks[:2]], 1e9)], clock, None, models=[small_sample.record])
    finally:
        steps.close()
    assert [(step.tokens, step.threads, step.depth) for step in found.profile.steps][:2] == [(1, 1, None), (1, 2, 1920)]
    assert found.profile.steps[0].ms == 1000.0
    assert found.profile.models == (small_sample.record,)
    assert found.missing == ()
    assert measure(TWO, [], clock, None, models=[small_sample.record]).profile.models == ()


def test_a_profile_describes_a_sample_so_that_its_work_is_known(tiny_model: Path) -> None:
    for sample in (Sample.typical(), Sample.narrow()):
        assert work_of(sample.record) == sample.work
    assert Sample.narrow().record.matrices == (
        "120 x Q4_0 576 x 576", "120 x Q4_0 192 x 576", "120 x Q4_0 1536 x 576", "60 x Q4_0 576 x 1536",
    )  # fmt: skip
    with open_gguf(tiny_model) as file:
        assert Sample.of(file).work == compiled_for(file, Settings()).work


def test_positions_in_front_of_a_step_are_pages_of_their_own(small_sample: Sample) -> None:
    with SampleModel(small_sample, max_tokens=1, max_threads=1) as model:
        kv = model._kv  # pyright: ignore[reportPrivateUsage]
        assert all(any(kv.read_block(block)) for block in range(kv.num_blocks))


def test_a_sample_of_a_model(tiny_model: Path) -> None:
    with open_gguf(tiny_model) as file:
        sample = Sample.of(file)
    assert sample.name == "llama 64 x 128 Q8_0, 2 of 2 layers, 259 tokens"
    assert sample.matrices[GGMLType.Q8_0, (128, 64)] == 4
    with SampleModel(sample, max_tokens=8, max_threads=2) as model, native.Threads(2) as pool:
        model.step(pool, 8)


def test_a_sample_holds_whole_layers_and_fewer_tokens(
    tmp_path: Path, write_model: WriteModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_module, "ENOUGH_BYTES", 1)
    monkeypatch.setattr(sample_module, "_MAX_VOCAB", 100)
    for architecture in ("llama", "qwen2"):
        path = write_model(tmp_path / f"{architecture}.gguf", kind=GGMLType.F32, architecture="llama")
        with open_gguf(path) as file:
            sample = Sample.of(file)
        assert sample.config.num_hidden_layers == 1
        assert sample.config.vocab_size == 100
        assert not any(name.startswith("blk.1.") for name in sample.tensors)
        with SampleModel(sample, max_tokens=2, max_threads=1) as model, native.Threads(1) as pool:
            model.step(pool, 2)


def test_the_typical_sample_is_larger_than_caches() -> None:
    sample = Sample.typical()
    packed = sum(
        native.weights_sizes(kind, shape[0], shape[1])[1]
        for name, (shape, kind) in sample.tensors.items()
        if len(shape) == 2 and name != "token_embd.weight"
    )
    assert sample_module.ENOUGH_BYTES <= packed < 2 * sample_module.ENOUGH_BYTES


def test_a_sample_leaves_memory_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 30, 4 << 20, None, None))
    assert Sample.typical().config.num_hidden_layers == 1


def test_disk_writes_a_file_and_removes_it(tmp_path: Path) -> None:
    record = disk_record(tmp_path / "new", None, 0.01, Clock(tick=0.002))
    assert record.read_mb_s > 0
    assert "MiB in pieces of 8 MiB" in str(record.evidence.method)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert list((tmp_path / "new").iterdir()) == []


def test_disk_reads_the_file_it_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(bytes(17 << 20))
    record = disk_record(tmp_path / "never", path, 60.0, Clock(tick=0.001))
    assert "16 MiB" in str(record.evidence.method)
    assert not (tmp_path / "never").exists()
    monkeypatch.delattr("os.O_DIRECT", raising=False)
    assert "no O_DIRECT here" in str(disk_record(tmp_path, path, 60.0, Clock(tick=0.001)).evidence.method)


def test_disk_name(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda1 / ext4 rw 0 0\n/dev/nvme0 {tmp_path} btrfs rw 0 0\nshort\n/dev/x {tmp_path}x xfs rw\n"
    )
    assert disk_name(tmp_path / "file", mounts) == "btrfs on /dev/nvme0"
    assert disk_name(Path("/usr"), mounts) == "ext4 on /dev/sda1"
    assert disk_name(Path("/usr"), tmp_path / "none") == "unknown file system"


def test_the_quick_probe_answers_threads_and_residency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.probe.quick.quick_size", lambda: SMALL)
    profile = quick_probe(Machine("p", "x86_64", 4), tmp_path, clock=Clock())
    assert [(read.threads, read.residency) for read in profile.reads] == [
        (4, None), (2, None), (1, None), (4, "mapped"), (4, "owned"),
    ]  # fmt: skip
    assert parse_profile(to_toml(profile).encode(), "x") == profile


def test_the_quick_probe_gives_up_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.probe.quick.quick_size", lambda: SMALL)
    profile = quick_probe(Machine("p", "x86_64", 4), tmp_path, clock=Clock(tick=0.2))
    assert 1 <= len(profile.reads) < 5


def test_the_full_probe(tmp_path: Path, small_sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    """All parts, on a clock by which every part ends after a few tasks."""
    monkeypatch.setattr(full_module, "FULL_SIZE", SMALL)
    monkeypatch.setattr(full_module, "quick_size", lambda: SMALL)
    monkeypatch.setattr(device, "last_cache_bytes", lambda: 1 << 20)
    found = full_probe(TWO, tmp_path, sample=small_sample, clock=Clock(tick=1.0))
    profile = found.profile
    assert profile.reads
    assert profile.caches
    assert profile.compute
    assert {model.name for model in profile.models} == {step.model for step in profile.steps}
    assert profile.steps
    assert profile.disks
    assert found.missing
    assert {read.residency for read in profile.reads} >= {None, "mapped", "owned"}
    assert all(proof.measured and proof.method for _, proof in profile.evidence())
    assert TWO.difference(profile) is None
    assert parse_profile(to_toml(profile).encode(), "x") == profile


def test_a_machine_knows_its_own_profile() -> None:
    here = Machine.here()
    assert here.num_cores >= 1
    assert here.num_cores in here.thread_counts
    profile = measure(here, [], Clock(), None).profile
    assert here.difference(profile) is None
    other = Machine(here.processor, here.machine, here.num_cores + 1)
    assert f"with {here.num_cores} cores" in str(other.difference(profile))
    assert Machine("p", "m", 6).thread_counts == (1, 2, 4, 6)


def test_a_processor_name_fits_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    cpus = device.Cpus("  a\x00\nb" + "c" * 200, "", 1, 1, 1, None)
    monkeypatch.setattr(device, "cpus", lambda: cpus)
    machine = Machine.here()
    assert machine.processor.startswith("a  bccc")
    assert isinstance(machine.device, Device)
    assert machine.machine == "unknown"


def test_disk_records_name_their_disk(tmp_path: Path) -> None:
    assert isinstance(disk_record(tmp_path, None, 0.01, Clock(tick=0.01)), Disk)
