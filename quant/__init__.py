"""Block formats: encodes float arrays into GGUF block types and decodes them."""

from __future__ import annotations

if __name__ != "edge.quant":
    raise ImportError("import this package as edge.quant")

from edge.quant.codec import DECODABLE, decode, encode  # the function, not the module of that name
from edge.quant.encode import ENCODABLE

__all__ = ["DECODABLE", "ENCODABLE", "decode", "encode"]
