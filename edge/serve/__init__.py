"""`edge serve`: an OpenAI-compatible server over one loaded model (extra `serve`: starlette, uvicorn)."""

from __future__ import annotations

from edge.serve.settings import ServeSettings

__all__ = ["ServeSettings"]
