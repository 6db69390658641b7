"""Instruction-set levels of the kernels."""

from __future__ import annotations

import ctypes

from edge.errors import NativeError
from edge.native.library import check, library
from edge.native.structs import Error

_COUNT = 9  # EDGE_ISA_COUNT


def isa_supported() -> list[str]:
    """The levels that this build and this CPU can run, lowest first."""
    lib = library()
    return [_name(isa) for isa in range(_COUNT) if lib.edge_isa_supported(isa)]


def isa_select(name: str | None = None) -> str:
    """The level to use: the best one, or the one that `name` (the user's EDGE_ISA) forces.

    NativeError naming the level when it does not exist or the CPU lacks it.
    """
    return _name(isa_number(name))


def isa_number(name: str | None) -> int:
    """isa_select, as the number that the C library uses."""
    if name is not None and (not isinstance(name, str) or "\0" in name):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise NativeError(f"instruction-set level {name!r} is not a name")
    out, error = ctypes.c_int32(), Error()
    status = library().edge_isa_select(name.encode() if name else None, ctypes.byref(out), ctypes.byref(error))
    check(status, f"instruction-set level {name!r}", error)
    return out.value


def _name(isa: int) -> str:
    name: bytes | None = library().edge_isa_name(isa)
    if name is None:
        raise NativeError(f"the C library knows no instruction-set level {isa}")
    return name.decode()
