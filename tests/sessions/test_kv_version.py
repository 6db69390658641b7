"""The bytes of K and V and their version belong together: a session of other bytes under the same version would go on
from what this engine never computed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import edge
from edge.sessions.fingerprint import KV_VERSION

# Version -> SHA-256 of two blocks of each KV type, of the tests' tiny model. When this fails because the arithmetic or
# a block's layout changed: give KV_VERSION (edge/sessions/fingerprint.py) a new number, and write the new hash here.
KV = {1: "881312ff2a330534eb042c44cfe29d5cdf97c49e41b01caf17cc768427b21c64"}
TOKENS = [(index * 37 + 11) % 250 for index in range(65)]


def kv_bytes(path: Path, kv_type: str) -> bytes:
    with edge.load(path, kv_type=kv_type) as model:
        model.generate(TOKENS, max_tokens=1)
        blocks = model._engine.blocks.find(model._kept.store().keys(TOKENS))  # pyright: ignore[reportPrivateUsage]
        assert len(blocks) == 2
        return b"".join(bytes(model.native_backend.read_block(block)) for block in blocks)


def test_the_bytes_of_this_version_stay(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    path = write_model(tmp_path / "tiny.gguf")
    digest = hashlib.sha256(b"".join(kv_bytes(path, kv_type) for kv_type in ("f16", "q8", "f32"))).hexdigest()
    assert digest == KV[KV_VERSION]
