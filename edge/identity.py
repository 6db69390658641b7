"""Who a loaded model is, for K and V that outlive it: what they were computed by, and what lists call it."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from edge.backends.native import NativeBackend
from edge.engine import AdapterUse, Engine
from edge.formats.gguf import GGUFFile
from edge.sessions.content_hash import content_hashes
from edge.sessions.fingerprint import Fingerprint
from edge.sessions.store import KVStore


def store_of(
    engine: Engine,
    file: GGUFFile,
    backend: NativeBackend,
    hash_folder: Path | None,
    adapter: AdapterUse | None = None,
    adapter_sha256: str = "",
) -> KVStore:
    """What saves and restores this model's K and V, with an adapter or without. The first file reads the whole model,
    where nobody has its hash yet. hash_folder: where that of a large one may be kept."""
    return KVStore(
        engine,
        partial(_fingerprint, file, backend, hash_folder, adapter_sha256),
        model_path=os.fsencode(file.path.absolute()).decode(errors="replace"),
        model_name=file.get_str("general.name", default=""),
        adapter=adapter,
    )


def _fingerprint(file: GGUFFile, backend: NativeBackend, hash_folder: Path | None, adapter_sha256: str) -> Fingerprint:
    block_size = backend.limits.block_size
    with backend.reading():
        return Fingerprint.of(
            backend.config,
            [info.type for info in file.tensors.values()],
            kv_type=backend.kv_type,
            block_size=block_size,
            block_bytes=backend.kv_bytes_per_position * block_size,
            model_sha256=backend.source_hashes or content_hashes(file, hash_folder),
            adapter=adapter_sha256,
        )
