"""TQ1_0 and TQ2_0: 256 elements that are -1, 0 or 1 times one scale."""

from __future__ import annotations

import numpy as np

from edge.quant.decoders.arrays import Bytes, Floats, FloatType, half, quarters

__all__ = ["tq1_0", "tq2_0"]


def tq1_0(blocks: Bytes, dtype: FloatType) -> Floats:
    """Five trits in a byte of the first 48, four in a byte of the last 4."""
    runs = (_trits(blocks[:, 0:32], 5), _trits(blocks[:, 32:48], 5), _trits(blocks[:, 48:52], 4))
    codes = np.concatenate(runs, axis=1).astype(np.int8) - 1
    values: Floats = codes.astype(dtype) * half(blocks, 52, dtype)
    return values


def tq2_0(blocks: Bytes, dtype: FloatType) -> Floats:
    """Two bits an element; the value that no trit needs is 2."""
    codes = quarters(blocks[:, 0:64]).astype(np.int8) - 1
    values: Floats = codes.astype(dtype) * half(blocks, 64, dtype)
    return values


def _trits(packed: Bytes, count: int) -> Bytes:
    """Trit 0 of all bytes, then trit 1, ...: (num_blocks, count * bytes).

    A byte is a fraction of 256; multiplying it by three moves the next ternary digit in front of the point.
    """
    fractions = packed[:, None, :] * (3 ** np.arange(count)).astype(np.uint8)[:, None]  # modulo 256
    return (fractions.astype(np.uint16) * 3 >> 8).reshape(len(packed), -1)
