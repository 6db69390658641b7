"""Writing a profile and reading it back gives the same profile."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import BadProfile
from edge.profiles import Profile, load_shipped, parse_profile, shipped, to_toml
from edge.profiles.reader import MAX_BYTES
from edge.profiles.records import Device, Evidence, Isa, Memory, Read, Step

DEVICE = Device(name="d", kind="laptop", machine="x86_64")
PROOF = Evidence(measured=True, method="m")

# Any printable text, quotes and backslashes among it; spaces at the ends are not allowed.
lines = st.text(st.characters(min_codepoint=32, max_codepoint=0x3FF), min_size=1, max_size=40).filter(
    lambda text: text.isprintable() and text == text.strip()
)
speeds = st.floats(min_value=1e-9, max_value=1e5) | st.integers(min_value=1, max_value=10**5)
proofs = st.builds(
    Evidence,
    measured=st.booleans(),
    method=lines,
    source=st.just("https://example.org/a?b=c#d"),
    note=st.none() | lines,
)
reads = st.builds(
    Read,
    threads=st.integers(1, 4096),
    cores=st.none(),
    huge_pages=st.none() | st.booleans(),
    residency=st.none() | st.sampled_from(["mapped", "owned"]),
    gb_s=speeds,
    evidence=proofs,
)
features = st.lists(st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,9}", fullmatch=True), min_size=1, max_size=5, unique=True)


def _question(read: Read) -> tuple[int, bool | None, str | None]:
    return read.threads, read.huge_pages, read.residency


profiles = st.builds(
    Profile,
    device=st.builds(
        Device, name=lines, kind=st.just("other"), machine=st.just("riscv64"), processor=st.none() | lines
    ),
    isa=st.none() | st.builds(Isa, features=features.map(tuple), evidence=proofs),
    memory=st.none() | st.builds(Memory, type=lines, size_bytes=st.none() | st.integers(1, 2**50), evidence=proofs),
    reads=st.lists(reads, max_size=4, unique_by=_question).map(tuple),
)


@settings(max_examples=30)
@given(profiles)
def test_round_trip(profile: Profile) -> None:
    assert parse_profile(to_toml(profile).encode(), "x") == profile


@pytest.mark.parametrize("name", shipped())
def test_round_trip_of_a_shipped_profile(name: str) -> None:
    profile = load_shipped(name)
    assert parse_profile(to_toml(profile).encode(), name) == profile


def test_the_text() -> None:
    read = Read(threads=2, huge_pages=True, gb_s=26.8, evidence=Evidence(measured=True, method='a "b" \\c'))
    assert to_toml(Profile(device=DEVICE, reads=(read,))) == (
        'format = 1\n\n[device]\nname = "d"\nkind = "laptop"\nmachine = "x86_64"\n\n'
        '[[reads]]\nthreads = 2\nhuge_pages = true\ngb_s = 26.8\nmeasured = true\nmethod = "a \\"b\\" \\\\c"\n'
    )


def test_what_could_not_be_read_back_is_not_written() -> None:
    proof = Evidence(measured=True, method="m" * 500)
    count = MAX_BYTES // 500
    steps = tuple(Step(model="m", tokens=1 + n, threads=1, ms=1.0, evidence=proof) for n in range(count))
    with pytest.raises(BadProfile, match="^the profile to write: is larger than"):
        to_toml(Profile(device=DEVICE, steps=steps))
    with pytest.raises(BadProfile, match="^the profile to write: line 11 has 60 dots"):
        dotted = Evidence(measured=True, method="." * 60)
        to_toml(Profile(device=DEVICE, memory=Memory(type="t", evidence=dotted)))
