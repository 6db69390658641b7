"""Where packed files lie."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = ["packed_places", "user_cache_folder"]

SUFFIX = ".edge-packed"
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_MAX_STEM = 60
# Folders that another tool keeps in order: Hugging Face's cache, Ollama's blobs.
_KEPT_BY_OTHERS = re.compile(r"/models--[^/]+/snapshots/[^/]+/.+|/blobs/sha256-[0-9a-f]{64}")


def packed_places(model: Path, cache_folder: Path | None, user_folder: Path | None) -> tuple[Path, ...]:
    """Paths where the packed file of `model` may lie, best first: beside it, unless that is another tool's store, then
    in the user's cache folder.

    cache_folder: what the user named instead of both. The name in a folder for all models holds a hash of the model's
    path, so that a new version of a model takes the place of the old one.
    """
    model = Path(os.path.abspath(model))
    stem = _UNFIT.sub("_", model.name.removesuffix(".gguf"))[:_MAX_STEM]
    name = f"{stem}-{hashlib.blake2b(os.fsencode(model), digest_size=8).hexdigest()}.gguf"
    if cache_folder is not None:
        return (cache_folder / "packed" / name,)
    beside = model.with_name(model.name + SUFFIX)
    if user_folder is None:
        return (beside,)
    in_cache = user_folder / "packed" / name
    return (in_cache,) if _KEPT_BY_OTHERS.search(str(model)) else (beside, in_cache)


def user_cache_folder(environment: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """edge's folder in the user's cache (XDG Base Directory Specification), None when there is no home."""
    named = environment.get("XDG_CACHE_HOME", "")
    if os.path.isabs(named):  # the specification ignores others
        return Path(named) / "edge"
    home = environment.get("HOME", "")
    if not os.path.isabs(home):
        return None
    return Path(home) / ("Library/Caches" if platform == "darwin" else ".cache") / "edge"
