"""The Q6_K encoder: 16 scales of 16 elements each, searched for the least squared error, under one half per 256.

Source: ggml's quantize_row_q6_K_ref and make_qx_quants. Sums run in ggml's order in float32, so the bytes agree with a
build of ggml that does not fuse multiply and add.
"""

from __future__ import annotations

import numpy as np

from edge.quant.decoders import Bytes, Floats

__all__ = ["encode_q6_k"]

_MAX_CODE = 32  # codes are -32..31
_SMALLEST = np.float32(1e-15)  # what lies below counts as zero


def encode_q6_k(values: Floats) -> Bytes:
    """(num_blocks, 256) float32 to (num_blocks, 210) uint8. A scale beyond a half's range is stored as infinity."""
    num_blocks = len(values)
    # (16, num_sub_blocks): element-major, so that the sums below run over long rows
    columns = np.ascontiguousarray(values.reshape(num_blocks * 16, 16).T)
    scales = _search(columns)
    scales = scales.reshape(num_blocks, 16)
    largest = np.take_along_axis(scales, np.abs(scales).argmax(axis=1)[:, None], axis=1)
    is_zero = np.abs(largest) < _SMALLEST
    inverse = np.float32(-128.0) / np.where(is_zero, np.float32(1.0), largest)
    half = (np.float32(1.0) / inverse).astype("<f2")
    half[is_zero] = 0
    scale_codes = np.where(is_zero, np.float32(0.0), np.minimum(np.rint(inverse * scales), 127)).astype(np.int8)

    # Round the elements again, with the scales that the decoder will see. Where one is zero the codes say nothing.
    decoded = (half.astype(np.float32) * scale_codes.astype(np.float32)).reshape(1, num_blocks * 16)
    usable = (decoded != 0) & np.isfinite(decoded)
    again = np.clip(np.rint(columns / np.where(usable, decoded, np.float32(1.0))), -_MAX_CODE, _MAX_CODE - 1)
    codes = np.where(usable, again, np.float32(-_MAX_CODE))  # an empty block is all zero bytes

    unsigned = (codes + _MAX_CODE).astype(np.uint8).T.reshape(num_blocks, 2, 4, 32)
    low = (unsigned[:, :, :2] & 15 | unsigned[:, :, 2:] << 4).reshape(num_blocks, 128)
    high = unsigned >> 4
    high = high[:, :, 0] | high[:, :, 1] << 2 | high[:, :, 2] << 4 | high[:, :, 3] << 6
    return np.concatenate([low, high.reshape(num_blocks, 64), scale_codes.view(np.uint8), half.view(np.uint8)], axis=1)


def _search(columns: Floats) -> Floats:
    """For each column of 16 elements the scale with the least error weighted by x^2, for codes -32..31.

    The candidates are 19 inverse scales around -32 / (element of largest magnitude).
    """
    magnitudes = np.abs(columns)
    largest = np.take_along_axis(columns, magnitudes.argmax(axis=0)[None, :], axis=0)[0]
    is_zero = magnitudes.max(axis=0) < _SMALLEST
    largest = np.where(is_zero, np.float32(1.0), largest)
    weights = columns * columns
    sum_lx, sum_l2 = _candidate(columns, weights, np.float32(-_MAX_CODE) / largest)
    scales = np.divide(sum_lx, sum_l2, out=np.zeros_like(sum_lx), where=sum_l2 != 0)
    best = scales * sum_lx
    for step in [*range(-9, 0), *range(1, 10)]:
        inverse = -(np.float32(_MAX_CODE) + np.float32(0.1) * np.float32(step)) / largest
        sum_lx, sum_l2 = _candidate(columns, weights, inverse)
        better = (sum_l2 > 0) & (sum_lx * sum_lx > best * sum_l2)
        scale = np.divide(sum_lx, sum_l2, out=np.zeros_like(sum_lx), where=better)
        scales = np.where(better, scale, scales)
        best = np.where(better, scale * sum_lx, best)
    scales[is_zero] = 0.0
    return scales


def _candidate(columns: Floats, weights: Floats, inverse: Floats) -> tuple[Floats, Floats]:
    """For codes by one inverse scale per column, the sums of w x l and w l l, added in element order."""
    codes = np.clip(np.rint(columns * inverse), -_MAX_CODE, _MAX_CODE - 1)
    products = weights * columns * codes
    squares = weights * codes * codes
    sum_lx, sum_l2 = products[0].copy(), squares[0].copy()
    for element in range(1, 16):
        sum_lx += products[element]
        sum_l2 += squares[element]
    return sum_lx, sum_l2
