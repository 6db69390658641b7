"""Random tiny models of Hugging Face's own code: our F32 GGUF file of each gives its logits, in float64 and natively.

Exporting is another part's work: names and keys are mapped here, by hand, as llama.cpp's converter maps them.
"""

from __future__ import annotations

import math
import warnings
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.backends.native import NativeBackend
from edge.backends.protocol import Batch, Limits
from edge.export.gguf_writer import GGUFWriter
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType, ValueType
from edge.graph.reference import Reference, Weight
from edge.models import ARCHITECTURES, build
from tests.models.peer import llama_cpp_logits
from tests.models.tiny import vocabulary

transformers = pytest.importorskip("transformers", reason="transformers is not installed")
torch = pytest.importorskip("torch", reason="torch is not installed")

F32 = NDArray[np.float32]
Keys = dict[str, int | float | str]
REFERENCE, NATIVE = 1e-4, 1e-3  # relative L2 error over all logits
LLAMA_CPP = {"gemma3": 1e-3}  # whose GELU is a table of halves there; 1e-4 for the others
VOCAB, LENGTH, WINDOW = 96, 70, 20  # more than two blocks of 32 positions, more than three windows
TOKENS = [(37 * i * i + 11 * i + 5) % VOCAB for i in range(LENGTH)]

COMMON: dict[str, Any] = {
    "vocab_size": VOCAB,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
    "attn_implementation": "eager",
}
FACTORS = {"short": [1.0 + 0.05 * i for i in range(8)], "long": [1.0 + 0.9 * i for i in range(8)]}
LONGROPE = {
    "rope_type": "longrope",
    "rope_theta": 10000.0,
    "short_factor": FACTORS["short"],
    "long_factor": FACTORS["long"],
    "original_max_position_embeddings": 64,
}
STRETCHED: dict[str, Any] = {
    "sliding_window": None,
    "original_max_position_embeddings": 64,
    "rope_parameters": LONGROPE,
}


def phi3_keys(config: Any) -> Keys:
    stretch = config.max_position_embeddings / config.original_max_position_embeddings
    return {
        "rope.scaling.attn_factor": math.sqrt(
            1 + math.log(stretch) / math.log(config.original_max_position_embeddings)
        ),
        "rope.scaling.original_context_length": config.original_max_position_embeddings,
    }


def no_keys(config: Any) -> Keys:
    return {}


# Name: (architecture in GGUF, class of transformers, what its configuration says, keys beside the usual ones).
CASES: dict[str, tuple[str, str, dict[str, Any], Callable[[Any], Keys]]] = {
    "llama": ("llama", "Llama", {}, no_keys),
    "mistral": ("llama", "Mistral", {"sliding_window": WINDOW, "head_dim": 24}, no_keys),
    "qwen2": ("qwen2", "Qwen2", {}, no_keys),
    "qwen3": ("qwen3", "Qwen3", {"head_dim": 24}, no_keys),
    "gemma3": (
        "gemma3",
        "Gemma3",
        {
            "num_hidden_layers": 7,
            "head_dim": 24,
            "sliding_window": WINDOW,
            "query_pre_attn_scalar": 24,
            "rms_norm_eps": 1e-6,
            "tie_word_embeddings": True,
        },
        no_keys,
    ),
    "gemma3 stretched": (
        "gemma3",
        "Gemma3",
        {
            "num_hidden_layers": 7,
            "head_dim": 16,
            "sliding_window": WINDOW,
            "query_pre_attn_scalar": 16,
            "tie_word_embeddings": True,
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
            },
        },
        lambda config: {"rope.scaling.type": "linear", "rope.scaling.factor": 8.0},
    ),
    "phi3": ("phi3", "Phi3", {"sliding_window": None}, no_keys),
    "phi3 windowed": ("phi3", "Phi3", {"sliding_window": WINDOW}, no_keys),
    "phi3 short": ("phi3", "Phi3", STRETCHED, phi3_keys),
    "phi3 long": ("phi3", "Phi3", STRETCHED, phi3_keys),
    "phi4 mini": (
        "phi3",
        "Phi3",
        {
            "sliding_window": None,
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.75},
        },
        no_keys,
    ),
    "bitnet silu": ("bitnet", "BitNet", {"hidden_act": "silu", "tie_word_embeddings": True}, no_keys),
    "bitnet": ("bitnet-b1.58", "BitNet", {"hidden_act": "relu2"}, no_keys),
    "bitnet by key": ("bitnet", "BitNet", {"hidden_act": "relu2"}, lambda config: {"hidden_act": config.hidden_act}),
}
# llama.cpp leaves phi3's and mistral's window out, and knows no squared ReLU in bitnet.
NOT_LLAMA_CPP = ("mistral", "phi3 windowed", "bitnet", "bitnet by key")
SHORT = 40  # tokens of "phi3 short": within the original context


def make(name: str) -> Any:
    """A random model of Hugging Face, with norms that are not all one."""
    _, family, changes, _ = CASES[name]
    kind = "Gemma3Text" if family == "Gemma3" else family
    model_class = getattr(transformers, f"{family}ForCausalLM")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = getattr(transformers, f"{kind}Config")(**(COMMON | changes))
        torch.manual_seed(7)
        model = model_class(config).eval().to(torch.float32)
    with torch.no_grad():
        for key, value in model.named_parameters():
            if value.ndim == 1:
                value.copy_(torch.randn_like(value) * 0.2 + (0.0 if "bias" in key or family == "Gemma3" else 1.0))
            elif "embed" not in key:
                value.copy_(torch.randn_like(value) * (2.0 if "q_proj" in key or "k_proj" in key else 1.0) / 8.0)
    return model


def theirs(model: Any, tokens: list[int]) -> F32:
    with torch.no_grad():
        return np.asarray(model(torch.tensor([tokens])).logits[0].float().numpy())


def tensors_of(arch: str, model: Any) -> dict[str, F32]:
    """By llama.cpp's names. llama: q and k permuted so that rotary pairs are neighbours. gemma3: norms as factors."""
    modules, config = ARCHITECTURES[arch].modules, model.config
    named = {module.format(i=i): stem.format(i=i) for module, stem in modules.items() for i in range(99)}
    found: dict[str, F32] = {}
    for key, value in model.state_dict().items():
        module, kind = key.rsplit(".", 1)
        if module == "lm_head" and config.tie_word_embeddings:
            continue
        values = value.numpy().astype(np.float32)
        if arch == "llama" and module.endswith(("q_proj", "k_proj")):
            heads = config.num_attention_heads if module.endswith("q_proj") else config.num_key_value_heads
            values = values.reshape(heads, 2, -1, values.shape[1]).swapaxes(1, 2).reshape(values.shape)
        if arch == "gemma3" and "norm" in module:
            values = values + np.float32(1.0)
        found[f"{named[module]}.{kind}"] = np.ascontiguousarray(values)
    return found


def keys_of(name: str, model: Any) -> Keys:
    arch, config = CASES[name][0], model.config
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    rope = rope.get("full_attention", rope)
    keys: Keys = {
        "vocab_size": config.vocab_size,
        "context_length": config.max_position_embeddings,
        "embedding_length": config.hidden_size,
        "block_count": config.num_hidden_layers,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": head_dim,
        "attention.value_length": head_dim,
        "attention.layer_norm_rms_epsilon": config.rms_norm_eps,
        "rope.freq_base": float(rope["rope_theta"]),
        "rope.dimension_count": int(rope.get("partial_rotary_factor", 1.0) * head_dim),
    }
    window = getattr(config, "sliding_window", None)
    if CASES[name][1] in ("Mistral", "Gemma3", "Phi3"):
        keys["attention.sliding_window"] = window or 0
    return {f"{arch}.{key}": value for key, value in (keys | CASES[name][3](config)).items()}


def write(path: Path, name: str, model: Any, changes: Mapping[str, int] | None = None) -> dict[str, F32]:
    arch = CASES[name][0]
    tensors = tensors_of(arch, model)
    writer = GGUFWriter(path)
    writer.add("general.architecture", arch)
    writer.add("general.type", "model")
    for key, value in (keys_of(name, model) | dict(changes or {})).items():
        writer.add(key, value)
    tokens = vocabulary(VOCAB)
    writer.add("tokenizer.ggml.model", "gpt2")
    writer.add("tokenizer.ggml.pre", "gpt-2")
    writer.add("tokenizer.ggml.tokens", tokens)
    writer.add("tokenizer.ggml.token_type", [3] + [1] * (len(tokens) - 1), ValueType.INT32)
    writer.add("tokenizer.ggml.merges", ["! !"])
    writer.add("tokenizer.ggml.eos_token_id", 0)
    if "short_factor" in model.config.rope_parameters:
        for kind, factors in FACTORS.items():
            data = np.asarray(factors, np.float32)
            writer.add_tensor(f"rope_factors_{kind}.weight", GGMLType.F32, data.shape, data.tobytes())
    for tensor, values in tensors.items():
        writer.add_tensor(tensor, GGMLType.F32, values.shape, values.tobytes())
    writer.finish()
    return tensors


def ours(path: Path, tensors: Mapping[str, F32], tokens: list[int], context: int) -> NDArray[np.float64]:
    with open_gguf(path) as file:
        config = ModelConfig.from_gguf(file).for_context(context)
        graph = build(config, {name: info.shape for name, info in file.tensors.items()})
    return np.asarray(Reference(graph, lambda name: Weight(tensors[name])).step(tokens), np.float64)


def native(path: Path, tokens: list[int], context: int, chunks: tuple[int, ...] = (33, 1, 1, 3)) -> F32:
    """Steps of several sizes, the last of which takes the rest."""
    rows: list[F32] = []
    with open_gguf(path) as file:
        backend = NativeBackend(file, context=context, kv_type="f32", num_threads=2, num_sequences=64, chunk=64)
        try:
            table, start = array("i", range(-(-context // 32))), 0
            for size in (*chunks, len(tokens) - sum(chunks)):
                part = tokens[start : start + size]
                count = len(part)
                batch = Batch(
                    array("i", part),
                    array("i", range(start, start + count)),
                    array("i", [0] * count),
                    table,
                    len(table),
                    array("i", range(count)),
                    window_table(backend.limits, start, count, len(table)),
                )
                rows.append(np.array(backend.step(batch), np.float32).reshape(count, -1))
                start += count
        finally:
            backend.close()
    return np.concatenate(rows)


def window_table(limits: Limits, start: int, count: int, size: int) -> array[int] | None:
    """What a step sees, and -1 for what lies behind."""
    if not limits.window:
        return None
    first, end = max(0, start - limits.window + 1) // 32, -(-(start + count) // 32)
    return array("i", [i % limits.num_window_blocks if first <= i < end else -1 for i in range(size)])


def relative_error(found: NDArray[Any], wanted: NDArray[Any]) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


@pytest.mark.parametrize("name", CASES)
def test_logits_are_those_of_transformers(name: str, tmp_path: Path) -> None:
    model = make(name)
    tokens = TOKENS[:SHORT] if name == "phi3 short" else TOKENS
    context = 64 if name == "phi3 short" else 128
    wanted = theirs(model, tokens)
    tensors = write(tmp_path / "model.gguf", name, model)
    assert relative_error(ours(tmp_path / "model.gguf", tensors, tokens, context), wanted) < REFERENCE
    assert relative_error(native(tmp_path / "model.gguf", tokens, context), wanted) < NATIVE


@pytest.mark.parametrize("name", [name for name in CASES if name not in NOT_LLAMA_CPP and name != "phi3 short"])
def test_llama_cpp_agrees_on_the_same_file(name: str, tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="the llama extra is not installed")
    model = make(name)
    tensors = write(tmp_path / "model.gguf", name, model)
    peer = llama_cpp_logits(tmp_path / "model.gguf", TOKENS)
    found = ours(tmp_path / "model.gguf", tensors, TOKENS, 128)
    assert relative_error(found, peer) < LLAMA_CPP.get(CASES[name][0], 1e-4)


@pytest.mark.parametrize("name", ["mistral", "gemma3", "phi3 windowed"])
@pytest.mark.parametrize("window", [0, WINDOW - 1, WINDOW + 1])
def test_another_window_is_another_model(name: str, window: int, tmp_path: Path) -> None:
    model = make(name)
    wanted = theirs(model, TOKENS)
    key = f"{CASES[name][0]}.attention.sliding_window"
    tensors = write(tmp_path / "model.gguf", name, model, {key: window})
    assert relative_error(ours(tmp_path / "model.gguf", tensors, TOKENS, 128), wanted) > 10 * REFERENCE
    assert relative_error(native(tmp_path / "model.gguf", TOKENS, 128), wanted) > 2 * NATIVE


def test_the_context_chooses_the_factors(tmp_path: Path) -> None:
    """Of LongRoPE, for all positions: the keys in the cache must fit each other."""
    model = make("phi3 long")
    tensors = write(tmp_path / "model.gguf", "phi3 long", model)
    short, long = (ours(tmp_path / "model.gguf", tensors, TOKENS, context) for context in (64, 65))
    assert relative_error(short, long) > 10 * REFERENCE
