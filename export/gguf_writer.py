"""Writes GGUF version 3: typed metadata, then tensors aligned to 32 bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from edge.formats.atomic import atomic_file
from edge.formats.encoding import Value, encode_string, encode_tensor, encode_value
from edge.formats.header import DEFAULT_ALIGNMENT, MAGIC, MAX_TENSOR_NAME_BYTES
from edge.formats.types import GGMLType, ValueType, tensor_num_bytes

if TYPE_CHECKING:
    import numpy.typing as npt
    from typing_extensions import Buffer

__all__ = ["GGUFWriter", "Value"]


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: bytes
    type: int
    shape: tuple[int, ...]
    num_bytes: int
    data: memoryview | Callable[[], Buffer]


class GGUFWriter:
    """Collects metadata and tensors, and writes them at `finish()`. Nothing is on disk before that.

    Arguments that no GGUF file may hold raise ValueError (TypeError for a value of the wrong Python type).
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._values: dict[str, bytes] = {}
        self._tensors: dict[str, _Tensor] = {}

    def add(self, key: str, value: Value, type: ValueType | None = None) -> None:
        """Add one metadata value. `type` is that of a scalar, or of the elements when `value` is a sequence.

        Without it: bool, string and float32 as they come, integers the first of uint32, int32, uint64, int64 that holds
        them (all elements of a sequence). An empty sequence needs a type.
        """
        if not key:
            raise ValueError("a key must not be empty")
        if key in self._values:
            raise ValueError(f"key {key!r} was added twice")
        if key == "general.alignment":
            raise ValueError(f"key {key!r}: this writer aligns to {DEFAULT_ALIGNMENT}, the default of the format")
        try:
            self._values[key] = encode_value(value, type)
        except TypeError as error:
            raise TypeError(f"key {key!r}: {error}") from error
        except (ValueError, struct.error) as error:
            raise ValueError(f"key {key!r}: {error}") from error

    def add_tensor(
        self,
        name: str,
        ggml_type: int,
        shape: Sequence[int],
        data: Buffer | npt.NDArray[Any] | Callable[[], Buffer],
    ) -> None:
        """Add a tensor: `shape` in NumPy order, `data` its bytes (contiguous), kept by reference until `finish()`.

        A function is called when the tensor is written, so that a model need never be in memory as a whole.
        """
        encoded = name.encode()
        if not 1 <= len(encoded) <= MAX_TENSOR_NAME_BYTES:
            raise ValueError(f"tensor name {name!r} has {len(encoded)} bytes, allowed are 1 to {MAX_TENSOR_NAME_BYTES}")
        if name in self._tensors:
            raise ValueError(f"tensor {name!r} was added twice")
        try:
            num_bytes = tensor_num_bytes(ggml_type, shape)
            held = data if callable(data) else memoryview(cast("Buffer", data)).cast("B")
        except (ValueError, TypeError) as error:
            raise ValueError(f"tensor {name!r}: {error}") from error
        tensor = _Tensor(encoded, int(ggml_type), tuple(shape), num_bytes, held)
        if isinstance(held, memoryview):
            _check_size(tensor, held)
        self._tensors[name] = tensor

    def finish(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Write the file. A failure leaves what was there before; an existing file is replaced in one step.

        progress gets (bytes of tensors written, bytes of all tensors). Raises edge.DoesNotFit when there is not enough
        space, OSError when writing fails, and what a tensor's function raises.
        """
        header, data_bytes = self._header()
        done = 0
        with atomic_file(self.path, len(header) + data_bytes) as file:
            file.write(header)
            for tensor in self._tensors.values():
                file.write(_data(tensor))
                file.write(bytes(_padding(tensor.num_bytes)))
                done += tensor.num_bytes + _padding(tensor.num_bytes)
                if progress is not None:
                    progress(done, data_bytes)

    def _header(self) -> tuple[bytes, int]:
        """Everything before the tensors' bytes, and how many of those there are."""
        parts = [MAGIC, struct.pack("<IQQ", 3, len(self._tensors), len(self._values))]
        for key, value in self._values.items():
            parts += [encode_string(key.encode()), value]
        offset = 0
        for tensor in self._tensors.values():
            parts.append(encode_tensor(tensor.name, tensor.shape, tensor.type, offset))
            offset += tensor.num_bytes + _padding(tensor.num_bytes)
        size = sum(map(len, parts))
        parts.append(bytes(_padding(size)))
        return b"".join(parts), offset


def _data(tensor: _Tensor) -> memoryview:
    if isinstance(tensor.data, memoryview):
        return tensor.data
    view = memoryview(tensor.data()).cast("B")
    _check_size(tensor, view)
    return view


def _check_size(tensor: _Tensor, view: memoryview) -> None:
    if len(view) != tensor.num_bytes:
        raise ValueError(
            f"tensor {tensor.name.decode()!r}: {GGMLType(tensor.type).name} of shape {tensor.shape} takes "
            f"{tensor.num_bytes} bytes, there are {len(view)}"
        )


def _padding(size: int) -> int:
    return -size % DEFAULT_ALIGNMENT
