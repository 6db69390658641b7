"""What runs a model. One protocol; `native` is edge's own C library."""

from __future__ import annotations

from edge.backends.protocol import Backend, Batch, Limits

__all__ = ["Backend", "Batch", "Limits"]
