"""A machine that is only described: which one, what it can run, and what is chosen for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import BadProfile, RequestError
from edge.memory import Budget
from edge.profiles import Profile, levels_of, load_shipped, shipped, to_toml
from edge.profiles.records import Compute, Device, Evidence, Isa, Read
from edge.tuning import Asked, Workload
from edge.tuning.board import Board

PROOF = Evidence(measured=True, method="m")
GIB = 2**30
LEVELS = {
    "intel-core-ultra-7-155u": "avxvnni",
    "intel-n150": "avxvnni",
    "jetson-orin-nano": "dotprod",
    "laptop-avx-vnni": "avxvnni",
    "laptop-zen4": "avx512vnni",
    "raspberry-pi-4": "neon",
    "raspberry-pi-5": "dotprod",
    "rk3588": "dotprod",
    "snapdragon-8-gen-3": "i8mm",
}


def with_features(machine: str, *features: str) -> Profile:
    device = Device(name="d", kind="other", machine=machine)
    return Profile(device=device, isa=Isa(features=features, evidence=PROOF) if features else None)


def test_the_highest_level_of_each_shipped_machine() -> None:
    assert {name: Board.of(name).levels[-1] for name in shipped()} == LEVELS


@pytest.mark.parametrize(
    ("machine", "features", "levels"),
    [
        ("x86_64", ("sse2",), ("scalar",)),
        ("x86_64", ("sse4_1",), ("scalar", "sse41")),
        ("x86_64", ("avx2",), ("scalar",)),  # half floats need F16C
        ("x86_64", ("avx2", "f16c"), ("scalar", "sse41", "avx2")),
        ("x86_64", ("avx2", "f16c", "avx512_vnni", "avx512bw"), ("scalar", "sse41", "avx2")),
        ("aarch64", ("asimd", "i8mm"), ("scalar", "neon")),
        ("x86_64", (), ()),
    ],
)
def test_levels_by_features(machine: str, features: tuple[str, ...], levels: tuple[str, ...]) -> None:
    assert levels_of(with_features(machine, *features)) == levels


def test_levels_that_kernels_were_measured_on() -> None:
    compute = tuple(Compute(isa=isa, threads=1, gmacs_s=1.0, evidence=PROOF) for isa in ("avx2", "new", "scalar"))
    assert levels_of(Profile(device=with_features("x86_64").device, compute=compute)) == ("scalar", "avx2")


def test_a_shipped_name_and_a_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(load_shipped("raspberry-pi-5")))
    assert Board.of(str(path)).profile == Board.of("raspberry-pi-5").profile
    assert "figures that others published" in Board.of("raspberry-pi-5").source
    path.write_text("format = 2")
    with pytest.raises(BadProfile, match="format is 2"):
        Board.of(str(path))


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(
        RequestError, match="device is 'toaster'.*there are intel-core-ultra-7-155u, .*snapdragon-8-gen-3$"
    ):
        Board.of("toaster")


def test_the_choice_is_made_by_its_figures() -> None:
    """A Raspberry Pi 5 reads best with two of its four cores."""
    choice = Board.of("raspberry-pi-5").choose(Asked(), Workload(GIB, {}), 4 * GIB)
    assert (choice.decode_threads, choice.prefill_threads, choice.chunk) == (2, 4, 128)
    assert Board.of("raspberry-pi-5").choose(Asked(threads=3), Workload(GIB, {}), 4 * GIB).decode_threads == 3
    assert Board.of("snapdragon-8-gen-3").choose(Asked(), Workload(GIB, {}), 0).decode_threads == 8


def test_threads_of_a_profile_without_cores_must_be_asked() -> None:
    reads = (Read(threads=1, gb_s=1.0, evidence=PROOF),)
    board = Board(Profile(device=with_features("x86_64").device, reads=reads), "a file")
    with pytest.raises(RequestError, match="the profile of d has no .*say how many threads"):
        board.choose(Asked(), Workload(GIB, {}), 0)
    assert board.choose(Asked(threads=2), Workload(GIB, {}), 0).decode_threads == 2


def test_the_budget_is_a_share_of_its_memory() -> None:
    assert Budget.of_device(None, 8 * GIB, "a board") == Budget(7301444403, "85% of the memory of a board")
    assert Budget.of_device(GIB, 8 * GIB, "a board") == Budget(GIB, "memory")
    assert Budget.of_device(None, None, "a board") is None
