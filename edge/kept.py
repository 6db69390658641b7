"""K and V of a loaded model that outlive its answers: sessions and prepared prompts, apart for each adapter."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.adapters import Adapters
from edge.backends.protocol import LoadedBackend
from edge.engine import Engine
from edge.errors import RequestError
from edge.sessions import SavedPlaces, Session
from edge.sessions.prepared import PreparedPrompt, PreparedPrompts
from edge.sessions.store import KVStore
from edge.sources import ModelSource, store_of

if TYPE_CHECKING:
    from edge.sessions.session import Chats

__all__ = ["KeptKV"]


class KeptKV:
    """places: where files lie. hash_folder: as `ModelSource`."""

    def __init__(
        self,
        engine: Engine,
        source: ModelSource,
        backend: LoadedBackend,
        adapters: Adapters,
        places: SavedPlaces,
        hash_folder: Path | None,
    ) -> None:
        self._adapters = adapters
        self._places = places
        self._stores: dict[str, KVStore] = {}  # by what the beginning of a prompt depends on
        for name in (None, *adapters.names):
            identity = adapters.sha256(name)
            if identity not in self._stores:
                self._stores[identity] = store_of(
                    engine, source, backend, hash_folder, adapters.throughout(name), identity
                )
        self._prepared = {identity: PreparedPrompts(store, places) for identity, store in self._stores.items()}

    @property
    def note(self) -> str | None:
        """Why a prepared prompt that would fit is not used; None otherwise."""
        return next((prepared.note for prepared in self._prepared.values() if prepared.note is not None), None)

    def store(self, adapter: str | None = None) -> KVStore:
        """What saves and restores K and V. RequestError: no such adapter."""
        return self._stores[self._adapters.sha256(adapter)]

    def session(self, chats: Chats, name: str | os.PathLike[str], *, recompute: bool, adapter: str | None) -> Session:
        """As `Model.session`."""
        return Session.open(chats, self.store(adapter), self._places, name, recompute=recompute, adapter=adapter)

    def fetch(self, adapter: str | None, tokens: Sequence[int]) -> int:
        """As `PreparedPrompts.fetch`."""
        return self._prepared[self._adapters.sha256(adapter)].fetch(tokens)

    def prepare(
        self, tokens_with: Callable[[str], list[int]], read: Callable[[list[int]], object], adapter: str | None
    ) -> PreparedPrompt:
        """Saves the beginning that prompts have in common. tokens_with: a prompt that goes on with a text after it.
        read: computes K and V of these tokens, with the adapter. Errors as `Model.prepare`."""
        from edge.chat_prompt import shared_beginning

        if adapter is not None and self._adapters.throughout(adapter) is None:
            raise RequestError(
                f"adapter {adapter!r} acts behind what prompts share, whose K and V are the model's: prepare it without"
            )
        identity = self._adapters.sha256(adapter)
        self._prepared[identity].check()
        tokens = shared_beginning(tokens_with)
        size = self._stores[identity].block_size
        read(tokens[: max(1, len(tokens) // size * size)])
        return self._prepared[identity].write(tokens)
