"""Errors as the API gives them: a status and {"error": {"message", "type", "param", "code"}}."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from edge.errors import (
    Cancelled,
    ContextExceeded,
    DoesNotFit,
    EdgeError,
    GrammarError,
    ModelFileError,
    NumericalError,
    RequestError,
    TemplateError,
)

_FIELD = re.compile(r"[a-z_]+(\[\d+\]|\.[a-z_]+)*")
_MAX_MESSAGE = 500  # characters: what a request holds may stand in it


class ApiError(Exception):
    """What a client is told. param: the field that was wrong. extra: further members of the error object."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message if len(message) <= _MAX_MESSAGE else message[:_MAX_MESSAGE] + "..."
        self.param = param
        self.code = code
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})
        if status >= 500:
            self.headers.setdefault("x-should-retry", "false")  # OpenAI's clients would ask three times

    @property
    def body(self) -> dict[str, Any]:
        kind = (
            "authentication_error" if self.status == 401
            else "permission_error" if self.status == 403
            else "rate_limit_error" if self.status == 429
            else "server_error" if self.status >= 500
            else "invalid_request_error"
        )  # fmt: skip
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code, **self.extra}}


def refused(param: str, message: str, code: str = "invalid_value") -> ApiError:
    """400 for a field that cannot be honoured."""
    return ApiError(400, f"{param} {message}", param=param, code=code)


def shown(value: object, limit: int = 80) -> str:
    """A value in a message, cut where it is long."""
    text = repr(value) if isinstance(value, (str, int, float, bool)) or value is None else f"a {_kind(value)}"
    return text if len(text) <= limit else text[:limit] + "..."


def _kind(value: object) -> str:
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else type(value).__name__


def as_api_error(error: BaseException) -> ApiError:
    """Any error of an answer as the client is told it; an error of ours says no more than its kind."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, ContextExceeded):
        return too_long(error, None)
    if isinstance(error, RequestError):
        field = _FIELD.match(str(error))
        return ApiError(400, str(error), param=field[0] if field else None, code="invalid_value")
    if isinstance(error, TemplateError):
        return ApiError(400, str(error), param="messages", code="template_error")
    if isinstance(error, DoesNotFit):
        return ApiError(400, str(error), code="does_not_fit")
    if isinstance(error, GrammarError):  # of what the client asked for: asking again would end alike
        return ApiError(400, str(error), code="grammar_error")
    if isinstance(error, NumericalError):
        return ApiError(500, str(error), code="numerical_error")
    if isinstance(error, ModelFileError):
        return ApiError(500, "the model file can no longer be read; the server's log says more", code="model_file")
    if isinstance(error, Cancelled):
        return stopping()
    name = type(error).__name__
    what = "the engine failed" if isinstance(error, EdgeError) else "an error of the server's own"
    return ApiError(500, f"{what} ({name}); the server's log says more", code="internal_error")


def logged(error: BaseException) -> BaseException:
    """Says on stderr what a client is not told: a sentence for an error of edge, a traceback for one of ours."""
    if isinstance(error, EdgeError):
        print(f"edge: {error}", file=sys.stderr)
    elif not isinstance(error, ApiError):
        traceback.print_exception(error, file=sys.stderr)
    return error


def too_long(error: ContextExceeded, param: str | None) -> ApiError:
    """400 in the words that agents look for. param: the field that held the prompt."""
    extra = {"n_prompt_tokens": error.num_tokens, "n_ctx": error.context}
    return ApiError(400, str(error), param=param, code="context_length_exceeded", extra=extra)


def stopping() -> ApiError:
    return ApiError(503, "the server is stopping", code="stopping", headers={"retry-after": "5"})
