"""Bytes that a step of one token must read: what decode is held against."""

from __future__ import annotations

from dataclasses import dataclass

from edge.backends.work import step_work
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.models import build


@dataclass(frozen=True, slots=True)
class StepBytes:
    """matrices: packed, of all that a step multiplies by. kv_per_position: K and V of one position, all layers."""

    matrices: int
    kv_per_position: int

    def decode(self, num_tokens: int, depth: int) -> float:
        """Mean over `num_tokens` steps, the first of which stands behind `depth` positions; each reads its own too."""
        return self.matrices + self.kv_per_position * (depth + (num_tokens + 1) / 2)


def step_matrix_bytes(file: GGUFFile) -> int:
    """Packed bytes of every matrix that a step multiplies by; a matrix used twice is read twice.

    The embedding table counts only where the head is tied to it. Raises ModelFileError for a file that cannot run.
    """
    config = ModelConfig.from_gguf(file)
    graph = build(config, {name: info.shape for name, info in file.tensors.items()})
    return step_work(config, graph, {name: (info.shape, info.type) for name, info in file.tensors.items()}).num_bytes
