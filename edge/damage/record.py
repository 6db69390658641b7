"""What a finished file says about its making and its damage, as metadata."""

from __future__ import annotations

import math
from collections.abc import Mapping

from edge.damage.result import Damage
from edge.errors import NumericalError

__all__ = ["DAMAGE_PREFIX", "QUANTISATION_PREFIX", "damage_metadata", "quantisation_metadata"]

DAMAGE_PREFIX, QUANTISATION_PREFIX = "edge.damage.", "edge.quantisation."
Metadata = Mapping[str, str | int | float]


def damage_metadata(damage: Damage) -> dict[str, str | int | float]:
    """`edge.damage.*`: the figures of a measurement beside a reference, and on which text.

    NumericalError when a figure is not finite: such a file is broken, and must not be given away as measured.
    """
    if damage.reference_perplexity is None or damage.mean_kld is None or damage.p99_kld is None or damage.top1 is None:
        raise ValueError("the measurement has no reference")
    figures: dict[str, float] = {
        "perplexity": damage.perplexity,
        "source_perplexity": damage.reference_perplexity,
        "mean_kld": damage.mean_kld,
        "p99_kld": damage.p99_kld,
        "top1": damage.top1,
    }
    for name, value in figures.items():
        if not math.isfinite(value):
            raise NumericalError(f"{damage.model}: {name} is {value} on {damage.text}")
    named: dict[str, str | int | float] = {**figures, "text": damage.text, "text_sha256": damage.text_sha256,
                                           "positions": damage.num_positions}  # fmt: skip
    return {DAMAGE_PREFIX + name: value for name, value in named.items()}


def quantisation_metadata(
    bits_per_weight: float, method: str | None = None, calibration_sha256: str | None = None
) -> dict[str, str | int | float]:
    """`edge.quantisation.*`: what was done. method: for the reader, as "Q4_K_M, GPTQ". None: as the file says it."""
    said: dict[str, str | int | float] = {"bits_per_weight": bits_per_weight}
    if method is not None:
        said["method"] = method
    if calibration_sha256 is not None:
        said["calibration_sha256"] = calibration_sha256
    return {QUANTISATION_PREFIX + name: value for name, value in said.items()}
