"""What a model is made of beside its weights: vocabulary, chat template, who it is. One for each kind of model file."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.backends.protocol import LoadedBackend
from edge.describe import TEMPLATE_KEY
from edge.engine import AdapterUse, Engine
from edge.formats.gguf import GGUFFile
from edge.native import BLOCK_SIZE
from edge.sessions.content_hash import content_hashes
from edge.sessions.fingerprint import Fingerprint
from edge.sessions.store import KVStore

if TYPE_CHECKING:
    from edge.tokenizer import Tokenizer

__all__ = ["GGUFSource", "ModelSource", "store_of"]


class ModelSource(Protocol):
    """The open files of a model. Errors of its methods are ModelFileError."""

    @property
    def path(self) -> Path: ...

    @property
    def name(self) -> str:
        """What its maker calls it; "" where the file does not say."""
        ...

    @property
    def architecture(self) -> str: ...

    def tokenizer(self) -> Tokenizer: ...

    def chat_template(self) -> str | None:
        """Jinja; None when there is none."""
        ...

    def fingerprint(self, backend: LoadedBackend, hash_folder: Path | None, adapter_sha256: str = "") -> Fingerprint:
        """Of the K and V that this backend computes of these weights, with an adapter or ("") without. It may read the
        whole model, where nobody has its hash yet. hash_folder: where that of a large one may be kept."""
        ...

    def close(self) -> None: ...


class GGUFSource:
    """A GGUF file. Implements ModelSource."""

    def __init__(self, file: GGUFFile) -> None:
        self.file = file

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def name(self) -> str:
        return self.file.get_str("general.name", default="")

    @property
    def architecture(self) -> str:
        return self.file.get_str("general.architecture")

    def tokenizer(self) -> Tokenizer:
        from edge.tokenizer import Tokenizer

        return Tokenizer.from_gguf(self.file)

    def chat_template(self) -> str | None:
        return self.file.get_str(TEMPLATE_KEY, default="") or None

    def fingerprint(self, backend: LoadedBackend, hash_folder: Path | None, adapter_sha256: str = "") -> Fingerprint:
        can, limits = backend.capabilities, backend.limits
        block_size = limits.block_size if can.kv_layout == "blocks" else BLOCK_SIZE  # of a slot nothing is kept
        with backend.reading():
            return Fingerprint.of(
                backend.config,
                [info.type for info in self.file.tensors.values()],
                kv_type=backend.kv_type if can.name == "native" else f"{backend.kv_type} of {can.name}",
                block_size=block_size,
                block_bytes=backend.kv_bytes_per_position * block_size,
                model_sha256=backend.source_hashes or content_hashes(self.file, hash_folder),
                adapter=adapter_sha256,
            )

    def close(self) -> None:
        self.file.close()


def store_of(
    engine: Engine,
    source: ModelSource,
    backend: LoadedBackend,
    hash_folder: Path | None,
    adapter: AdapterUse | None = None,
    adapter_sha256: str = "",
) -> KVStore:
    """What saves and restores this model's K and V, with an adapter or without."""
    return KVStore(
        engine,
        partial(source.fingerprint, backend, hash_folder, adapter_sha256),
        model_path=os.fsencode(source.path.absolute()).decode(errors="replace"),
        model_name=source.name,
        adapter=adapter,
    )
