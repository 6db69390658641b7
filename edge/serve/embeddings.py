"""`/v1/embeddings`: texts or token ids in, vectors out, as numbers or as base64 of little-endian float32."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.errors import ContextExceeded, RequestError
from edge.serve.api_error import refused, too_long
from edge.serve.fields import Fields
from edge.serve.requests import check_length, check_model, take_prompts

if TYPE_CHECKING:
    from edge.model import Model

MAX_INPUTS = 2048  # as OpenAI's API has it


@dataclass(frozen=True, slots=True)
class EmbeddingAsk:
    """inputs: texts, or token ids each."""

    inputs: tuple[str | list[int], ...]
    as_base64: bool


def embedding_ask(body: object, model: Model, model_name: str) -> EmbeddingAsk:
    """ApiError names the first field that cannot be honoured."""
    fields = Fields(body)
    check_model(fields, model_name)
    inputs = take_prompts(fields, "input", MAX_INPUTS)
    form = fields.choice("encoding_format", "float", "base64")
    width = model.config.hidden_size
    fields.unsupported(
        "dimensions", f"vectors of this model have {width}, and it was not trained for fewer", allowed=(width,)
    )
    fields.text("user", max_bytes=512)
    fields.end()
    return EmbeddingAsk(inputs, form == "base64")


def embedded(
    ask: EmbeddingAsk, model: Model, model_name: str, longest_token: int, before_step: Callable[[], None]
) -> bytes:
    """The answer as JSON. before_step: called between steps of the model, what it raises ends the work."""
    try:
        if not model.config.is_encoder:  # whose unknown words are one token, however long
            for text in ask.inputs:
                check_length([text] if isinstance(text, str) else [], model, longest_token)
        token_lists = model.embeddings.token_lists(ask.inputs)
        vectors = model.embeddings.embed(token_lists, None, True, before_step)
    except ContextExceeded as error:
        raise too_long(error, "input") from None
    except RequestError as error:
        raise refused("input", f"cannot be embedded: {str(error).replace(model.path, 'the model')}") from None
    rows: list[Any] = (
        [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in vectors]
        if ask.as_base64
        else vectors.tolist()
    )
    num_tokens = sum(map(len, token_lists))
    answer = {
        "object": "list",
        "data": [{"object": "embedding", "index": index, "embedding": row} for index, row in enumerate(rows)],
        "model": model_name,
        "usage": {"prompt_tokens": num_tokens, "total_tokens": num_tokens},
    }
    return json.dumps(answer, separators=(",", ":")).encode()
