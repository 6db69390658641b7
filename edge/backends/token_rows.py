"""Matrices of which a step needs no more than the rows of its tokens, where there is no memory for all of them: these
rows are read from the packed file before the step.

A row lies in a tile row, with 15 others. Steps look rows up in a small matrix, of a tile row for each of their tokens,
by numbers that stand for the token ids.
"""

from __future__ import annotations

from array import array

from edge import native
from edge.errors import NativeError
from edge.packed import PackedFile, PackedMatrix

__all__ = ["TILE_ROWS", "TokenRows", "row_bytes"]

TILE_ROWS = 16  # rows of a packed tile


def row_bytes(matrix: PackedMatrix, max_tokens: int) -> int:
    """Memory for the rows of so many tokens."""
    return native.weights_sizes(matrix.type, TILE_ROWS * max_tokens, matrix.cols)[1] + native.OVERREAD_BYTES


class TokenRows:
    """Of the matrices with these numbers, for steps of up to max_tokens. The file must stay open longer. DoesNotFit."""

    def __init__(self, packed: PackedFile, indices: frozenset[int], max_tokens: int) -> None:
        self._packed = packed
        self._max_tokens = max_tokens
        self._regions = {
            index: native.Region.allocate(row_bytes(packed.layout.matrices[index], max_tokens))
            for index in sorted(indices)
        }
        self._vocab_size = min((packed.layout.matrices[index].rows for index in indices), default=0)

    def __contains__(self, index: int) -> bool:
        return index in self._regions

    def matrix(self, index: int) -> native.Weights:
        """The small matrix in the place of matrix `index`."""
        of = self._packed.layout.matrices[index]
        return native.Weights.mapped(of.type, TILE_ROWS * self._max_tokens, of.cols, self._regions[index], 0)

    def fetch(self, token_ids: array[int]) -> array[int]:
        """Reads the rows of a step's tokens; what to call them. NativeError: no such token, or too many. ModelFileError
        when the file is too short by now or cannot be read."""
        if not self._regions:
            return token_ids
        if len(token_ids) > self._max_tokens:
            raise NativeError(f"num_tokens {len(token_ids)} is not in 1 .. {self._max_tokens}")
        for place, token in enumerate(token_ids):
            if not 0 <= token < self._vocab_size:
                raise NativeError(f"token {place}: id {token} is not in 0 .. {self._vocab_size - 1}")
        for index, region in self._regions.items():
            size = row_bytes(self._packed.layout.matrices[index], self._max_tokens) - native.OVERREAD_BYTES
            size //= self._max_tokens
            view = region.view
            for place, token in enumerate(token_ids):
                self._packed.read(index, token // TILE_ROWS * size, view[place * size : (place + 1) * size])
        return array("i", (TILE_ROWS * place + token % TILE_ROWS for place, token in enumerate(token_ids)))

    def close(self) -> None:
        for region in self._regions.values():
            region.close()
