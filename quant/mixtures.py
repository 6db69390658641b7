"""Named mixtures: which type each tensor of a model gets, exactly as llama.cpp's quantiser chooses it.

A mixture names the type of most matrices. Attention values and the down projection lose most when they are rounded, so
some layers of those get more bits; the head has 6 or 8; rows that no block fits get a type with smaller blocks.
Source: llama.cpp, src/llama-quant.cpp; one rule for BERT is ours. Dense models; its rules for experts and for Falcon
are not here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edge.errors import RequestError
from edge.formats.types import BLOCKS, GGMLType

__all__ = ["FILE_TYPES", "MIXTURES", "ModelFacts", "Tensor", "fitting", "kept", "may_be_quantised", "types_of"]

# name: the type of most matrices
MIXTURES: dict[str, GGMLType] = {
    "Q8_0": GGMLType.Q8_0,
    "Q6_K": GGMLType.Q6_K,
    "Q5_K_M": GGMLType.Q5_K,
    "Q5_K_S": GGMLType.Q5_K,
    "Q5_1": GGMLType.Q5_1,
    "Q5_0": GGMLType.Q5_0,
    "Q4_K_M": GGMLType.Q4_K,
    "Q4_K_S": GGMLType.Q4_K,
    "IQ4_NL": GGMLType.IQ4_NL,
    "IQ4_XS": GGMLType.IQ4_XS,
    "Q4_1": GGMLType.Q4_1,
    "Q4_0": GGMLType.Q4_0,
    "MXFP4": GGMLType.MXFP4,
    "Q3_K_L": GGMLType.Q3_K,
    "Q3_K_M": GGMLType.Q3_K,
    "Q3_K_S": GGMLType.Q3_K,
    "Q2_K": GGMLType.Q2_K,
    "TQ2_0": GGMLType.TQ2_0,
    "TQ1_0": GGMLType.TQ1_0,
    "F16": GGMLType.F16,
    "BF16": GGMLType.BF16,
    "F32": GGMLType.F32,
}
# general.file_type of a mixture; llama.cpp's MXFP4_MOE puts experts in MXFP4 and, as here, everything else in Q8_0
FILE_TYPES: dict[str, int] = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 7, "Q5_0": 8, "Q5_1": 9, "Q2_K": 10, "Q3_K_S": 11, "Q3_K_M": 12,
    "Q3_K_L": 13, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "IQ4_NL": 25, "IQ4_XS": 30,
    "BF16": 32, "TQ1_0": 36, "TQ2_0": 37, "MXFP4": 38,
}  # fmt: skip

_TERNARY = ("TQ1_0", "TQ2_0")
_IQ4 = ("IQ4_NL", "IQ4_XS")
# Type with blocks of 256 -> what stands in for it when no block fits a row. Where that does not fit either: F16.
_SMALLER_BLOCKS = {
    GGMLType.Q2_K: GGMLType.Q4_0,
    GGMLType.Q3_K: GGMLType.Q4_0,
    GGMLType.TQ1_0: GGMLType.Q4_0,
    GGMLType.TQ2_0: GGMLType.Q4_0,
    GGMLType.Q4_K: GGMLType.Q5_0,
    GGMLType.Q5_K: GGMLType.Q5_1,
    GGMLType.Q6_K: GGMLType.Q8_0,
    GGMLType.IQ4_XS: GGMLType.IQ4_NL,
}
# Matrices that stay as they are: routers, convolutions, positions, and what is too small to be worth it.
_KEPT = (
    "_norm.weight", "ffn_gate_inp.weight", "altup", "laurel", "per_layer_model_proj", "ssm_conv1d",
    "shortconv.conv.weight", "position_embd", "token_types", "attn_rel_b.weight", ".rel_pos", ".patch_embd",
)  # fmt: skip
# How the name says what a matrix is; the first that fits.
_ROLES = (
    ("attn_qkv.weight", "attn_v"),
    ("attn_v.weight", "attn_v"),
    ("attn_output.weight", "attn_output"),
    ("ffn_down", "ffn_down"),
)


class Tensor(Protocol):
    """As `edge.export.source.SourceTensor`: shape in NumPy order, the type as stored."""

    @property
    def name(self) -> str: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def type_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the rules ask about a model beside its tensors."""

    architecture: str
    num_layers: int
    num_attention_heads: int
    num_key_value_heads: int

    @classmethod
    def of(cls, metadata: Mapping[str, Any]) -> ModelFacts:
        """From GGUF keys and values. Lists (one value a layer) count by their first, as in llama.cpp."""
        architecture = str(metadata["general.architecture"])
        heads = _first(metadata.get(f"{architecture}.attention.head_count", 0))
        return cls(
            architecture,
            _first(metadata.get(f"{architecture}.block_count", 0)),
            heads,
            _first(metadata.get(f"{architecture}.attention.head_count_kv", heads)),
        )

    @property
    def queries_per_key(self) -> int:
        return self.num_attention_heads // self.num_key_value_heads if self.num_key_value_heads else 0

    @property
    def is_70b(self) -> bool:
        """Of the size at which llama.cpp gives the small attn_v more bits."""
        if self.num_layers != 80:
            return False
        grouped = self.num_attention_heads != self.num_key_value_heads
        return self.architecture == "qwen2" or (self.architecture == "llama" and grouped)


def types_of(
    mixture: str, tensors: Sequence[Tensor], facts: ModelFacts, *, has_importance: bool = False
) -> dict[str, str]:
    """The type of every tensor by name; those that are not quantised keep theirs, vectors as F32.

    has_importance: whether an importance matrix will be used, which some rules ask. RequestError: no such mixture.
    """
    if mixture not in MIXTURES:
        raise RequestError(f"{mixture!r} is no mixture; there are {', '.join(MIXTURES)}")
    base = MIXTURES[mixture]
    is_tied = all(tensor.name != "output.weight" for tensor in tensors)
    num_values = sum(_role(tensor.name) == "attn_v" for tensor in tensors)
    seen = {"attn_v": 0, "ffn_down": 0}
    chosen: dict[str, GGMLType] = {}
    for tensor in sorted(tensors, key=_in_order):
        if not may_be_quantised(tensor):
            continue
        role, cols = _role(tensor.name), tensor.shape[-1]
        if BLOCKS[base][0] == 1:
            wanted = base
        elif tensor.name == "output.weight" or (is_tied and role == "token_embd"):
            wanted = _head(mixture, base, cols)
        elif mixture == "MXFP4":
            wanted = GGMLType.Q8_0
        elif role == "token_embd":
            wanted = GGMLType.Q4_K if mixture in _TERNARY else base
        else:
            layer = seen.get(role, 0)
            wanted = _LAYER_RULES[role](mixture, base, layer, num_values, facts, has_importance)
        if role in seen:
            seen[role] += 1
        chosen[tensor.name] = fitting(wanted, cols)
    return {tensor.name: chosen[tensor.name].name if tensor.name in chosen else kept(tensor) for tensor in tensors}


def may_be_quantised(tensor: Tensor) -> bool:
    """A matrix of weights, by shape and name. A single row counts as a vector."""
    is_matrix = any(size > 1 for size in tensor.shape[:-1])
    return is_matrix and tensor.name.endswith("weight") and not any(part in tensor.name for part in _KEPT)


def _head(mixture: str, base: GGMLType, cols: int) -> GGMLType:
    if mixture == "MXFP4" or base is GGMLType.Q8_0 or cols % BLOCKS[base][0]:
        return GGMLType.Q8_0
    return GGMLType.Q6_K


def _attn_v(
    mixture: str, base: GGMLType, layer: int, num_values: int, facts: ModelFacts, has_importance: bool
) -> GGMLType:
    del has_importance
    wanted = base
    if facts.architecture == "bert" and mixture == "Q8_0":
        # Not llama.cpp's: in all-MiniLM rounding what these matrices read costs half of all that Q8_0 does.
        wanted = GGMLType.F16
    elif mixture == "Q2_K":
        wanted = GGMLType.Q4_K if facts.queries_per_key >= 4 else GGMLType.Q3_K
    elif mixture == "Q3_K_M":
        wanted = GGMLType.Q5_K if layer < 2 else GGMLType.Q4_K
    elif mixture == "Q3_K_L" or (mixture in _IQ4 and facts.queries_per_key >= 4):
        wanted = GGMLType.Q5_K
    elif mixture in ("Q4_K_M", "Q5_K_M") and _deserves_more_bits(layer, num_values):
        wanted = GGMLType.Q6_K
    elif mixture == "Q4_K_S" and layer < 4:
        wanted = GGMLType.Q5_K
    return GGMLType.Q5_K if facts.is_70b and wanted in (GGMLType.Q3_K, GGMLType.Q4_K) else wanted


def _ffn_down(
    mixture: str, base: GGMLType, layer: int, num_values: int, facts: ModelFacts, has_importance: bool
) -> GGMLType:
    del num_values
    is_early = layer < facts.num_layers // 8
    if mixture == "Q2_K":
        return GGMLType.Q3_K
    if mixture == "Q3_K_M":
        return GGMLType.Q5_K if layer < facts.num_layers // 16 else GGMLType.Q4_K
    if mixture == "Q3_K_L":
        return GGMLType.Q5_K
    if mixture in ("Q4_K_M", "Q5_K_M"):
        return GGMLType.Q6_K if _deserves_more_bits(layer, facts.num_layers) else base
    if is_early and (mixture == "Q4_K_S" or (mixture in _IQ4 and not has_importance)):
        return GGMLType.Q5_K
    if is_early and has_importance and mixture in ("Q4_0", "Q5_0"):
        return GGMLType.Q4_1 if mixture == "Q4_0" else GGMLType.Q5_1
    return base


def _attn_output(
    mixture: str, base: GGMLType, layer: int, num_values: int, facts: ModelFacts, has_importance: bool
) -> GGMLType:
    del layer, num_values, facts, has_importance
    return {"Q2_K": GGMLType.Q3_K, "Q3_K_M": GGMLType.Q4_K, "Q3_K_L": GGMLType.Q5_K}.get(mixture, base)


def _other(
    mixture: str, base: GGMLType, layer: int, num_values: int, facts: ModelFacts, has_importance: bool
) -> GGMLType:
    del mixture, layer, num_values, facts, has_importance
    return base


_LAYER_RULES = {"attn_v": _attn_v, "ffn_down": _ffn_down, "attn_output": _attn_output, "other": _other}


def _deserves_more_bits(layer: int, num_layers: int) -> bool:
    """The first eighth of the layers, the last, and every third between them."""
    eighth = num_layers // 8
    return layer < eighth or layer >= 7 * num_layers // 8 or (layer - eighth) % 3 == 2


def fitting(wanted: GGMLType, cols: int) -> GGMLType:
    """The type, or what stands in for it in rows that are no whole number of its blocks."""
    if cols % BLOCKS[wanted][0] == 0:
        return wanted
    smaller = _SMALLER_BLOCKS.get(wanted, GGMLType.F16)
    return smaller if cols % BLOCKS[smaller][0] == 0 else GGMLType.F16


def _role(name: str) -> str:
    if name in ("token_embd.weight", "per_layer_token_embd.weight"):
        return "token_embd"
    return next((role for part, role in _ROLES if part in name), "other")


def kept(tensor: Tensor) -> str:
    """The type of a tensor that is not quantised: vectors are computed with as floats."""
    is_vector = all(size == 1 for size in tensor.shape[:-1])
    return "F32" if is_vector and tensor.type_name in ("F16", "BF16") else tensor.type_name


def _in_order(tensor: Tensor) -> tuple[int, str]:
    """By layer, then by name; what belongs to no layer first."""
    match = re.match(r"blk\.(\d+)\.", tensor.name)
    return (int(match[1]) if match else -1, tensor.name)


def _first(value: int | Sequence[int]) -> int:
    return value if isinstance(value, int) else value[0]
