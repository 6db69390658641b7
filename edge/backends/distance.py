"""How far two engines' logits of one position are apart."""

from __future__ import annotations

import numpy as np

__all__ = ["kl_divergence"]


def kl_divergence(one: memoryview[float], other: memoryview[float]) -> float:
    """Kullback-Leibler divergence of the other's probabilities from the one's, nats; logits (vocab_size,) float32."""
    logs: list[np.ndarray[tuple[int], np.dtype[np.float64]]] = []
    for logits in (one, other):
        row = np.asarray(logits, np.float64)
        row = row - row.max()
        logs.append(row - np.log(np.exp(row).sum()))
    return float((np.exp(logs[0]) * (logs[0] - logs[1])).sum())
