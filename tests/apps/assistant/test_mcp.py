"""Tools of MCP servers: found, called, always asked about, their words untrusted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import edge
from edge.assistant import Assistant, AssistantError, Call
from edge.assistant.mcp import Servers
from tests.apps.assistant.scripted import ScriptedModel, in_turn

pytest.importorskip("mcp", reason="MCP servers need the extra mcp")

_ECHO = str(Path(__file__).with_name("mcp_echo.py"))


def _file(folder: Path, **about: object) -> Path:
    file = folder / "mcp.json"
    file.write_text(json.dumps({"mcpServers": {"my echo": about}}))
    return file


def test_tools_of_a_server(make: Callable[..., Assistant], tmp_path: Path) -> None:
    asked: list[Call] = []

    def consent(call: Call) -> str:
        asked.append(call)
        return "always"

    with Servers(_file(tmp_path, command=sys.executable, args=[_ECHO])) as servers:
        assert [tool.name for tool in servers.tools] == ["my_echo_echo", "my_echo_fail"]
        assistant = make(ScriptedModel(in_turn()), tools=servers.tools, consent=consent)
        turn = assistant.ask("/my_echo_echo text=hello")
        assert (turn.answer, turn.calls[0].untrusted, turn.calls[0].effect) == ("hello", True, "write")
        assert [call.reason for call in asked] == ["first"]
        turn = assistant.ask("/my_echo_echo text=again", turn.conversation)
        assert [call.reason for call in asked] == ["first", "untrusted"], "after its words everything asks"
        assert assistant.ask("/my_echo_fail").answer == "fail: it is broken"


@pytest.mark.parametrize(
    "about", [{"command": "/no/such/program"}, {"command": sys.executable, "args": ["-c", "pass"]}]
)
def test_a_server_that_does_not_start(tmp_path: Path, about: dict[str, object]) -> None:
    with pytest.raises(AssistantError, match="MCP server my echo"), Servers(_file(tmp_path, **about)):
        pass


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mcpServers": {"x": {}}}'])
def test_a_bad_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mcp.json"
    file.write_text(text)
    with pytest.raises(edge.RequestError, match="it must be JSON like"):
        Servers(file)
    with pytest.raises(edge.RequestError, match="No such file"):
        Servers(tmp_path / "none")
