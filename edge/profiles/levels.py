"""Which instruction-set levels of edge's kernels a described machine can run."""

from __future__ import annotations

from edge.profiles.profile import Profile

# Lowest first: what a level needs, in the words of /proc/cpuinfo (native/src/cpu.c asks the CPU itself).
# A processor with AVX2 has SSE4.1, and one with AVX-512 BW and VL has DQ: lists of features leave such out.
_X86 = (
    ("avx2", frozenset({"avx2", "f16c"})),
    ("avxvnni", frozenset({"avx2", "f16c", "avx_vnni"})),
    ("avx512vnni", frozenset({"avx2", "f16c", "avx512bw", "avx512vl", "avx512_vnni"})),
    ("avx512vbmi", frozenset({"avx2", "f16c", "avx512bw", "avx512vl", "avx512_vnni", "avx512vbmi"})),
)
_AARCH64 = (("dotprod", frozenset({"asimddp"})), ("i8mm", frozenset({"asimddp", "i8mm"})))
_ORDER = ("scalar", "sse41", "avx2", "avxvnni", "avx512vnni", "avx512vbmi", "neon", "dotprod", "i8mm")


def levels_of(profile: Profile) -> tuple[str, ...]:
    """Lowest first: by the features it lists, or else those that kernels were measured on; () when it has neither."""
    if profile.isa is None:
        measured = {record.isa for record in profile.compute}
        return tuple(level for level in _ORDER if level in measured)
    features = frozenset(profile.isa.features)
    if profile.device.machine == "aarch64":
        return ("scalar", "neon", *(level for level, needs in _AARCH64 if needs <= features))
    higher = [level for level, needs in _X86 if needs <= features]
    return ("scalar", *(("sse41",) if higher or "sse4_1" in features else ()), *higher)
