"""BitNet b1.58: weights are -s, 0 or s, stored packed or made so here; norms before the last matrix of each half."""

from __future__ import annotations

from edge.errors import UnsupportedModel
from edge.export.architectures.layout import Layout, decoder
from edge.export.config import Config
from edge.models.bitnet import MODULES

# The first releases (1bitLLM) spell the two inner norms so.
_FIRST_NAMES = {"self_attn.attn_sub_norm": "self_attn.inner_attn_ln", "mlp.ffn_sub_norm": "mlp.ffn_layernorm"}


def layout(config: Config) -> Layout:
    first = config.class_name == "BitnetForCausalLM"
    activation = config.require_activation("relu2", "silu", default="silu" if first else "relu2")
    if not config.text.get_bool("tie_word_embeddings", first):
        raise UnsupportedModel(config.path, "'tie_word_embeddings' is false: GGUF's bitnet has no output matrix")
    dims = config.dimensions()
    return decoder(
        config,
        "bitnet",
        _renamed() if first else MODULES,
        dims,
        config.rope(dims, theta=10_000.0 if first else 500_000.0),
        context=config.context(),
        epsilon=config.epsilon(1e-6 if first else 1e-5),
        tied=True,
        keys={"hidden_act": activation, "rope.scaling.type": "linear", "rope.scaling.factor": 1.0},
        ternary=frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
    )


def _renamed() -> dict[str, str]:
    def first(name: str) -> str:
        for new, old in _FIRST_NAMES.items():
            name = name.replace(new, old)
        return name

    return {first(name): stem for name, stem in MODULES.items()}
