"""Weights as a checkpoint stores them, as floats: plain, eight-bit floats with scales, or ternary.

Ternary matrices are packed four rows to a byte, as transformers' integrations/bitnet.py does, or floats that become
-s, 0 and s by the mean of their magnitudes (Ma et al. 2024, "absmean").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.export.config import Config
from edge.export.shards import Shards
from edge.formats.cursor import quoted

__all__ = ["WeightReader"]

_TYPE_NAMES = {"F32": "F32", "F64": "F32", "F16": "F16", "BF16": "BF16", "F8_E4M3": "BF16", "F8_E5M2": "BF16"}
_ROWS_A_BYTE = 4
_SMALLEST_SCALE = 1e-5  # of absmean, as in training


class WeightReader:
    """Reads one tensor at a time."""

    def __init__(self, shards: Shards, config: Config) -> None:
        """UnsupportedModel: weights are quantised by a method that edge does not read."""
        self._shards = shards
        method = config.quant_method
        if method not in ("", "bitnet", "fp8"):
            raise UnsupportedModel(
                config.path,
                f"the weights are quantised by {quoted(method)}; export the model that it was made from instead",
            )
        self._block: tuple[int, int] | None = None
        self._multiplies = False
        if config.quantization is not None:
            if method == "bitnet":
                # "bitlinear" divides by the scale, "autobitlinear" multiplies (transformers' two classes)
                self._multiplies = config.quantization.get_str("linear_class", "bitlinear") == "autobitlinear"
            elif config.quantization.has("weight_block_size"):
                sizes = config.quantization.get_floats("weight_block_size")
                if len(sizes) != 2 or not all(1 <= size <= 2**20 for size in sizes):
                    config.quantization.fail("weight_block_size", "must be two numbers from 1 to 2**20")
                self._block = int(sizes[0]), int(sizes[1])

    def check(self, name: str, shape: tuple[int, ...], *, ternary: bool) -> str:
        """The type that the tensor is stored as, by GGUF's name. BadModelFile: another shape, or a scale that does not
        fit. UnsupportedModel: another type."""
        stored = self._shards.stored(name)
        path = self._shards.file(name).path
        if ternary and stored.dtype == "U8":
            if shape[0] % _ROWS_A_BYTE:
                raise BadModelFile(path, f"tensor {quoted(name)} of {shape[0]} rows is packed four rows to a byte")
            self._scale(name)
            wanted = (shape[0] // _ROWS_A_BYTE, *shape[1:])
        elif stored.dtype in _TYPE_NAMES:
            wanted = shape
        else:
            raise UnsupportedModel(path, f"tensor {quoted(name)} is {stored.dtype}, which are no weights")
        if stored.shape != wanted:
            raise BadModelFile(path, f"tensor {quoted(name)} has shape {stored.shape}, config.json asks for {wanted}")
        self._check_blocks(name, shape)
        return "TQ2_0" if ternary else _TYPE_NAMES[stored.dtype]

    def helpers(self, name: str) -> list[str]:
        """Tensors that belong to this one."""
        return [name + suffix for suffix in ("_scale", "_scale_inv") if self._shards.has(name + suffix)]

    def floats(self, name: str) -> NDArray[np.float32]:
        """A tensor as float32. NumericalError is left to who encodes it."""
        values = self._shards.file(name).floats(name)
        inverse = f"{name}_scale_inv"
        if not self._shards.has(inverse):
            return values
        scales = self._shards.file(inverse).floats(inverse)
        if scales.ndim == 2 and self._block is not None:
            rows, columns = self._block
            for first in range(0, len(values), rows):  # a block of rows at a time: no second matrix in memory
                wide = np.repeat(scales[first // rows], columns)[: values.shape[1]]
                values[first : first + rows] *= wide
            return values
        values *= scales.reshape(-1)[0]
        return values

    def ternary(self, name: str) -> NDArray[np.float32]:
        """A matrix of -s, 0 and s."""
        if self._shards.stored(name).dtype != "U8":
            values = self._shards.file(name).floats(name)
            if self._shards.has(f"{name}_scale"):  # ternary already, stored as floats
                return values * self._factor(name)
            scale = np.float32(max(float(np.abs(values).mean(dtype=np.float64)), _SMALLEST_SCALE))
            np.clip(np.rint(values * (np.float32(1.0) / scale), out=values), -1.0, 1.0, out=values)
            return values * scale
        packed = self._shards.file(name).codes(name)
        rows = len(packed)
        values = np.empty((rows * _ROWS_A_BYTE, *packed.shape[1:]), np.float32)
        for part in range(_ROWS_A_BYTE):
            codes = packed >> (2 * part) & 3
            if (codes == 3).any():
                raise BadModelFile(self._shards.file(name).path, f"tensor {quoted(name)} has the code 3, wanted 0 to 2")
            values[part * rows : (part + 1) * rows] = codes
        values -= 1.0
        values *= self._factor(name)
        return values

    def _factor(self, name: str) -> np.float32:
        scale = self._scale(name)
        return np.float32(scale if self._multiplies else 1.0 / scale)

    def _scale(self, name: str) -> float:
        """The one scale of a ternary matrix."""
        scale = f"{name}_scale"
        path = self._shards.file(name).path
        if not self._shards.has(scale):
            raise BadModelFile(path, f"missing tensor {quoted(scale)}, the scale of {quoted(name)}")
        stored = self._shards.stored(scale)
        if math.prod(stored.shape) != 1:
            raise BadModelFile(path, f"tensor {quoted(scale)} has shape {stored.shape}, wanted one value")
        value = float(self._shards.file(scale).floats(scale).reshape(-1)[0])
        if not (math.isfinite(value) and 1e-30 < value < 1e30):
            raise BadModelFile(path, f"tensor {quoted(scale)} is {value:g}, wanted a number above 0")
        return value

    def _check_blocks(self, name: str, shape: tuple[int, ...]) -> None:
        """The scales of eight-bit floats: one for the tensor, or one for each block."""
        inverse = f"{name}_scale_inv"
        if not self._shards.has(inverse):
            return
        found = self._shards.stored(inverse).shape
        wanted: tuple[int, ...] = ()
        if self._block is not None and len(shape) == 2:
            wanted = tuple(-(-size // block) for size, block in zip(shape, self._block, strict=True))
        if found != wanted and (self._block is not None or math.prod(found) != 1):
            raise BadModelFile(
                self._shards.file(inverse).path, f"tensor {quoted(inverse)} has shape {found}, wanted {wanted}"
            )
