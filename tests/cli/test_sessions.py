"""Sessions and prepared prompts as the user of the command meets them."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from tests.cli.test_chat_loop import Terminal

RunEdge = Callable[..., CompletedProcess[str]]
SYSTEM = "You answer in a few words, and never say more than is needed to answer what was asked."


class Command:
    """`edge ARGS` with a folder for sessions of its own."""

    def __init__(self, run_edge: RunEdge, folder: Path) -> None:
        self.folder = folder
        self.env = {"EDGE_SESSIONS_DIR": str(folder), "EDGE_MAX_TOKENS": "8"}
        self._run = run_edge

    def __call__(self, *args: str, code: int = 0, input: bytes = b"") -> CompletedProcess[str]:
        result = self._run(*args, env=self.env, input=input)
        assert result.returncode == code, result.stderr
        return result

    def json(self, *args: str) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self(*args, "--json").stdout)
        return report


@pytest.fixture
def command(run_edge: RunEdge, tmp_path: Path) -> Command:
    return Command(run_edge, tmp_path / "saved")


def test_a_conversation_goes_on(command: Command, tiny_model: Path) -> None:
    model = str(tiny_model)
    first = command("chat", model, "--session", "notes", "--system", "be brief", input=b"hello\nand you?\n")
    assert f"session notes: new, kept in {command.folder / 'notes.edge-session'}" in first.stderr
    assert first.stderr.count("measured: ") == 2 and "> " not in first.stdout
    second = command("chat", model, "--session", "notes", "--system", "be brief", input=b"good night\n")
    assert "session notes: goes on after 5 messages; " in second.stderr and " tokens restored in " in second.stderr
    report = command.json("run", model, "once more", "--session", "notes")
    assert report["session"]["name"] == "notes" and report["session"]["messages"] == 9
    assert report["usage"]["cached_tokens"] > 0 and report["session"]["restored_tokens"] > 0
    shown = command.json("sessions", "show", "notes")
    roles = [message["role"] for message in shown["conversation"]]
    assert roles == ["system", *("user", "assistant") * 4]
    assert shown["conversation"][-1]["content"] == report["text"]
    text = command("sessions", "show", "notes").stdout
    assert "user: good night" in text and "kv type         f16" in text
    refused = command("chat", model, "--session", "notes", "--system", "talk much", code=2)
    assert "--system: session notes begins otherwise" in refused.stderr


def test_other_settings_are_refused_before_they_are_recomputed(command: Command, tiny_model: Path) -> None:
    model = str(tiny_model)
    command("run", model, "hello", "--session", "a")
    before = (command.folder / "a.edge-session").read_bytes()
    refused = command("run", model, "more", "--session", "a", "--kv-type", "q8", code=4)
    for part in ("a.edge-session: ", "kv_type is f16 in the file, q8 of the model", "--recompute"):
        assert part in refused.stderr
    assert (command.folder / "a.edge-session").read_bytes() == before
    taken = command("run", model, "more", "--session", "a", "--kv-type", "q8", "--recompute")
    assert "goes on after 2 messages; the session's K and V are computed again" in taken.stderr
    command("run", model, "more", "--session", "a", "--kv-type", "q8")


def test_wrong_usage(command: Command, tiny_model: Path, bare_model: Path) -> None:
    model = str(tiny_model)
    for name in ("../a", "a/b", "", "@a"):
        assert "session name" in command("run", model, "hello", "--session", name, code=2).stderr
    assert "--recompute belongs to" in command("chat", model, "--recompute", code=2).stderr
    assert "--raw uses none" in command("run", model, "hello", "--raw", "--session", "a", code=2).stderr
    assert "needs a chat template" in command("chat", str(bare_model), "--session", "a", code=2).stderr
    assert "no session 'a'" in command("sessions", "rm", "a", code=2).stderr
    assert "--prompt-file FILE, or --system TEXT" in command("cache", model, code=2).stderr
    assert (
        "--prompt-file /nowhere: cannot be read" in command("cache", model, "--prompt-file", "/nowhere", code=2).stderr
    )
    assert "it takes 32 or more" in command("cache", model, "--system", "hi", "--raw", code=2).stderr
    assert not command.folder.exists()


def test_list_verify_and_remove(command: Command, tiny_model: Path) -> None:
    assert "nothing is saved" in command("sessions").stdout
    assert command.json("sessions") == {"sessions": []}
    command("run", str(tiny_model), "hello, this is a question of more than one block", "--session", "good")
    command("run", str(tiny_model), "hello, this is a question of more than one block", "--session", "spoilt")
    cached = command.json("cache", str(tiny_model), "--system", SYSTEM)
    listed = command("sessions").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["NAME", "good", "spoilt", cached["name"]]
    assert " tiny " in listed and " KiB " in listed
    spoilt = command.folder / "spoilt.edge-session"
    content = bytearray(spoilt.read_bytes())
    content[-100] ^= 1
    spoilt.write_bytes(content)
    checked = command("sessions", "verify", code=4)
    assert "good: sound" in checked.stdout and "CRC-32" in checked.stdout
    command("sessions", "verify", "good", cached["name"])
    spoilt.write_bytes(content[:-1])
    assert "spoilt: " in command("sessions").stdout and "is no footer" in command("sessions").stdout
    rows = command.json("sessions")["sessions"]
    assert [row["problem"] is None for row in rows] == [True, False, True]
    assert rows[0]["bytes"] == (command.folder / "good.edge-session").stat().st_size
    assert f"removed {spoilt}" in command("sessions", "rm", "spoilt", cached["name"]).stdout
    assert [row["name"] for row in command.json("sessions")["sessions"]] == ["good"]


def test_a_prepared_prompt_is_used_and_counted(command: Command, tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "system.txt").write_text(SYSTEM + "\n")
    said = command("cache", str(tiny_model), "--prompt-file", str(tmp_path / "system.txt")).stdout
    assert said.startswith("prepared: 96 of 102 tokens, ") and " as @" in said
    report = command.json("run", str(tiny_model), "why?", "--system", SYSTEM)
    assert report["usage"]["prepared_tokens"] == report["usage"]["cached_tokens"] == 96
    line = command("run", str(tiny_model), "how?", "--system", SYSTEM).stderr
    assert "(96 cached, 96 of them prepared)" in line
    (path,) = command.folder.glob("prepared/*/*")
    path.write_bytes(path.read_bytes()[:-1])
    broken = command("run", str(tiny_model), "how?", "--system", SYSTEM).stderr
    assert "(0 cached)" in broken and "computed without what was prepared" in broken


@pytest.mark.parametrize("ending", ["\x04", signal.SIGTERM, signal.SIGHUP], ids=["ctrl-d", "term", "hangup"])
def test_however_a_chat_is_left_it_is_saved(
    command: Command, edge_environment: dict[str, str], tiny_model: Path, ending: str | signal.Signals
) -> None:
    with Terminal(edge_environment | command.env, "chat", str(tiny_model), "--session", "a") as terminal:
        terminal.wait_for("session a: new")
        terminal.wait_for("> ")
        terminal.enter("hello\n")
        terminal.wait_for("measured: ")
        terminal.wait_for("> ")
        if isinstance(ending, str):
            terminal.enter(ending)
            assert terminal.exit_code() == 0
        else:
            terminal.process.send_signal(ending)
            assert terminal.exit_code() == 128 + ending
    assert len(command.json("sessions", "show", "a")["conversation"]) == 2
