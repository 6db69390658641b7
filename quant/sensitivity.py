"""How much a model minds an error in each of its matrices: measured, one matrix at a time, as divergence per error."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.damage import LoadOptions, Passage, measure
from edge.errors import RequestError
from edge.formats.gguf import TensorInfo, open_gguf
from edge.formats.types import BLOCKS, GGMLType, type_name
from edge.quant.codec import decode, encode
from edge.quant.mixed import Encode, measure_options

__all__ = ["measure_sensitivity"]

PROBES = ("Q3_K", "Q4_0")  # the first whose blocks fit: coarse enough that its effect stands out of rounding
TOKENS = 2048
_FLOATS = (GGMLType.F32, GGMLType.F16, GGMLType.BF16)


def measure_sensitivity(
    path: str | os.PathLike[str],
    encode_rows: Encode,
    *,
    importance: Mapping[str, NDArray[np.float32]] | None = None,
    text: str | os.PathLike[str] | Passage | None = None,
    max_tokens: int = TOKENS,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, float]:
    """Per matrix of a GGUF file of floats: mean KL divergence (nats) of the model's distributions, over the share of
    the matrix's output that is error (as `measure_options` counts it), when this matrix alone is quantised.

    Takes a copy of the file in the temporary folder and two models in memory, and runs the text twice for every matrix.
    text, max_tokens: as `edge.damage.measure` takes them. Raises RequestError for a matrix that is not of
    floats, and what measuring raises.
    """
    found: dict[str, float] = {}
    with open_gguf(path) as file, tempfile.TemporaryDirectory() as folder:
        matrices = [info for info in file.tensors.values() if len(info.shape) == 2]
        for info in matrices:
            if info.type not in _FLOATS:
                raise RequestError(f"{path}: tensor {info.name} is {type_name(info.type)}; give the model in floats")
        copy = Path(folder) / "model.gguf"
        shutil.copyfile(file.parts[0], copy)
        for number, info in enumerate(matrices, 1):
            values = decode(info.type, file.tensor_data(info.name), info.shape)
            weights = None if importance is None else importance.get(info.name)
            error, stored = _quantised(values, encode_rows, weights)
            if error > 0:
                _write(copy, info, encode(info.type, stored))
                damage = measure(
                    copy, path, text=text, max_tokens=max_tokens,
                    loading=LoadOptions(kv_type="f32", no_cache=True),
                )  # fmt: skip
                assert damage.mean_kld is not None
                found[info.name] = damage.mean_kld / error
                _write(copy, info, bytes(file.tensor_data(info.name)))
            else:
                found[info.name] = 0.0
            if on_progress is not None:
                on_progress(number, len(matrices))
    return found


def _quantised(
    values: NDArray[np.float32], encode_rows: Encode, importance: NDArray[np.float32] | None
) -> tuple[float, NDArray[np.float32]]:
    """The error of the probe, and what it makes of the matrix. A row that no probe fits is left as it is."""
    for name in PROBES:
        kind = GGMLType[name]
        if values.shape[1] % BLOCKS[kind][0] == 0:
            stored = decode(kind, encode_rows(name, values, importance).tobytes(), values.shape)
            return measure_options(values, encode_rows, importance, (name,))[0].error, stored
    return 0.0, values


def _write(path: Path, info: TensorInfo, data: bytes) -> None:
    with open(path, "r+b") as file:
        file.seek(info.offset)
        file.write(data)
