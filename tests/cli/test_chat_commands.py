"""`edge chat` with its commands, in a pipe and on a terminal."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_chat_loop import Terminal

RunEdge = Callable[..., subprocess.CompletedProcess[str]]

_TEMPLATE = (
    "{% if tools %}<tool_call>{{ tools[0].function.name }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{{ m.content }}<|im_end|>{% endfor %}<|im_start|>assistant\n"
    "{% if enable_thinking is not defined or enable_thinking %}<think>{% else %}<think></think>{% endif %}"
)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> str:
    path = tmp_path_factory.mktemp("chat") / "thinker.gguf"
    return str(write_model(path, template=_TEMPLATE, context=2048))


def _chat(run_edge: RunEdge, model: str, lines: str, *options: str, sessions: Path | None = None) -> tuple[str, str]:
    env = None if sessions is None else {"EDGE_SESSIONS_DIR": str(sessions)}
    result = run_edge("chat", model, "--max-tokens", "4", *options, input=lines.encode(), env=env)
    assert result.returncode == 0, result.stderr
    return result.stdout, result.stderr


def _prompt_sizes(said: str) -> list[int]:
    return [int(size) for size in re.findall(r"measured: (\d+) prompt", said)]


def test_save_load_fork_undo(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    model = str(tiny_model)
    _, said = _chat(
        run_edge, model, "hello there, this is a first question\n/save one\nmore\n/undo\n", sessions=tmp_path
    )
    assert "saved: " in said and "taken back: more" in said
    assert [path.name for path in tmp_path.iterdir()] == ["one.edge-session"]
    _, said = _chat(run_edge, model, "/load\n/load one\n/fork two\nmore\n/stats\n", sessions=tmp_path)
    assert "saved conversations: one\n" in said
    restored = re.search(r"session one: goes on after 2 messages; (\d+) of \d+ tokens restored", said)
    cached = re.search(r"measured: \d+ prompt \((\d+) cached\)", said)
    assert restored and cached and int(restored[1]) >= int(cached[1]) >= 64
    held = r"conversation: two · 4 messages · \d+ of 256 tokens at the last answer · \d+ of them in memory"
    assert re.search(held, said)
    assert {path.name for path in tmp_path.iterdir()} == {"one.edge-session", "two.edge-session"}
    _, said = _chat(run_edge, model, "/load one\n/stats\n/load two\n/stats\n", sessions=tmp_path)
    assert "one · 2 messages" in said and "two · 4 messages" in said  # what the fork said is not in the first


def test_what_a_command_refuses_ends_nothing(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    lines = (
        "/undo\n/save\n/save a/b\n/load none\n/fork\n/nonsense\n/result 1\n/think\n/think on\n/tools /none.json\n"
        "/system\n//slash\n/quit\nnever asked\n"
    )
    out, said = _chat(run_edge, str(tiny_model), lines, sessions=tmp_path)
    for message in (
        "there is nothing to take back",
        "/save needs a name",
        "session name 'a/b'",
        "no session 'none'",
        "/fork needs a name",
        "no command /nonsense; /help lists them",
        "the model waits for no result",
        "/think on, or /think off",
        "has no switch for thinking",
        "--tools /none.json: cannot be read",
        "system: none",
    ):
        assert message in said
    assert len(_prompt_sizes(said)) == 1 and out.count("\n") >= 1  # the message //slash
    assert not list(tmp_path.iterdir())


def test_system_counts_from_now_on(run_edge: RunEdge, tiny_model: Path) -> None:
    lines = "hi\n/system be very brief now\nhi\n/system -\nhi\n"
    plain, with_system, without = _prompt_sizes(_chat(run_edge, str(tiny_model), lines)[1])
    assert with_system > 2 * plain and without < with_system + plain
    before = _prompt_sizes(_chat(run_edge, str(tiny_model), "/system be brief\nhi\n")[1])
    given = _prompt_sizes(_chat(run_edge, str(tiny_model), "hi\n", "--system", "be brief")[1])
    assert before == given


def test_several_lines_in_a_pipe(run_edge: RunEdge, tiny_model: Path) -> None:
    sizes = [
        _prompt_sizes(_chat(run_edge, str(tiny_model), lines)[1]) for lines in ("a\\\nb\n", '"""\na\nb\n"""\n', "a-b\n")
    ]
    assert sizes[0] == sizes[1] == sizes[2]


def test_thinking_is_not_in_a_pipe(run_edge: RunEdge, thinker: str) -> None:
    out, said = _chat(run_edge, thinker, "hi\n", "--max-tokens", "9")
    assert out == "\n" and "9 tokens" in said  # random weights never end their thinking
    assert "the answer ended while the model was thinking" in said
    out, _ = _chat(run_edge, thinker, "hi\n", "--max-tokens", "30", "--thinking-budget", "3")
    assert out.strip()
    out, _ = _chat(run_edge, thinker, "/think off\nhi\n", "--max-tokens", "9")
    assert out.strip() and out == _chat(run_edge, thinker, "hi\n", "--max-tokens", "9", "--no-think")[0]


def test_json_has_the_parts_of_an_answer(run_edge: RunEdge, thinker: str) -> None:
    options = ("--json", "--max-tokens", "30", "--thinking-budget", "3")
    answer = json.loads(run_edge("run", thinker, "hi", *options).stdout)
    assert answer["reasoning"] and answer["content"] == answer["text"] and answer["tool_calls"] == []


def test_options_that_the_template_cannot_honour(run_edge: RunEdge, tiny_model: Path) -> None:
    for option, message in (
        (("--no-think",), "--think: the chat template of"),
        (("--thinking-budget", "5"), "--thinking-budget: the chat template of"),
        (("--tool-choice", "required"), "tool_choice is 'required': edge does not know"),
    ):
        result = run_edge("run", str(tiny_model), "hi", *option)
        assert result.returncode == 2 and message in result.stderr, result.stderr


def test_a_call_and_its_result(run_edge: RunEdge, thinker: str, tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text('[{"name": "now"}]')
    lines = f"/tools {tmp_path / 'tools.json'}\nhi\n/tools -\n/tools\nhi\n"
    _, said = _chat(run_edge, thinker, lines, "--no-think")
    assert "tools: now\n" in said and "tools: none\n" in said
    first, second = _prompt_sizes(said)
    assert first > len("<tool_call>now") and second > 0


def test_the_bundled_model_names_its_calls(run_edge: RunEdge) -> None:
    result = run_edge("chat", input=b"set a timer for ten minutes\n")
    assert result.stdout == '-> set_timer(duration="10m")\n'


def test_interrupt_while_markdown_is_drawn(
    edge_environment: dict[str, str], tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    pytest.importorskip("rich")
    model = write_model(tmp_path / "long.gguf", context=200_000)
    environment = edge_environment | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
    with Terminal(environment, "chat", str(model), "--context", "200000", term="xterm-256color") as terminal:
        terminal.wait_for("> ")
        terminal.enter("hello\n")
        terminal.wait_for("\x1b[?25l")  # the cursor is hidden while a block is drawn again and again
        time.sleep(0.3)
        terminal.process.send_signal(signal.SIGINT)
        terminal.wait_for("\x1b[?25h")
        terminal.wait_for("ended by cancelled")
        terminal.wait_for("> ")
        terminal.enter("/stats\n")
        terminal.wait_for("2 messages")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0


def test_lines_are_kept(edge_environment: dict[str, str], tiny_model: Path, tmp_path: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("what readline is differs elsewhere")
    history = tmp_path / "folder" / "history"
    environment = edge_environment | {"EDGE_CHAT_HISTORY": str(history)}
    with Terminal(environment, "chat", str(tiny_model)) as terminal:
        terminal.wait_for("> ")
        terminal.enter("/stats\n")
        terminal.wait_for("0 messages")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0
    assert history.read_text().splitlines()[-1] == "/stats" and history.stat().st_mode & 0o777 == 0o600
    with Terminal(environment, "chat", str(tiny_model)) as terminal:
        terminal.wait_for("> ")
        terminal.enter("\x1b[A\n")  # arrow up
        terminal.wait_for("0 messages")
        terminal.wait_for("> ")
        terminal.enter("\x04")
        assert terminal.exit_code() == 0
