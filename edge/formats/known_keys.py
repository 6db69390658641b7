"""The metadata keys that edge reads, and the type each must have. One table for every reader of a model file."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from edge.errors import BadModelFile
from edge.formats.metadata import Entry, describe_type
from edge.formats.types import ValueType

__all__ = ["FLOAT_TYPES", "INT_TYPES", "Kind", "check_known_keys"]

INT_TYPES = frozenset(
    {
        ValueType.UINT8,
        ValueType.INT8,
        ValueType.UINT16,
        ValueType.INT16,
        ValueType.UINT32,
        ValueType.INT32,
        ValueType.UINT64,
        ValueType.INT64,
    }
)
FLOAT_TYPES = frozenset({ValueType.FLOAT32, ValueType.FLOAT64})


class Kind(Enum):
    """What a key must hold. Writers differ in the width of numbers, so any width is taken unless one is named."""

    UINT32 = "uint32"
    INT = "an integer"
    FLOAT = "a float"
    BOOL = "a bool"
    STRING = "a string"
    INTS = "an array of integers"
    FLOATS = "an array of floats"
    STRINGS = "an array of strings"
    INT_PER_LAYER = "an integer or an array of integers"


_GENERAL: dict[str, Kind] = {
    "general.architecture": Kind.STRING,
    "general.type": Kind.STRING,
    "general.name": Kind.STRING,
    "general.alignment": Kind.UINT32,
    "general.file_type": Kind.INT,
    "general.quantization_version": Kind.INT,
    "split.no": Kind.INT,
    "split.count": Kind.INT,
    "split.tensors.count": Kind.INT,
    "adapter.type": Kind.STRING,
    "adapter.lora.alpha": Kind.FLOAT,
    "adapter.alora.invocation_tokens": Kind.INTS,
    "tokenizer.chat_template": Kind.STRING,
    "tokenizer.ggml.model": Kind.STRING,
    "tokenizer.ggml.pre": Kind.STRING,
    "tokenizer.ggml.tokens": Kind.STRINGS,
    "tokenizer.ggml.merges": Kind.STRINGS,
    "tokenizer.ggml.scores": Kind.FLOATS,
    "tokenizer.ggml.token_type": Kind.INTS,
    "tokenizer.ggml.token_type_count": Kind.INT,
    "tokenizer.ggml.add_bos_token": Kind.BOOL,
    "tokenizer.ggml.add_eos_token": Kind.BOOL,
    "tokenizer.ggml.add_sep_token": Kind.BOOL,
    "tokenizer.ggml.add_space_prefix": Kind.BOOL,
    "tokenizer.ggml.remove_extra_whitespaces": Kind.BOOL,
    "tokenizer.ggml.normalizer.lowercase": Kind.BOOL,
    "tokenizer.ggml.normalizer.strip_accents": Kind.BOOL,
}

_SPECIAL_TOKENS = (
    "bos eos eot eom unknown seperator padding cls mask prefix suffix middle "  # "seperator" is the format's spelling
    "fim_pre fim_suf fim_mid fim_pad fim_rep fim_sep"
).split()
_GENERAL.update({f"tokenizer.ggml.{name}_token_id": Kind.INT for name in _SPECIAL_TOKENS})

# Keys behind "{architecture}."
_ARCHITECTURE: dict[str, Kind] = {
    "vocab_size": Kind.INT,
    "hidden_act": Kind.STRING,
    "context_length": Kind.INT,
    "embedding_length": Kind.INT,
    "block_count": Kind.INT,
    "feed_forward_length": Kind.INT_PER_LAYER,
    "attention.head_count": Kind.INT_PER_LAYER,
    "attention.head_count_kv": Kind.INT_PER_LAYER,
    "attention.key_length": Kind.INT,
    "attention.value_length": Kind.INT,
    "attention.layer_norm_rms_epsilon": Kind.FLOAT,
    "attention.layer_norm_epsilon": Kind.FLOAT,
    "attention.causal": Kind.BOOL,
    "attention.scale": Kind.FLOAT,
    "attention.sliding_window": Kind.INT,
    "pooling_type": Kind.INT,
    "rope.dimension_count": Kind.INT,
    "rope.freq_base": Kind.FLOAT,
    "rope.freq_base_swa": Kind.FLOAT,
    "rope.scale_linear": Kind.FLOAT,
    "rope.scaling.type": Kind.STRING,
    "rope.scaling.factor": Kind.FLOAT,
    "rope.scaling.attn_factor": Kind.FLOAT,
    "rope.scaling.original_context_length": Kind.INT,
    "rope.scaling.finetuned": Kind.BOOL,
    "expert_count": Kind.INT,
    "expert_used_count": Kind.INT,
    "use_parallel_residual": Kind.BOOL,
}


def _matches(kind: Kind, entry: Entry) -> bool:
    match kind:
        case Kind.UINT32:
            return entry.type is ValueType.UINT32
        case Kind.INT:
            return entry.type in INT_TYPES
        case Kind.FLOAT:
            return entry.type in FLOAT_TYPES
        case Kind.BOOL:
            return entry.type is ValueType.BOOL
        case Kind.STRING:
            return entry.type is ValueType.STRING
        case Kind.INTS:
            return entry.item in INT_TYPES
        case Kind.FLOATS:
            return entry.item in FLOAT_TYPES
        case Kind.STRINGS:
            return entry.item is ValueType.STRING
        case Kind.INT_PER_LAYER:
            return entry.type in INT_TYPES or entry.item in INT_TYPES


def check_known_keys(path: Path, entries: Mapping[str, Entry], architecture: str) -> None:
    """Raise BadModelFile when a known key has another type than the format gives it."""
    for prefix, table in (("", _GENERAL), (f"{architecture}.", _ARCHITECTURE)):
        for name, kind in table.items():
            entry = entries.get(prefix + name)
            if entry is not None and not _matches(kind, entry):
                raise BadModelFile(
                    path,
                    f"key {prefix + name!r} (byte {entry.offset}) is {describe_type(entry)}, it must be {kind.value}",
                )
