"""What a model file says about positions: how rotary angles are stretched, and which layers see a window."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted

if TYPE_CHECKING:
    from edge.formats.gguf import GGUFFile

_F32 = 0  # ggml's type number: the only type rope factors are written in

# Whose layers may see a window, and which of them see everything: every so-manieth, 0: none.
_WINDOWED: Mapping[str, int] = {"llama": 0, "phi3": 0, "gemma3": 6}


@dataclass(frozen=True, slots=True)
class RopeScaling:
    """How rotary angles are stretched beyond the trained context.

    linear: every frequency is divided by `factor`. yarn: Peng et al. 2023, as ggml computes it. Llama 3's scaling is
    no type of its own in GGUF files: it comes as `ModelConfig.rope_freq_factors`.
    """

    rope_type: Literal["linear", "yarn"]
    factor: float
    original_max_position_embeddings: int
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    extrapolation_factor: float = 1.0  # yarn: share of the ramp, 0 is linear


def sliding_window(file: GGUFFile, arch: str, context: int) -> int:
    """0 where there is none, or one as wide as the context: it never acts."""
    window = file.get_int(f"{arch}.attention.sliding_window", default=0, minimum=0, maximum=2**31 - 1)
    if window == 0 or window >= context:
        return 0
    if arch not in _WINDOWED:
        raise UnsupportedModel(
            file.path,
            f"{arch}.attention.sliding_window = {window} is narrower than the context of {context}: "
            f"which layers of {arch} have it is not written, and it is not supported",
        )
    return window


def window_pattern(file: GGUFFile, arch: str) -> int:
    key = f"{arch}.attention.sliding_window_pattern"
    usual = _WINDOWED.get(arch, 0)
    if not file.has(key):
        return usual
    if usual == 0 or file.is_array(key):
        raise UnsupportedModel(file.path, f"{key} is set, which edge does not compute")
    return file.get_int(key, minimum=1, maximum=1024)


def rope_scaling(file: GGUFFile, arch: str, context: int) -> RopeScaling | None:
    """As llama.cpp reads it: a factor alone means linear, a factor of 0 or no factor means 1."""
    kind = file.get_str(f"{arch}.rope.scaling.type", default="linear")
    if kind == "none":
        return None
    if kind not in ("linear", "yarn", "longrope"):
        raise UnsupportedModel(
            file.path, f"{arch}.rope.scaling.type is {quoted(kind)}; edge knows none, linear, yarn and longrope"
        )
    old = file.get_float(f"{arch}.rope.scale_linear", default=0.0)
    factor = file.get_float(f"{arch}.rope.scaling.factor", default=old) or 1.0
    if kind != "yarn":  # LongRoPE's factors are tensors
        return None if factor == 1.0 else RopeScaling("linear", factor, context)
    return RopeScaling(
        "yarn",
        factor,
        file.get_int(f"{arch}.rope.scaling.original_context_length", default=context, minimum=1, maximum=2**31 - 1),
        beta_fast=file.get_float(f"{arch}.rope.scaling.yarn_beta_fast", default=32.0),
        beta_slow=file.get_float(f"{arch}.rope.scaling.yarn_beta_slow", default=1.0),
        extrapolation_factor=file.get_float(f"{arch}.rope.scaling.yarn_ext_factor", default=1.0),
    )


def original_context(file: GGUFFile, arch: str, context: int) -> int:
    """Up to where the short factors of LongRoPE are meant; 0 without."""
    short, long = (f"rope_factors_{name}.weight" in file.tensors for name in ("short", "long"))
    if short != long:
        raise BadModelFile(file.path, "of rope_factors_short.weight and rope_factors_long.weight one is missing")
    if not long:
        return 0
    key = f"{arch}.rope.scaling.original_context_length"
    return file.get_int(key, default=context, minimum=1, maximum=2**31 - 1)


def freq_factors(file: GGUFFile, name: str, rope_dims: int) -> tuple[float, ...]:
    """Divisors of the frequencies, worked out by the converter: Llama 3's (rope_freqs), or LongRoPE's."""
    info = file.tensors.get(name)
    if info is None:
        return ()
    wanted = (rope_dims // 2,)
    if info.shape != wanted or info.type != _F32:
        found = f"shape {info.shape} and type {info.type}"
        raise BadModelFile(file.path, f"tensor {name} has {found}, wanted {wanted} and {_F32} (F32)")
    return struct.unpack(f"<{wanted[0]}f", file.tensor_data(name))
