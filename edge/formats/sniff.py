"""Says what a file that is not GGUF looks like, so that the error can name the mistake."""

from __future__ import annotations

__all__ = ["describe_foreign_file"]

# (first bytes, sentence). The first match wins.
_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a git-lfs pointer: the model itself was not fetched, run `git lfs pull`"),
    (b"PK\x03\x04", "a zip archive or a PyTorch checkpoint: convert it to GGUF"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive: unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive: unpack it first"),
    (b"\x89HDF", "an HDF5 file: convert it to GGUF"),
    (b"\x93NUMPY", "a NumPy array: convert the model to GGUF"),
    (b"lmgg", "a llama.cpp model from before GGUF (ggml): convert it to GGUF"),
    (b"fmgg", "a llama.cpp model from before GGUF (ggmf): convert it to GGUF"),
    (b"tjgg", "a llama.cpp model from before GGUF (ggjt): convert it to GGUF"),
    (b"algg", "a llama.cpp adapter from before GGUF (ggla): convert it to GGUF"),
    (b"FUGG", "a GGUF file with its bytes swapped in fours: copy it again in binary mode"),
    (b"MZ", "a program (a llamafile?): take the .gguf file out of it"),
    (b"\x7fELF", "a program: pass the .gguf file"),
)
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in range(2, 6))


def describe_foreign_file(head: bytes) -> str:
    """One clause about a file whose first bytes (64 suffice) are `head`."""
    for signature, sentence in _SIGNATURES:
        if head.startswith(signature):
            return f"looks like {sentence}"
    if head.startswith(_PICKLES):
        return "looks like a Python pickle, which edge never opens: convert the model to GGUF"
    # safetensors: a length in 8 bytes, then JSON
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return "looks like a safetensors file: pass its folder, or convert it to GGUF"
    text = head.lstrip().lower()
    if text.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "looks like a web page: the download saved an error or login page"
    if text.startswith((b"{", b"[")):
        return "looks like JSON: pass the .gguf file"
    if not head.strip(b"\x00"):
        return "starts with zeros: the download was probably interrupted"
    return "is not a GGUF file"
