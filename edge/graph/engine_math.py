"""The native engine's arithmetic in NumPy, operation for operation: the numeric contract of DESIGN.md, executable.

Everything is float32 unless it says otherwise, sums run in the engine's order, and nothing is fused.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.graph.blocks import Blocks

F32 = NDArray[np.float32]

_LANES = 16  # of every reduction across a row
_GROUP = 32  # columns that a float kernel sums before it adds them to the result
_KV_BLOCK = 32  # positions that share a softmax before they are merged
_KV_RUN = 128  # positions whose blocks are merged before they are merged with others
_TINY = np.float32(2.0**-100)  # a group of activations below it is zero

# exp: as native/src/expf.h
_LIMIT = np.float32(128.0)
_LOG2E = np.float32(float.fromhex("0x1.715476p+0"))
_LN2_HI, _LN2_LO = np.float32(float.fromhex("0x1.63p-1")), np.float32(float.fromhex("-0x1.bd0106p-13"))
_ROUND = np.float32(float.fromhex("0x1.8p+23"))
_GELU_C1, _GELU_C3 = np.float32(float.fromhex("-0x1.988454p+0")), np.float32(float.fromhex("-0x1.2444f2p-4"))
_GELU_ERF = tuple(
    np.float32(float.fromhex(c))
    for c in (
        *("-0x1.f051bap-29", "0x1.1e9282p-22", "-0x1.0a5c94p-17", "0x1.cf632ep-14", "0x1.15ea8p-14"),
        *("-0x1.29a684p-4", "-0x1.988448p+0"),
    )
)
_COEFFICIENTS = tuple(
    np.float32(float.fromhex(c))
    for c in ("0x1.6a23dp-10", "0x1.123a2p-7", "0x1.5558f2p-5", "0x1.555492p-3", "0x1.fffffcp-2")
)


def quantize(x: F32, group: int) -> tuple[F32, F32]:
    """(rows, n) to int8 codes, kept as floats, and scales (rows, n / group).

    A group with a value that is not finite has scale NaN and codes 0.
    """
    grouped = x.reshape(x.shape[0], -1, group)
    largest: F32 = np.abs(grouped).max(axis=2, keepdims=True)
    finite = np.isfinite(largest)
    used = finite & (largest >= _TINY)
    safe: F32 = np.where(used, largest, np.float32(1.0))
    inverse: F32 = np.divide(np.float32(127.0), safe)
    codes: F32 = np.where(used, np.rint(np.where(used, grouped, np.float32(0.0)) * inverse), np.float32(0.0))
    scales: F32 = np.where(used, np.divide(safe, np.float32(127.0)), np.float32(0.0))
    scales = np.where(finite, scales, np.float32(np.nan))
    return codes.reshape(x.shape), scales[:, :, 0]


def quantize_heads(x: F32) -> tuple[F32, F32]:
    """(rows, heads, head_dim) to int8 codes, kept as floats, and scales (rows, heads)."""
    codes, scales = quantize(x.reshape(-1, x.shape[2]), x.shape[2])
    return codes.reshape(x.shape), scales.reshape(x.shape[:2])


def hadamard(x: F32, *, is_key: bool) -> F32:
    """(..., head_dim) times the Hadamard matrix of the largest power of two that head_dim is a multiple of, part by
    part; keys are divided by it, so that q.k stays what it was. Paired as native/src/attention_q4.c does."""
    size = x.shape[-1] & -x.shape[-1]
    parts, half = x.reshape(-1, size), 1
    while half < size:
        pairs = parts.reshape(parts.shape[0], -1, 2, half)
        a, b = pairs[:, :, 0], pairs[:, :, 1]
        parts = np.stack((a + b, a - b), axis=2).reshape(-1, size)
        half *= 2
    return (parts * parts.dtype.type(1.0 / size if is_key else 1.0)).reshape(x.shape)


def quantize_heads_q4(x: F32) -> tuple[F32, F32]:
    """(rows, heads, head_dim) to codes -8 .. 7, kept as floats, and scales (rows, heads): the value of the largest
    magnitude, the first of several, becomes -8. What is not finite or too small: as `quantize`."""
    magnitude: F32 = np.abs(x)
    largest = magnitude.max(axis=2)  # NaN if there is one
    extreme = np.take_along_axis(x, magnitude.argmax(axis=2)[:, :, None], axis=2)[:, :, 0]
    finite = np.isfinite(largest)
    used = finite & (largest >= _TINY)
    safe: F32 = np.where(used, extreme, np.float32(1.0))
    inverse: F32 = np.divide(np.float32(-8.0), safe)[:, :, None]
    rounded = np.rint(np.where(used[:, :, None], x, np.float32(0.0)) * inverse)
    codes: F32 = np.minimum(rounded, np.float32(7.0)).astype(np.float32)
    scales: F32 = np.where(used, np.divide(safe, np.float32(-8.0)), np.float32(0.0))
    return codes, np.where(finite, scales, np.float32(np.nan))


def matmul_blocks(x: F32, weight: Blocks) -> F32:
    """(rows, n) to (rows, out): integer sums per span, exact, then one multiply and one add per span.

    A group of activations is one span, or several where the weights have several scales in it.
    """
    rows, out = x.shape[0], weight.scale.shape[0]
    codes, scales = quantize(x, weight.group)
    groups = scales.shape[1]
    spans = weight.scale.shape[1] // groups
    spanned = codes.astype(np.float64).reshape(rows, groups * spans, -1)
    integers = weight.integers.reshape(out, groups * spans, -1)
    sums = np.einsum("tsk,rsk->str", spanned, integers, optimize=True).astype(np.float32)
    acc = np.zeros((rows, out), np.float32)
    for g in range(groups):
        for s in range(g * spans, (g + 1) * spans):
            acc = acc + sums[s] * (weight.scale[None, :, s] * scales[:, g, None])
        if weight.minima is not None and weight.minimum is not None:
            parts = codes.reshape(rows, groups, weight.minima.shape[2], -1)[:, g].astype(np.float64).sum(axis=2)
            total = (parts @ weight.minima[:, g].T).astype(np.float32)
            if weight.group == _GROUP:  # the minimum multiplies what the codes stand for
                acc = acc - weight.minimum[None, :, g] * (scales[:, g, None] * total)
            else:
                acc = acc - total * (weight.minimum[None, :, g] * scales[:, g, None])
    return acc


def matmul_floats(x: F32, weight: F32) -> F32:
    """(rows, n) and (out, n) to (rows, out), 32 columns at a time."""
    acc = np.zeros((x.shape[0], weight.shape[0]), np.float32)
    for start in range(0, x.shape[1], _GROUP):
        part = np.zeros_like(acc)
        for k in range(start, min(start + _GROUP, x.shape[1])):
            part = part + weight[None, :, k] * x[:, k, None]
        acc = acc + part
    return acc


def rms_norm(x: F32, gain: F32, eps: float) -> F32:
    """Sums squares in 16 lanes, lane l the elements l mod 16, over groups as wide as `gain`."""
    grouped = x.reshape(-1, gain.size)
    return (grouped * _inverse_root(grouped * grouped, eps) * gain).reshape(x.shape)


def layer_norm(x: F32, gain: F32, bias: F32, eps: float) -> F32:
    """Mean and squares are summed as in rms_norm."""
    centred: F32 = x - _mean(x)
    return centred * _inverse_root(centred * centred, eps) * gain + bias


def _inverse_root(squares: F32, eps: float) -> F32:
    mean: F32 = _mean(squares) + np.float32(eps)
    result: F32 = np.divide(np.float32(1.0), np.sqrt(mean))
    return result


def _mean(x: F32) -> F32:
    """(rows, n) to (rows, 1): lane l sums the elements l mod 16, in their order."""
    parts = np.pad(x, ((0, 0), (0, -x.shape[1] % _LANES))).reshape(x.shape[0], -1, _LANES)
    lanes = np.zeros_like(parts[:, 0])
    for i in range(parts.shape[1]):
        lanes = lanes + parts[:, i]
    result: F32 = np.divide(_fold(lanes), np.float32(x.shape[1]))
    return result


def _fold(lanes: F32) -> F32:
    """Sum over the last axis of 16, in halves; the axis stays, with one element."""
    width = _LANES
    while width > 1:
        width //= 2
        lanes = lanes[..., :width] + lanes[..., width : 2 * width]
    return lanes


def exp(x: F32) -> F32:
    """2^n * exp(r), n = round(x / ln 2), |r| <= ln(2) / 2."""
    x = np.where(x > _LIMIT, _LIMIT, x)
    x = np.where(x < -_LIMIT, -_LIMIT, x)
    n = (x * _LOG2E + _ROUND) - _ROUND
    r = (x - n * _LN2_HI) - n * _LN2_LO
    p = np.full_like(x, _COEFFICIENTS[0])
    for c in _COEFFICIENTS[1:]:
        p = np.asarray(p * r + c, np.float32)
    y = (p * (r * r) + r) + np.float32(1.0)
    exponent = np.where(np.isnan(n), np.float32(0.0), n).astype(np.int32)
    half = (exponent + 256) // 2 - 128  # 2^n as two factors that are both normal
    first, second = np.ldexp(np.ones_like(x), half), np.ldexp(np.ones_like(x), exponent - half)
    return np.asarray(y * first * second, np.float32)


def silu(x: F32) -> F32:
    result: F32 = np.divide(x, np.float32(1.0) + exp(-x))
    return result


def gelu(x: F32) -> F32:
    angle: F32 = np.asarray(x * (_GELU_C3 * (x * x) + _GELU_C1), np.float32)
    result: F32 = np.divide(x, np.float32(1.0) + exp(angle))
    return result


def gelu_erf(x: F32) -> F32:
    square = x * x
    p = np.full_like(x, _GELU_ERF[0])
    for c in _GELU_ERF[1:]:
        p = np.asarray(p * square + c, np.float32)
    result: F32 = np.divide(x, np.float32(1.0) + exp(np.asarray(x * p, np.float32)))
    return result


def relu2(x: F32) -> F32:
    positive: F32 = np.where(x < 0, np.float32(0.0), x)
    return positive * positive


def attend(
    q: F32,
    k: F32,
    v: F32,
    positions: NDArray[np.int64],
    scale: float,
    window: int = 0,
    scales: tuple[F32, F32] | None = None,
) -> F32:
    """As numerics.attend; a softmax per 32 positions, then blocks merge in position order, then runs of blocks.

    scales: of K and of V (length, kv_heads), which are int8 codes then.
    """
    rows, heads, head_dim = q.shape
    group = heads // k.shape[1]
    k, v = (np.repeat(x, group, axis=1) for x in (k, v))  # (length, heads, head_dim)
    if scales is not None:
        scales = np.repeat(scales[0], group, axis=1), np.repeat(scales[1], group, axis=1)
    lowest = np.maximum(positions - window + 1, 0) if window else np.zeros_like(positions)
    total: _Partial | None = None
    for run in range(int(lowest.min()) // _KV_RUN * _KV_RUN, k.shape[0], _KV_RUN):
        state: _Partial | None = None
        for start in range(run, min(run + _KV_RUN, k.shape[0]), _KV_BLOCK):
            times = np.arange(start, start + _KV_BLOCK, dtype=np.int64)
            valid = ((times[None, :] <= positions[:, None]) & (times[None, :] >= lowest[:, None]))[:, None, :]
            end = start + _KV_BLOCK
            part = None if scales is None else (scales[0][start:end], scales[1][start:end])
            block = _attend_block(q, k[start:end], v[start:end], valid, np.float32(scale), part)
            seen: NDArray[np.bool_] = np.asarray((positions >= start) & (lowest < end))
            state = block if state is None else _merge(state, block, seen, np.asarray(lowest >= start))
        assert state is not None
        reached: NDArray[np.bool_] = np.asarray((positions >= run) & (lowest < run + _KV_RUN))
        total = state if total is None else _merge(total, state, reached, np.asarray(lowest >= run))
    assert total is not None
    return (total[0] * np.divide(np.float32(1.0), total[2])[:, :, None]).reshape(rows, heads * head_dim)


# Unnormalised output (rows, heads, head_dim), maximum and sum (rows, heads) of some positions.
_Partial = tuple[F32, F32, F32]


def _dots(q: F32, k: F32) -> F32:
    dots = np.zeros((*q.shape[:2], k.shape[0]), np.float32)
    for d in range(q.shape[2]):
        dots = np.asarray(dots + q[:, :, d, None] * k[:, :, d].T[None, :, :], np.float32)
    return dots


def _dots_q8(q: F32, k: F32, scales: F32) -> F32:
    codes, d = quantize_heads(q)
    sums = np.einsum("rhd,thd->rht", codes.astype(np.float64), k.astype(np.float64), optimize=True)  # exact
    return np.asarray(sums.astype(np.float32) * (d[:, :, None] * scales.T[None]), np.float32)


def _attend_block(
    q: F32, k: F32, v: F32, valid: NDArray[np.bool_], scale: np.float32, scales: tuple[F32, F32] | None
) -> _Partial:
    n = k.shape[0]
    scores = np.full((*q.shape[:2], _KV_BLOCK), -np.inf, np.float32)
    dots = _dots(q, k) if scales is None else _dots_q8(q, k, scales[0])
    scores[:, :, :n] = np.where(valid[:, :, :n], dots * scale, np.float32(-np.inf))
    largest: F32 = scores.max(axis=2)
    with np.errstate(invalid="ignore"):  # -Inf - -Inf, in rows that this block lies ahead of
        shifted = scores - largest[:, :, None]
    p: F32 = np.where(valid, exp(shifted), np.float32(0.0))
    total = _fold(p[:, :, :_LANES] + p[:, :, _LANES:])[:, :, 0]
    o: F32 = np.zeros(q.shape, np.float32)
    if scales is not None:  # the scale of a value goes into its weight
        p[:, :, :n] *= scales[1].T[None]
    for t in range(n):
        o = np.where(valid[:, :, t, None], o + p[:, :, t, None] * v[t][None, :, :], o)
    return o, largest, total


def _merge(a: _Partial, b: _Partial, seen: NDArray[np.bool_], begins: NDArray[np.bool_]) -> _Partial:
    """`b` comes behind `a`; rows that see nothing of it keep what they have, those that see nothing before it begin."""
    with np.errstate(invalid="ignore"):  # of rows that begin here, or have not begun
        both: F32 = np.where(a[1] > b[1], a[1], b[1])
        first, second = exp(a[1] - both), exp(b[1] - both)
        o = np.asarray(a[0] * first[:, :, None] + b[0] * second[:, :, None], np.float32)
        total = np.asarray(a[2] * first + b[2] * second, np.float32)
    old, new = (~seen)[:, None], (seen & begins)[:, None]

    def pick(before: F32, merged: F32, here: F32) -> F32:
        shape = (old.shape[0],) + (1,) * (merged.ndim - 1)
        return np.where(old.reshape(shape), before, np.where(new.reshape(shape), here, merged))

    return pick(a[0], o, b[0]), pick(a[1], both, b[1]), pick(a[2], total, b[2])
