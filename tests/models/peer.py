"""What llama.cpp computes, for tests that skip where it is not installed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def llama_cpp_logits(path: Path, tokens: list[int]) -> NDArray[np.float32]:
    """(tokens, vocabulary), with an F32 KV cache."""
    llama_cpp: Any = importlib.import_module("llama_cpp")  # its stubs lag behind it
    model = llama_cpp.Llama(
        str(path),
        n_ctx=128,
        n_batch=64,
        n_threads=1,
        logits_all=True,
        verbose=False,
        type_k=0,
        type_v=0,
        flash_attn=False,
    )
    try:
        model.eval(tokens)
        return np.array(model.scores[: len(tokens)], dtype=np.float32)
    finally:
        model.close()
