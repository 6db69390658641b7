"""Which fields of OpenAI's API a server honours, refuses, or takes and silently ignores."""

from __future__ import annotations

from edge.conform.conform import Finding, conform
from edge.conform.server import Server

__all__ = ["Finding", "Server", "conform"]
