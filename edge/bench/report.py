"""What was measured, and the object that `edge bench --json` prints: seconds, bytes, tokens per second, watts, °C."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal, TypeAlias

__all__ = ["BenchReport", "Load", "ModelFacts", "PackedUse", "Phase", "Result"]

# handed: a prompt that another engine reads, K and V stored for this one.
Phase: TypeAlias = Literal["prefill", "handed", "decode", "step"]
# opened: a packed file of an earlier load. written: this load made it. memory: packed at load, no file. runtime: they
# are another engine's business.
PackedUse: TypeAlias = Literal["opened", "written", "memory", "runtime"]


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The file, and what a step reads of it."""

    path: str
    name: str | None
    architecture: str | None
    num_parameters: int
    file_bytes: int
    types: Mapping[str, int]  # tensors of each type
    step_matrix_bytes: int  # packed, of every matrix that a step multiplies by
    kv_type: str
    kv_bytes_per_position: int


@dataclass(frozen=True, slots=True)
class Load:
    """One load with one number of threads, and the read bandwidth measured beside its rounds."""

    threads: int  # that read prompts
    decode_threads: int  # that make tokens, and read memory where its bandwidth is measured
    chosen_by: str  # the device profile that chose what was not asked for, or why there is none
    backend: str  # what computes, for example "native/avx2"
    isa: str | None
    context: int
    chunk: int  # most tokens of a prompt in one step
    load_seconds: float
    packed: PackedUse
    residency: str
    packed_bytes: int
    note: str | None
    prefill_backend: str | None  # what reads the prompts that are handed over
    resident_bytes: int | None  # of the process, after a step of every size
    peak_memory_bytes: int | None  # of the process, the kernel's own figure; None where a former load hides it
    bandwidth: tuple[float, ...]  # bytes per second, one a round; empty when it could not be measured
    bandwidth_note: str | None

    @property
    def read_bytes_s(self) -> float | None:
        return median(self.bandwidth) if self.bandwidth else None


@dataclass(frozen=True, slots=True)
class Result:
    """One phase at one depth. `seconds`: one entry a round, for all its tokens. A step's is the median of several."""

    phase: Phase
    tokens: int
    depth: int
    threads: int
    seconds: tuple[float, ...]
    joules: tuple[float, ...]  # one a round; empty where energy cannot be read
    bytes_per_step: float | None = None  # decode: mean of the steps
    read_bytes_s: float | None = None  # decode: the bandwidth measured beside it
    cost: float | None = None  # step: in steps of one token

    @property
    def tok_s(self) -> float:
        return self.tokens / median(self.seconds)

    @property
    def bandwidth_share(self) -> float | None:
        """Of the measured read bandwidth; None where either side is not known."""
        if self.bytes_per_step is None or self.read_bytes_s is None:
            return None
        return self.bytes_per_step * self.tok_s / self.read_bytes_s

    @property
    def joules_per_token(self) -> float | None:
        return median(self.joules) / self.tokens if self.joules else None

    def as_json(self) -> dict[str, Any]:
        """Keys in the order of the columns of a CSV; those of another phase are None."""
        speed = {
            "prefill_tok_s": self.tok_s if self.phase == "prefill" else None,
            "handed_tok_s": self.tok_s if self.phase == "handed" else None,
            "decode_tok_s": self.tok_s if self.phase == "decode" else None,
            "step_ms": median(self.seconds) * 1e3 if self.phase == "step" else None,
            "step_cost": self.cost,
        }
        return {
            "phase": self.phase,
            "tokens": self.tokens,
            "depth": self.depth,
            "threads": self.threads,
            **speed,
            "min_tok_s": self.tokens / max(self.seconds),
            "max_tok_s": self.tokens / min(self.seconds),
            "bytes_per_step": self.bytes_per_step,
            "bandwidth_bytes_s": self.read_bytes_s,
            "bandwidth_share": self.bandwidth_share,
            "joules_per_token": self.joules_per_token,
        }


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything of one run. Results are in the order in which they were asked for."""

    edge: str
    cpu: str
    machine: str
    model: ModelFacts
    rounds: int
    loads: tuple[Load, ...]
    results: tuple[Result, ...]
    celsius_before: Mapping[str, float]  # by thermal zone; empty where none can be read
    celsius_after: Mapping[str, float]
    battery_watts: float | None  # median of the rounds, while a battery discharges

    def first(self, phase: Phase) -> Result | None:
        return next((result for result in self.results if result.phase == phase), None)

    def load_of(self, result: Result) -> Load:
        return next(load for load in self.loads if result.threads in (load.threads, load.decode_threads))

    def as_json(self) -> dict[str, Any]:
        """`prefill_tok_s` and `decode_tok_s` at the top are those of the first prompt, depth and thread count asked."""
        prefill, handed, decode = self.first("prefill"), self.first("handed"), self.first("decode")
        return {
            "label": "measured",
            "prefill_tok_s": prefill and prefill.tok_s,
            "handed_tok_s": handed and handed.tok_s,
            "decode_tok_s": decode and decode.tok_s,
            "edge": self.edge,
            "cpu": self.cpu,
            "machine": self.machine,
            "model": asdict(self.model),
            "rounds": self.rounds,
            "loads": [asdict(load) | {"read_bytes_s": load.read_bytes_s} for load in self.loads],
            "results": [result.as_json() for result in self.results],
            "celsius_before": dict(self.celsius_before),
            "celsius_after": dict(self.celsius_after),
            "battery_watts": self.battery_watts,
        }
