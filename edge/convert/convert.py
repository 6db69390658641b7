"""From a model to a file: gathers statistics, chooses types, encodes, writes, measures, writes down what was lost."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from edge.calibration import collect, read_imatrix, shipped_text
from edge.calibration.prepare import Prepared, grams_of, prepare
from edge.calibration.text import SHIPPED_NAME
from edge.convert.choosing import Known, choose_types
from edge.convert.opened import Opened
from edge.convert.recipe import Recipe
from edge.convert.smoothing import smoothed
from edge.convert.stages import Guard, Running, Stages, silent
from edge.damage import Damage, LoadOptions, damage_metadata, measure, quantisation_metadata, stamp
from edge.damage.text import read_text
from edge.errors import Cancelled, DoesNotFit, ModelFileError, RequestError
from edge.export import TensorSource
from edge.export.export import export
from edge.formats.atomic import scratch_folder
from edge.formats.types import GGMLType, tensor_num_bytes
from edge.packed import CacheOptions
from edge.quant.encoder import Encoder
from edge.quant.methods.gptq import GRIDS
from edge.quant.names import as_stored, choose

__all__ = ["Converted", "convert"]

Text = tuple[str, str, bytes]  # name, text, bytes


class Converted(NamedTuple):
    """types: of every tensor, by name. how: they were chosen for a size; None where nobody asked for one. damage:
    beside the source; None where it was not measured."""

    path: Path
    types: dict[str, str]
    how: str | None
    bits_per_weight: float
    damage: Damage | None
    notes: tuple[str, ...]


def convert(
    opened: Opened,
    recipe: Recipe,
    target: Path,
    *,
    threads: int | None = None,
    measured: bool = True,
    text: Path | None = None,
    stages: Stages = silent,
    guard: Guard = nullcontext,
) -> Converted:
    """Writes `target`, which says how it was made and, unless `measured` is False, what it lost beside the source.

    text: what that is measured on (None: the text that ships). A folder that is calibrated or measured is first written
    in the types that it is stored in, beside the target, for the engine to read. The target is whole before it is
    measured; what the engine cannot measure is said in the notes. guard: as of `edge.damage.measure`, around all steps
    of the engine but those of calibration.
    Raises RequestError, what reading the source raises, DoesNotFit for a size that no types reach, a full disk or too
    little memory, NumericalError for weights or figures that are not finite, and Cancelled, which says what is left.
    """
    if opened.path is not None and target.exists() and target.samefile(opened.path):
        raise RequestError(f"{target} is the source: give the new file another name")
    running = Running(threads, stages, guard)
    is_measured, source = measured and recipe.may_lose, opened.source
    with ExitStack() as stack:
        file = opened.path
        if file is None and (recipe.is_calibrated or recipe.is_probed or is_measured):
            file = stack.enter_context(_copied(source, target, running))
        text_read, known = _calibration_text(recipe), None
        if recipe.is_calibrated:
            assert file is not None
            known = _statistics(file, source, recipe, text_read, running)
        chosen = choose_types(recipe, source, file, known, text_read or _shipped(), running)
        types, bits, notes = chosen.types, _bits_per_weight(source, chosen.types), [*opened.notes, *chosen.notes]
        said: dict[str, Any] = {"general.quantization_version": 2}
        if chosen.file_type is not None:
            said["general.file_type"] = chosen.file_type
        if recipe.changes_types:
            sha256 = known.calibration.text_hash if known is not None else ""
            said |= quantisation_metadata(bits, recipe.said(chosen.how), sha256 or None)
        with _prepared(file, source, types, recipe, known, target, running) as ready, stages("writing") as progress:
            export(ready.source, target, types=types, encode=ready.encode, extra_metadata=said, progress=progress)
        damage = None
        if is_measured:
            assert file is not None
            damage = _measured(target, file, text, running, notes)
    return Converted(target, types, chosen.how, bits, damage, tuple(notes))


@contextmanager
def _copied(source: TensorSource, target: Path, running: Running) -> Generator[Path]:
    """The model in the types that it is stored in, as a file that is gone afterwards."""
    with scratch_folder(target) as folder, Encoder(running.num_threads) as encode:
        path = folder / "source.gguf"
        with running.stages("reading") as progress:
            export(source, path, types=as_stored(source.tensors).types, encode=encode, progress=progress)
        yield path


def _shipped() -> Text:
    text = shipped_text()
    return SHIPPED_NAME, text, text.encode()


def _calibration_text(recipe: Recipe) -> Text | None:
    """None: nothing is calibrated, or by an importance matrix."""
    if recipe.calibration is None:
        return _shipped() if recipe.is_calibrated else None
    return None if _is_gguf(Path(recipe.calibration)) else read_text(recipe.calibration)


def _statistics(path: Path, source: TensorSource, recipe: Recipe, text: Text | None, running: Running) -> Known:
    """From the importance matrix that is named, or from the text, read by the model at `path`."""
    if text is None:
        assert recipe.calibration is not None
        return Known(read_imatrix(recipe.calibration), None)
    with running.stages("calibrating") as progress:
        if recipe.method == "gptq":  # statistics and Gram matrices from one reading
            names = None if recipe.quant is None else _for_gptq(recipe.quant, source)
            grams = grams_of(path, text[1], names, running.num_threads)
            return Known(grams.calibration(progress), text[1], grams)
        cache = CacheOptions(enabled=False)
        found = collect(path, text[1], num_threads=running.num_threads, cache=cache, on_progress=progress)
    return Known(found, text[1])


def _for_gptq(quant: str, source: TensorSource) -> list[str]:
    types = choose(quant, source.tensors, source.metadata, has_importance=True).types
    return [name for name, kind in types.items() if kind in GRIDS]


def _is_gguf(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) == b"GGUF"
    except OSError as error:
        raise RequestError(f"calibration {path}: {error.strerror or error}") from None


@contextmanager
def _prepared(
    path: Path | None,
    source: TensorSource,
    types: dict[str, str],
    recipe: Recipe,
    known: Known | None,
    target: Path,
    running: Running,
) -> Generator[Prepared]:
    """The tensors as the method leaves them, and their encoder."""
    if known is None or recipe.method == "smoothquant+":
        with Encoder(running.num_threads) as encode:
            if known is not None:
                assert path is not None
                source = smoothed(path, source, types, known.calibration, known.text, target, encode, running)
            yield Prepared(source, encode)
        return
    assert path is not None
    method = recipe.method or "rounding"
    with prepare(
        path, source, types, known.calibration, method=method, grams=known.grams, num_threads=running.num_threads
    ) as ready:
        yield ready


def _measured(target: Path, source: Path, text: Path | None, running: Running, notes: list[str]) -> Damage | None:
    """Measures the finished file and writes the figures into it."""
    loading = LoadOptions(threads=running.threads, no_cache=True)
    left = (
        f"stopped before it was measured what was lost: {target} is whole, and does not say it; "
        f"edge eval {target} --against ORIGINAL.gguf --record adds it"
    )
    try:
        with running.stages("loading") as on_load, running.stages("measuring") as progress:
            damage = measure(
                target, source, text=text, loading=loading, guard=running.guard, on_load=on_load, on_progress=progress
            )
        stamp(target, damage_metadata(damage))
    except (DoesNotFit, ModelFileError, RequestError) as error:
        notes.append(f"what was lost is not measured: {error}")
        return None
    except Cancelled:
        raise Cancelled(left) from None
    except KeyboardInterrupt as error:
        error.add_note(left)
        raise
    return damage


def _bits_per_weight(source: TensorSource, types: dict[str, str]) -> float:
    bits = 8 * sum(tensor_num_bytes(GGMLType[types[name]], shape) for name, shape, _ in source.tensors)
    return bits / max(1, sum(math.prod(tensor.shape) for tensor in source.tensors))
