"""Loads a model once for each number of threads and measures it round by round."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import edge
from edge import device
from edge.bench.options import BenchOptions
from edge.bench.report import BenchReport, Load, ModelFacts, PackedUse, Result
from edge.bench.rounds import Bandwidth, Rounds, Work
from edge.bench.step_bytes import StepBytes, step_matrix_bytes
from edge.describe import describe
from edge.errors import RequestError, UnsupportedModel
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.loading import load
from edge.model import Model
from edge.native.measure import read_bandwidth
from edge.references import resolve
from edge.sensors import Energy, temperatures

Progress = Callable[[int, int], None]  # (done, total)
Guard = Callable[[Callable[[], None]], AbstractContextManager[object]]  # (what cancels) -> around what it cancels


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How the model is loaded: keywords of `edge.load`."""

    isa: str | None = None
    no_cache: bool | None = None
    residency: str | None = None
    backend: str | None = None
    provider: str | None = None
    strict: bool = False
    prefill_backend: str | None = None


class _Header(NamedTuple):
    """context: that the model was made for. matrix_bytes: that a step multiplies by."""

    context: int
    matrix_bytes: int
    description: dict[str, Any]


def bench(
    reference: str | os.PathLike[str] | None,
    options: BenchOptions,
    loading: LoadOptions | None = None,
    *,
    bandwidth: Bandwidth = read_bandwidth,
    guard: Guard = nullcontext,
    on_load: Progress | None = None,
    on_progress: Progress | None = None,
) -> BenchReport:
    """Measures a model on this machine.

    guard: entered with a function that cancels the steps which run inside it. on_load gets bytes of weights of each
    load, on_progress tokens of the whole run. Raises ModelFileError, RequestError (an option out of range, or depths
    that the model was not made for), DoesNotFit, Cancelled.
    """
    path, loading = resolve(reference), LoadOptions() if loading is None else loading
    header = _folder(path, options) if path.is_dir() else _file(path)
    matrix_bytes = header.matrix_bytes
    prefill = loading.prefill_backend
    if prefill is None and loading.backend in (None, "native") and not path.is_dir():
        prefill = "native"  # what is measured is not what a profile chooses
    hands_over = prefill not in (None, "native")
    work = Work.of(options, options.depths(header.context), hands_over=hands_over)
    energy, celsius_before = Energy(), temperatures()
    loads: list[Load] = []
    results: list[Result] = []
    watts: list[float] = []
    facts: ModelFacts | None = None
    wanted = options.threads or (None,)
    count = _Counter(work.num_tokens * len(wanted), on_progress)
    for threads in wanted:
        peak_known = not loads or device.reset_peak_memory()
        with load(
            path,
            backend=loading.backend,
            context=work.context,
            threads=threads,
            isa=loading.isa,
            no_cache=loading.no_cache,
            residency=loading.residency,
            provider=loading.provider,
            strict=loading.strict,
            prefill_backend=prefill,
            sequences=max(options.batches, default=1),
            on_progress=on_load,
        ) as model:
            facts = _facts(path, model, header)
            backend = model.step_backend
            reader = model.prefill_source if hands_over else None
            rounds = Rounds(backend, work, read_bandwidth=bandwidth, energy=energy, on_step=count, reader=reader)
            with guard(backend.cancel):
                rounds.warm_up()
                resident = device.resident_memory_bytes()
                peak = device.peak_memory_bytes() if peak_known else None
                rounds.run()
            loads.append(_load(model, rounds, resident, peak))
            results += rounds.results(StepBytes(matrix_bytes, backend.kv_bytes_per_position))
            watts += rounds.watts
    assert facts is not None  # there is at least one load
    cpus = device.cpus()
    return BenchReport(
        edge=edge.__version__,
        cpu=cpus.model,
        machine=cpus.machine,
        model=facts,
        rounds=options.rounds,
        loads=tuple(loads),
        results=tuple(results),
        celsius_before=celsius_before,
        celsius_after=temperatures(),
        battery_watts=median(watts) if watts else None,
    )


class _Counter:
    """Adds up the tokens of steps for a progress bar."""

    def __init__(self, total: int, on_progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._on_progress = on_progress

    def __call__(self, num_tokens: int) -> None:
        self._done += num_tokens
        if self._on_progress is not None:
            self._on_progress(self._done, self._total)


def _file(path: Path) -> _Header:
    with open_gguf(path) as file:
        context = ModelConfig.from_gguf(file).max_position_embeddings
        return _Header(context, step_matrix_bytes(file), describe(path))


def _folder(path: Path, options: BenchOptions) -> _Header:
    from edge.describe_onnx import describe_folder, multiplied_bytes
    from edge.formats.onnx import open_onnx_folder

    description = describe_folder(path)
    if not description["supported"]:
        raise UnsupportedModel(path, f"edge does not run it: {description['unsupported_because']}")
    if options.batches and description["config"]["logits_of"] == "the last token":
        raise RequestError(
            f"--batch times steps with the logits of every token, and {path} gives those of the last one: make the "
            "folder with --all-logits"
        )
    return _Header(description["context"], multiplied_bytes(open_onnx_folder(path).model.model.graph), description)


def _facts(path: Path, model: Model, header: _Header) -> ModelFacts:
    description, backend = header.description, model.step_backend
    return ModelFacts(
        path=str(path),
        name=description["name"],
        architecture=description["architecture"],
        num_parameters=description["num_parameters"],
        file_bytes=description["file_bytes"],
        types=description["types"],
        step_matrix_bytes=header.matrix_bytes,
        kv_type=backend.kv_type,
        kv_bytes_per_position=backend.kv_bytes_per_position,
    )


def _load(model: Model, rounds: Rounds, resident: int | None, peak: int | None) -> Load:
    weights, limits = model.weights, model.step_backend.limits
    packed: PackedUse = "memory" if weights.residency == "memory" else "opened" if weights.note is None else "written"
    if model.step_backend.capabilities.name != "native":
        packed = "runtime"
    return Load(
        threads=model.num_threads,
        decode_threads=model.decode_threads,
        chosen_by=model.tuning.source,
        backend=model.backend,
        isa=model.isa,
        context=model.context,
        chunk=limits.max_tokens,
        load_seconds=model.load_seconds,
        packed=packed,
        residency=weights.residency,
        packed_bytes=weights.packed_bytes,
        note=weights.note,
        prefill_backend=None if model.prefill is None else model.prefill.backend,
        resident_bytes=resident,
        peak_memory_bytes=peak,
        bandwidth=tuple(rounds.bandwidth),
        bandwidth_note=rounds.bandwidth_note,
    )
