"""The structs of native/include/edge/*.h, field by field."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, c_char, c_double, c_float, c_int32, c_int64, c_uint64, c_void_p
from typing import ClassVar

OP_BYTES = 108  # edge_op: 27 four-byte fields
LORA_BYTES = 44  # edge_lora: 11 four-byte fields
BUFFER_BYTES = 16  # edge_buffer: uint64 offset, int32 width, int32 rows


class Error(ctypes.Structure):
    """edge_error"""

    _fields_: ClassVar = [("message", c_char * 256)]

    message: bytes


class KVConfig(ctypes.Structure):
    """edge_kv_config"""

    _fields_: ClassVar = [
        ("type", c_int32),
        ("num_layers", c_int32),
        ("num_kv_heads", c_int32),
        ("head_dim", c_int32),
        ("num_blocks", c_int32),
    ]


class Rope(ctypes.Structure):
    """edge_rope"""

    _fields_: ClassVar = [
        ("theta", c_double),
        ("dims", c_int32),
        ("neox", c_int32),
        ("magnitude", c_float),
        ("reserved", c_int32),
        ("frequency_scale", POINTER(c_double)),
    ]


class ProgramConfig(ctypes.Structure):
    """edge_program_config"""

    _fields_: ClassVar = [
        ("ops", c_void_p),
        ("buffers", c_void_p),
        ("weights", POINTER(c_void_p)),
        ("ropes", POINTER(Rope)),
        ("num_ops", c_int32),
        ("num_buffers", c_int32),
        ("num_weights", c_int32),
        ("num_ropes", c_int32),
        ("max_tokens", c_int32),
        ("max_logits", c_int32),
        ("max_sequences", c_int32),
        ("logits_buffer", c_int32),
        ("arena_bytes", c_uint64),
        ("isa", c_int32),
        ("num_layers", c_int32),
        ("num_kv_heads", c_int32),
        ("head_dim", c_int32),
        ("kv_type", c_int32),
        ("max_threads", c_int32),
        ("max_positions", c_int32),
        ("num_window_layers", c_int32),
        ("loras", c_void_p),
        ("num_loras", c_int32),
        ("num_adapters", c_int32),
    ]


class Span(ctypes.Structure):
    """edge_span"""

    _fields_: ClassVar = [("offset", c_uint64), ("bytes", c_uint64)]


class Batch(ctypes.Structure):
    """edge_batch"""

    _fields_: ClassVar = [
        ("num_tokens", c_int32),
        ("num_sequences", c_int32),
        ("table_stride", c_int32),
        ("num_logits", c_int32),
        ("token_ids", c_void_p),
        ("positions", c_void_p),
        ("sequences", c_void_p),
        ("block_tables", c_void_p),
        ("logit_rows", c_void_p),
        ("window_tables", c_void_p),
        ("window_kv", c_void_p),
        ("adapters", c_void_p),
    ]


class Sampling(ctypes.Structure):
    """edge_sampling"""

    _fields_: ClassVar = [
        ("temperature", c_float),
        ("top_p", c_float),
        ("min_p", c_float),
        ("repetition_penalty", c_float),
        ("presence_penalty", c_float),
        ("top_k", c_int32),
        ("seed", c_uint64),
        ("sequence", c_uint64),
        ("position", c_uint64),
    ]


class GptqBlock(ctypes.Structure):
    """edge_gptq_block"""

    _fields_: ClassVar = [
        ("weights", c_void_p),
        ("scales", c_void_p),
        ("minima", c_void_p),
        ("factor", c_void_p),
        ("codes", c_void_p),
        ("errors", c_void_p),
        ("rows", c_int64),
        ("cols", c_int32),
        ("levels", c_int32),
    ]
