"""Arrays to block types and back, in chunks: the memory beside input and output stays at a few MiB."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

import numpy as np
import numpy.typing as npt

from edge.errors import NumericalError
from edge.formats.types import BLOCKS, GGMLType, tensor_num_bytes, type_name
from edge.native import Refused
from edge.quant.decoders import DECODERS
from edge.quant.encode import ENCODABLE, encode_rows, names

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["DECODABLE", "ENCODABLE", "decode", "encode"]

DECODABLE: tuple[GGMLType, ...] = tuple(DECODERS)

_F = TypeVar("_F", np.float32, np.float64)
_CHUNK_ELEMENTS = 65_536


def encode(type: int, array: npt.NDArray[np.float16] | npt.NDArray[np.float32] | npt.NDArray[np.float64]) -> bytes:
    """The bytes of a tensor of `type` holding `array` of shape (..., cols); blocks lie along cols.

    float16 and float64 input is rounded to float32 first. Raises ValueError when the type has no encoder or cols is not
    a multiple of its block, NumericalError naming the place and the value when an element, or the scale that a block
    needs, is not finite in that type.
    """
    if type not in ENCODABLE:
        raise ValueError(f"no encoder for {type_name(type)}, there is one for {names(ENCODABLE)}")
    tensor_num_bytes(type, array.shape)  # ValueError for a shape that no tensor has
    rows = array.reshape(-1, array.shape[-1])
    try:
        return encode_rows(GGMLType(type), rows).tobytes()
    except Refused as error:
        place = np.unravel_index(error.index, array.shape)
        with np.errstate(all="ignore"):
            value = float(np.float32(array[place]))
        holder = type_name(type) if np.isfinite(value) else "a model"
        index = ", ".join(str(int(part)) for part in place)
        raise NumericalError(f"element [{index}] is {value!r}, which {holder} cannot hold") from None


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
        raise ValueError(f"no decoder for {type_name(type)}, there is one for {names(DECODABLE)}")
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
