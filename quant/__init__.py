"""Block formats: encodes float arrays into GGUF block types and decodes them."""

from __future__ import annotations

if __name__ != "edge.quant":
    raise ImportError("import this package as edge.quant")

from edge.quant.codec import DECODABLE, ENCODABLE, decode, encode

__all__ = ["DECODABLE", "ENCODABLE", "decode", "encode"]
