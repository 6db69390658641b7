"""Tools of MCP servers (extra `mcp`: the protocol's own Python package). Each server is a program that is started here,
and what it says is somebody else's text: every call is asked about, and every result is marked untrusted.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import edge
from edge.assistant.errors import AssistantError, ToolFailure
from edge.assistant.tool import Arguments, Result, Tool

__all__ = ["Servers"]

_START_SECONDS, _CALL_SECONDS = 30.0, 60.0
_MOST_TOOLS, _MOST_TEXT = 128, 100_000
_NAME = re.compile(r"[^A-Za-z0-9_]+")


class Servers:
    """file: JSON, {"mcpServers": {"name": {"command": "...", "args": [...], "env": {...}}}}, as other programs have it.

    A context manager. Raises RequestError for the file, AssistantError for a server that does not start.
    """

    def __init__(self, file: Path) -> None:
        self.tools: list[Tool] = []
        try:
            from mcp import Client, StdioServerParameters
        except ModuleNotFoundError:
            raise AssistantError("MCP servers need the package mcp: pip install 'edge-rt[mcp]'") from None
        self._client, self._parameters = Client, StdioServerParameters
        self._wanted = _read(file)
        self._loop = asyncio.new_event_loop()
        self._ending = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="assistant-mcp", daemon=True)
        self._thread.start()
        self._ready: Future[None] = Future()
        self._life = asyncio.run_coroutine_threadsafe(self._live(), self._loop)

    def __enter__(self) -> Self:
        try:
            self._ready.result(_START_SECONDS)
        except FutureTimeout:
            self.close()
            raise AssistantError(f"an MCP server did not start within {_START_SECONDS:g} seconds") from None
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        try:
            self._life.result(5.0)
        except (FutureTimeout, Exception):
            pass  # a server that does not end is killed with its pipes
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        if not self._thread.is_alive():
            self._loop.close()

    async def _live(self) -> None:
        """Clients are opened and closed in one task, as their task groups demand."""
        async with AsyncExitStack() as stack:
            for name, about in self._wanted.items():
                try:
                    await self._open(stack, name, about)
                except BaseException as error:
                    self._ready.set_exception(AssistantError(f"MCP server {name}: {_innermost(error)}"))
                    return
            self._ready.set_result(None)
            await self._ending.wait()

    async def _open(self, stack: AsyncExitStack, name: str, about: Mapping[str, Any]) -> None:
        parameters = self._parameters(command=about["command"], args=about.get("args", []), env=about.get("env"))
        client = await stack.enter_async_context(self._client(parameters))
        cursor: str | None = None
        while True:
            listed = await client.list_tools(cursor=cursor)
            for each in listed.tools:
                if len(self.tools) >= _MOST_TOOLS:
                    raise AssistantError(f"more than {_MOST_TOOLS} tools")
                self.tools.append(self._tool(name, client, each))
            cursor = listed.next_cursor
            if cursor is None:
                return

    def _tool(self, server: str, client: Any, about: Any) -> Tool:
        def run(arguments: Arguments) -> Result:
            return self._call(client.call_tool(about.name, arguments), about.name)

        title = _NAME.sub("_", f"{server}_{about.name}").strip("_")[:64]
        schema = cast("dict[str, Any]", about.input_schema)
        return Tool(
            title, (about.description or about.name).strip()[:500], schema, run, "write", source=f"mcp: {server}",
            resource=f"mcp {server}", seconds=_CALL_SECONDS,
        )  # fmt: skip

    def _call(self, work: Coroutine[Any, Any, Any], name: str) -> Result:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            given = future.result(_CALL_SECONDS)
        except FutureTimeout:
            future.cancel()
            raise ToolFailure(f"{name} took longer than {_CALL_SECONDS:g} seconds.") from None
        except Exception as error:
            raise ToolFailure(f"{name}: {_innermost(error)}") from None
        text = "\n".join(part.text for part in given.content if getattr(part, "type", "") == "text")[:_MOST_TEXT]
        if given.is_error:
            raise ToolFailure(f"{name}: {text[:500] or 'it failed'}")
        return Result(text or "(no text)", given.structured_content, untrusted=True)


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
        servers = value["mcpServers"]
        if not all(isinstance(about["command"], str) for about in servers.values()):
            raise TypeError
    except OSError as error:
        raise edge.RequestError(f"--mcp {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        wanted = '{"mcpServers": {"name": {"command": "...", "args": []}}}'
        raise edge.RequestError(f"--mcp {file}: it must be JSON like {wanted}") from None
    return cast("dict[str, dict[str, Any]]", servers)


def _innermost(error: BaseException) -> str:
    """Task groups wrap what went wrong."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return f"{type(error).__name__}: {error}"[:300]
