"""Prompts read ahead: K and V of a beginning that many prompts share, found by its tokens.

A file is named after the key of its last block, which stands for all tokens up to there, in a folder named after the
model's fingerprint. Looking for one therefore opens nothing.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import BadSessionFile, RequestError, SessionFileError
from edge.sessions.places import PREPARED_SUFFIX, SavedPlaces
from edge.sessions.reader import SavedFile
from edge.sessions.store import KVStore

__all__ = ["PreparedPrompt", "PreparedPrompts"]


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """What was written. num_tokens: whole blocks of the prompt's beginning, which has num_prompt_tokens."""

    path: Path
    num_tokens: int
    num_prompt_tokens: int
    num_bytes: int


class PreparedPrompts:
    """Those of one loaded model. `note`: why one that would fit was not used; None otherwise."""

    def __init__(self, store: KVStore, places: SavedPlaces) -> None:
        self.note: str | None = None
        self._store = store
        self._places = places
        self._refused: set[str] = set()

    def check(self) -> None:
        """RequestError: nothing can be prepared for this model."""
        if self._store.nothing_kept_because is not None:
            raise RequestError(f"{self._store.nothing_kept_because}: nothing is prepared")

    def write(self, tokens: Sequence[int]) -> PreparedPrompt:
        """Saves the full blocks of these tokens, which the model has just read.

        Raises RequestError (less than a block, or nowhere to write), DoesNotFit, SessionFileError.
        """
        store, size = self._store, self._store.block_size
        keys = store.keys(tokens)
        if not keys:
            raise RequestError(
                f"the beginning that prompts will share has {len(tokens)} tokens, it takes {size} or more"
            )
        folder = self._places.prepared_for(store.fingerprint.digest)
        if folder is None:
            raise RequestError("there is no home folder for prepared prompts: set EDGE_SESSIONS_DIR, or HOME")
        path = folder / f"{keys[-1].hex()}{PREPARED_SUFFIX}"
        contents = store.save(path, "prepared", tokens[: len(keys) * size], "")
        if contents.num_blocks < len(keys):
            path.unlink()
            raise SessionFileError(path, "other sequences needed the memory meanwhile; prepare it while none runs")
        return PreparedPrompt(path, contents.num_kept_tokens, len(tokens), path.stat().st_size)

    def fetch(self, tokens: Sequence[int]) -> int:
        """Reads the longest prepared beginning of a prompt into memory, where it is longer than what is there.

        The number of tokens that this brought. A file that is damaged or another's is left alone, and `note` says so.
        """
        if self._store.nothing_kept_because is not None:
            return 0
        if not self._places.has_prepared:  # before the model is asked who it is, which may mean to read it
            return 0
        folder = self._places.prepared_for(self._store.fingerprint.digest)
        names = _names(folder) - self._refused
        keys = self._store.keys(tokens[:-1]) if names else []  # the last token is computed, for its logits
        longest = max((index + 1 for index, key in enumerate(keys) if key.hex() in names), default=0)
        known = self._store.num_kept(keys[:longest])
        if folder is None or known == longest:
            return 0
        path = folder / f"{keys[longest - 1].hex()}{PREPARED_SUFFIX}"
        try:
            with SavedFile(path) as saved:
                saved.check_fingerprint(self._store.fingerprint)
                if saved.contents.num_blocks != longest or self._store.keys(saved.contents.tokens) != keys[:longest]:
                    raise BadSessionFile(path, "holds other tokens than its name says")
                restored = self._store.restore(saved, keys[:longest], known)
        except SessionFileError as error:
            self._refused.add(keys[longest - 1].hex())
            self.note = f"the prompt is computed without what was prepared: {error}"
            return 0
        return max(0, restored - known * self._store.block_size)


def _names(folder: Path | None) -> set[str]:
    """Keys of the files there, in hexadecimal."""
    try:
        entries = [] if folder is None else os.listdir(folder)
    except OSError:
        return set()
    return {name.removesuffix(PREPARED_SUFFIX) for name in entries if name.endswith(PREPARED_SUFFIX)}
