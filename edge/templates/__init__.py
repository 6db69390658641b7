"""Chat templates of model files: untrusted programs, run in a sandbox with a budget."""

from __future__ import annotations

from edge.templates.render import ChatTemplate, render

__all__ = ["ChatTemplate", "render"]
