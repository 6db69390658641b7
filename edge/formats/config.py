"""The configuration of a model, in Hugging Face's words, read from a GGUF file and checked completely.

Whatever the file asks for that would change the result and that edge does not compute is refused here, by key.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats import positions
from edge.formats.cursor import quoted
from edge.formats.positions import RopeScaling

if TYPE_CHECKING:
    from edge.formats.gguf import GGUFFile

__all__ = ["ARCHITECTURES", "ModelConfig", "Pooling", "RopeScaling", "activations", "architecture_of"]

# general.architecture values with a file in edge/models. Mistral and SmolLM are written as llama.
ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma3", "phi3", "bitnet", "bitnet-b1.58", "bert")
ENCODERS = frozenset({"bert"})  # of those; they embed text and write none

Pooling = Literal["mean", "cls", "last"]
# {arch}.pooling_type, as llama.cpp numbers it: how the states of a text become its embedding.
_POOLINGS: tuple[Pooling | None, ...] = (None, "mean", "cls", "last")

# Keys below "{arch}." that change the result, with the values that do not. A value outside them is refused.
_NEUTRAL: Mapping[str, tuple[int | float | bool, ...]] = {
    "expert_count": (0,),
    "expert_used_count": (0,),
    "nextn_predict_layers": (0,),
    "leading_dense_block_count": (0,),
    "use_parallel_residual": (False,),
    "logit_scale": (0.0, 1.0),
    "residual_scale": (0.0, 1.0),
    "embedding_scale": (0.0, 1.0),
    "attn_logit_softcapping": (0.0,),
    "final_logit_softcapping": (0.0,),
    "attention.scale": (0.0,),
    "attention.output_scale": (0.0, 1.0),
    "attention.temperature_scale": (0.0,),
    "attention.temperature_length": (0,),
    "attention.max_alibi_bias": (0.0,),
    "attention.clamp_kqv": (0.0,),
    "attention.shared_kv_layers": (0,),
    "attention.q_lora_rank": (0,),
    "attention.kv_lora_rank": (0,),
    "rope.scaling.yarn_log_multiplier": (0.0,),
    "rope.scaling.yarn_attn_factor": (1.0,),
    "rope.scaling.alpha": (0.0,),
}
_FOREIGN = ("rope.dimension_sections",)  # refused when there at all

# What a gate may be passed through; the first is what a file means that does not say.
_ACTIVATIONS: Mapping[str, tuple[str, ...]] = {
    "gemma3": ("gelu_pytorch_tanh",),
    "bitnet": ("silu", "relu2"),
    "bitnet-b1.58": ("relu2",),
    "bert": ("gelu",),
}

# What a file that edge does not run is, by general.architecture, where it is no text generator.
_NOT_A_GENERATOR: Mapping[str, str] = {
    "clip": "a vision or audio projector (mmproj)",
    "nomic-bert": "an embedding model",
    "nomic-bert-moe": "an embedding model",
    "jina-bert-v2": "an embedding model",
    "jina-bert-v3": "an embedding model",
    "modern-bert": "an embedding model",
    "neo-bert": "an embedding model",
    "gemma-embedding": "an embedding model",
    "llama-embed": "an embedding model",
    "eurobert": "an embedding model",
    "t5encoder": "an embedding model",
}


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Dimensions and constants of a transformer, under Hugging Face's key names.

    Raises BadModelFile, naming key, value and limit, when they contradict each other.
    """

    model_type: str
    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    max_position_embeddings: int
    rms_norm_eps: float  # of encoders: layer_norm_eps
    rope_theta: float
    rope_dims: int  # leading dimensions of a head that rotate
    rope_scaling: RopeScaling | None = None
    rope_attention_factor: float = 1.0  # multiplies cos and sin
    rope_freq_factors: tuple[float, ...] = ()  # rope_dims / 2 divisors of the frequencies, or none
    rope_long_factors: tuple[float, ...] = ()  # LongRoPE: those of a context beyond the original one
    original_max_position_embeddings: int = 0  # LongRoPE: up to here rope_freq_factors are meant
    hidden_act: str = "silu"
    rope_local_theta: float = 10000.0  # gemma3: of layers with a window
    sliding_window: int = 0  # positions that a layer with a window sees, the row's own the last; 0: none acts
    sliding_window_pattern: int = 0  # every so-manieth layer sees everything; 0: all have the window
    tie_word_embeddings: bool = False
    pooling: Pooling | None = None  # as the file says; a decoder with one is an embedding model too
    type_vocab_size: int = 0  # encoders: rows of the token types' embedding
    path: str = field(default="model", compare=False)  # for messages

    def __post_init__(self) -> None:
        if self.model_type not in ARCHITECTURES:
            raise UnsupportedModel(self.path, _not_supported(self.model_type))
        known = activations(self.model_type)
        if self.hidden_act not in known:
            raise UnsupportedModel(
                self.path,
                f"hidden_act is {quoted(self.hidden_act)}; edge runs {self.model_type} with {' or '.join(known)}",
            )
        self._range("vocab_size", self.vocab_size, 1, 2**24)
        self._range("hidden_size", self.hidden_size, 1, 2**20)
        self._range("intermediate_size", self.intermediate_size, 1, 2**22)
        self._range("num_hidden_layers", self.num_hidden_layers, 1, 1024)
        self._range("num_attention_heads", self.num_attention_heads, 1, 2**16)
        self._range("num_key_value_heads", self.num_key_value_heads, 1, self.num_attention_heads)
        self._range("head_dim", self.head_dim, 2, 1024)
        self._range("max_position_embeddings", self.max_position_embeddings, 1, 2**31 - 1)
        self._range("rope_dims", self.rope_dims, 2, self.head_dim)
        self._even("head_dim", self.head_dim)
        self._even("rope_dims", self.rope_dims)
        if self.num_attention_heads % self.num_key_value_heads:
            raise self._bad(
                f"num_attention_heads = {self.num_attention_heads} is not a multiple of "
                f"num_key_value_heads = {self.num_key_value_heads}"
            )
        if self.num_attention_heads * self.head_dim > 2**20:
            raise self._bad(f"num_attention_heads x head_dim = {self.num_attention_heads * self.head_dim} > {2**20}")
        self._positive("rms_norm_eps", self.rms_norm_eps, 1.0)
        self._positive("rope_theta", self.rope_theta, 1e30)
        if self.rope_theta < 1.0:
            raise self._bad(f"rope_theta = {self.rope_theta}, wanted at least 1")
        self._positive("rope_attention_factor", self.rope_attention_factor, 1e6)
        if self.rope_scaling is not None:
            self._check_scaling(self.rope_scaling)
        short = "rope_factors_short.weight" if self.rope_long_factors else "rope_freqs.weight"
        for name, factors in (
            (short, self.rope_freq_factors),
            ("rope_factors_long.weight", self.rope_long_factors),
        ):
            if factors and len(factors) != self.rope_dims // 2:
                raise self._bad(f"{name} has {len(factors)} values, wanted rope_dims / 2 = {self.rope_dims // 2}")
            for i, value in enumerate(factors):
                self._positive(f"{name}[{i}]", value, 1e30)
        self._positive("rope_local_theta", self.rope_local_theta, 1e30)
        if self.rope_local_theta < 1.0:
            raise self._bad(f"rope_local_theta = {self.rope_local_theta}, wanted at least 1")
        self._range("sliding_window", self.sliding_window, 0, 2**31 - 1)
        self._range("sliding_window_pattern", self.sliding_window_pattern, 0, 1024)

    @property
    def is_encoder(self) -> bool:
        """Whether every token sees the whole text: nothing is written, and a text is read in one step."""
        return self.model_type in ENCODERS

    @property
    def writes_text(self) -> bool:
        """Whether it is no embedding model."""
        return not self.is_encoder and self.pooling is None

    def has_window(self, layer: int) -> bool:
        """Whether a layer is one of those with a window, be it wider than the context."""
        return self.sliding_window_pattern == 0 or (layer + 1) % self.sliding_window_pattern != 0

    def window_of(self, layer: int) -> int:
        """Positions that a layer sees; 0: all up to a row's own."""
        return self.sliding_window if self.has_window(layer) else 0

    def for_context(self, length: int) -> ModelConfig:
        """The configuration for sequences of up to `length` tokens: LongRoPE has other factors for long ones."""
        if not self.rope_long_factors or length <= self.original_max_position_embeddings:
            return self
        return replace(self, rope_freq_factors=self.rope_long_factors)

    def _check_scaling(self, scaling: RopeScaling) -> None:
        self._positive("rope_scaling.factor", scaling.factor, 1e6)
        if scaling.rope_type == "yarn":
            self._range("original_max_position_embeddings", scaling.original_max_position_embeddings, 1, 2**31 - 1)
            self._positive("rope_scaling.beta_fast", scaling.beta_fast, 1e6)
            self._positive("rope_scaling.beta_slow", scaling.beta_slow, 1e6)
            if not 0.0 <= scaling.extrapolation_factor <= 1.0:
                raise self._bad(f"rope_scaling.extrapolation_factor = {scaling.extrapolation_factor}, wanted 0 to 1")
            if self.rope_theta <= 1.0:
                raise self._bad(f"rope_theta = {self.rope_theta}, wanted more than 1 for yarn scaling")

    def _bad(self, message: str) -> BadModelFile:
        return BadModelFile(self.path, message)

    def _range(self, key: str, value: int, low: int, high: int) -> None:
        if not low <= value <= high:
            raise self._bad(f"{key} = {value}, wanted {low} to {high}")

    def _even(self, key: str, value: int) -> None:
        if value % 2:
            raise self._bad(f"{key} = {value}, wanted an even number")

    def _positive(self, key: str, value: float, high: float) -> None:
        if not (math.isfinite(value) and 0.0 < value <= high):
            raise self._bad(f"{key} = {value}, wanted a finite number above 0 and at most {high:g}")

    @classmethod
    def from_gguf(cls, file: GGUFFile) -> ModelConfig:
        """Reads `{arch}.*`, and the shapes of the tensors that fix what the keys leave open.

        BadModelFile: a key is missing, of the wrong type or contradicts another. UnsupportedModel: a sound file that
        asks for something edge does not compute.
        """
        arch = architecture_of(file)
        _refuse_foreign(file, arch)
        hidden = file.get_int(f"{arch}.embedding_length", minimum=1, maximum=2**20)
        layers = file.get_int(f"{arch}.block_count", minimum=1, maximum=1024)
        heads = _uniform(file, f"{arch}.attention.head_count", layers)
        kv_key = f"{arch}.attention.head_count_kv"
        kv_heads = _uniform(file, kv_key, layers) if file.has(kv_key) else heads
        head_dim = _head_dim(file, arch, hidden, heads)
        context = file.get_int(f"{arch}.context_length", minimum=1, maximum=2**31 - 1)
        rope_dims = file.get_int(f"{arch}.rope.dimension_count", default=head_dim, minimum=2, maximum=head_dim)
        return cls(
            model_type=arch,
            vocab_size=_vocab_size(file, arch, hidden),
            hidden_size=hidden,
            intermediate_size=_uniform(file, f"{arch}.feed_forward_length", layers),
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            head_dim=head_dim,
            max_position_embeddings=context,
            rms_norm_eps=file.get_float(f"{arch}.attention.layer_norm{'' if arch in ENCODERS else '_rms'}_epsilon"),
            rope_theta=file.get_float(f"{arch}.rope.freq_base", default=10000.0),
            rope_dims=rope_dims,
            rope_scaling=positions.rope_scaling(file, arch, context),
            rope_attention_factor=file.get_float(f"{arch}.rope.scaling.attn_factor", default=1.0),
            rope_freq_factors=positions.freq_factors(file, "rope_freqs.weight", rope_dims)
            or positions.freq_factors(file, "rope_factors_short.weight", rope_dims),
            rope_long_factors=positions.freq_factors(file, "rope_factors_long.weight", rope_dims),
            original_max_position_embeddings=positions.original_context(file, arch, context),
            hidden_act=file.get_str(f"{arch}.hidden_act", default=activations(arch)[0]),
            rope_local_theta=file.get_float(f"{arch}.rope.freq_base_swa", default=10000.0),
            sliding_window=positions.sliding_window(file, arch, context),
            sliding_window_pattern=positions.window_pattern(file, arch),
            tie_word_embeddings="output.weight" not in file.tensors,
            pooling=_pooling(file, arch),
            type_vocab_size=_type_vocab_size(file) if arch in ENCODERS else 0,
            path=str(file.path),
        )


def activations(arch: str) -> tuple[str, ...]:
    """Values of hidden_act that an architecture may have; the first is the usual one."""
    return _ACTIVATIONS.get(arch, ("silu",))


def _not_supported(arch: str) -> str:
    if arch in _NOT_A_GENERATOR:
        return f"architecture {arch!r}: the file holds {_NOT_A_GENERATOR[arch]}, not a model that generates text"
    return f"architecture {quoted(arch)} is not supported; edge runs {', '.join(ARCHITECTURES)}"


def architecture_of(file: GGUFFile) -> str:
    """Of a file that holds a model. UnsupportedModel: it holds something else, or an architecture edge does not run."""
    kind = file.get_str("general.type", default="model")
    if kind == "adapter" or file.has("adapter.type"):
        raise UnsupportedModel(
            file.path, "the file holds a LoRA adapter; give the model that it belongs to, and this as its adapter"
        )
    if kind == "mmproj":
        raise UnsupportedModel(file.path, "the file holds a projector (mmproj); give the language model it belongs to")
    if kind != "model":
        raise UnsupportedModel(file.path, f"general.type is {quoted(kind)}, not 'model'")
    arch = file.get_str("general.architecture")
    if arch not in ARCHITECTURES:
        raise UnsupportedModel(file.path, _not_supported(arch))
    return arch


def _refuse_foreign(file: GGUFFile, arch: str) -> None:
    causal = file.get_bool(f"{arch}.attention.causal", default=None if arch in ENCODERS else True)
    if causal is (arch in ENCODERS):
        sees = "what comes before it" if causal else "the whole text"
        raise UnsupportedModel(
            file.path,
            f"{arch}.attention.causal = {causal}: a token sees {sees}, which edge does not compute for {arch!r}",
        )
    for suffix, neutral in _NEUTRAL.items():
        key = f"{arch}.{suffix}"
        if not file.has(key):
            continue
        value: int | float | bool
        if isinstance(neutral[0], bool):
            value = file.get_bool(key)
        elif isinstance(neutral[0], int):
            value = file.get_int(key)
        else:
            value = file.get_float(key)
        if value not in neutral:
            raise UnsupportedModel(file.path, f"{key} = {value}: a model that needs it, which edge does not compute")
    for suffix in _FOREIGN:
        if file.has(f"{arch}.{suffix}"):
            raise UnsupportedModel(file.path, f"{arch}.{suffix} is set, which edge does not compute")


def _pooling(file: GGUFFile, arch: str) -> Pooling | None:
    key = f"{arch}.pooling_type"
    number = file.get_int(key, default=0)
    if not 0 <= number < len(_POOLINGS):
        what = "a reranker" if number == 4 else "no way to pool that edge knows"
        raise UnsupportedModel(file.path, f"{key} = {number}: {what}; it has 0 (none), 1 (mean), 2 (cls) and 3 (last)")
    return _POOLINGS[number]


def _type_vocab_size(file: GGUFFile) -> int:
    """Rows of the token types' embedding, 0 where there is none, which the optional key must confirm."""
    info = file.tensors.get("token_types.weight")
    rows = info.shape[0] if info is not None and len(info.shape) == 2 else 0
    said = file.get_int("tokenizer.ggml.token_type_count", default=rows)
    if info is not None and said != rows:
        raise BadModelFile(
            file.path, f"tokenizer.ggml.token_type_count = {said}, but token_types.weight has shape {info.shape}"
        )
    return rows


def _uniform(file: GGUFFile, key: str, num_layers: int) -> int:
    """A count that may be written once per layer, as long as all layers agree."""
    if not file.is_array(key):
        return file.get_int(key, minimum=1, maximum=2**22)
    values = file.get_ints(key)
    if len(values) != num_layers:
        raise BadModelFile(file.path, f"{key} has {len(values)} values, wanted block_count = {num_layers}")
    value = values[0]
    other = next((i for i in range(num_layers) if values[i] != value), None)
    if other is not None:
        raise UnsupportedModel(
            file.path, f"{key} is {value} in layer 0 and {values[other]} in layer {other}: layers must agree"
        )
    if not 1 <= value <= 2**22:
        raise BadModelFile(file.path, f"{key} = {value}, wanted 1 to {2**22}")
    return value


def _head_dim(file: GGUFFile, arch: str, hidden: int, heads: int) -> int:
    key, value = f"{arch}.attention.key_length", f"{arch}.attention.value_length"
    if not file.has(key) and hidden % heads:
        raise BadModelFile(
            file.path,
            f"{arch}.embedding_length = {hidden} is not a multiple of {arch}.attention.head_count = {heads}, "
            f"and there is no {key}",
        )
    head_dim = file.get_int(key, default=hidden // heads, minimum=2, maximum=1024)
    value_dim = file.get_int(value, default=head_dim, minimum=1)
    if value_dim != head_dim:
        raise UnsupportedModel(file.path, f"{value} = {value_dim} and {key} = {head_dim} differ: not supported")
    return head_dim


def _vocab_size(file: GGUFFile, arch: str, hidden: int) -> int:
    """Rows of the token embedding, which the tokenizer and the optional key must confirm."""
    info = file.tensors.get("token_embd.weight")
    if not file.tensors:
        raise UnsupportedModel(file.path, "the file holds a vocabulary and no tensors; give the model it belongs to")
    if info is None:
        raise BadModelFile(file.path, "tensor token_embd.weight is missing")
    if len(info.shape) != 2 or info.shape[1] != hidden:
        raise BadModelFile(file.path, f"tensor token_embd.weight has shape {info.shape}, wanted (vocab_size, {hidden})")
    rows = info.shape[0]
    said = file.get_int(f"{arch}.vocab_size", default=rows)
    if said != rows:
        raise BadModelFile(file.path, f"{arch}.vocab_size = {said}, but token_embd.weight has {rows} rows")
    if file.has("tokenizer.ggml.tokens"):
        tokens = len(file.get_strings("tokenizer.ggml.tokens"))
        if tokens != rows:
            raise BadModelFile(file.path, f"tokenizer.ggml.tokens has {tokens} entries, token_embd.weight {rows} rows")
    return rows
