"""The C library, through ctypes: the only package that knows its functions and structs.

Every object can be closed, is a context manager, and refuses use after close with NativeError. Arguments are checked
before they reach C; what C refuses becomes an error of edge.errors. Nothing here needs NumPy.
"""

from __future__ import annotations

from edge.native.gptq import gptq_round
from edge.native.isa import isa_select, isa_supported
from edge.native.kv import BLOCK_SIZE, KV, kv_block_bytes
from edge.native.library import library_path
from edge.native.measure import integer_peak, matmul_speed, read_bandwidth, region_bandwidth
from edge.native.program import KVShape, Program, Rope
from edge.native.quantise import Refused, quantise
from edge.native.region import Region
from edge.native.sampler import Sampler, all_finite
from edge.native.stream import Stream, ring_bytes
from edge.native.threads import MAX_THREADS, Threads
from edge.native.weights import OVERREAD_BYTES, Weights, layout_version, weights_sizes

__all__ = [
    "BLOCK_SIZE",
    "KV",
    "MAX_THREADS",
    "OVERREAD_BYTES",
    "KVShape",
    "Program",
    "Refused",
    "Region",
    "Rope",
    "Sampler",
    "Stream",
    "Threads",
    "Weights",
    "all_finite",
    "gptq_round",
    "integer_peak",
    "isa_select",
    "isa_supported",
    "kv_block_bytes",
    "layout_version",
    "library_path",
    "matmul_speed",
    "quantise",
    "read_bandwidth",
    "region_bandwidth",
    "ring_bytes",
    "weights_sizes",
]
