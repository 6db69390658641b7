"""Broken copies of sound ONNX folders, and a process of its own that opens them: as edge does, then the runtime."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import random
from array import array
from collections.abc import Iterator
from contextlib import nullcontext
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from edge.backends.protocol import Batch
from edge.convert import open_source
from edge.convert.npu import export_npu
from edge.errors import BadModelFile, EdgeError, ModelFileError, UnsupportedModel
from edge.export.gguf_source import GGUFSource
from edge.export.npu.options import NpuOptions
from edge.export.onnx import OnnxOptions
from edge.export.onnx.export import export_onnx
from edge.export.onnx.protobuf import varint
from edge.formats.onnx import OnnxModel, open_onnx_folder
from edge.memory import Settings
from edge.npu.folder import is_npu_folder
from edge.npu.manifest import ENCODINGS, HEAD, MANIFEST
from edge.npu.runner import NpuModel
from edge.npu_model import NpuReader

_EXTREMES = (
    0,
    1,
    2,
    3,
    7,
    8,
    16,
    31,
    127,
    128,
    255,
    2**16,
    2**31 - 1,
    2**31,
    2**32,
    2**62,
    2**63 - 1,
    2**63,
    2**64 - 1,
)
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 32, 2**16, 2**31 - 1, -1, 1.0, 1e-46, 1e30, 1e39)
_Json: TypeAlias = "dict[str, _Json] | list[_Json] | str | float | None"
_VALUES: tuple[Any, ...] = (*_NUMBERS, True, None, "x", [], {})
_SECONDS = 60.0  # for one file: a runtime that hangs is as bad as one that dies


def sound_folder(model: Path, folder: Path) -> tuple[str, ...]:
    """An export of a tiny GGUF model; the files that say what is run."""
    with GGUFSource(model) as source:
        export_onnx(source, folder, OnnxOptions(context=32))
    return ("model.onnx",)


def sound_npu_folder(model: Path, folder: Path) -> tuple[str, ...]:
    """The same for NPUs."""
    with open_source(model) as opened:
        options = NpuOptions(chunk=4, context=16)
        text = "".join(chr(letter) for letter in range(40, 90))
        export_npu(opened, folder, options, device="test", stages=lambda _: nullcontext(), text=text, max_tokens=48)
    return "prefill.onnx", "decode.onnx", HEAD, MANIFEST, ENCODINGS


def mutate(content: bytes, rng: random.Random) -> bytes:
    """One to three changes: bits turned, numbers replaced by extreme ones, pieces cut out, repeated or moved."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        match rng.randrange(6):
            case 0 | 1:
                data[at] ^= 1 << rng.randrange(8)
            case 2:
                data[at] = rng.choice((0, 1, 2, 0x7F, 0x80, 0xFF))
            case 3:
                number = varint(rng.choice(_EXTREMES))
                data[at : at + rng.choice((1, len(number)))] = number
            case 4:
                size = rng.randint(1, 64)
                piece = data[at : at + size]
                to = rng.randrange(len(data))
                data[to:to] = piece
            case _:
                del data[at : at + rng.randint(1, 32)]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def mutate_fields(content: bytes, rng: random.Random) -> bytes:
    """One or two values of a JSON object replaced, or the last of an array repeated: the file stays well-formed."""
    said = json.loads(content)
    for _ in range(rng.randint(1, 2)):
        path = rng.choice(list(_paths(said)))
        holder = said
        for key in path[:-1]:
            holder = holder[key]
        new: Any = rng.choice(_VALUES)
        old: Any = holder[path[-1]]
        repeats = isinstance(old, list) and rng.random() < 0.5
        holder[path[-1]] = [*old, *old[-1:]] if repeats else new
    return json.dumps(said).encode()


def _paths(value: _Json, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of everything in it, arrays and objects too; not its own."""
    if path:
        yield path
    pairs: dict[Any, _Json] = {}
    if isinstance(value, dict):
        pairs |= value
    elif isinstance(value, list):
        pairs |= enumerate(value)
    for key, item in pairs.items():
        yield from _paths(item, (*path, key))


class Opener:
    """Opens folders in a process of their own. `died` tells when it ended or hung, and the next starts another."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None

    def outcome(self, folder: Path) -> str:
        """ "refused", "refused by the runtime", "ran", or "died"; other errors by their text."""
        if self._process is None or self._pipe is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other,), daemon=True)
            self._process.start()
            other.close()
        try:
            self._pipe.send(folder)
            if self._pipe.poll(_SECONDS):
                answer: str = self._pipe.recv()
                return answer
        except (EOFError, ConnectionError):
            pass
        self.close()
        return "died"

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _serve(pipe: Connection) -> None:
    while True:
        try:
            folder = pipe.recv()
        except EOFError:
            return
        pipe.send(_opened(folder))


def _opened(folder: Path) -> str:
    if is_npu_folder(folder):
        return _stepped(folder)
    try:
        checked = open_onnx_folder(folder).model
    except ModelFileError:
        return "refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return _run(checked.path, checked.model)


def _stepped(folder: Path) -> str:
    """An NPU folder, its graphs on the CPU: a chunk and a token."""
    try:
        model = NpuModel(folder)
    except BadModelFile:
        return "refused"
    except (UnsupportedModel, ModelFileError) as error:
        return "refused by the runtime" if "ONNX Runtime" in str(error) else "refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    try:
        for tokens in ([5, 6, 7], [8]):
            model.forward(tokens)
    except Exception:  # whatever it says: it said it
        return "refused by the runtime"
    try:
        _handed_over(folder)
    except EdgeError:  # it runs by itself, and not for another engine
        pass
    except Exception as error:
        return f"handed over: {type(error).__name__}: {error}"
    return "ran"


def _handed_over(folder: Path) -> None:
    """A chunk and a half read for another engine, which takes K and V of it."""
    planned = NpuReader(folder, Settings(context=16))
    reader, count = planned.load("cpu", strict=False), planned.plan.chunk * 3 // 2
    try:
        for first, end in ((0, planned.plan.chunk), (planned.plan.chunk, count)):
            rows = array("i", range(first, end))
            reader.step(Batch(rows, rows, array("i", [0] * len(rows)), array("i", [0]), 1, array("i")))
        shape = planned.geometry.num_kv_heads, count, planned.geometry.head_dim
        for keys, values in reader.read_kv(0, 0, count):
            if keys.shape != shape or values.shape != shape or keys.strides != values.strides:
                raise ValueError(f"K and V are {keys.shape} and {values.shape}, wanted {shape}")
    finally:
        reader.close()


def _run(path: Path, model: OnnxModel) -> str:
    """Through the runtime, with the inputs that the file asks for; sizes that it leaves open are 1."""
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        feed: dict[str, Any] = {}
        for value in session.get_inputs():
            if value.type not in types or len(value.shape) > 4:
                return "refused by the runtime"
            sizes = {"past_sequence_length": 0}
            shape = [size if isinstance(size, int) else sizes.get(size, 1) for size in value.shape]
            if int(np.prod([max(size, 1) for size in shape])) > 2**20:
                return "refused by the runtime"
            feed[value.name] = np.ones(shape, types[value.type])
        session.run(None, feed)
    except Exception:  # whatever it says: it said it
        return "refused by the runtime"
    return "ran"
