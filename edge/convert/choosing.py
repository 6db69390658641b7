"""Which type each tensor gets: what a name says; or, for a size, what the model minds least, as far as the engine can
measure that."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.calibration import Calibration, Grams
from edge.calibration.prepare import squares_of
from edge.convert.recipe import Recipe
from edge.convert.stages import Running
from edge.errors import DoesNotFit, ModelFileError, NumericalError, RequestError
from edge.export import TensorSource
from edge.formats.gguf import open_gguf
from edge.quant.between import between_mixtures
from edge.quant.encoder import Encoder
from edge.quant.mixed import mixed_types
from edge.quant.names import as_stored, choose
from edge.quant.sensitivity import measure_sensitivity, plan_probes

__all__ = ["Known", "Types", "choose_types"]


class Known(NamedTuple):
    """What calibration found. text: None where the statistics come from an importance matrix. grams: for gptq."""

    calibration: Calibration
    text: str | None
    grams: Grams | None = None


class Types(NamedTuple):
    """types: of every tensor, by name. file_type: `general.file_type`, None where GGUF has no number for it. how: types
    were chosen for a size, for the reader; None: they have a name, or are as they were. notes: why not better."""

    types: dict[str, str]
    file_type: int | None
    how: str | None = None
    notes: tuple[str, ...] = ()


def choose_types(
    recipe: Recipe,
    source: TensorSource,
    path: Path | None,
    known: Known | None,
    text: tuple[str, str, bytes],
    running: Running,
) -> Types:
    """path: the model in the types that it is stored in, where somebody needs it. text: that probes read.

    Raises DoesNotFit for a size that no types reach; where sensitivity was asked for and cannot be measured, why not.
    """
    if recipe.quant is not None:
        chosen = choose(recipe.quant, source.tensors, source.metadata, has_importance=known is not None)
        return Types(*chosen)
    if not recipe.is_mixed:
        return Types(*as_stored(source.tensors))
    importance = None if known is None else squares_of(known.calibration, source)
    notes: tuple[str, ...] = ()
    with Encoder(running.num_threads) as encode:
        if recipe.is_probed:
            assert path is not None
            try:
                found = _probed(path, encode, importance, text, running, recipe.sensitivity is True)
            except (DoesNotFit, ModelFileError, NumericalError, RequestError) as error:
                if recipe.sensitivity:
                    raise
                notes = (f"how much the model minds errors is not measured: {error}",)
            else:
                with running.stages("choosing") as progress:
                    types = mixed_types(
                        source, encode.rows, size_bytes=recipe.size_bytes, bits_per_weight=recipe.bits_per_weight,
                        importance=importance, sensitivity=found.sensitivity, on_progress=progress,
                    )  # fmt: skip
                return Types(types, None, f"by sensitivity, {found.said}")
        with running.stages("choosing") as progress:
            between = between_mixtures(
                source, encode.rows, size_bytes=recipe.size_bytes, bits_per_weight=recipe.bits_per_weight,
                importance=importance, on_progress=progress,
            )  # fmt: skip
    return Types(between.types, None, between.said, notes)


class _Probed(NamedTuple):
    sensitivity: dict[str, float]
    said: str


def _probed(
    path: Path,
    encode: Encoder,
    importance: dict[str, NDArray[np.float32]] | None,
    text: tuple[str, str, bytes],
    running: Running,
    asked_for: bool,
) -> _Probed:
    with open_gguf(path) as file:
        probes = plan_probes(file)
    if probes.is_much and not asked_for:
        raise RequestError("the model is so large that it would take long; --sensitivity does it all the same")
    with running.stages("loading") as on_load, running.stages("probing") as on_progress:
        sensitivity = measure_sensitivity(
            path, encode.rows, probes, text=text, importance=importance, threads=running.threads, guard=running.guard,
            on_load=on_load, on_progress=on_progress,
        )  # fmt: skip
    return _Probed(sensitivity, f"{len(probes.groups)} probes of {probes.num_tokens} tokens")
