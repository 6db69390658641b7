"""K and V that another engine computed are rounded and laid out as a step does its own, bit for bit."""

from __future__ import annotations

from array import array
from pathlib import Path

import numpy as np
import pytest

from edge import native
from edge.backends import Batch
from edge.backends.native import NativeBackend
from edge.errors import NativeError
from edge.formats.gguf import open_gguf
from tests.conftest import HEAD_DIM, KV_HEADS, LAYERS, write_tiny_model

SIZE = native.BLOCK_SIZE


def first_block(path: Path, kv_type: str) -> bytes:
    """A block of the first layer as a step writes it. Its K and V depend on no K and V of the cache."""
    with open_gguf(path) as file:
        backend = NativeBackend(file, context=64, kv_type=kv_type, num_threads=1)
        try:
            backend.step(
                Batch(
                    token_ids=array("i", range(40, 40 + SIZE)),
                    positions=array("i", range(SIZE)),
                    sequences=array("i", bytes(4 * SIZE)),
                    block_tables=array("i", [1, 0]),
                    table_stride=2,
                    logit_rows=array("i", [SIZE - 1]),
                )
            )
            content = bytes(backend.read_block(1))
        finally:
            backend.close()
    return content[: len(content) // LAYERS]


@pytest.mark.parametrize("kv_type", ["f32", "f16", "q8", "q4"])
def test_as_a_step_does(kv_type: str, tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    write_tiny_model(path)
    exact = np.frombuffer(first_block(path, "f32"), np.float32).reshape(2, KV_HEADS, -1)
    keys = exact[0].reshape(KV_HEADS, HEAD_DIM, SIZE).transpose(0, 2, 1)
    room = np.zeros((2, KV_HEADS, 3 * SIZE, HEAD_DIM), np.float32)  # heads do not lie close together
    room[0, :, :SIZE], room[1, :, :SIZE] = keys, exact[1].reshape(KV_HEADS, SIZE, HEAD_DIM)
    with native.KV(kv_type, LAYERS, KV_HEADS, HEAD_DIM, 2) as kv:
        kv.store(1, 0, room[0].ctypes.data, room[1].ctypes.data, 3 * SIZE * HEAD_DIM)
        content = bytes(kv.read_block(1))
        assert content[: len(content) // LAYERS] == first_block(path, kv_type)
        assert not any(content[len(content) // LAYERS :]) and not any(kv.read_block(0))
        with pytest.raises(NativeError, match="layer"):
            kv.store(1, LAYERS, room[0].ctypes.data, room[1].ctypes.data, SIZE * HEAD_DIM)
        with pytest.raises(NativeError):
            kv.store(0, 0, room[0].ctypes.data, room[1].ctypes.data, SIZE * HEAD_DIM - 1)
