"""The page's backend (extra `assistant`: starlette, uvicorn). API.md says what it answers."""

from __future__ import annotations

__all__: list[str] = []
