"""genai_config.json: what onnxruntime-genai reads of a folder (docs of onnxruntime-genai 0.18, src/config.h)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.formats.config import ModelConfig

__all__ = ["MODEL_FILE", "genai_config"]

MODEL_FILE = "model.onnx"
# Its names of architectures; all are decoders with the same inputs and outputs.
_TYPES = {"gemma3": "gemma3_text", "bitnet": "llama", "bitnet-b1.58": "llama"}


def genai_config(
    config: ModelConfig, *, context: int, bos_id: int | None, eos_ids: Sequence[int], pad_id: int | None
) -> dict[str, Any]:
    """eos_ids: tokens that end an answer, the usual one first. A token that the model lacks gets the usual end's id."""
    end = eos_ids[0] if eos_ids else 0
    return {
        "model": {
            "type": _TYPES.get(config.model_type, config.model_type),
            "bos_token_id": end if bos_id is None else bos_id,
            "eos_token_id": list(eos_ids) if len(eos_ids) > 1 else end,
            "pad_token_id": end if pad_id is None else pad_id,
            "vocab_size": config.vocab_size,
            "context_length": context,
            "decoder": {
                "filename": MODEL_FILE,
                "head_size": config.head_dim,
                "hidden_size": config.hidden_size,
                "num_attention_heads": config.num_attention_heads,
                "num_key_value_heads": config.num_key_value_heads,
                "num_hidden_layers": config.num_hidden_layers,
                "inputs": {
                    "input_ids": "input_ids",
                    "attention_mask": "attention_mask",
                    "past_key_names": "past_key_values.%d.key",
                    "past_value_names": "past_key_values.%d.value",
                },
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present.%d.key",
                    "present_value_names": "present.%d.value",
                },
                "session_options": {"log_id": "onnxruntime-genai", "provider_options": []},
            },
        },
        "search": {
            "do_sample": False,
            "max_length": context,
            "min_length": 0,
            "num_beams": 1,
            "num_return_sequences": 1,
            "past_present_share_buffer": True,
            "repetition_penalty": 1.0,
            "temperature": 1.0,
            "top_k": 50,
            "top_p": 1.0,
        },
    }
