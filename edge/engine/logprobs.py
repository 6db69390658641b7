"""How probable the model found a token, before penalties, bias and temperature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """Natural logarithms of probabilities. top: (token id, logarithm) of the most probable, the best first."""

    logprob: float
    top: tuple[tuple[int, float], ...]


def token_logprobs(logits: memoryview[float] | Sequence[float], token: int, num_top: int) -> TokenLogprobs:
    """From a row of logits, (vocab_size,): of this token, and of the num_top most probable; ties go to the lower id."""
    import numpy as np  # here: a request that asks for none pays nothing

    row = np.asarray(logits, dtype=np.float64)
    row = row - row.max()
    row -= np.log(np.exp(row).sum())
    num_top = min(num_top, row.size)
    top: list[int] = []
    if num_top:
        least = np.partition(row, -num_top)[-num_top]
        top = [int(index) for index in np.flatnonzero(row >= least)]
        top.sort(key=lambda index: (-row[index], index))
    return TokenLogprobs(float(row[token]), tuple((index, float(row[index])) for index in top[:num_top]))
