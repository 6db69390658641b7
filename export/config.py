"""config.json of a Hugging Face model: its dimensions and rotary settings, checked, under Hugging Face's names."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields

__all__ = ["Config", "Dimensions", "Rope"]


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Raises BadModelFile where they contradict each other."""

    path: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int

    def __post_init__(self) -> None:
        if self.num_attention_heads % self.num_key_value_heads:
            raise BadModelFile(
                self.path,
                f"num_attention_heads = {self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads = {self.num_key_value_heads}",
            )


@dataclass(frozen=True, slots=True)
class Rope:
    """metadata: keys behind "{architecture}.rope.". freq_factors: (head_dim / 2,) divisors of the frequencies."""

    theta: float
    metadata: dict[str, Any]
    freq_factors: NDArray[np.float32] | None = None


class Config:
    """The language model's part of a config.json: `text_config` where the model has other parts too."""

    def __init__(self, root: Fields) -> None:
        """UnsupportedModel: no architecture is named, or weights are quantised in a way that edge does not read."""
        self.root = root
        self.path = str(root.path)
        self.text = root.get_object("text_config") or root
        architectures = root.get_list("architectures", [])
        self.class_name = str(architectures[0])[:80] if architectures else ""
        self.model_type = root.get_str("model_type", "")
        if not self.class_name and not self.model_type:
            raise UnsupportedModel(self.path, "names neither 'architectures' nor 'model_type'")
        self.quantization = root.get_object("quantization_config") or self.text.get_object("quantization_config")

    @property
    def quant_method(self) -> str:
        return "" if self.quantization is None else self.quantization.get_str("quant_method", "unknown")

    def dimensions(self, **defaults: int) -> Dimensions:
        """defaults: what the architecture's own configuration takes for a key that is not there."""
        text = self.text
        hidden = text.get_int("hidden_size", defaults.get("hidden_size"), minimum=1, maximum=2**20)
        heads = text.get_int("num_attention_heads", defaults.get("num_attention_heads"), minimum=1, maximum=2**16)
        head_dim = text.get_int("head_dim", defaults.get("head_dim", 0) or hidden // heads, minimum=2, maximum=1024)
        if head_dim % 2:
            text.fail("head_dim", f"is {head_dim}, wanted an even number")
        kv_heads = text.get_int(
            "num_key_value_heads", defaults.get("num_key_value_heads", heads), minimum=1, maximum=heads
        )
        return Dimensions(
            path=self.path,
            vocab_size=text.get_int("vocab_size", defaults.get("vocab_size"), minimum=1, maximum=2**24),
            hidden_size=hidden,
            intermediate_size=text.get_int(
                "intermediate_size", defaults.get("intermediate_size"), minimum=1, maximum=2**22
            ),
            num_hidden_layers=text.get_int("num_hidden_layers", minimum=1, maximum=1024),
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            head_dim=head_dim,
        )

    def context(self, default: int = 2048) -> int:
        return self.text.get_int("max_position_embeddings", default, minimum=1, maximum=2**31 - 1)

    def epsilon(self, default: float = 1e-6) -> float:
        value = self.text.get_float("rms_norm_eps", default)
        if not 0.0 < value <= 1.0:
            self.text.fail("rms_norm_eps", f"is {value}, wanted above 0 and at most 1")
        return value

    def require_activation(self, *allowed: str, default: str = "silu") -> str:
        """UnsupportedModel when the model uses another."""
        key = "hidden_activation" if self.text.has("hidden_activation") else "hidden_act"
        found = self.text.get_str(key, default)
        if found not in allowed:
            raise UnsupportedModel(
                self.path, f"key {key!r} is {quoted(found)}, this architecture runs with {' or '.join(allowed)}"
            )
        return found

    def sliding_window(self) -> int | None:
        """Positions that some layer sees, None when every layer sees all."""
        text, layers = self.text, self.text.get_int("num_hidden_layers", minimum=1, maximum=1024)
        if not text.has("sliding_window") or not text.get_bool("use_sliding_window", True):
            return None
        if text.has("layer_types"):
            if "sliding_attention" not in text.get_list("layer_types"):
                return None
        elif text.get_int("max_window_layers", 0, minimum=0, maximum=2**31) >= layers:
            return None
        window = text.get_int("sliding_window", minimum=1, maximum=2**31 - 1)
        return window if window < self.context() else None

    def every_layer_has_window(self) -> bool:
        """Of a model with a window: whether all layers see it alone."""
        text = self.text
        if text.has("layer_types"):
            return all(kind == "sliding_attention" for kind in text.get_list("layer_types"))
        return text.get_int("max_window_layers", 0, minimum=0, maximum=2**31) == 0

    def rope(self, dims: Dimensions, kind: str | None = None, theta: float = 10000.0) -> Rope:
        """Rotary settings. kind: those of "full_attention" or "sliding_attention", where a model has two.

        UnsupportedModel: a scaling that GGUF cannot say.
        """
        parameters = self.rope_parameters(kind)
        base = parameters.get_float("rope_theta", self.text.get_float("rope_theta", theta))
        if not 1.0 <= base <= 1e30:
            self.text.fail("rope_theta", f"is {base}, wanted 1 to 1e30")
        name = parameters.get_str("rope_type", parameters.get_str("type", "default"))
        if name in ("default", "none"):
            return Rope(base, {})
        if name == "llama3":
            return Rope(base, {}, self._llama3_factors(parameters, base, dims.head_dim))
        factor = parameters.get_float("factor", 1.0)
        if not 0.0 < factor <= 1e6:
            parameters.fail("factor", f"is {factor}, wanted above 0 and at most 1e6")
        if name == "linear":
            return Rope(base, {"scaling.type": "linear", "scaling.factor": factor})
        if name == "yarn":
            return Rope(base, self._yarn(parameters, factor))
        raise UnsupportedModel(self.path, f"rotary scaling {quoted(name)} has no counterpart in GGUF for this model")

    def rope_parameters(self, kind: str | None = None) -> Fields:
        """The object of rotary settings, under its new name or its old; empty when there is none."""
        both = self.text.get_object("rope_parameters") or self.text.get_object("rope_scaling")
        if both is None:
            return Fields(self.text.path, {})
        inner = both.get_object(kind) if kind is not None else None
        return both if inner is None else inner

    def _yarn(self, parameters: Fields, factor: float) -> dict[str, Any]:
        """Peng et al. 2023; ggml's attention factor is 0.1 ln(factor) + 1, and nothing else can be said here."""
        for key in ("attention_factor", "mscale", "mscale_all_dim"):
            if parameters.has(key) and key != "attention_factor":
                raise UnsupportedModel(self.path, f"yarn with {key!r} has no counterpart in GGUF for this model")
        said = parameters.get_float("attention_factor", 0.0)
        if said and not math.isclose(said, 0.1 * math.log(factor) + 1.0, rel_tol=1e-5):
            raise UnsupportedModel(self.path, f"yarn with attention_factor {said} has no counterpart in GGUF")
        original = parameters.get_int("original_max_position_embeddings", self.context(), minimum=1, maximum=2**31 - 1)
        keys: dict[str, Any] = {
            "scaling.type": "yarn",
            "scaling.factor": factor,
            "scaling.original_context_length": original,
        }
        for key in ("beta_fast", "beta_slow"):
            if parameters.has(key):
                keys[f"scaling.yarn_{key}"] = parameters.get_float(key)
        return keys

    def _llama3_factors(self, parameters: Fields, theta: float, head_dim: int) -> NDArray[np.float32]:
        """Llama 3.1's stretched frequencies, as divisors (transformers, modeling_rope_utils)."""
        factor = parameters.get_float("factor", 8.0)
        low, high = parameters.get_float("low_freq_factor", 1.0), parameters.get_float("high_freq_factor", 4.0)
        original = parameters.get_int("original_max_position_embeddings", 8192, minimum=1, maximum=2**31 - 1)
        if not (0.0 < factor <= 1e6 and 0.0 < low < high <= 1e6):
            raise BadModelFile(
                self.path,
                f"llama3 rotary scaling: factor {factor}, low_freq_factor {low}, high_freq_factor {high}; wanted a "
                "factor above 0 and 0 < low < high",
            )
        frequencies = theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
        wavelengths = 2.0 * np.pi / frequencies
        smooth = np.clip((original / wavelengths - low) / (high - low), 0.0, 1.0)
        return (1.0 / ((1.0 - smooth) / factor + smooth)).astype(np.float32)
