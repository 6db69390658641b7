"""Packed files: the weights of a model as the kernels want them, written once and mapped from then on.

A GGUF container (layout.py) beside the model or in the user's cache folder (places.py), written atomically (writer.py),
untrusted like any other input (reader.py), found or built by PackedCache (cache.py).
"""

from __future__ import annotations

from edge.packed.cache import PackedCache
from edge.packed.layout import PackedMatrix
from edge.packed.options import CacheOptions, Residency
from edge.packed.reader import PackedFile

__all__ = ["CacheOptions", "PackedCache", "PackedFile", "PackedMatrix", "Residency"]
