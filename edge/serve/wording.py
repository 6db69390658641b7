"""Errors of the library in the words of a request: its fields' names, and nothing of where files lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import ContextExceeded, DoesNotFit, EdgeError, GrammarError, RequestError
from edge.serve.api_error import ApiError, refused, too_long

if TYPE_CHECKING:
    from edge.model import Model
    from edge.serve.requests import Ask

# What an error begins with -> the field that the client sent.
_FIELDS = {"schema": "response_format", "template_options": "chat_template_kwargs", "adapter": "model"}


def in_words_of(ask: Ask, error: EdgeError, model: Model) -> Exception:
    """What a client is told when an answer to its request cannot begin."""
    if isinstance(error, ContextExceeded):
        return too_long(error, "messages" if ask.messages else "prompt")
    message = str(error).replace(model.path, "the model")
    if isinstance(error, RequestError):
        word = message.split(maxsplit=1)[0].rstrip(":")
        if word == "template_options" and "'reasoning_effort'" in message:
            return refused("reasoning_effort", "is nothing that this model's template reads", "unsupported_parameter")
        if word == "structured":  # llguidance is missing
            return refused(ask.form_field or "tools", f"cannot be honoured: {message}", "unsupported_parameter")
        if word in _FIELDS:
            return refused(_FIELDS[word], f"cannot be honoured: {message}", "unsupported_parameter")
        return RequestError(message)
    field = ask.form_field
    if isinstance(error, (DoesNotFit, GrammarError)) and field is not None:
        code = "does_not_fit" if isinstance(error, DoesNotFit) else "grammar_error"
        return ApiError(400, message, param=field, code=code)
    return error
