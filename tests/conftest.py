"""Tiny models with random weights and a byte vocabulary, for tests of everything above the model file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

import edge.quant
from edge.export.gguf_writer import GGUFWriter, Value
from edge.formats.types import GGMLType, ValueType

os.environ["EDGE_PROFILE"] = "off"  # what was measured here, or is measured at the first load, changes no test
os.environ["EDGE_SESSIONS_DIR"] = "/dev/null/sessions"  # nor do the tester's prepared prompts; nothing is saved there
os.environ["EDGE_MODELS_DIR"], os.environ["EDGE_OTHER_MODELS"] = "/dev/null/models", "off"  # nor do the tester's models

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FF = 64, 2, 4, 2, 16, 128
SPECIAL = ("<|im_start|>", "<|im_end|>", "<|unused|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NAN_BYTE = "~"  # its embedding is not a number in a poisoned model


class WriteModel(Protocol):
    """Writes a tiny model and returns its path."""

    def __call__(
        self,
        path: Path,
        *,
        kind: GGMLType = ...,
        template: str | None = ...,
        context: int = ...,
        seed: int = ...,
        poisoned: bool = ...,
        architecture: str = ...,
        layers: int = ...,
    ) -> Path: ...


def byte_tokens() -> list[str]:
    """The 256 one-byte tokens of a byte-level vocabulary, in byte order (GPT-2's table)."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def write_tiny_model(
    path: Path,
    *,
    kind: GGMLType = GGMLType.Q8_0,
    template: str | None = TEMPLATE,
    context: int = 256,
    seed: int = 0,
    poisoned: bool = False,
    architecture: str = "llama",
    layers: int = LAYERS,
) -> Path:
    rng = np.random.default_rng(seed)
    writer = GGUFWriter(path)
    tokens = [*byte_tokens(), *SPECIAL]
    values: dict[str, Value] = {
        "general.architecture": architecture,
        "general.name": "tiny",
        "general.license": "apache-2.0",
        "general.type": "model",
        f"{architecture}.context_length": context,
        f"{architecture}.block_count": layers,
        f"{architecture}.embedding_length": HIDDEN,
        f"{architecture}.feed_forward_length": FF,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.head_count_kv": KV_HEADS,
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.freq_base": 10000.0,
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 256 + [3] * len(SPECIAL),
        "tokenizer.ggml.merges": ["h e"],
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": 257,
        "tokenizer.ggml.add_bos_token": False,
    }
    tokens[255] = "he"  # the merge must give a token; byte 255 never occurs in UTF-8
    for key, value in values.items():
        writer.add(key, value, ValueType.INT32 if key == "tokenizer.ggml.token_type" else None)
    if template is not None:
        writer.add("tokenizer.chat_template", template)

    def matrix(name: str, rows: int, cols: int, scale: float = 0.3, of: GGMLType = kind) -> None:
        array = (rng.standard_normal((rows, cols)) * scale).astype(np.float32)
        if name == "token_embd.weight" and poisoned:
            array[ord(NAN_BYTE)] = np.nan
        if name == "output.weight":
            array[256:] = 0.0  # greedily, special tokens never come: answers are as long as they may be
        data = array.tobytes() if of is GGMLType.F32 else edge.quant.encode(of, array)  # encode refuses NaN
        writer.add_tensor(name, of, (rows, cols), data)

    def gain(name: str) -> None:
        writer.add_tensor(name, GGMLType.F32, (HIDDEN,), np.ones(HIDDEN, np.float32).tobytes())

    matrix("token_embd.weight", len(tokens), HIDDEN, 1.0, GGMLType.F32 if poisoned else kind)
    matrix("output.weight", len(tokens), HIDDEN)
    gain("output_norm.weight")
    for layer in range(layers):
        block = f"blk.{layer}."
        gain(block + "attn_norm.weight")
        gain(block + "ffn_norm.weight")
        matrix(block + "attn_q.weight", HEADS * HEAD_DIM, HIDDEN)
        matrix(block + "attn_k.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        matrix(block + "attn_v.weight", KV_HEADS * HEAD_DIM, HIDDEN)
        matrix(block + "attn_output.weight", HIDDEN, HEADS * HEAD_DIM)
        matrix(block + "ffn_gate.weight", FF, HIDDEN)
        matrix(block + "ffn_up.weight", FF, HIDDEN)
        matrix(block + "ffn_down.weight", HIDDEN, FF)
    writer.finish()
    return path


@pytest.fixture(scope="session")
def write_model() -> WriteModel:
    return write_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Q8_0, with a chat template, context 256."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="session")
def bare_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights without a chat template."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "bare.gguf", template=None)


@pytest.fixture(scope="session")
def poisoned_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model whose logits are not finite once it has read NAN_BYTE."""
    return write_tiny_model(tmp_path_factory.mktemp("model") / "poisoned.gguf", poisoned=True)
