"""`edge run --tools FILE`: its file, its place in the prompt, its refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import edge
from apps.assistant_model.chat_template import CHAT_TEMPLATE
from edge.cli.text_file import MAX_BYTES
from edge.cli.tools_file import read_tools

RunEdge = Callable[..., CompletedProcess[str]]

TOOLS: list[dict[str, Any]] = [
    {
        "name": "water_plants",
        "description": "water the plants",
        "parameters": {"type": "object", "properties": {"minutes": {"type": "integer", "description": "how long é"}}},
    }
]


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Path:
    """Random weights under the bundled model's template."""
    return write_model(tmp_path_factory.mktemp("tools") / "assistant.gguf", template=CHAT_TEMPLATE, context=2048)


@pytest.fixture
def tools_file(tmp_path: Path) -> Path:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(TOOLS, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_answer_is_that_of_the_library(run_edge: RunEdge, assistant: Path, tools_file: Path) -> None:
    options = ("run", str(assistant), "hello", "--max-tokens", "6", "--json")
    result = run_edge(*options, "--tools", str(tools_file))
    assert result.returncode == 0, result.stderr
    with edge.load(assistant) as model:
        expected = model.chat("hello", tools=TOOLS, max_tokens=6)
    report = json.loads(result.stdout)
    assert report["text"] == expected.text
    assert report["usage"]["prompt_tokens"] == expected.usage.prompt_tokens
    twin = json.loads(run_edge(*options, env={"EDGE_TOOLS": str(tools_file)}).stdout)
    assert (twin["text"], twin["usage"]) == (report["text"], report["usage"])
    default = json.loads(run_edge(*options).stdout)
    assert default["usage"]["prompt_tokens"] > report["usage"]["prompt_tokens"]


def test_an_object_with_the_key_tools(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    path.write_text("\ufeff" + json.dumps({"model": "x", "tools": TOOLS}), encoding="utf-8")  # with a byte order mark
    assert [tool["function"]["name"] for tool in read_tools(str(path))] == ["water_plants"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1, column 1: not JSON"),
        (b'[\n  {"name": "f",}\n]', "line 2, column 1"),
        (b'["\xff"]', "not UTF-8 at byte 2"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "4300 digits"),
        (b"3", "tools is of type int, it must be a list"),
        (b'{"name": "f"}', 'without the key "tools"'),
        (b'[{"name": "f"}, {"name": "a b"}]', "tools[1].name is 'a b', it must be"),
        (b'{"tools": [{"function": {"name": "f"}}, {"function": {"name": "f"}}]}', "tools[1].function.name is 'f'"),
        (b" " * (MAX_BYTES + 1), f"larger than {MAX_BYTES} bytes"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_the_place(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(edge.RequestError) as caught:
        read_tools(str(path))
    assert str(caught.value).startswith(f"--tools {path}: ") and words in str(caught.value)


def test_exit_codes(
    run_edge: RunEdge, tmp_path: Path, tools_file: Path, tiny_model: Path, bare_model: Path, assistant: Path
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('[{"name": "a b"}]')
    given = ("--tools", str(tools_file))
    for arguments, words in (
        (("x.gguf", "hi", "--tools", str(tmp_path / "none.json")), "no such file"),
        ((str(tiny_model), "hi", "--tools", str(tmp_path / "none.json")), "none.json: cannot be read: No such file"),
        ((str(tiny_model), "hi", "--tools", str(tmp_path)), "cannot be read: Is a directory"),
        ((str(tiny_model), "hi", "--tools", str(bad)), "bad.json: tools[0].name is 'a b'"),
        ((str(assistant), "hi", "--raw", *given), "--tools needs a chat template, and --raw uses none"),
        ((str(bare_model), "hi", *given), "bare.gguf has none"),
        ((str(tiny_model), "hi", *given), "tiny.gguf never mentions tools"),
    ):
        result = run_edge("run", *arguments)
        assert result.returncode == (4 if arguments[0] == "x.gguf" else 2), result.stderr
        assert (result.stdout, result.stderr.count("\n")) == ("", 1)
        assert words in result.stderr


def test_system_messages_are_refused_by_the_template(run_edge: RunEdge, assistant: Path) -> None:
    result = run_edge("run", str(assistant), "hi", "--system", "be brief")
    assert result.returncode == 1
    assert "give it tools instead" in result.stderr


def test_help_says_so(run_edge: RunEdge) -> None:
    text = run_edge("run", "--help").stdout
    assert "--tools FILE" in text
