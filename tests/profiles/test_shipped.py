"""The shipped profiles: everything has a public source, nothing claims to be ours, and the figures are possible."""

from __future__ import annotations

from importlib.resources import files

import pytest

from edge.errors import RequestError
from edge.profiles import load_shipped, shipped

NAMES = (
    "intel-core-ultra-7-155u",
    "intel-n150",
    "jetson-orin-nano",
    "laptop-avx-vnni",
    "laptop-zen4",
    "raspberry-pi-4",
    "raspberry-pi-5",
    "rk3588",
    "snapdragon-8-gen-3",
)


def test_what_is_shipped() -> None:
    assert shipped() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_a_source_and_is_not_ours(name: str) -> None:
    profile = load_shipped(name)
    proofs = list(profile.evidence())
    assert len(proofs) >= 4
    for place, proof in proofs:
        assert not proof.measured, place
        assert proof.source is not None and proof.source.startswith("https://"), place


@pytest.mark.parametrize("name", NAMES)
def test_plausible(name: str) -> None:
    profile = load_shipped(name)
    assert profile.isa is not None and profile.memory is not None and profile.cores
    assert profile.references or profile.npu
    assert profile.device.machine in ("aarch64", "x86_64")
    assert ("asimd" in profile.isa.features) == (profile.device.machine == "aarch64")
    assert sum(cores.count for cores in profile.cores) in range(4, 17)
    peak = profile.memory.peak_gb_s
    assert peak is None or 5 < peak < 150
    for read in profile.reads:
        assert peak is not None and peak / 10 < read.gb_s <= peak
    for disk in profile.disks:
        assert 20 < disk.read_mb_s < 8000
    for reference in profile.references:
        assert 0.5 < (reference.decode_tok_s or 1) < 200


def test_figures_that_the_design_rests_on() -> None:
    reads = {read.threads: read.gb_s for read in load_shipped("raspberry-pi-5").reads}
    assert reads == {1: 9.26, 2: 13.23, 4: 11.59}


@pytest.mark.parametrize("name", NAMES)
def test_the_file_says_so_itself(name: str) -> None:
    text = (files("edge.device_profiles") / f"{name}.toml").read_text(encoding="utf-8")
    comment = " ".join(line.lstrip("# ") for line in text.split("format =")[0].splitlines())
    assert "none was measured by us" in comment
    assert "Not found" in comment
    assert max(map(len, text.splitlines())) <= 160


def test_the_readme_lists_them() -> None:
    readme = (files("edge.device_profiles") / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}.toml`" not in readme] == []
    assert "No figure in this folder was measured by us." in readme


def test_an_unknown_name() -> None:
    with pytest.raises(
        RequestError, match="^no device profile .toaster.; there are intel-core-ultra-7-155u, intel-n150"
    ):
        load_shipped("toaster")
    with pytest.raises(RequestError):
        load_shipped("../README")
