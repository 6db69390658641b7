"""Every error that edge raises on purpose.

EdgeError
├── ModelFileError            the file cannot be used; carries .path and .exit_code 4
│   ├── BadModelFile          the file breaks its format: file, key or offset, value, limit
│   └── UnsupportedModel      a sound file that edge cannot run: architecture, type, projector, adapter ...
├── SessionFileError          a saved session or prepared prompt cannot be used; carries .path and .exit_code 4
│   ├── BadSessionFile        the file is damaged or breaks its format: byte or key, value, limit
│   └── StaleSessionFile      a sound file of another model, quantisation, KV type ...: what differs, both values
├── BadProfile                a device profile breaks its format: file, table and key, value, limit
├── TemplateError             the chat template of the file failed or was refused
├── DoesNotFit                memory or context: what was asked, what there is, what would fit (exit code 3)
│   └── ContextExceeded       a prompt longer than the context; carries .num_tokens and .context
├── RequestError              a request that cannot be honoured: the field, the value, the limit (exit code 2)
├── DownloadError             a model that cannot be fetched: host, what it answered; what was fetched is kept
├── GrammarError              an answer that cannot go on as its schema, regex or grammar asks
├── NumericalError            logits that are not finite, or values that an encoder cannot hold as finite numbers
├── Cancelled                 the run was cancelled between two layers or tokens
└── NativeError               the C library refused or failed: status and message
"""

from __future__ import annotations

import os


class EdgeError(Exception):
    """Base of all errors raised by edge. `exit_code` is what the command returns for it."""

    exit_code = 1


class ModelFileError(EdgeError):
    """A model file that cannot be used. `path` names it."""

    exit_code = 4

    def __init__(self, path: str | os.PathLike[str], message: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"{self.path}: {message}")


class BadModelFile(ModelFileError):
    """The file breaks its format. The message names the key or offset, the value found and the limit."""


class UnsupportedModel(ModelFileError):
    """A sound file that edge cannot run."""


class SessionFileError(EdgeError):
    """A saved session or prepared prompt that cannot be used. `path` names the file."""

    exit_code = 4

    def __init__(self, path: str | os.PathLike[str], message: str) -> None:
        self.path = os.fspath(path)
        super().__init__(f"{self.path}: {message}")


class BadSessionFile(SessionFileError):
    """The file is damaged or breaks its format. The message names the byte or key, the value found and the limit."""


class StaleSessionFile(SessionFileError):
    """A sound file of another model, quantisation, KV type or version. The message says what differs, both values."""


class BadProfile(EdgeError):
    """A device profile breaks its format. The message names the file, the table and key, the value and the limit."""


class TemplateError(EdgeError):
    """The chat template failed, took too long or was refused by the sandbox."""


class DoesNotFit(EdgeError):
    """The request needs more memory or context than there is."""

    exit_code = 3


class ContextExceeded(DoesNotFit):
    """A prompt of `num_tokens` that is longer than the `context` of the model as it was loaded, in tokens."""

    def __init__(self, num_tokens: int, context: int) -> None:
        self.num_tokens = num_tokens
        self.context = context
        super().__init__(
            f"the prompt of {num_tokens} tokens exceeds the available context size of {context} tokens, "
            "one of which the answer needs; shorten it or load with a larger context"
        )


class RequestError(EdgeError):
    """A request that cannot be honoured: names the field, the value and the limit."""

    exit_code = 2


class DownloadError(EdgeError):
    """A model that cannot be fetched, or did not arrive as it was announced: the host or file, and what happened."""


class GrammarError(EdgeError):
    """An answer that cannot go on as its schema, regex or grammar asks, or only with more work than is allowed."""


class NumericalError(EdgeError):
    """Logits that are not finite, so there is no next token; or values that an encoder cannot hold."""


class Cancelled(EdgeError):
    """The run was cancelled; the engine stays usable."""

    exit_code = 130


class NativeError(EdgeError):
    """The C library refused an argument or failed: status name and message."""
