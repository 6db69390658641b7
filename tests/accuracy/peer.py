"""llama.cpp, through llama-cpp-python's low-level interface: quantise a file, and its logits for a prompt."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

llama_cpp: Any = pytest.importorskip("llama_cpp", reason="the peer is not installed: pip install -e '.[llama]'")

FTYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q4_K": 14, "Q6_K": 18, "BF16": 32}


def _ignore(level: int, text: bytes, user: object) -> None:
    """llama.cpp's log goes nowhere."""


_QUIET = llama_cpp.llama_log_callback(_ignore)  # must outlive the calls
llama_cpp.llama_backend_init()
llama_cpp.llama_log_set(_QUIET, None)


def quantize(source: Path, target: Path, kind: str) -> Path:
    """Every matrix of `source` as `kind`, but the embedding as F16; vectors kept as F32."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype, params.pure, params.nthread = FTYPES[kind], True, 2
    params.token_embedding_type = llama_cpp.GGML_TYPE_F16
    status = llama_cpp.llama_model_quantize(bytes(source), bytes(target), ctypes.byref(params))
    assert status == 0, f"llama_model_quantize({kind}) returned {status}"
    return target


def logits(path: Path, tokens: list[int], threads: int = 2) -> npt.NDArray[np.float32]:
    """(tokens, vocabulary), one batch, llama.cpp's defaults: f16 KV, its own choice of attention."""
    model = llama_cpp.llama_model_load_from_file(bytes(path), llama_cpp.llama_model_default_params())
    assert model, f"llama.cpp does not load {path.name}"
    params = llama_cpp.llama_context_default_params()
    params.n_ctx = params.n_batch = params.n_ubatch = 512
    params.n_threads = params.n_threads_batch = threads
    context = llama_cpp.llama_init_from_model(model, params)
    n = len(tokens)
    batch = llama_cpp.llama_batch_init(n, 0, 1)
    try:
        batch.n_tokens = n
        for i, token in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = token, i, 1, True
            batch.seq_id[i][0] = 0
        assert llama_cpp.llama_decode(context, batch) == 0
        vocab = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        pointer = llama_cpp.llama_get_logits(context)
        values: npt.NDArray[np.float32] = np.ctypeslib.as_array(pointer, shape=(n, vocab)).copy()
        return values
    finally:
        llama_cpp.llama_batch_free(batch)
        llama_cpp.llama_free(context)
        llama_cpp.llama_model_free(model)
