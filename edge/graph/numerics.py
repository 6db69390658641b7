"""NumPy forms of the ops, in the floating type of their input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.graph.ops import RopeSpec

Array = NDArray[np.floating[Any]]


def rms_norm(x: Array, gain: Array, eps: float) -> Array:
    """Over groups as wide as `gain`."""
    grouped = x.reshape(x.shape[0], -1, gain.size)
    mean = np.mean(grouped * grouped, axis=2, keepdims=True)
    result: Array = (grouped / np.sqrt(mean + x.dtype.type(eps)) * gain).reshape(x.shape)
    return result


def layer_norm(x: Array, gain: Array, bias: Array, eps: float) -> Array:
    centred = x - np.mean(x, axis=1, keepdims=True)
    variance = np.mean(centred * centred, axis=1, keepdims=True)
    result: Array = centred / np.sqrt(variance + x.dtype.type(eps)) * gain + bias
    return result


def silu(x: Array) -> Array:
    result: Array = x / (x.dtype.type(1.0) + np.exp(-x))
    return result


def gelu(x: Array) -> Array:
    u = x.dtype.type(np.sqrt(2.0 / np.pi)) * (x + x.dtype.type(0.044715) * x * x * x)
    result: Array = x.dtype.type(0.5) * x * (x.dtype.type(1.0) + np.tanh(u))
    return result


def gelu_erf(x: Array) -> Array:
    normal = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in x.ravel().tolist()], np.float64)
    result: Array = x * normal.reshape(x.shape).astype(x.dtype)
    return result


def relu2(x: Array) -> Array:
    positive = np.maximum(x, x.dtype.type(0.0))
    result: Array = positive * positive
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


def attend(q: Array, k: Array, v: Array, positions: NDArray[np.int64], scale: float, window: int = 0) -> Array:
    """q (rows, heads, head_dim) over k and v (length, kv_heads, head_dim): row r sees positions 0 .. positions[r], with
    a window the last `window` of them.

    Query head h reads KV head h // (heads / kv_heads). Result (rows, heads * head_dim).
    """
    rows, heads, head_dim = q.shape
    kv_heads = k.shape[1]
    grouped = q.reshape(rows, kv_heads, heads // kv_heads, head_dim)
    scores = np.einsum("rkgd,nkd->rkgn", grouped, k) * q.dtype.type(scale)
    keys: NDArray[np.int64] = np.arange(k.shape[0], dtype=np.int64)
    unseen = keys[None, :] > positions[:, None]
    if window:
        unseen |= keys[None, :] <= positions[:, None] - window
    scores = np.where(unseen[:, None, None, :], q.dtype.type(-np.inf), scores)
    weights = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights /= weights.sum(axis=3, keepdims=True)
    result: Array = np.einsum("rkgn,nkd->rkgd", weights, v).reshape(rows, heads * head_dim)
    return result
