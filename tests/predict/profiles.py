"""Profiles with round figures, so that a test can compute by hand what must follow."""

from __future__ import annotations

from typing import Any

from edge.backends.work import Matrix, StepWork
from edge.formats.types import GGMLType
from edge.predict import Question
from edge.profiles import Profile
from edge.profiles.records import Cache, Compute, Device, Disk, Evidence, Read, Step, StepModel

PROOF = Evidence(measured=True, method="m")
DEVICE = Device(name="d", kind="other", machine="x86_64")

# Q8_0 takes 17 bytes for 16 weights, packed: 4 matrices of 2^20 weights and a head of 2^21 are 6,684,672 bytes.
SQUARE, HEAD = Matrix(GGMLType.Q8_0, 1024, 1024), Matrix(GGMLType.Q8_0, 2048, 1024)
WORK = StepWork({SQUARE: 4}, HEAD, num_layers=1, hidden_size=1024, num_heads=2, num_kv_heads=1, head_dim=64)
BYTES = 6_684_672
KV_BYTES = 2 * 64 * 2  # K and V of a position, 64 values of two bytes


def read(threads: int, gb_s: float, residency: str | None = None) -> Read:
    return Read(threads=threads, gb_s=gb_s, residency=residency, evidence=PROOF)


def cache(num_bytes: int, gb_s: float, threads: int = 1) -> Cache:
    return Cache(num_bytes=num_bytes, threads=threads, gb_s=gb_s, evidence=PROOF)


def kernel(gmacs_s: float, tokens: int = 1, threads: int = 1, weights: str = "Q8_0", rows: int = 1024) -> Compute:
    return Compute(
        isa="avx2", weights=weights, rows=rows, columns=1024, tokens=tokens, threads=threads, gmacs_s=gmacs_s,
        evidence=PROOF,
    )  # fmt: skip


def peak(gmacs_s: float) -> Compute:
    return Compute(isa="avx2", threads=1, gmacs_s=gmacs_s, evidence=PROOF)


def disk(read_mb_s: float, name: str) -> Disk:
    return Disk(name=name, read_mb_s=read_mb_s, evidence=PROOF)


def step(model: str, ms: float, tokens: int = 1, depth: int | None = None, threads: int = 1) -> Step:
    return Step(model=model, tokens=tokens, threads=threads, depth=depth, ms=ms, evidence=PROOF)


def step_model(name: str, layers: int, hidden_size: int, rows: int, heads: int = 4) -> StepModel:
    """A matrix of rows x 512 in each layer, and such a head."""
    return StepModel(
        name=name, layers=layers, hidden_size=hidden_size, heads=heads, kv_heads=2, head_dim=64,
        matrices=(f"{layers} x Q8_0 {rows} x 512",), head=f"Q8_0 {rows} x 512",
    )  # fmt: skip


def profile(**tables: Any) -> Profile:
    return Profile(device=DEVICE, **tables)


def question(work: StepWork = WORK, **changes: Any) -> Question:
    settings: dict[str, Any] = {
        "kv_type": "f16", "isa": "avx2", "residency": None, "decode_threads": 1, "prefill_threads": 1, "chunk": 128,
        "context": 1025,
    }  # fmt: skip
    return Question(work, **(settings | changes))
