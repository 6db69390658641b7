"""`/tokenize` and `/detokenize`, in vLLM's form: what a prompt is for the model, without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from edge.serve.api_error import refused
from edge.serve.fields import Fields
from edge.serve.messages import take_messages
from edge.serve.requests import check_length, check_model
from edge.tools import function_tools

if TYPE_CHECKING:
    from edge.model import Model

_MAX_IDS = 1 << 18


def tokenized(body: object, model: Model, model_name: str, longest_token: int) -> dict[str, Any]:
    """Token ids of `prompt`, or of `messages` as the chat template writes them."""
    fields = Fields(body)
    check_model(fields, model_name, model.adapters)
    prompt, add_special = fields.text("prompt"), fields.flag("add_special_tokens")
    if prompt is None:
        if add_special is not None:
            raise refused("add_special_tokens", "is allowed only with prompt: a chat template writes its own")
        messages, tools = take_messages(fields), fields.items("tools", 256)
        fields.end()
        check_length((str(message["content"]) for message in messages), model, longest_token)
        tokens = model.encode_chat(messages, None if tools is None else function_tools(tools))
    else:
        fields.end()
        check_length([prompt], model, longest_token)
        tokens = model.tokenizer.encode(prompt, add_special=add_special is not False)
    return {"tokens": tokens, "count": len(tokens), "max_model_len": model.context}


def detokenized(body: object, model: Model, model_name: str, longest_token: int) -> dict[str, Any]:
    """The text of `tokens`, control tokens by their names."""
    fields = Fields(body)
    check_model(fields, model_name, model.adapters)
    items = fields.items("tokens", _MAX_IDS)
    fields.end()
    if items is None:
        raise refused("tokens", "is missing", "missing_required_parameter")
    if not all(isinstance(item, int) and not isinstance(item, bool) for item in items):
        raise refused("tokens", "must be a list of token ids", "invalid_type")
    return {"prompt": model.tokenizer.decode(cast("list[int]", items), skip_special=False)}
