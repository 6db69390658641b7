"""What runs a model. One protocol; `native` is edge's own C library, `llama` is llama.cpp."""

from __future__ import annotations

from edge.backends.protocol import Backend, Batch, Capabilities, Limits, LoadedBackend

__all__ = ["Backend", "Batch", "Capabilities", "Limits", "LoadedBackend"]
