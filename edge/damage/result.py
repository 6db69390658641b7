"""What a measurement found."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

__all__ = ["Damage"]


class Damage(NamedTuple):
    """A model's perplexity on a text and, beside a reference, how far it is from it.

    `_error` is the standard error of the figure in front of it. Divergences are Kullback-Leibler, in nats, of the
    model's next-token distribution from the reference's; top1: share of positions where both have the same likeliest
    token. What needs a reference is None without one.
    """

    model: str
    text: str  # name of the text
    text_sha256: str
    num_windows: int
    window: int  # tokens, at most
    num_positions: int  # tokens that were predicted
    kv_type: str  # of the model; the reference keeps K and V as f32
    file_bytes: int
    bits_per_weight: float
    perplexity: float
    perplexity_error: float
    reference: str | None = None
    reference_perplexity: float | None = None
    perplexity_ratio: float | None = None
    perplexity_ratio_error: float | None = None
    mean_kld: float | None = None
    mean_kld_error: float | None = None
    p99_kld: float | None = None
    max_kld: float | None = None
    top1: float | None = None
    top1_error: float | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON-ready: a figure that is not finite is None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }
