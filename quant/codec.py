"""Arrays to block types and back, in chunks: the memory beside input and output stays at a few MiB."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from edge.errors import NumericalError
from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes, type_name
from edge.quant.decoders import DECODERS
from edge.quant.encoders import ENCODERS, SCALE_OFFSETS

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["DECODABLE", "ENCODABLE", "decode", "encode"]

ENCODABLE: tuple[GGMLType, ...] = tuple(ENCODERS)
DECODABLE: tuple[GGMLType, ...] = tuple(DECODERS)

_F = TypeVar("_F", np.float32, np.float64)
_CHUNK_ELEMENTS = 65_536


def encode(type: int, array: npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]) -> bytes:
    """The bytes of a tensor of `type` holding `array` of shape (..., cols); blocks lie along cols.

    float16 and float64 input is rounded to float32 first. Raises ValueError when the type has no encoder or cols is not
    a multiple of its block, NumericalError naming the place and the value when an element, or the scale that a block
    needs, is not finite in that type.
    """
    if type not in ENCODERS:
        raise ValueError(f"no encoder for {type_name(type)}, there is one for {_names(ENCODABLE)}")
    num_bytes = tensor_num_bytes(type, array.shape)
    elements, block_bytes = BLOCKS[GGMLType(type)]
    encoder, scale_at = ENCODERS[GGMLType(type)], SCALE_OFFSETS.get(GGMLType(type))
    blocks = array.reshape(-1, elements)
    out = np.empty((num_bytes // block_bytes, block_bytes), np.uint8)
    step = _CHUNK_ELEMENTS // elements
    for start in range(0, len(blocks), step):
        with np.errstate(all="ignore"):  # an overflow becomes a value that is not finite, refused below
            values = np.ascontiguousarray(blocks[start : start + step], dtype=np.float32)
            _refuse_infinite(np.isfinite(values), values, array.shape, start, "a model")
            encoded = encoder(values).reshape(len(values), block_bytes)
            if scale_at is None:
                stored = DECODERS[GGMLType(type)](encoded, np.float32)
            else:
                stored = np.ascontiguousarray(encoded[:, scale_at : scale_at + 2]).view("<f2")
        _refuse_infinite(np.isfinite(stored), values, array.shape, start, type_name(type))
        out[start : start + len(values)] = encoded
    return out.tobytes()


@overload
def decode(type: int, data: Buffer | npt.NDArray[Any], shape: Sequence[int]) -> npt.NDArray[np.float32]: ...
@overload
def decode(
    type: int, data: Buffer | npt.NDArray[Any], shape: Sequence[int], dtype: builtins.type[_F]
) -> npt.NDArray[_F]: ...
def decode(
    type: int, data: Buffer | npt.NDArray[Any], shape: Sequence[int], dtype: builtins.type[Any] = np.float32
) -> npt.NDArray[Any]:
    """The values of a tensor of `type` and `shape` from its bytes, as float32 (what the engine computes) or float64.

    Raises ValueError when the type has no decoder or `data` has not exactly the size that type and shape need.
    """
    if type not in DECODERS:
        raise ValueError(f"no decoder for {type_name(type)}, there is one for {_names(DECODABLE)}")
    num_bytes = tensor_num_bytes(type, shape)
    elements, block_bytes = BLOCKS[GGMLType(type)]
    decoder = DECODERS[GGMLType(type)]
    raw = np.frombuffer(memoryview(cast("Buffer", data)), np.uint8)
    if raw.size != num_bytes:
        raise ValueError(f"{type_name(type)} of shape {tuple(shape)} takes {num_bytes} bytes, there are {raw.size}")
    blocks = raw.reshape(-1, block_bytes)
    out = np.empty((len(blocks), elements), dtype)
    step = _CHUNK_ELEMENTS // elements
    with np.errstate(all="ignore"):  # a file may hold scales that are not finite; they decode to what they mean
        for start in range(0, len(blocks), step):
            out[start : start + step] = decoder(np.ascontiguousarray(blocks[start : start + step]), dtype)
    return out.reshape(tuple(shape))


def _refuse_infinite(
    finite: npt.NDArray[np.bool_], values: npt.NDArray[np.float32], shape: tuple[int, ...], start: int, name: str
) -> None:
    """Raise for the first block or element that is not `finite`, which is (num_blocks, 1) or like `values`."""
    if finite.all():
        return
    block = int(finite.all(axis=1).argmin())
    inside = int(finite[block].argmin()) if finite.shape == values.shape else int(np.abs(values[block]).argmax())
    flat = (start + block) * values.shape[1] + inside
    indices: list[int] = []
    for size in reversed(shape):
        flat, index = divmod(flat, size)
        indices.insert(0, index)
    place = ", ".join(map(str, indices))
    raise NumericalError(f"element [{place}] is {float(values[block, inside])!r}, which {name} cannot hold")


def _names(types: Sequence[GGMLType]) -> str:
    return ", ".join(sorted(entry.name for entry in types))
