"""An MCP server over standard input and output with two tools, for tests: JSON-RPC by hand, one message a line."""

from __future__ import annotations

import json
import sys
from typing import Any

TOOLS: list[dict[str, Any]] = [
    {"name": "echo", "description": "say it again", "inputSchema": {
        "type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
    {"name": "fail", "description": "always fails", "inputSchema": {"type": "object", "properties": {}}},
]  # fmt: skip


def answer(method: str, given: dict[str, Any]) -> dict[str, Any] | None:
    """None: a method that this server does not know."""
    if method == "initialize":
        return {"protocolVersion": given["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "echo", "version": "1"}}  # fmt: skip
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call" and given["name"] == "echo":
        return {"content": [{"type": "text", "text": given["arguments"]["text"]}], "isError": False}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": "it is broken"}], "isError": True}
    return {} if method == "ping" else None


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    result = answer(message["method"], message.get("params") or {})
    reply: dict[str, Any] = {"jsonrpc": "2.0", "id": message["id"]}
    reply |= {"error": {"code": -32601, "message": "unknown method"}} if result is None else {"result": result}
    print(json.dumps(reply), flush=True)
