"""edge runs language models on the machine in front of you.

    import edge

    with edge.load("model.gguf") as model:
        for token in model.stream("Why is the sky blue?", max_tokens=64):
            print(token.text, end="")
        answer = model.chat([{"role": "user", "content": "hi"}])

Importing this loads neither the C library nor a tokenizer; `load` does. All errors derive from `EdgeError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.errors import (
    BadModelFile,
    BadProfile,
    BadSessionFile,
    Cancelled,
    ContextExceeded,
    DoesNotFit,
    DownloadError,
    EdgeError,
    GrammarError,
    ModelFileError,
    NativeError,
    NumericalError,
    RequestError,
    SessionFileError,
    StaleSessionFile,
    TemplateError,
    UnsupportedModel,
)

if TYPE_CHECKING:
    from edge.loading import load
    from edge.model import Model
    from edge.results import Completion, Timings, Token, Usage
    from edge.sessions import Session
    from edge.stream import Stream

__version__ = "0.1.0"

__all__ = [
    "BadModelFile",
    "BadProfile",
    "BadSessionFile",
    "Cancelled",
    "Completion",
    "ContextExceeded",
    "DoesNotFit",
    "DownloadError",
    "EdgeError",
    "GrammarError",
    "Model",
    "ModelFileError",
    "NativeError",
    "NumericalError",
    "RequestError",
    "Session",
    "SessionFileError",
    "StaleSessionFile",
    "Stream",
    "TemplateError",
    "Timings",
    "Token",
    "UnsupportedModel",
    "Usage",
    "load",
]

_LAZY = {
    "Completion": "edge.results",
    "Model": "edge.model",
    "Session": "edge.sessions",
    "Stream": "edge.stream",
    "Timings": "edge.results",
    "Token": "edge.results",
    "Usage": "edge.results",
    "load": "edge.loading",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'edge' has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value  # next time without this function
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
