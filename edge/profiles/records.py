"""The tables of a profile. A field's annotation holds the rule for its value, and the order is the file's."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Annotated, Any, cast, get_args, get_origin, get_type_hints

from edge.errors import BadProfile
from edge.profiles.rules import (
    MAX_NOTE,
    Rule,
    address,
    feature_names,
    flag,
    matrix_counts,
    matrix_text,
    one_of,
    option_texts,
    positive,
    shown,
    some_of,
    text,
    whole,
)

MAX_THREADS = 4096


class Record:
    """A table of a profile. Making one checks it: BadProfile names the key, the value and what it must be."""

    __slots__ = ()

    def __post_init__(self) -> None:
        optional = optional_keys(type(self))
        for key, rule in rules(cast("Any", type(self))).items():
            value: object = getattr(self, key)
            problem = None if value is None and key in optional else rule(value)
            if problem is not None:
                raise BadProfile(f"{key} is {shown(value)}, it must be {problem}")


@cache
def rules(record: type[Any]) -> dict[str, Rule]:
    """Key -> rule, in the order of the fields; `evidence` has none, its keys stand in the same table."""
    hints = get_type_hints(record, include_extras=True)
    return {key: get_args(hint)[1] for key, hint in hints.items() if get_origin(hint) is Annotated}


def optional_keys(record: type[Any]) -> frozenset[str]:
    return frozenset(field.name for field in fields(record) if field.default is not MISSING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Record):
    """Where a figure comes from. Measured: on this machine, and `method` says how; otherwise `source` does."""

    measured: Annotated[bool, flag]
    method: Annotated[str | None, text(MAX_NOTE)] = None
    source: Annotated[str | None, address] = None
    note: Annotated[str | None, text(MAX_NOTE)] = None

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if self.measured and self.method is None:
            raise BadProfile("measured is true, so method must say how")
        if not self.measured and self.source is None:
            raise BadProfile("measured is false, so source must give the page that says so")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(Record):
    """What the profile describes. It has no figures, so no evidence."""

    name: Annotated[str, text()]
    kind: Annotated[str, one_of("board", "mini-pc", "laptop", "desktop", "server", "phone", "other")]
    machine: Annotated[str, text(32)]  # as `uname -m` says: "aarch64", "x86_64"
    processor: Annotated[str | None, text()] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cores(Record):
    """Cores of one kind."""

    name: Annotated[str, text()]  # "Cortex-A76"
    count: Annotated[int, whole(1024)]
    threads_per_core: Annotated[int | None, whole(8)] = None  # None: one
    max_mhz: Annotated[int | None, whole(20_000)] = None
    evidence: Evidence

    @property
    def threads(self) -> int:
        return self.count * (self.threads_per_core or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Isa(Record):
    """Instruction sets that every core has and that kernels may use."""

    features: Annotated[tuple[str, ...], feature_names]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(Record):
    """`peak_gb_s` is what the data sheet allows: transfers a second times bytes of bus."""

    type: Annotated[str, text()]
    size_bytes: Annotated[int | None, whole(2**50)] = None
    peak_gb_s: Annotated[float | None, positive(100_000)] = None
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Npu(Record):
    """What runs graphs with fixed shapes. provider: of ONNX Runtime, with its options as key=value. on_cpu: parts of a
    model that stay on the processor; what is not named runs on the NPU. chunk (tokens of a prefill step) and weights
    (as int8 or int4x32) are what an export does unless told otherwise."""

    name: Annotated[str, text()]  # "Hexagon V75"
    provider: Annotated[str, one_of("qnn", "openvino")]
    options: Annotated[tuple[str, ...], option_texts]
    on_cpu: Annotated[tuple[str, ...], some_of("embeddings", "head", "outliers")]
    chunk: Annotated[int | None, whole(1024)] = None
    weights: Annotated[str | None, one_of("int8", "int4", "int8x32", "int4x32")] = None
    evidence: Evidence

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if not {"embeddings", "head"} <= set(self.on_cpu):
            raise BadProfile(
                f"on_cpu is {', '.join(self.on_cpu)}, it must name embeddings and head: no export moves them"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Record):
    """Bandwidth of reading memory, in 10^9 bytes a second. `cores`: the kind that read; None: any. `residency`: read
    where weights lie, in a mapped file or in memory of their own; None: in memory that was only measured."""

    threads: Annotated[int, whole(MAX_THREADS)]
    cores: Annotated[str | None, text()] = None
    huge_pages: Annotated[bool | None, flag] = None  # None: not known
    residency: Annotated[str | None, one_of("mapped", "owned")] = None
    gb_s: Annotated[float, positive(100_000)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache(Record):
    """Bandwidth of reading the same `num_bytes` again and again, of which the caches hold a part, as they do of a small
    model's weights; in 10^9 bytes a second."""

    num_bytes: Annotated[int, whole(2**50)]
    threads: Annotated[int, whole(MAX_THREADS)]
    gb_s: Annotated[float, positive(1_000_000)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute(Record):
    """Speed of a kernel in 10^9 multiply-adds a second; `rows`, `columns`, `tokens`: the shape it ran on."""

    isa: Annotated[str, text(32)]  # "avx512vnni", "neon"
    weights: Annotated[str | None, text(32)] = None  # "Q4_0"
    rows: Annotated[int | None, whole(2**31)] = None
    columns: Annotated[int | None, whole(2**31)] = None
    tokens: Annotated[int | None, whole(2**20)] = None
    threads: Annotated[int, whole(MAX_THREADS)]
    cores: Annotated[str | None, text()] = None
    gmacs_s: Annotated[float, positive(1e9)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill(Record):
    """Speed at which another engine reads prompts, K and V handed over, beside the native one's, in the same run.

    backend and provider: as --prefill-backend and --provider name them. model: that both ran; None: any.
    """

    backend: Annotated[str, text()]
    provider: Annotated[str, text()]
    model: Annotated[str | None, text()] = None
    tokens: Annotated[int, whole(2**20)]  # of the prompt
    tok_s: Annotated[float, positive(1e9)]
    native_tok_s: Annotated[float, positive(1e9)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk(Record):
    """Sequential reading, in 10^6 bytes a second."""

    name: Annotated[str, text()]  # "microSD", "NVMe, PCIe 2.0 x1"
    read_mb_s: Annotated[float, positive(1_000_000)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class StepModel(Record):
    """A model that steps were measured with. It has no figures, so no evidence. matrices: "34 x Q4_0 2048 x 2048", how
    often a token is multiplied by each; head: "Q6_K 32000 x 2048"."""

    name: Annotated[str, text()]
    layers: Annotated[int, whole(2**16)]
    hidden_size: Annotated[int, whole(2**24)]
    heads: Annotated[int, whole(2**16)]
    kv_heads: Annotated[int, whole(2**16)]
    head_dim: Annotated[int, whole(2**16)]
    matrices: Annotated[tuple[str, ...], matrix_counts]
    head: Annotated[str, matrix_text]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Record):
    """Milliseconds of one step of `tokens` tokens behind `depth` positions (None: 0)."""

    model: Annotated[str, text()]
    tokens: Annotated[int, whole(2**20)]
    threads: Annotated[int, whole(MAX_THREADS)]
    depth: Annotated[int | None, whole(2**30)] = None
    ms: Annotated[float, positive(1e9)]
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference(Record):
    """What another runtime reached on the processor, to compare with."""

    runtime: Annotated[str, text()]
    model: Annotated[str, text()]
    weights: Annotated[str | None, text(32)] = None
    threads: Annotated[int | None, whole(MAX_THREADS)] = None
    prefill_tok_s: Annotated[float | None, positive(1e9)] = None
    decode_tok_s: Annotated[float | None, positive(1e9)] = None
    evidence: Evidence

    def __post_init__(self) -> None:
        Record.__post_init__(self)
        if self.prefill_tok_s is None and self.decode_tok_s is None:
            raise BadProfile("decode_tok_s is missing, and prefill_tok_s too: one must be there")
