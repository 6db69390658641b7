"""Loads a model once for each number of threads and measures it round by round."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import edge
from edge import device
from edge.bench.options import BenchOptions
from edge.bench.report import BenchReport, Load, ModelFacts, PackedUse, Result
from edge.bench.rounds import Bandwidth, Rounds, Work
from edge.bench.sensors import Energy, temperatures
from edge.bench.step_bytes import StepBytes, step_matrix_bytes
from edge.describe import describe
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.loading import load
from edge.model import Model
from edge.native.measure import read_bandwidth
from edge.references import resolve

Progress = Callable[[int, int], None]  # (done, total)
Guard = Callable[[Callable[[], None]], AbstractContextManager[object]]  # (what cancels) -> around what it cancels


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How the model is loaded: keywords of `edge.load`."""

    isa: str | None = None
    no_cache: bool | None = None
    residency: str | None = None
    backend: str | None = None


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
    with open_gguf(path) as file:
        depths = options.depths(ModelConfig.from_gguf(file).max_position_embeddings)
        matrix_bytes = step_matrix_bytes(file)
    work, energy, celsius_before = Work.of(options, depths), Energy(), temperatures()
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
            sequences=max(options.batches, default=1),
            on_progress=on_load,
        ) as model:
            facts = _facts(path, model, matrix_bytes)
            backend = model.step_backend
            rounds = Rounds(backend, work, read_bandwidth=bandwidth, energy=energy, on_step=count)
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


def _facts(path: Path, model: Model, matrix_bytes: int) -> ModelFacts:
    description, backend = describe(path), model.step_backend
    return ModelFacts(
        path=str(path),
        name=description["name"],
        architecture=description["architecture"],
        num_parameters=description["num_parameters"],
        file_bytes=description["file_bytes"],
        types=description["types"],
        step_matrix_bytes=matrix_bytes,
        kv_type=backend.kv_type,
        kv_bytes_per_position=backend.kv_bytes_per_position,
    )


def _load(model: Model, rounds: Rounds, resident: int | None, peak: int | None) -> Load:
    weights, limits = model.weights, model.step_backend.limits
    packed: PackedUse = "memory" if weights.residency == "memory" else "opened" if weights.note is None else "written"
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
        resident_bytes=resident,
        peak_memory_bytes=peak,
        bandwidth=tuple(rounds.bandwidth),
        bandwidth_note=rounds.bandwidth_note,
    )
