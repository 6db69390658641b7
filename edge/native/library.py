"""Finds and loads the C library, declares its functions and turns status codes into errors."""

from __future__ import annotations

import ctypes
import functools
import sys
from ctypes import POINTER, c_char_p, c_double, c_float, c_int32, c_int64, c_uint8, c_uint64, c_void_p
from pathlib import Path
from typing import Any

import edge
from edge.errors import Cancelled, DoesNotFit, EdgeError, NativeError, NumericalError
from edge.native import structs

_HANDLE_OUT = POINTER(c_void_p)
_ERROR = POINTER(structs.Error)

# name: (result, arguments), as in native/include/edge/*.h
_STATUS = c_int32
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "edge_isa_name": (c_char_p, (c_int32,)),
    "edge_isa_supported": (c_int32, (c_int32,)),
    "edge_isa_select": (_STATUS, (c_char_p, POINTER(c_int32), _ERROR)),
    "edge_threads_create": (_STATUS, (_HANDLE_OUT, c_int32)),
    "edge_threads_destroy": (None, (_HANDLE_OUT,)),
    "edge_threads_count": (c_int32, (c_void_p,)),
    "edge_threads_barrier_count": (c_uint64, (c_void_p,)),
    "edge_measure_read": (_STATUS, (c_void_p, c_int32, c_uint64, c_int32, c_double, POINTER(c_double))),
    "edge_measure_integer_peak": (_STATUS, (c_void_p, c_int32, c_double, POINTER(c_double))),
    "edge_measure_region": (_STATUS, (c_void_p, c_int32, c_void_p, c_double, POINTER(c_double))),
    "edge_measure_matmul": (_STATUS, (c_void_p, c_int32, c_void_p, c_int32, c_double, POINTER(c_double))),
    "edge_region_map": (_STATUS, (_HANDLE_OUT, c_int32, c_uint64)),
    "edge_region_allocate": (_STATUS, (_HANDLE_OUT, c_uint64)),
    "edge_region_load": (_STATUS, (_HANDLE_OUT, c_int32, c_uint64, c_uint64, c_int32, c_void_p, _ERROR)),
    "edge_region_is_direct": (c_int32, (c_void_p,)),
    "edge_region_watch": (_STATUS, (_HANDLE_OUT, c_void_p, c_uint64)),
    "edge_region_destroy": (None, (_HANDLE_OUT,)),
    "edge_region_data": (c_void_p, (c_void_p,)),
    "edge_region_readable": (c_uint64, (c_void_p,)),
    "edge_stream_sizes": (_STATUS, (POINTER(structs.Span), c_int32, c_int32, POINTER(c_uint64))),
    "edge_stream_create": (_STATUS, (_HANDLE_OUT, c_void_p, c_int32, POINTER(structs.Span), c_int32, c_int32, c_int32)),
    "edge_stream_destroy": (None, (_HANDLE_OUT,)),
    "edge_stream_is_direct": (c_int32, (c_void_p,)),
    "edge_stream_failure": (c_int32, (c_void_p, POINTER(c_uint64))),
    "edge_weights_layout_version": (c_int32, ()),
    "edge_weights_sizes": (_STATUS, (c_int32, c_int64, c_int64, POINTER(c_uint64), POINTER(c_uint64))),
    "edge_weights_create": (_STATUS, (_HANDLE_OUT, c_int32, c_int64, c_int64, c_void_p, c_uint64, c_void_p)),
    "edge_weights_map": (_STATUS, (_HANDLE_OUT, c_int32, c_int64, c_int64, c_void_p, c_uint64)),
    "edge_weights_stream": (_STATUS, (_HANDLE_OUT, c_int32, c_int64, c_int64, c_void_p, c_int32, c_uint64)),
    "edge_weights_data": (c_void_p, (c_void_p,)),
    "edge_weights_create_vector": (_STATUS, (_HANDLE_OUT, c_int32, c_int64, c_void_p, c_uint64)),
    "edge_weights_destroy": (None, (_HANDLE_OUT,)),
    "edge_weights_packed_bytes": (c_uint64, (c_void_p,)),
    "edge_weights_row": (_STATUS, (c_void_p, c_int64, c_void_p)),
    "edge_quantise": (
        _STATUS,
        (c_void_p, c_int32, c_void_p, c_int64, c_int64, c_void_p, c_int32, c_void_p, POINTER(c_int64)),
    ),
    "edge_kv_block_bytes": (_STATUS, (POINTER(structs.KVConfig), POINTER(c_uint64))),
    "edge_kv_create": (_STATUS, (_HANDLE_OUT, POINTER(structs.KVConfig))),
    "edge_kv_destroy": (None, (_HANDLE_OUT,)),
    "edge_kv_copy_block": (_STATUS, (c_void_p, c_int32, c_int32)),
    "edge_kv_read_block": (_STATUS, (c_void_p, c_int32, c_void_p)),
    "edge_kv_write_block": (_STATUS, (c_void_p, c_int32, c_void_p)),
    "edge_kv_store": (_STATUS, (c_void_p, c_int32, c_int32, c_void_p, c_void_p, c_int64)),
    "edge_program_create": (_STATUS, (_HANDLE_OUT, POINTER(structs.ProgramConfig), _ERROR)),
    "edge_program_destroy": (None, (_HANDLE_OUT,)),
    "edge_program_bytes": (c_uint64, (c_void_p,)),
    "edge_program_step": (_STATUS, (c_void_p, c_void_p, c_void_p, POINTER(structs.Batch), _ERROR)),
    "edge_program_logits": (c_void_p, (c_void_p,)),
    "edge_program_buffer": (c_void_p, (c_void_p, c_int32)),
    "edge_program_cancel": (None, (c_void_p,)),
    "edge_gptq_round": (_STATUS, (POINTER(structs.GptqBlock), _ERROR)),
    "edge_sampler_create": (_STATUS, (_HANDLE_OUT, c_int32)),
    "edge_sampler_destroy": (None, (_HANDLE_OUT,)),
    "edge_sample": (
        _STATUS,
        (
            c_void_p,
            c_void_p,
            c_void_p,
            POINTER(structs.Sampling),
            c_void_p,
            c_int32,
            c_void_p,
            c_void_p,
            c_int32,
            POINTER(c_int32),
            _ERROR,
        ),
    ),
    "edge_sample_best": (c_int32, (c_void_p, c_int32)),
    "edge_sample_is_finite": (c_int32, (c_void_p, c_int32)),
}

# enum edge_status
OK, _INVALID, _NO_MEMORY, _UNSUPPORTED, _CANCELLED, NONFINITE, _FILE_LOST = range(7)
_ERRORS: dict[int, tuple[type[EdgeError], str]] = {
    _INVALID: (NativeError, "invalid"),
    _NO_MEMORY: (DoesNotFit, "not enough memory"),
    _UNSUPPORTED: (NativeError, "unsupported"),
    _CANCELLED: (Cancelled, "cancelled"),
    NONFINITE: (NumericalError, "not finite"),
    _FILE_LOST: (NativeError, "a file became shorter or cannot be read"),  # edge.backends knows which, and says so
}


def library_path() -> Path:
    """The library file beside the package. NativeError, which says how to build it, when there is none."""
    name = "_libedge.dylib" if sys.platform == "darwin" else "_libedge.so"
    folders = [Path(folder) for folder in edge.__path__]  # an editable install has more than one
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    places = " or ".join(str(folder) for folder in folders)
    raise NativeError(f"the C library {name} is not in {places}: build it with `pip install .` in the edge checkout")


@functools.cache
def library() -> ctypes.CDLL:
    """The loaded library. Calls through it release the GIL."""
    path = library_path()
    try:
        lib = ctypes.CDLL(str(path))
    except OSError as error:
        raise NativeError(f"the C library {path} cannot be loaded: {error}") from error
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(lib, name)
        except AttributeError as error:
            raise NativeError(f"the C library {path} lacks {name}: it is of another version, build it again") from error
        function.restype = result
        function.argtypes = arguments
    return lib


def check(status: int, what: str, error: structs.Error | None = None) -> None:
    """Raises the error of a status: `what` was tried, `error` is the library's own message."""
    if status == OK:
        return
    kind, meaning = _ERRORS.get(status, (NativeError, f"status {status}"))
    message = error.message.decode("utf-8", "replace") if error is not None else ""
    raise kind(f"{what}: {message or meaning}")


def byte_array(address: int, count: int, owner: object) -> memoryview:
    """`count` bytes of C memory as a view; the view keeps `owner` alive, and with it the memory."""
    array = (c_uint8 * count).from_address(address)
    array.owner = owner  # type: ignore[attr-defined]
    return memoryview(array).cast("B")


def float_array(address: int, count: int, owner: object) -> memoryview[float]:
    """`count` floats of C memory as a flat view; the view keeps `owner` alive, and with it the memory."""
    array = (c_float * count).from_address(address)
    array.owner = owner  # type: ignore[attr-defined]
    return memoryview(array).cast("B").cast("f")
