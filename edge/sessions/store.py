"""Moves K and V between an engine's blocks and files.

Nothing is held: blocks are found by the keys of their tokens (edge/engine/prefix.py), before and after. A restored
block has no owner; any sequence may share it, and it is given up, least recently used first, when memory is needed.
So no session keeps another sequence from running, and what was given up is computed again and counts as not cached.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path

from edge.engine import AdapterUse, Engine
from edge.engine.prefix import keys_of
from edge.engine.slots import Slots
from edge.sessions.fingerprint import Fingerprint
from edge.sessions.layout import MAX_TEXT, Contents, Kind
from edge.sessions.reader import SavedFile
from edge.sessions.writer import write_saved

__all__ = ["KVStore"]


class KVStore:
    """One loaded model's. fingerprint: called once, when the first file is read or written; it may read the model.

    model_path, model_name: for those who list files. adapter: which one K and V are computed with, from the first token
    on; None: none.
    """

    def __init__(
        self,
        engine: Engine,
        fingerprint: Callable[[], Fingerprint],
        *,
        model_path: str,
        model_name: str,
        adapter: AdapterUse | None = None,
    ) -> None:
        self._engine = engine
        self._adapter = adapter
        self._make_fingerprint = fingerprint
        self._model_path = model_path[:MAX_TEXT]
        self._model_name = model_name[:MAX_TEXT]

    @cached_property
    def fingerprint(self) -> Fingerprint:
        return self._make_fingerprint()

    @property
    def block_size(self) -> int:
        return self._engine.blocks.block_size

    @property
    def nothing_kept_because(self) -> str | None:
        """Why no K and V are kept in files; None when they are."""
        can = self._engine.backend.capabilities
        if not can.saves:
            return f"the {can.name} backend cannot save K and V"
        if self._engine.windows.window > 0:
            return "layers of this model see a window, so that little of their K and V is left"
        return None

    def keys(self, tokens: Sequence[int]) -> list[bytes]:
        """Of the blocks that these tokens fill."""
        return keys_of(array("i", tokens), self.block_size, self._adapter)

    def num_kept(self, keys: Sequence[bytes]) -> int:
        """How many of these blocks, from the first on, are in memory."""
        with self._engine.lock:
            return len(self._engine.blocks.find(keys))

    def num_kept_tokens(self, tokens: Sequence[int]) -> int:
        """Of these tokens, from the first on, how many have their K and V in memory."""
        blocks = self._engine.blocks
        if isinstance(blocks, Slots):
            with self._engine.lock:
                return blocks.num_held(array("i", tokens))
        return self.num_kept(self.keys(tokens)) * self.block_size

    def save(self, path: Path, kind: Kind, tokens: Sequence[int], conversation: str) -> Contents:
        """Writes the tokens, and K and V of those whose blocks are full and still in memory, from the first on; none
        where `nothing_kept_because` says why.

        Raises DoesNotFit, SessionFileError (it cannot be written), RequestError; the file is then what it was.
        """
        keys = self.keys(tokens)
        contents = Contents(
            kind=kind,
            fingerprint=self.fingerprint,
            model_path=self._model_path,
            model_name=self._model_name,
            saved_at=int(time.time()),
            tokens=tuple(tokens),
            conversation=conversation,
            checksums=(),
        )
        kept = self.num_kept(keys) if self.nothing_kept_because is None else 0
        return write_saved(path, contents, kept, self._blocks(keys[:kept]))

    def restore(self, saved: SavedFile, keys: Sequence[bytes], first: int = 0) -> int:
        """Reads those of these blocks, the file's first ones, that are not in memory; tokens in memory afterwards.

        first: so many of them are known to be there. A file that is damaged further on raises BadSessionFile.
        """
        engine, blocks = self._engine, self._engine.blocks
        with engine.lock:
            found = blocks.find(keys)
            room = len(found) + blocks.num_free - blocks.num_idle(found)  # more would push out the first of them
        keys = keys[:room]
        content = memoryview(bytearray(self.fingerprint.block_bytes))
        for index in range(first, len(keys)):
            if self.num_kept(keys[index : index + 1]):
                continue
            saved.read_block(index, content)  # without the lock: others go on while the disk is waited for
            with engine.lock:
                if blocks.num_free == 0:
                    break
                table: list[int] = []
                blocks.grow(table, self.block_size)
                engine.backend.write_block(table[0], content)
                blocks.publish(table[0], keys[index])
                blocks.release(table)
        with engine.lock:
            # As if a sequence had used them just now: the end of a prefix is given up before its beginning.
            found = blocks.find(keys)
            blocks.release(blocks.share(found))
        return len(found) * self.block_size

    def _blocks(self, keys: Sequence[bytes]) -> Iterator[bytearray]:
        """Copies of the blocks as far as they are in memory. One at a time: others go on while the disk is written."""
        engine = self._engine
        for key in keys:
            with engine.lock:
                found = engine.blocks.find([key])
                if not found:
                    return
                content = engine.backend.read_block(found[0])
            yield content
