"""Which profile is used: named, saved, probed; broken ones, foreign ones, and when the machine is asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.errors import BadProfile, DoesNotFit
from edge.profiles import Machine, Profile, load_profile, to_toml
from edge.profiles.records import Evidence, Read
from edge.tuning import Asked
from edge.tuning import find as finding
from edge.tuning.find import Found, find_profile, save_profile
from edge.tuning.places import ProfilePlaces

MACHINE = Machine("A processor (R) 1", "x86_64", 4)
READS = (Read(threads=2, gb_s=9, evidence=Evidence(measured=True, method="m")),)


def profile_of(machine: Machine) -> Profile:
    return Profile(device=machine.device, cores=machine.cores, reads=READS)


class Probe:
    """A quick probe that counts, and may fail."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls = 0
        self._error = error

    def __call__(self, machine: Machine, folder: Path) -> Profile:
        self.calls += 1
        assert folder.is_dir()
        if self._error is not None:
            raise self._error
        return profile_of(machine)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"EDGE_CACHE_DIR": str(tmp_path / "cache")}


def find(
    environment: dict[str, str],
    probe: Probe,
    *,
    asked: Asked | None = None,
    may_probe: bool = True,
    load: float = 0.0,
    machine: Machine = MACHINE,
) -> Found:
    return find_profile(
        asked or Asked(), environment, may_probe=may_probe, probe=probe, busy=lambda: load, machine=machine
    )


def test_the_machine_is_asked_once(environment: dict[str, str]) -> None:
    probe = Probe()
    first, second = find(environment, probe), find(environment, probe)
    assert first.profile == second.profile == profile_of(MACHINE)
    assert probe.calls == 1
    assert "just now" in first.source
    assert "quick probe" in second.source


def test_another_machine_and_another_version_ask_again(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Probe()
    find(environment, probe)
    find(environment, probe, machine=Machine(MACHINE.processor, MACHINE.machine, 3))
    find(environment, probe, machine=Machine("another", MACHINE.machine, 4))
    assert probe.calls == 3
    monkeypatch.setattr("edge.tuning.places.__version__", "99")
    find(environment, probe)
    assert probe.calls == 4


def test_a_probe_that_could_change_nothing_is_not_asked(environment: dict[str, str]) -> None:
    probe = Probe()
    assert find(environment, probe, asked=Asked(threads=2, residency="owned")).profile is None
    one = Machine("p", "x86_64", 1)
    assert find(environment, probe, asked=Asked(residency="mapped"), machine=one).profile is None
    assert find(environment, probe, may_probe=False).profile is None
    assert "too busy" in find(environment, probe, load=4.1).source
    assert probe.calls == 0
    assert not Path(environment["EDGE_CACHE_DIR"]).exists()
    assert find(environment, probe, load=3.9).profile is not None


def test_an_answer_that_cannot_be_kept_is_not_asked_for(tmp_path: Path) -> None:
    probe = Probe()
    (tmp_path / "file").write_text("no folder")
    assert "failed" in find({"EDGE_CACHE_DIR": str(tmp_path / "file")}, probe).source
    assert "no folder" in find({}, probe).source
    assert probe.calls == 0


def test_a_probe_that_fails_is_no_error(environment: dict[str, str]) -> None:
    failing = Probe(DoesNotFit("no memory"))
    found = find(environment, failing)
    assert found.profile is None
    assert "no memory" in found.source
    later = find(environment, failing)  # and it does not fail anew at every load
    assert later.profile is not None
    assert later.profile.reads == ()
    assert failing.calls == 1


def test_an_interrupted_probe_is_asked_again(environment: dict[str, str]) -> None:
    class Interrupted(BaseException):
        pass

    def interrupted(machine: Machine, folder: Path) -> Profile:
        raise Interrupted

    with pytest.raises(Interrupted):
        find_profile(Asked(), environment, may_probe=True, probe=interrupted, busy=lambda: 0.0, machine=MACHINE)
    probe = Probe()
    assert find(environment, probe).profile == profile_of(MACHINE)
    assert probe.calls == 1


def test_a_broken_answer_of_the_probe_is_asked_again(environment: dict[str, str]) -> None:
    probe = Probe()
    find(environment, probe)
    probed = ProfilePlaces.of(MACHINE, environment).probed
    assert probed is not None
    probed.write_text("format = 7")
    assert find(environment, probe).profile == profile_of(MACHINE)
    assert probe.calls == 2


def test_the_saved_profile_comes_first(environment: dict[str, str]) -> None:
    probe = Probe()
    find(environment, probe)
    saved = ProfilePlaces.of(MACHINE, environment).saved
    assert saved is not None
    save_profile(profile_of(MACHINE), saved)
    found = find(environment, probe)
    assert (found.source, found.note) == (str(saved), None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("format = 2", "format is 2"),
        ("not toml at all [", "is not TOML"),
        ('format = 1\n[device]\nname = "d"\nkind = "other"\nmachine = "m"\n[[reads]]\nthreads = 0', "reads[0]"),
    ],
)
def test_a_broken_saved_profile_is_said_and_not_used(environment: dict[str, str], text: str, words: str) -> None:
    saved = ProfilePlaces.of(MACHINE, environment).saved
    assert saved is not None
    saved.parent.mkdir(parents=True)
    saved.write_text(text)
    found = find(environment, Probe(), may_probe=False)
    assert found.profile is None
    assert found.note is not None
    assert str(saved) in found.note
    assert words in found.note
    found = find(environment, Probe())  # the probe stands in, and the note stays
    assert found.profile is not None
    assert found.note is not None


def test_a_saved_profile_of_another_machine_is_not_used(environment: dict[str, str]) -> None:
    saved = ProfilePlaces.of(MACHINE, environment).saved
    assert saved is not None
    save_profile(profile_of(Machine("another", "x86_64", 4)), saved)
    found = find(environment, Probe(), may_probe=False)
    assert found.profile is None
    assert found.note is not None
    assert "another (x86_64) with 4 cores" in found.note


def test_a_named_profile_is_used_as_it_is(environment: dict[str, str], tmp_path: Path) -> None:
    probe = Probe()
    other = profile_of(Machine("another", "riscv64", 64))
    path = tmp_path / "mine.toml"
    path.write_text(to_toml(other))
    found = find(environment | {"EDGE_PROFILE": str(path)}, probe)
    assert (found.profile, found.source, found.note) == (other, str(path), None)
    path.write_text("format = 1")
    with pytest.raises(BadProfile, match=r"mine\.toml: has no \[device\]"):
        find(environment | {"EDGE_PROFILE": str(path)}, probe)
    assert find(environment | {"EDGE_PROFILE": "off"}, probe).profile is None
    assert probe.calls == 0


def test_saving_is_atomic(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a" / "p.toml"
    save_profile(profile_of(MACHINE), path)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save_profile(Profile(device=MACHINE.device), path)
    assert load_profile(path) == profile_of(MACHINE)
    assert [item.name for item in path.parent.iterdir()] == ["p.toml"]


def test_load_average_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    assert finding.load_average() >= 0.0

    def unknown() -> tuple[float, float, float]:
        raise OSError("not here")

    monkeypatch.setattr(os, "getloadavg", unknown)
    assert finding.load_average() == 0.0


def test_places(tmp_path: Path) -> None:
    places = ProfilePlaces.of(MACHINE, {"HOME": str(tmp_path)})
    assert places.saved is not None
    assert places.saved.parent.name == "profiles"
    assert places.saved.name.startswith("A_processor_R_1-")
    assert places.probed is not None
    assert places.probed.name.startswith("probe-A_processor_R_1-")
    assert ProfilePlaces.of(MACHINE, {}) == ProfilePlaces(None, None, None)
