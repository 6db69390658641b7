"""What K and V depend on, beside the tokens: two equal fingerprints, and the same tokens have the same bytes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from edge.formats.config import ModelConfig
from edge.formats.types import type_name

__all__ = ["KV_VERSION", "Fingerprint"]

# Of the bytes that the engine computes and how a block lays them out. Another number whenever the same model and tokens
# give other bytes: tests/sessions/test_kv_version.py fails until it has the new one.
KV_VERSION = 1
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """In the order in which differences are told: what a person can act on first. All numbers are counts or bytes."""

    kv_type: str
    architecture: str
    weights: str  # how many tensors of which type: the quantisation
    num_layers: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int
    rope: str
    block_size: int  # positions
    block_bytes: int  # of all layers
    kv_version: int
    model_sha256: tuple[str, ...]  # of every byte of every part, as hubs publish it
    adapter: str = ""  # SHA-256 of its file; "": none, or one that acts behind what is saved: the file has no such key

    @classmethod
    def of(
        cls,
        config: ModelConfig,
        tensor_types: Iterable[int],
        *,
        kv_type: str,
        block_size: int,
        block_bytes: int,
        model_sha256: tuple[str, ...],
        adapter: str = "",
    ) -> Fingerprint:
        counts = Counter(type_name(number) for number in tensor_types)
        return cls(
            kv_type=kv_type,
            architecture=config.model_type,
            weights=", ".join(f"{name} x {counts[name]}" for name in sorted(counts)),
            num_layers=config.num_hidden_layers,
            num_kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            vocab_size=config.vocab_size,
            rope=_rope(config),
            block_size=block_size,
            block_bytes=block_bytes,
            kv_version=KV_VERSION,
            model_sha256=model_sha256,
            adapter=adapter,
        )

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of all fields; without the adapter, as before there were any, where there is none."""
        named = [field.name for field in fields(self) if field.name != "adapter" or self.adapter]
        text = "\0".join(f"{name}={getattr(self, name)!r}" for name in named)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def difference(self, other: Fingerprint) -> str | None:
        """The first field in which they differ, with both values; None when they are equal."""
        for field in fields(self):
            mine, others = getattr(self, field.name), getattr(other, field.name)
            if mine != others:
                return f"{field.name} is {_text(mine)} in the file, {_text(others)} of the model that is loaded"
        return None


def _rope(config: ModelConfig) -> str:
    parts = [f"theta {config.rope_theta!r}, {config.rope_dims} dimensions"]
    scaling = config.rope_scaling
    if scaling is not None:
        parts.append(
            f"{scaling.rope_type} x {scaling.factor!r} beyond {scaling.original_max_position_embeddings} "
            f"({scaling.beta_fast!r}, {scaling.beta_slow!r}, {scaling.extrapolation_factor!r})"
        )
    if config.rope_attention_factor != 1.0:
        parts.append(f"attention factor {config.rope_attention_factor!r}")
    if config.rope_freq_factors:
        factors = hashlib.blake2b(repr(config.rope_freq_factors).encode(), digest_size=4).hexdigest()
        parts.append(f"{len(config.rope_freq_factors)} factors {factors}")
    return ", ".join(parts)


def _text(value: str | int | tuple[str, ...]) -> str:
    text = ", ".join(value) if isinstance(value, tuple) else str(value) or "none"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
