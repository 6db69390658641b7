"""Architectures that can be exported, one per file, named after GGUF's `general.architecture`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.errors import UnsupportedModel
from edge.export.architectures import bert, bitnet, gemma3, llama, phi3, qwen2, qwen3
from edge.export.architectures.layout import Layout, module_shape
from edge.export.config import Config
from edge.formats.cursor import quoted

__all__ = ["CLASSES", "Layout", "layout_of", "module_shape"]

# Hugging Face's class names, the first of config.json's `architectures`.
CLASSES: Mapping[str, Callable[[Config], Layout]] = {
    "LlamaForCausalLM": llama.layout,
    "MistralForCausalLM": llama.layout,
    "Qwen2ForCausalLM": qwen2.layout,
    "Qwen3ForCausalLM": qwen3.layout,
    "Gemma3ForCausalLM": gemma3.layout,
    "Gemma3ForConditionalGeneration": gemma3.layout,
    "Phi3ForCausalLM": phi3.layout,
    "BitNetForCausalLM": bitnet.layout,
    "BitnetForCausalLM": bitnet.layout,
    "BertModel": bert.layout,
    "BertForMaskedLM": bert.layout,
    "BertForPreTraining": bert.layout,
}
# Where a file names no class: its `model_type`.
_TYPES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "qwen2": "Qwen2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
    "gemma3": "Gemma3ForConditionalGeneration",
    "gemma3_text": "Gemma3ForCausalLM",
    "phi3": "Phi3ForCausalLM",
    "bitnet": "BitNetForCausalLM",
    "bert": "BertModel",
}


def layout_of(config: Config) -> Layout:
    """What becomes of this model. UnsupportedModel: an architecture, or a setting of one, that edge does not export."""
    name = config.class_name or _TYPES.get(config.model_type, config.model_type)
    make = CLASSES.get(name)
    if make is None:
        raise UnsupportedModel(
            config.path, f"architecture {quoted(name)} cannot be exported; edge exports {', '.join(CLASSES)}"
        )
    return make(config)
