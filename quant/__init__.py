"""Block formats: encodes float arrays into GGUF block types and decodes them."""

if __name__ != "edge.quant":
    raise ImportError("import this package as edge.quant")
