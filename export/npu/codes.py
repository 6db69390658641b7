"""Weights as integers with scales: per output channel, or per block of 32 inputs of an output channel.

Codes are symmetric, -127 .. 127 or -7 .. 7: NPUs multiply no zero points of weights.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from edge.errors import RequestError
from edge.export.npu.tensors import Floats

__all__ = ["BLOCK", "WEIGHT_TYPES", "WeightCodes", "WeightType", "pack_int4", "quantise_matrix"]

WeightType: TypeAlias = Literal["int8", "int4", "int8x32", "int4x32"]
WEIGHT_TYPES: tuple[str, ...] = get_args(WeightType)
BLOCK = 32
_SHRINK = np.linspace(0.6, 1.0, 17, dtype=np.float32)  # of the largest weight, tried as the end of four bits
_SMALLEST = np.float32(1e-12)
_AT_ONCE = 1 << 22  # weights whose ends are tried together


class WeightCodes(NamedTuple):
    """codes (in, out), scales (out,) or (in / 32, out): what DequantizeLinear takes along axis 1 or 0."""

    codes: NDArray[np.int8]
    scales: Floats

    @property
    def is_blocked(self) -> bool:
        return self.scales.ndim == 2

    def floats(self) -> Floats:
        """(in, out)."""
        scales = np.repeat(self.scales, BLOCK, axis=0) if self.is_blocked else self.scales
        return self.codes * scales


def quantise_matrix(values: Floats, kind: WeightType, importance: Floats, name: str) -> WeightCodes:
    """values (out, in). importance (in,): mean squares of the inputs, which four bits are rounded for.

    RequestError: blocks do not divide the inputs.
    """
    out, width = values.shape
    group = BLOCK if kind.endswith("x32") else width
    if width % group:
        raise RequestError(f"{name} has {width} columns, blocks are {BLOCK}: use weights per channel")
    groups = values.reshape(-1, group)
    most = 7 if kind.startswith("int4") else 127
    if most == 7:
        scales = _best_scales(groups, importance.reshape(-1, group))
    else:
        scales = _scales(np.abs(groups).max(axis=1), most)
    codes = np.clip(np.rint(groups / scales[:, None]), -most, most).astype(np.int8).reshape(out, width)
    table = scales.reshape(out, -1)
    return WeightCodes(
        np.ascontiguousarray(codes.T), np.ascontiguousarray(table.T) if group == BLOCK else table.reshape(-1)
    )


def pack_int4(codes: NDArray[np.int8]) -> bytes:
    """Two to a byte, the first in the low half, as ONNX stores INT4."""
    flat = codes.reshape(-1).view(np.uint8) & 15
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    return (flat[0::2] | flat[1::2] << 4).tobytes()


def _scales(largest: Floats, most: int) -> Floats:
    result: Floats = np.maximum(largest / np.float32(most), _SMALLEST)
    return result


def _best_scales(groups: Floats, importance: Floats) -> Floats:
    """For each group that end of -7 .. 7 which loses least. importance: of the groups of one output channel."""
    best = np.empty(len(groups), np.float32)
    per_channel = len(importance)
    step = max(1, _AT_ONCE // groups.shape[1] // per_channel) * per_channel
    for first in range(0, len(groups), step):
        part = groups[first : first + step]
        weights = np.tile(importance, (len(part) // per_channel, 1))
        largest, least = np.abs(part).max(axis=1), np.full(len(part), np.inf, np.float32)
        chosen = _scales(largest, 7)
        for shrink in _SHRINK:
            scales = _scales(largest * shrink, 7)
            error = part - np.clip(np.rint(part / scales[:, None]), -7, 7) * scales[:, None]
            lost = (error * error * weights).sum(axis=1)
            chosen, least = np.where(lost < least, scales, chosen), np.minimum(lost, least)
        best[first : first + step] = chosen
    return best
