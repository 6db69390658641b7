"""Chooses a type for every matrix so that a file of a given size loses least, by the error measured on its own weights.

ALGORITHMS.md 2.2: errors of every type for every tensor, weighted by what its inputs are like and, where it was
measured, by how much the model minds; then the best error per byte first, until the size is reached.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import DoesNotFit, RequestError
from edge.formats.encoding import encode_string, encode_tensor, encode_value
from edge.formats.header import DEFAULT_ALIGNMENT
from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes
from edge.quant.codec import decode
from edge.quant.mixtures import Tensor, may_be_quantised

__all__ = ["TYPES", "Encode", "Option", "Source", "choose", "matrix_budget", "measure_options", "mixed_types"]

# From the smallest up; F16 fits every row, and is what a row that no block fits gets.
TYPES = ("TQ1_0", "TQ2_0", "Q2_K", "Q3_K", "IQ4_XS", "IQ4_NL", "Q4_K", "Q5_K", "Q5_1", "Q6_K", "Q8_0", "F16")
SAMPLE_ROWS = 256  # of a matrix, evenly spread: the mean error of more is the same within a percent or two
RECORD_BYTES = 2048  # of metadata at most, that says how the file was made and what it lost
Encode = Callable[[str, NDArray[np.float32], NDArray[np.float32] | None], NDArray[np.uint8]]


class Source(Protocol):
    """What is asked of a model that is read tensor by tensor: `edge.export.TensorSource` is one."""

    @property
    def metadata(self) -> dict[str, Any]: ...

    @property
    def tensors(self) -> Sequence[Tensor]: ...

    def read(self, name: str) -> NDArray[np.float32]: ...


class Option(NamedTuple):
    """One way to store a matrix. error: whatever adds up over matrices and is to be small."""

    type_name: str
    num_bytes: int
    error: float


def mixed_types(
    source: Source,
    encode: Encode,
    *,
    size_bytes: int | None = None,
    bits_per_weight: float | None = None,
    importance: Mapping[str, NDArray[np.float32]] | None = None,
    sensitivity: Mapping[str, float] | None = None,
    types: Sequence[str] | Mapping[str, Sequence[str]] = TYPES,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """The type of every tensor, for a file of at most `size_bytes`, or of at most `bits_per_weight` over all tensors.

    importance: per matrix, (columns,) mean squares of its inputs. sensitivity: of every matrix, what an error as large
    as its output would cost (edge.quant.sensitivity measures it). types: that there are, for all matrices or for each
    by name. on_progress gets matrices. Raises DoesNotFit with the smallest size that is possible, RequestError unless
    exactly one size is given.
    """
    budget = matrix_budget(source, size_bytes=size_bytes, bits_per_weight=bits_per_weight)
    matrices = [tensor for tensor in source.tensors if may_be_quantised(tensor)]
    options: dict[str, list[Option]] = {}
    for number, tensor in enumerate(matrices, 1):
        weights = None if importance is None else importance.get(tensor.name)
        scale = 1.0 if sensitivity is None else sensitivity[tensor.name]
        allowed = types[tensor.name] if isinstance(types, Mapping) else types
        measured = measure_options(source.read(tensor.name), encode, weights, allowed)
        options[tensor.name] = [option._replace(error=option.error * scale) for option in measured]
        if on_progress is not None:
            on_progress(number, len(matrices))
    least = sum(min(option.num_bytes for option in held) for held in options.values())
    if least > budget:
        raise DoesNotFit(_too_small(source, size_bytes, bits_per_weight, least, budget))
    others = {tensor.name: "F32" for tensor in source.tensors if not may_be_quantised(tensor)}
    return others | choose(options, budget)


def measure_options(
    values: NDArray[np.float32], encode: Encode, importance: NDArray[np.float32] | None, types: Sequence[str] = TYPES
) -> list[Option]:
    """What each type that fits would lose of a matrix (rows, columns): the share of its output's energy that becomes
    error, when its inputs have mean squares of `importance` (None: all alike) and no correlation.
    """
    rows, columns = values.shape
    spread = np.linspace(0, rows - 1, min(rows, SAMPLE_ROWS), dtype=np.int64)
    sample = np.ascontiguousarray(values[spread])
    weights = np.ones(columns) if importance is None else importance.astype(np.float64)
    energy = float((np.square(sample, dtype=np.float64) @ weights).sum())
    options: list[Option] = []
    for name in types:
        kind = GGMLType[name]
        if columns % BLOCKS[kind][0]:
            continue
        stored = decode(kind, encode(name, sample, importance).tobytes(), sample.shape)
        lost = float((np.square(stored - sample, dtype=np.float64) @ weights).sum())
        options.append(Option(name, tensor_num_bytes(kind, values.shape), lost / energy if energy else 0.0))
    return options


def choose(options: Mapping[str, Sequence[Option]], budget: int) -> dict[str, str]:
    """One option for each matrix, of at most `budget` bytes together, with the least error that is found.

    From below: every matrix begins with its smallest option, and again and again that change is made which saves most
    error per byte, among those for which there is room. While there is room for all, that is the walk along the lower
    convex hulls, which is optimal for every size that it passes (Lagrange); only the last steps, where little room is
    left, may not be. From above: every matrix begins with its best option, and that change is made which costs least
    error per byte that is still to be saved. The better of the two. DoesNotFit when even the smallest options are too
    large.
    """
    smallest = {name: min(held, key=lambda option: (option.num_bytes, option.error)) for name, held in options.items()}
    least = sum(option.num_bytes for option in smallest.values())
    if least > budget:
        raise DoesNotFit(f"the matrices take at least {least} bytes, there is room for {budget}")
    found = [_from_below(options, smallest, budget - least), _from_above(options, budget)]
    best = min(found, key=lambda chosen: sum(option.error for option in chosen.values()))
    return {name: option.type_name for name, option in best.items()}


def matrix_budget(source: Source, *, size_bytes: int | None = None, bits_per_weight: float | None = None) -> int:
    """Bytes for the matrices that are quantised: of a file of `size_bytes` without its header, or of `bits_per_weight`
    over all tensors, and without the other tensors. RequestError unless exactly one is given.
    """
    if (size_bytes is None) == (bits_per_weight is None):
        raise RequestError("give a size or bits per weight, one of them")
    others = 4 * sum(math.prod(tensor.shape) for tensor in source.tensors if not may_be_quantised(tensor))
    if size_bytes is not None:
        return size_bytes - others - _header_bytes(source)
    assert bits_per_weight is not None
    return int(bits_per_weight * _num_weights(source) / 8) - others


def _from_below(
    options: Mapping[str, Sequence[Option]], smallest: Mapping[str, Option], left: int
) -> dict[str, Option]:
    """left: bytes."""
    chosen = dict(smallest)
    best = {name: _best_change(chosen[name], options[name], left) for name in options}
    while True:
        for name, change in best.items():
            if change is not None and change.num_bytes - chosen[name].num_bytes > left:
                best[name] = _best_change(chosen[name], options[name], left)
        gains = [(_gain(chosen[name], change), name, change) for name, change in best.items() if change is not None]
        if not gains:
            return chosen
        _, name, change = max(gains)
        left -= change.num_bytes - chosen[name].num_bytes
        chosen[name] = change
        best[name] = _best_change(change, options[name], left)


def _from_above(options: Mapping[str, Sequence[Option]], budget: int) -> dict[str, Option]:
    """Saving more than is still to be saved counts no more: so the last step is a small one."""
    chosen = {name: min(held, key=lambda option: (option.error, option.num_bytes)) for name, held in options.items()}
    over = sum(option.num_bytes for option in chosen.values()) - budget
    while over > 0:
        costs = [
            ((option.error - chosen[name].error) / min(over, chosen[name].num_bytes - option.num_bytes), name, option)
            for name, held in options.items()
            for option in held
            if option.num_bytes < chosen[name].num_bytes
        ]
        _, name, option = min(costs)
        over -= chosen[name].num_bytes - option.num_bytes
        chosen[name] = option
    return chosen


def _best_change(now: Option, options: Sequence[Option], left: int) -> Option | None:
    better = [option for option in options if option.error < now.error and option.num_bytes - now.num_bytes <= left]
    return max(better, key=lambda option: _gain(now, option)) if better else None


def _gain(now: Option, change: Option) -> float:
    """Error saved per byte; without end for a change that takes no byte."""
    more = change.num_bytes - now.num_bytes
    return (now.error - change.error) / more if more > 0 else float("inf")


def _num_weights(source: Source) -> int:
    return sum(math.prod(tensor.shape) for tensor in source.tensors)


def _header_bytes(source: Source) -> int:
    """At most so many bytes of a file are no tensor: metadata, the tensor table, what aligns tensors, and the record of
    the damage."""
    keys = sum(
        len(encode_string(key.encode()) + encode_value(value, None))
        for key, value in source.metadata.items()
        if value != []  # which no file holds
    )
    table = sum(len(encode_tensor(tensor.name.encode(), tensor.shape, 0, 0)) for tensor in source.tensors)
    # so many rows of whole bytes need nothing behind them, whatever their type
    padded = sum(math.prod(tensor.shape[:-1]) % DEFAULT_ALIGNMENT > 0 for tensor in source.tensors)
    return keys + table + (padded + 1) * DEFAULT_ALIGNMENT + RECORD_BYTES


def _too_small(source: Source, size_bytes: int | None, bits_per_weight: float | None, least: int, budget: int) -> str:
    if size_bytes is not None:
        return f"the smallest mixture of these types takes {size_bytes - budget + least} bytes, asked were {size_bytes}"
    smallest = 8 * least / _num_weights(source) + (bits_per_weight or 0) - 8 * budget / _num_weights(source)
    return f"the smallest mixture of these types has {smallest:.2f} bits per weight, asked were {bits_per_weight:g}"
