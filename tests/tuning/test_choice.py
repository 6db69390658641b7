"""What is chosen from which figures, and that what the caller says always wins."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from edge.profiles import Profile
from edge.profiles.records import Compute, Device, Disk, Evidence, Read, Step
from edge.tuning import Asked, Choice, Workload, choose

PROOF = Evidence(measured=True, method="m")
DEVICE = Device(name="d", kind="other", machine="x86_64")
GIB = 1 << 30


def read(threads: int, gb_s: float, *, huge: bool | None = True, residency: str | None = None) -> Read:
    return Read(threads=threads, gb_s=gb_s, huge_pages=huge, residency=residency, evidence=PROOF)


def step(tokens: int, threads: int, ms: float, model: str = "m") -> Step:
    return Step(model=model, tokens=tokens, threads=threads, ms=ms, evidence=PROOF)


def kernel(isa: str, weights: str, gmacs_s: float, tokens: int = 1, rows: int = 64) -> Compute:
    return Compute(
        isa=isa, weights=weights, rows=rows, columns=64, tokens=tokens, threads=1, gmacs_s=gmacs_s, evidence=PROOF
    )


def chosen(asked: Asked | None = None, workload: Workload | None = None, **tables: Any) -> Choice:
    """The choice on four cores with three levels and 16 GiB, of a profile with these tables (none: of no profile)."""
    profile = Profile(device=DEVICE, **tables) if tables else None
    return choose(
        asked or Asked(),
        profile,
        "file",
        default_threads=4,
        available_bytes=16 * GIB,
        levels=("scalar", "low", "high"),
        workload=workload or Workload(GIB, {"Q4_0": 1000}),
    )


def test_without_a_profile() -> None:
    choice = chosen()
    assert (choice.decode_threads, choice.prefill_threads, choice.chunk) == (4, 4, 128)
    assert (choice.residency, choice.isa, choice.note) == ("mapped", None, None)
    assert set(choice.reasons) == {"decode_threads", "prefill_threads", "chunk", "residency", "isa"}


def test_a_profile_without_figures_changes_nothing() -> None:
    assert chosen(reads=()) == chosen()


def test_decode_threads_by_reads() -> None:
    """A Raspberry Pi 5 reads best with two of its four cores."""
    choice = chosen(reads=(read(1, 9.3), read(2, 13.2), read(4, 11.6)))
    assert (choice.decode_threads, choice.prefill_threads) == (2, 4)
    assert choice.reasons["decode_threads"] == "13.2 GB/s with 2, 9.3 with 1, 11.6 with 4"


def test_threads_that_add_nothing_are_left_to_others() -> None:
    assert chosen(reads=(read(1, 9), read(2, 26), read(4, 26.5))).decode_threads == 2
    assert chosen(reads=(read(1, 9), read(2, 25), read(4, 26.5))).decode_threads == 4


def test_reads_with_huge_pages_count_where_both_are_known() -> None:
    reads = (read(1, 20, huge=False), read(2, 10, huge=False), read(1, 10), read(2, 20))
    assert chosen(reads=reads).decode_threads == 2
    assert chosen(reads=reads[::-1]).decode_threads == 2


def test_one_thread_count_is_no_answer() -> None:
    assert chosen(reads=(read(1, 9.3),)).decode_threads == 4


def test_reads_of_more_threads_than_there_are_cores_do_not_count() -> None:
    assert chosen(reads=(read(1, 9), read(2, 10), read(8, 20))).decode_threads == 2


def test_steps_of_one_token_come_before_reads() -> None:
    choice = chosen(reads=(read(1, 9), read(4, 20)), steps=(step(1, 1, 40), step(1, 4, 50)))
    assert choice.decode_threads == 1
    assert choice.reasons["decode_threads"] == "25 tok/s with 1, 20 with 4"


def test_prefill_threads_and_chunk_by_steps() -> None:
    steps = (
        step(128, 1, 400), step(128, 2, 220), step(128, 4, 260),
        step(64, 2, 130), step(256, 2, 350), step(512, 2, 699), step(2048, 2, 700), step(8, 2, 1),
    )  # fmt: skip
    choice = chosen(Asked(), steps=steps)
    # Two threads are best, but four decode, so four are there; none of the other chunks was measured with four.
    assert (choice.decode_threads, choice.prefill_threads, choice.chunk) == (4, 4, 128)
    choice = chosen(Asked(), steps=steps, reads=(read(1, 5), read(2, 10), read(4, 9)))
    assert (choice.decode_threads, choice.prefill_threads, choice.chunk) == (2, 2, 256)


def test_the_engine_goes_by_steps_with_its_threads_and_by_the_slowest_disk() -> None:
    steps = (
        step(1, 2, 30), step(8, 2, 60), step(128, 2, 900), step(8, 4, 50), step(128, 4, 500), step(512, 4, 2000),
        step(1, 2, 5, "another"),
    )  # fmt: skip
    disks = tuple(Disk(name=name, read_mb_s=speed, evidence=PROOF) for name, speed in (("a", 500.0), ("b", 20.0)))
    choice = chosen(Asked(), steps=steps, disks=disks, reads=(read(1, 5), read(2, 10), read(4, 9)))
    assert (choice.decode_threads, choice.prefill_threads) == (2, 4)
    assert choice.step_seconds == {1: 0.03, 8: 0.06, 128: 0.5, 512: 2.0}
    assert choice.disk_bytes_s == 20e6
    assert (chosen().step_seconds, chosen().disk_bytes_s) == ({}, None)


def test_figures_of_different_models_are_not_compared() -> None:
    steps = (step(1, 1, 1, "small"), step(1, 4, 50, "large"), step(1, 2, 60, "large"))
    assert chosen(steps=steps).decode_threads == 4


@pytest.mark.parametrize(("mapped", "owned", "want"), [(20, 22, "mapped"), (20, 24, "owned"), (20, 15, "mapped")])
def test_residency(mapped: float, owned: float, want: str) -> None:
    reads = (read(4, mapped, huge=None, residency="mapped"), read(4, owned, huge=None, residency="owned"))
    choice = chosen(reads=reads)
    assert choice.residency == want
    assert f"{mapped:g} GB/s mapped" in choice.reasons["residency"]
    assert choice.decode_threads == 4  # reads by residency say nothing about threads


def test_owned_weights_must_fit_beside_the_file() -> None:
    reads = (read(4, 10, huge=None, residency="mapped"), read(4, 20, huge=None, residency="owned"))
    choice = chosen(reads=reads, workload=Workload(9 * GIB, {}))
    assert choice.residency == "mapped"
    assert "over half of what is available" in choice.reasons["residency"]


def test_a_lower_level_that_is_clearly_faster() -> None:
    workload = Workload(GIB, {"Q4_0": 900, "Q6_K": 100})
    compute = (kernel("high", "Q4_0", 10), kernel("low", "Q4_0", 20), kernel("high", "Q6_K", 9))
    choice = chosen(workload=workload, compute=compute)
    assert choice.isa == "low"
    assert "with high" in choice.reasons["isa"]
    assert chosen(workload=workload, compute=(kernel("high", "Q4_0", 10), kernel("low", "Q4_0", 10.4))).isa is None
    # The type that most weights have was not measured; prompts do not decide; an unknown level cannot run.
    assert chosen(workload=Workload(GIB, {"Q2_K": 900, "Q4_0": 100}), compute=compute).isa is None
    assert chosen(workload=workload, compute=tuple(dataclasses.replace(c, tokens=64) for c in compute)).isa is None
    assert chosen(workload=workload, compute=(kernel("high", "Q4_0", 10), kernel("other", "Q4_0", 99))).isa is None


def test_what_one_level_was_measured_with_decides_nothing() -> None:
    """A matrix that no cache holds, on the highest level only, is slow for another reason than its level."""
    compute = (kernel("high", "Q4_0", 10), kernel("low", "Q4_0", 9), kernel("high", "Q4_0", 5, rows=10**6))
    assert chosen(compute=compute).isa is None


def test_steps_behind_others_do_not_decide_threads() -> None:
    deep = tuple(dataclasses.replace(step(1, threads, ms), depth=1920) for threads, ms in ((1, 1), (2, 9)))
    assert chosen(steps=(step(1, 1, 10), step(1, 2, 5), *deep)).decode_threads == 2


def test_the_slowest_shape_of_a_type_counts() -> None:
    compute = (kernel("high", "Q4_0", 10), kernel("low", "Q4_0", 5), kernel("low", "Q4_0", 40, rows=16))
    assert chosen(compute=compute).isa is None


def test_what_the_caller_says_wins() -> None:
    asked = Asked(threads=3, chunk=7, residency="mapped", isa="scalar")
    tables: dict[str, Any] = {
        "reads": (read(1, 9), read(2, 20), read(4, 10, residency="mapped"), read(4, 20, residency="owned")),
        "steps": (step(128, 3, 400), step(256, 3, 400)),
        "compute": (kernel("high", "Q4_0", 10), kernel("low", "Q4_0", 20)),
    }
    choice = chosen(asked, **tables)
    assert (choice.decode_threads, choice.prefill_threads, choice.chunk) == (3, 3, 7)
    assert (choice.residency, choice.isa) == ("mapped", "scalar")
    assert set(choice.reasons.values()) == {"as asked"}
