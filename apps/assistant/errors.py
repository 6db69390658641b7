"""What the assistant raises on purpose.

EdgeError
└── AssistantError
    ├── StoreError     the database cannot be opened or written; the message says what to do
    ├── ToolFailure    a tool could not do what it was called for; a sentence for people
    ├── NotFound       no such conversation, turn, call, timer or grant
    ├── Busy           the conversation has a running turn
    └── Conflict       consent for a call that was answered already, or that is another than the one seen
"""

from __future__ import annotations

import edge


class AssistantError(edge.EdgeError):
    """Base of the assistant's errors."""


class StoreError(AssistantError):
    """The database cannot be opened or written."""


class ToolFailure(AssistantError):
    """A tool could not do what it was called for. The message is a sentence for people."""


class NotFound(AssistantError):
    """There is no such thing."""


class Busy(AssistantError):
    """The conversation has a running turn."""


class Conflict(AssistantError):
    """The state is another than the caller thinks. code: "already_answered" or "changed"."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
