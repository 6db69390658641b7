"""From a model to a file: gathers statistics, chooses types, encodes, writes, measures, writes down what was lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from edge import device
from edge.calibration import Calibration, collect, read_imatrix, shipped_text
from edge.calibration.prepare import Prepared, prepare, squares_of
from edge.convert.opened import Opened
from edge.convert.recipe import Recipe
from edge.damage import Damage, LoadOptions, damage_metadata, measure, quantisation_metadata, stamp
from edge.damage.text import read_text
from edge.errors import DoesNotFit, ModelFileError, RequestError
from edge.export import TensorSource
from edge.export.export import export
from edge.formats.atomic import scratch_folder
from edge.formats.types import GGMLType, tensor_num_bytes
from edge.packed import CacheOptions
from edge.quant.encoder import Encoder
from edge.quant.mixed import mixed_types
from edge.quant.names import Chosen, as_stored, choose
from edge.quant.sensitivity import measure_sensitivity

__all__ = ["Converted", "Stage", "Stages", "convert"]

Stage: TypeAlias = Literal[
    "reading", "calibrating", "calibrating operations", "probing", "choosing", "writing", "loading", "measuring"
]
Progress: TypeAlias = Callable[[int, int], None]  # (done, total): bytes, tokens, matrices
Stages: TypeAlias = Callable[[Stage], AbstractContextManager[Progress | None]]


class Converted(NamedTuple):
    """types: of every tensor, by name. damage: beside the source; None where it was not measured."""

    path: Path
    types: dict[str, str]
    bits_per_weight: float
    damage: Damage | None
    notes: tuple[str, ...]


def _silent(stage: Stage) -> AbstractContextManager[Progress | None]:
    del stage
    return nullcontext()


def convert(
    opened: Opened,
    recipe: Recipe,
    target: Path,
    *,
    threads: int | None = None,
    measured: bool = True,
    text: Path | None = None,
    stages: Stages = _silent,
) -> Converted:
    """Writes `target`, which says how it was made and, unless `measured` is False, what it lost beside the source.

    text: what that is measured on (None: the text that ships). A folder that is calibrated or measured is first written
    in the types that it is stored in, beside the target, for the engine to read. The target is whole before it is
    measured; what the engine cannot measure is said in the notes.
    Raises RequestError, what reading the source raises, DoesNotFit for a size that no types reach, a full disk or too
    little memory, and NumericalError for weights or figures that are not finite.
    """
    if opened.path is not None and target.exists() and target.samefile(opened.path):
        raise RequestError(f"{target} is the source: give the new file another name")
    num_threads = threads if threads is not None else device.cpus().default_threads
    is_measured, source, notes = measured and recipe.may_lose, opened.source, list(opened.notes)
    with ExitStack() as stack:
        file = opened.path
        if file is None and (recipe.is_calibrated or recipe.sensitivity or is_measured):
            file = stack.enter_context(_copied(source, target, num_threads, stages))
        known = None
        if recipe.is_calibrated:
            assert file is not None
            known = _statistics(file, recipe, num_threads, stages)
        types, file_type = _chosen(recipe, source, file, known, num_threads, stages)
        bits = _bits_per_weight(source, types)
        said: dict[str, Any] = {"general.quantization_version": 2}
        if file_type is not None:
            said["general.file_type"] = file_type
        if recipe.changes_types:
            sha256 = known.calibration.text_hash if known is not None else ""
            said |= quantisation_metadata(bits, recipe.said, sha256 or None)
        with _prepared(file, source, types, recipe, known, num_threads) as ready, stages("writing") as progress:
            export(ready.source, target, types=types, encode=ready.encode, extra_metadata=said, progress=progress)
        damage = None
        if is_measured:
            assert file is not None
            damage = _measured(target, file, text, threads, stages, notes)
    return Converted(target, types, bits, damage, tuple(notes))


class _Known(NamedTuple):
    """text: None where the statistics come from an importance matrix."""

    calibration: Calibration
    text: str | None


@contextmanager
def _copied(source: TensorSource, target: Path, num_threads: int, stages: Stages) -> Generator[Path]:
    """The model in the types that it is stored in, as a file that is gone afterwards."""
    with scratch_folder(target) as folder, Encoder(num_threads) as encode:
        path = folder / "source.gguf"
        with stages("reading") as progress:
            export(source, path, types=as_stored(source.tensors).types, encode=encode, progress=progress)
        yield path


def _statistics(path: Path, recipe: Recipe, num_threads: int, stages: Stages) -> _Known:
    """From the importance matrix that is named, or from the text, read by the model at `path`."""
    text = shipped_text()
    if recipe.calibration is not None:
        if _is_gguf(Path(recipe.calibration)):
            return _Known(read_imatrix(recipe.calibration), None)
        _, text, _ = read_text(recipe.calibration)
    with stages("calibrating") as progress:
        cache = CacheOptions(enabled=False)
        return _Known(collect(path, text, num_threads=num_threads, cache=cache, on_progress=progress), text)


def _is_gguf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise RequestError(f"calibration {path}: {error.strerror or error}") from None


def _chosen(
    recipe: Recipe, source: TensorSource, path: Path | None, known: _Known | None, num_threads: int, stages: Stages
) -> Chosen:
    """path: the model in the types that it is stored in, where somebody needs it."""
    if recipe.quant is not None:
        return choose(recipe.quant, source.tensors, source.metadata, has_importance=known is not None)
    if not recipe.is_mixed:
        return as_stored(source.tensors)
    importance = None if known is None else squares_of(known.calibration, source)
    with Encoder(num_threads) as encode:
        sensitivity = None
        if recipe.sensitivity:
            assert path is not None
            with stages("probing") as progress:
                sensitivity = measure_sensitivity(path, encode.rows, importance=importance, on_progress=progress)
        with stages("choosing") as progress:
            types = mixed_types(
                source,
                encode.rows,
                size_bytes=recipe.size_bytes,
                bits_per_weight=recipe.bits_per_weight,
                importance=importance,
                sensitivity=sensitivity,
                on_progress=progress,
            )
    return Chosen(types, None)


@contextmanager
def _prepared(
    path: Path | None, source: TensorSource, types: dict[str, str], recipe: Recipe, known: _Known | None, threads: int
) -> Generator[Prepared]:
    """The tensors as the method leaves them, and their encoder."""
    if known is None:
        with Encoder(threads) as encode:
            yield Prepared(source, encode)
        return
    assert path is not None
    method = recipe.method or "rounding"
    with prepare(path, source, types, known.calibration, method=method, text=known.text, num_threads=threads) as ready:
        yield ready


def _measured(
    target: Path, source: Path, text: Path | None, threads: int | None, stages: Stages, notes: list[str]
) -> Damage | None:
    """Measures the finished file and writes the figures into it."""
    loading = LoadOptions(threads=threads, no_cache=True)
    try:
        with stages("loading") as on_load, stages("measuring") as progress:
            damage = measure(target, source, text=text, loading=loading, on_load=on_load, on_progress=progress)
    except (DoesNotFit, ModelFileError, RequestError) as error:
        notes.append(f"what was lost is not measured: {error}")
        return None
    stamp(target, damage_metadata(damage))
    return damage


def _bits_per_weight(source: TensorSource, types: dict[str, str]) -> float:
    bits = 8 * sum(tensor_num_bytes(GGMLType[types[name]], shape) for name, shape, _ in source.tensors)
    return bits / max(1, sum(math.prod(tensor.shape) for tensor in source.tensors))
