"""Lets OpenVINO's plugin compute on any x86 processor, for tests.

Its library computes on all of them; its plugin lists a processor only where ONNX Runtime says that Intel made it. In
this process, and only here, ONNX Runtime says so: the function that gives a device's maker is replaced in its table, by
a library of operators, which is handed that table. The plugin looks once, when it is registered: where an earlier test
has registered it, that is undone, and the next to ask for it registers it anew.
"""

from __future__ import annotations

import ctypes
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from edge.backends.onnx.providers import OPENVINO, Provider, device_of
from edge.device import cpus
from edge.errors import RequestError

__all__ = ["call_it_intel"]

_REGISTERED_AS = "openvino"  # by edge.backends.onnx.providers

# The table only grows: the function is number 308 in every version from 22 on (HardwareDevice_VendorId).
_SOURCE = """
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct { void **(*api)(uint32_t version); const char *(*version)(void); } Base;

static uint32_t intel(const void *device) { (void)device; return 0x8086; }

void *RegisterCustomOps(void *options, const Base *base)
{
    void **slot = base->api(22) + 308;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), first = (uintptr_t)slot & ~(page - 1);
    (void)options;
    if (mprotect((void *)first, 2 * page, PROT_READ | PROT_WRITE) == 0)
        *slot = (void *)(uintptr_t)intel;
    return 0;
}
"""


@cache
def call_it_intel(ort: Any) -> str | None:
    """Why it cannot be done; None when it was, or need not be."""
    if "Intel" in cpus().model:
        return None
    folder = Path(mkdtemp(prefix="edge-intel-"))
    (folder / "intel.c").write_text(_SOURCE)
    library = folder / "intel.so"
    try:
        made = subprocess.run(
            ["cc", "-shared", "-fPIC", "-o", library, folder / "intel.c"], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"no C compiler: {error}"
    if made.returncode:
        return f"cc: {made.stderr}"
    ctypes.CDLL(str(library))  # stays when the options go
    ort.SessionOptions().register_custom_ops_library(str(library))
    with suppress(RequestError):  # it has no device here: so no session can be open on it, either
        device_of(ort, Provider(OPENVINO))
    ort.unregister_execution_provider_library(_REGISTERED_AS)
    return None
