"""Muon for the matrices, Adam for the rest.

Muon (Jordan et al., 2024, https://kellerjordan.github.io/posts/muon) replaces each matrix's momentum by the nearest
orthogonal matrix, found with five Newton-Schulz steps; it needs about half of Adam's steps here. PyTorch's own runs
in bfloat16, which a CPU without such instructions does slowly, so this one stays in float32.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import torch
from torch import Tensor

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


class Muon:
    """Updates matrices, those of equal shape in one batched computation."""

    def __init__(self, matrices: list[Tensor], momentum: float = 0.95) -> None:
        self._momentum = momentum
        self._groups: dict[tuple[int, ...], list[Tensor]] = {}
        for matrix in matrices:
            self._groups.setdefault(tuple(matrix.shape), []).append(matrix)
        self.buffers = {shape: torch.zeros(len(group), *shape) for shape, group in self._groups.items()}

    def step(self, rate: float, weight_decay: float) -> None:
        with torch.no_grad():
            self._update(rate, weight_decay)

    def _update(self, rate: float, weight_decay: float) -> None:
        for (rows, cols), group in self._groups.items():
            gradient = torch.stack([_gradient(matrix) for matrix in group])
            buffer = self.buffers[rows, cols].lerp_(gradient, 1 - self._momentum)
            update = orthogonalise(gradient.lerp(buffer, self._momentum))  # Nesterov
            scale = max(1.0, rows / cols) ** 0.5
            for matrix, direction in zip(group, update, strict=True):
                matrix.mul_(1 - rate * weight_decay).sub_(direction, alpha=rate * scale)


def orthogonalise(matrices: Tensor) -> Tensor:
    """(n, rows, cols) -> matrices with about the same singular vectors and singular values near 1."""
    a, b, c = _NEWTON_SCHULZ
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x = wide / (wide.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x if matrices.shape[1] <= matrices.shape[2] else x.mT


def _gradient(matrix: Tensor) -> Tensor:
    if matrix.grad is None:
        raise ValueError("step() before backward()")
    return matrix.grad
