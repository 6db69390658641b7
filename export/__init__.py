"""Writes model files: GGUF (a Hugging Face folder, ONNX and packed files follow)."""

if __name__ != "edge.export":
    raise ImportError("import this package as edge.export")
