"""LoRA adapters (Hu et al., 2021, https://arxiv.org/abs/2106.09685) as llama.cpp's converter writes them to GGUF.

A tensor NAME of the base model, (out, in), comes with NAME.lora_a, (rank, in), and NAME.lora_b, (out, rank): what it
computes of x gets lora_b (alpha / rank * (lora_a x)) added. Tokens that invoke an adapter make it an activated LoRA
(Greenewald et al., 2025, https://arxiv.org/abs/2504.12397): it acts from their last place in a prompt on, so that K and
V of what stands before are the base model's.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType, TracebackType
from typing import NamedTuple

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.header import TensorInfo

__all__ = ["MAX_RANK", "Adapter", "LowRank", "open_adapter"]

MAX_RANK = 4096
MAX_INVOCATION = 256  # tokens
_PIECE = 4 << 20  # bytes
_DOWN, _UP = ".lora_a", ".lora_b"


class LowRank(NamedTuple):
    """What is added to one matrix of the base model: up (scale * (down x))."""

    down: TensorInfo  # (rank, in)
    up: TensorInfo  # (out, rank)
    scale: float

    @property
    def rank(self) -> int:
        return self.down.shape[0]


class Adapter:
    """An open adapter file. pairs: by tensor of the base model. invocation: tokens from whose last place in a prompt on
    it acts; empty: it acts on all of them.

    Use it as a context manager or call `close()`.
    """

    def __init__(self, file: GGUFFile) -> None:
        self.file = file
        self.path = file.path
        self.architecture = file.get_str("general.architecture")
        self.name = file.get_str("general.name", default="")
        self.pairs: Mapping[str, LowRank] = MappingProxyType(_pairs(file))
        self.invocation = _invocation(file)

    @cached_property
    def sha256(self) -> str:
        """Of every byte of the file, in hexadecimal: who it is. Reads it once, a piece in memory at a time."""
        digest = hashlib.sha256()
        for part in self.file.mapped_parts:
            for start in range(0, part.size, _PIECE):
                piece = part.view[start : start + _PIECE]
                digest.update(piece)
                part.let_go(start, len(piece))
        return digest.hexdigest()

    def check_base(self, base: GGUFFile) -> None:
        """UnsupportedModel when this was not made for a model like `base`: architecture, a tensor, its shape."""
        architecture = base.get_str("general.architecture", default="")
        if architecture != self.architecture:
            raise UnsupportedModel(
                self.path, f"is an adapter for {quoted(self.architecture)}, the model is {quoted(architecture)}"
            )
        for name, pair in self.pairs.items():
            info = base.tensors.get(name)
            if info is None:
                raise UnsupportedModel(self.path, f"adapts {quoted(name)}, which the model {base.path} does not have")
            made_for = pair.up.shape[0], pair.down.shape[1]
            if info.shape != made_for:
                raise UnsupportedModel(
                    self.path,
                    f"adapts {quoted(name)} of shape {made_for}, in the model {base.path} it has shape {info.shape}",
                )

    def close(self) -> None:
        """Calling it again does nothing."""
        self.file.close()

    def __enter__(self) -> Adapter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_adapter(path: str | os.PathLike[str]) -> Adapter:
    """Errors as `open_gguf`; BadModelFile for halves that do not fit each other, UnsupportedModel for a file that is no
    LoRA adapter, or one with tensors of another kind."""
    file = open_gguf(path)
    try:
        kind = file.get_str("general.type", default="model")
        if kind != "adapter":
            raise UnsupportedModel(file.path, f"is no adapter: key 'general.type' is {quoted(kind)}")
        kind = file.get_str("adapter.type")
        if kind != "lora":
            raise UnsupportedModel(
                file.path, f"key 'adapter.type' is {quoted(kind)}; edge runs adapters of type 'lora'"
            )
        return Adapter(file)
    except BaseException:
        file.close()
        raise


def _pairs(file: GGUFFile) -> dict[str, LowRank]:
    alpha = file.get_float("adapter.lora.alpha", 0.0)
    pairs: dict[str, LowRank] = {}
    for name, info in file.tensors.items():
        stem = name.removesuffix(_DOWN) if name.endswith(_DOWN) else name.removesuffix(_UP)
        if stem == name:
            raise UnsupportedModel(
                file.path, f"tensor {quoted(name)} is neither lora_a nor lora_b: edge adds to matrices, and only that"
            )
        other = file.tensors.get(stem + (_UP if name.endswith(_DOWN) else _DOWN))
        if other is None:
            raise BadModelFile(file.path, f"tensor {quoted(name)} stands alone, its other half is missing")
        if name.endswith(_DOWN):
            pairs[stem] = _pair(file, info, other, alpha)
    if not pairs:
        raise BadModelFile(file.path, "an adapter without tensors")
    return pairs


def _pair(file: GGUFFile, down: TensorInfo, up: TensorInfo, alpha: float) -> LowRank:
    if len(down.shape) != 2 or len(up.shape) != 2 or down.shape[0] != up.shape[1]:
        raise BadModelFile(
            file.path,
            f"tensors {quoted(down.name)} of shape {down.shape} and {quoted(up.name)} of shape {up.shape} do not fit: "
            "they must be (rank, in) and (out, rank)",
        )
    rank = down.shape[0]
    if rank > MAX_RANK:
        raise BadModelFile(file.path, f"tensor {quoted(down.name)} has rank {rank}, the limit is {MAX_RANK}")
    scale = alpha / rank if alpha else 1.0  # as llama.cpp reads a file without alpha
    if not math.isfinite(scale) or abs(scale) > 3e38:
        raise BadModelFile(file.path, f"key 'adapter.lora.alpha' is {alpha}, which no factor can be made of")
    return LowRank(down, up, scale)


def _invocation(file: GGUFFile) -> tuple[int, ...]:
    key = "adapter.alora.invocation_tokens"
    if not file.has(key):
        return ()
    tokens = file.get_ints(key)
    if not 1 <= len(tokens) <= MAX_INVOCATION or min(tokens) < 0 or max(tokens) >= 2**31:
        raise BadModelFile(file.path, f"key '{key}' must hold 1 to {MAX_INVOCATION} token ids")
    return tuple(tokens)
