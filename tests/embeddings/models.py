"""Loaded models for the tests of embeddings: a tiny BERT, and the tiny llamas of tests.models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.models.tiny_bert import bert_config, bert_shapes, write_bert


def bert(folder: Path, **changes: Any) -> Path:
    config = bert_config()
    return write_bert(folder / "bert.gguf", config, random_tensors(bert_shapes(config)), **changes)


def decoder(folder: Path, arch: str = "llama", **changes: Any) -> Path:
    config = tiny_config(arch)
    return write_gguf(folder / f"{arch}.gguf", config, random_tensors(tensor_shapes(config)), **changes)
