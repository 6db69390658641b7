"""The arena of KV blocks."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

from edge.errors import NativeError
from edge.native import structs
from edge.native.buffers import Pinned
from edge.native.handle import Closable, Handle, checked_int
from edge.native.library import check, library

if TYPE_CHECKING:
    from typing_extensions import Buffer

BLOCK_SIZE = 32  # EDGE_KV_BLOCK_SIZE: positions in a block
_TYPES = {"f32": 0, "f16": 1, "q8": 2, "q4": 3}  # enum edge_kv_type
_MAX = 1 << 20


def kv_block_bytes(type: str, num_layers: int, num_kv_heads: int, head_dim: int) -> int:
    """Bytes of a block, all layers. NativeError: a field out of range."""
    config = structs.KVConfig(kv_type_number(type), num_layers, num_kv_heads, head_dim, 1)
    size = ctypes.c_uint64()
    what = f"KV block ({type}, {num_layers} layers, {num_kv_heads} heads of {head_dim})"
    check(library().edge_kv_block_bytes(ctypes.byref(config), ctypes.byref(size)), what)
    return size.value


class KV(Closable):
    """num_blocks blocks of BLOCK_SIZE positions, each for all layers: K and V of (num_kv_heads, head_dim) values.

    type: "f16", "q8" (int8 codes with a scale for each head of a position), "q4" (four bits, K turned by a Hadamard
    matrix) or "f32".
    NativeError: a field out of range. DoesNotFit: not enough memory.
    """

    def __init__(self, type: str, num_layers: int, num_kv_heads: int, head_dim: int, num_blocks: int) -> None:
        self.type_number = kv_type_number(type)
        self.type = type
        self.num_layers = checked_int(num_layers, "num_layers", 1, _MAX)
        self.num_kv_heads = checked_int(num_kv_heads, "num_kv_heads", 1, _MAX)
        self.head_dim = checked_int(head_dim, "head_dim", 2, 1024)
        self.num_blocks = checked_int(num_blocks, "num_blocks", 1, _MAX)
        config = structs.KVConfig(self.type_number, self.num_layers, self.num_kv_heads, self.head_dim, self.num_blocks)
        lib, out, size = library(), ctypes.c_void_p(), ctypes.c_uint64()
        what = f"KV arena of {num_blocks} blocks ({type}, {num_layers} layers, {num_kv_heads} heads of {head_dim})"
        check(lib.edge_kv_block_bytes(ctypes.byref(config), ctypes.byref(size)), what)
        self.block_bytes: int = size.value  # all layers
        check(lib.edge_kv_create(ctypes.byref(out), ctypes.byref(config)), what)
        self._handle = Handle(out, lib.edge_kv_destroy)

    def copy_block(self, source: int, target: int) -> None:
        """Copies a block, all layers. Not while a step runs that uses either. NativeError: no such block."""
        source = checked_int(source, "source block", 0, self.num_blocks - 1)
        target = checked_int(target, "target block", 0, self.num_blocks - 1)
        check(library().edge_kv_copy_block(self.handle.address, source, target), f"copy block {source} to {target}")

    def read_block(self, block: int) -> bytearray:
        """A copy of a block's bytes, all layers. Not while a step runs. NativeError: no such block."""
        block = checked_int(block, "block", 0, self.num_blocks - 1)
        content = bytearray(self.block_bytes)
        out = (ctypes.c_ubyte * self.block_bytes).from_buffer(content)
        check(library().edge_kv_read_block(self.handle.address, block, out), f"read block {block}")
        return content

    def write_block(self, block: int, content: Buffer) -> None:
        """Replaces a block, all layers, by block_bytes of what `read_block` gave, here or on another machine.

        Any bytes are safe. Not while a step runs. NativeError: no such block, another size.
        """
        block = checked_int(block, "block", 0, self.num_blocks - 1)
        with Pinned(content, "block") as source:
            if source.num_bytes != self.block_bytes:
                raise NativeError(f"a block has {self.block_bytes} bytes, not {source.num_bytes}")
            check(library().edge_kv_write_block(self.handle.address, block, source.address), f"write block {block}")

    def store(self, block: int, layer: int, keys: int, values: int, head_stride: int) -> None:
        """K and V of a block's BLOCK_SIZE positions in one layer, as another engine computed them, rounded as a step
        rounds its own.

        keys, values: addresses of (num_kv_heads, BLOCK_SIZE, head_dim) float32, a head head_stride floats behind the
        one before. Not while a step runs. NativeError: no such block or layer, or heads that overlap.
        """
        block = checked_int(block, "block", 0, self.num_blocks - 1)
        layer = checked_int(layer, "layer", 0, self.num_layers - 1)
        status = library().edge_kv_store(self.handle.address, block, layer, keys, values, head_stride)
        check(status, f"store layer {layer} of block {block}")


def kv_type_number(type: str) -> int:
    """enum edge_kv_type of a name. NativeError: no such type."""
    if type not in _TYPES:
        raise NativeError(f"KV type {type!r} is not one of {', '.join(_TYPES)}")
    return _TYPES[type]
