"""What a profile may be: the smallest and a full one are read, every bad one is refused with its message, quickly."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.errors import BadProfile
from edge.profiles import load_profile, parse_profile, to_toml
from edge.profiles.reader import MAX_BYTES
from edge.profiles.records import Evidence, Read
from tests.profiles.bad_profiles import DEVICE, SOURCED, BadProfileFile, bad_profiles

FILES = bad_profiles()

MEASURED = """
format = 1
[device]
name = "this machine"
kind = "server"
machine = "x86_64"
[[reads]]
threads = 2
huge_pages = true
gb_s = 26.8
measured = true
method = "1 GiB of anonymous memory, best of 5 passes"
[[compute]]
isa = "avx512vnni"
weights = "Q4_0"
rows = 2048
columns = 5632
tokens = 1
threads = 1
gmacs_s = 190
measured = true
method = "median of 50"
[[disks]]
name = "/"
read_mb_s = 900
measured = true
method = "O_DIRECT, 4 MiB, 256 MiB"
[[caches]]
num_bytes = 16777216
threads = 2
gb_s = 80
measured = true
method = "fastest pass over the same bytes"
[[models]]
name = "TinyLlama 1.1B Q4_0"
layers = 22
hidden_size = 2048
heads = 32
kv_heads = 4
head_dim = 64
matrices = ["44 x Q4_0 2048 x 2048", "66 x Q4_0 5632 x 2048"]
head = "Q6_K 32000 x 2048"
[[steps]]
model = "TinyLlama 1.1B Q4_0"
tokens = 8
threads = 2
depth = 512
ms = 41.5
measured = true
method = "median of 9"
"""


def _name(case: BadProfileFile) -> str:
    return case.name


def test_the_smallest_profile() -> None:
    profile = parse_profile(DEVICE.encode(), "x")
    assert profile.device.name == "d"
    assert (profile.cores, profile.isa, profile.memory, profile.reads) == ((), None, None, ())
    assert list(profile.evidence()) == []


def test_a_measured_profile() -> None:
    profile = parse_profile(MEASURED.encode(), "x")
    proof = Evidence(measured=True, method="1 GiB of anonymous memory, best of 5 passes")
    assert profile.reads == (Read(threads=2, huge_pages=True, gb_s=26.8, evidence=proof),)
    assert profile.compute[0].gmacs_s == 190
    assert (profile.steps[0].depth, profile.models[0].matrices[0]) == (512, "44 x Q4_0 2048 x 2048")
    places = [place for place, _ in profile.evidence()]
    assert places == ["reads[0]", "caches[0]", "compute[0]", "disks[0]", "steps[0]"]
    assert parse_profile(to_toml(profile).encode(), "x") == profile


def test_one_question_with_and_without_huge_pages() -> None:
    read = f"[[reads]]\nthreads = 1\ngb_s = 1\n{SOURCED}"
    text = (
        DEVICE
        + read
        + read.replace("gb_s", "huge_pages = true\ngb_s")
        + read.replace("gb_s", "huge_pages = false\ngb_s")
    )
    assert [read.huge_pages for read in parse_profile(text.encode(), "x").reads] == [None, True, False]


def test_line_ends_of_windows() -> None:
    assert parse_profile(DEVICE.replace("\n", "\r\n").encode(), "x").device.kind == "board"


def _refusal(case: BadProfileFile, path: Path) -> tuple[str, float]:
    """The message with which the file is refused, and the seconds it took."""
    path.write_bytes(case.content)
    start = time.perf_counter()
    with pytest.raises(BadProfile) as caught:
        load_profile(path)
    return str(caught.value), time.perf_counter() - start


@pytest.mark.parametrize("case", FILES, ids=_name)
def test_bad_profile_is_refused(case: BadProfileFile, tmp_path: Path) -> None:
    path = tmp_path / f"{case.name}.toml"
    message, seconds = _refusal(case, path)
    assert message.startswith(f"{path}: ")
    for fragment in case.expected:
        assert fragment in message, message
    assert "\n" not in message
    assert len(message) < 600
    limit = 1.0 if case.name == "dotted-keys" else 0.1
    if seconds >= limit:  # the machine may have been busy: the second time counts
        seconds = _refusal(case, path)[1]
    assert seconds < limit


def test_each_is_its_own() -> None:
    assert len({case.name for case in FILES}) == len({case.content for case in FILES}) == len(FILES)


def test_a_file_of_the_largest_size(tmp_path: Path) -> None:
    path = tmp_path / "large.toml"
    path.write_bytes(DEVICE.encode().ljust(MAX_BYTES - 1, b"\n") + b"\n")
    assert load_profile(path).device.name == "d"


@pytest.mark.parametrize("path", ["missing.toml", ".", "a\0b.toml"])
def test_what_is_no_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="no such file|cannot be read"):
        load_profile(f"{tmp_path}/{path}")


def test_an_endless_file() -> None:
    with pytest.raises(BadProfile, match="^/dev/zero: no such file$"):
        load_profile("/dev/zero")


def test_a_record_made_in_python_is_checked_too() -> None:
    with pytest.raises(BadProfile, match=r"^threads is 0, it must be a whole number from 1 to 4096$"):
        Read(threads=0, gb_s=1.0, evidence=Evidence(measured=True, method="m"))
    with pytest.raises(BadProfile, match=r"^measured is false, so source"):
        Evidence(measured=False, method="guessed")
