"""NumPy forms of the ops, and of the rounding that the native engine does on the way.

Functions compute in the type of their input. Those named `engine_` follow the engine's float32 operations in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.formats.types import GGMLType
from edge.graph.ops import RopeSpec

Array = NDArray[np.floating[Any]]

# Values of an activation group that shares a scale, by weight type. A property of the format (DESIGN.md).
ACTIVATION_GROUP: dict[int, int | None] = {
    GGMLType.F32: None,
    GGMLType.F16: None,
    GGMLType.BF16: None,
    GGMLType.Q4_0: 32,
    GGMLType.Q4_1: 32,
    GGMLType.Q5_0: 32,
    GGMLType.Q8_0: 32,
    GGMLType.Q4_K: 256,
    GGMLType.Q6_K: 256,
}
_LANES = 16  # of every reduction across a row
_TINY = np.float32(2.0**-100)  # a group below it is zero


def quantize_activations(x: NDArray[np.float32], group: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(rows, n) to int8 codes, as floats, and scales (rows, n / group), bit for bit as the engine.

    A group with a value that is not finite has scale NaN and codes 0.
    """
    grouped = x.reshape(x.shape[0], -1, group)
    largest = np.abs(grouped).max(axis=2, keepdims=True)
    finite = np.isfinite(largest)
    used = finite & (largest >= _TINY)
    safe = np.where(used, largest, np.float32(1.0))
    inverse = np.float32(127.0) / safe
    codes = np.where(used, np.rint(np.where(used, grouped, np.float32(0.0)) * inverse), np.float32(0.0))
    scales = np.where(finite, np.where(used, safe / np.float32(127.0), np.float32(0.0)), np.float32(np.nan))
    return codes.reshape(x.shape), scales[:, :, 0]


def dequantize_activations(codes: NDArray[np.float32], scales: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the codes stand for, exactly."""
    rows, n = codes.shape
    grouped = codes.astype(np.float64).reshape(rows, scales.shape[1], -1)
    return (grouped * scales.astype(np.float64)[:, :, None]).reshape(rows, n)


def rms_norm(x: Array, gain: Array, eps: float) -> Array:
    """Over groups as wide as `gain`."""
    grouped = x.reshape(x.shape[0], -1, gain.size)
    mean = np.mean(grouped * grouped, axis=2, keepdims=True)
    result: Array = (grouped / np.sqrt(mean + x.dtype.type(eps)) * gain).reshape(x.shape)
    return result


def engine_rms_norm(x: NDArray[np.float32], gain: NDArray[np.float32], eps: float) -> NDArray[np.float32]:
    """Sums squares in 16 lanes, lane l the elements l mod 16, then folds the lanes in halves."""
    n = gain.size
    grouped = x.reshape(x.shape[0], -1, n)
    squares = np.pad(grouped * grouped, ((0, 0), (0, 0), (0, -n % _LANES)))
    squares = squares.reshape(*squares.shape[:2], -1, _LANES)
    lanes = np.zeros_like(squares[:, :, 0])
    for i in range(squares.shape[2]):
        lanes = lanes + squares[:, :, i]
    width = _LANES
    while width > 1:
        width //= 2
        lanes = lanes[:, :, :width] + lanes[:, :, width : 2 * width]
    mean: NDArray[np.float32] = np.divide(lanes, np.float32(n)) + np.float32(eps)
    inverse: NDArray[np.float32] = np.divide(np.float32(1.0), np.sqrt(mean))
    return (grouped * inverse * gain).reshape(x.shape)


def silu(x: Array) -> Array:
    result: Array = x / (x.dtype.type(1.0) + np.exp(-x))
    return result


def rope_tables(spec: RopeSpec, positions: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """cos and sin, (len(positions), dims / 2), times the magnitude."""
    pairs = np.arange(spec.dims // 2, dtype=np.float64)
    frequency = spec.theta ** (-2.0 * pairs / spec.dims) * np.asarray(spec.frequency_scale, dtype=np.float64)
    angle = positions.astype(np.float64)[:, None] * frequency
    return np.cos(angle) * spec.magnitude, np.sin(angle) * spec.magnitude


def rope(x: Array, spec: RopeSpec, head_dim: int, positions: NDArray[np.int64]) -> Array:
    """Rotates the first spec.dims of each head of x (rows, heads * head_dim)."""
    cos, sin = (table.astype(x.dtype)[:, None, :] for table in rope_tables(spec, positions))
    result = x.reshape(x.shape[0], -1, head_dim).copy()
    half = spec.dims // 2
    first = slice(0, half) if spec.neox else slice(0, spec.dims, 2)
    second = slice(half, spec.dims) if spec.neox else slice(1, spec.dims, 2)
    a, b = result[:, :, first].copy(), result[:, :, second].copy()
    result[:, :, first] = a * cos - b * sin
    result[:, :, second] = a * sin + b * cos
    return result.reshape(x.shape)


def attend(q: Array, k: Array, v: Array, positions: NDArray[np.int64], scale: float) -> Array:
    """q (rows, heads, head_dim) over k and v (length, kv_heads, head_dim): row r sees positions 0 .. positions[r].

    Query head h reads KV head h // (heads / kv_heads). Result (rows, heads * head_dim).
    """
    rows, heads, head_dim = q.shape
    kv_heads = k.shape[1]
    grouped = q.reshape(rows, kv_heads, heads // kv_heads, head_dim)
    scores = np.einsum("rkgd,nkd->rkgn", grouped, k) * q.dtype.type(scale)
    keys: NDArray[np.int64] = np.arange(k.shape[0], dtype=np.int64)
    future = keys[None, :] > positions[:, None]
    scores = np.where(future[:, None, None, :], q.dtype.type(-np.inf), scores)
    weights = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights /= weights.sum(axis=3, keepdims=True)
    result: Array = np.einsum("rkgn,nkd->rkgd", weights, v).reshape(rows, heads * head_dim)
    return result
