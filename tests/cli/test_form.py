"""`edge run --schema, --regex, --grammar`: answers of that form, and refusals before anything is loaded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import RunEdge

SCHEMA = {
    "type": "object",
    "properties": {"ok": {"type": "boolean"}, "n": {"type": "integer", "minimum": 0, "maximum": 9}},
    "required": ["ok", "n"],
    "additionalProperties": False,
}


def _check(text: str) -> None:
    value = json.loads(text)
    assert set(value) == {"ok", "n"} and type(value["ok"]) is bool and 0 <= value["n"] <= 9


def test_schema(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    file.write_text(json.dumps(SCHEMA), encoding="utf-8")
    result = run_edge("run", str(tiny_model), "hello", "--schema", str(file))
    assert result.returncode == 0, result.stderr
    _check(result.stdout)
    piped = run_edge("run", str(tiny_model), "hello", "--schema", "-", "--json", input=json.dumps(SCHEMA).encode())
    report = json.loads(piped.stdout)
    assert report["text"] == result.stdout.rstrip("\n")
    assert (report["finish_reason"], report["usage"]["completion_tokens"]) == ("stop", len(report["tokens"]))
    twin = run_edge("run", str(tiny_model), "hello", env={"EDGE_SCHEMA": str(file)})
    assert twin.stdout == result.stdout
    cut = run_edge("run", str(tiny_model), "hello", "--schema", str(file), "--max-tokens", "5")
    assert (cut.returncode, cut.stdout) == (0, result.stdout[:5] + "\n")
    assert "ended by length" in cut.stderr


def test_regex_and_grammar(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    result = run_edge("run", str(tiny_model), "hello", "--regex", "[a-z]{3}[0-9]{2}")
    assert re.fullmatch("[a-z]{3}[0-9]{2}\n", result.stdout)
    for text in ('start: "x" /[0-9]/', 'root ::= "x" [0-9]'):
        file = tmp_path / "g"
        file.write_text(text)
        result = run_edge("run", str(tiny_model), "hello", "--grammar", str(file), "--raw")
        assert re.fullmatch("x[0-9]\n", result.stdout), result.stderr


@pytest.mark.parametrize(
    ("options", "content", "message"),
    [
        (("--schema", "FILE"), '{"type": "array", "uniqueItems": true}', '"uniqueItems" at # is not supported'),
        (("--schema", "FILE"), '{"type": ', "line 1, column 10: not JSON"),
        (("--schema", "FILE"), '{"type": "null", "type": "array"}', "the key 'type' stands twice"),
        (("--schema", "FILE"), "[" * 100000, "nested too deeply"),
        (("--schema", "FILE"), "5", "of type int"),
        (("--schema", "/nowhere/s.json"), "", "--schema /nowhere/s.json: cannot be read"),
        (("--grammar", "FILE"), "start: foo", "unknown name"),
        (("--regex", "(a"), "", "unclosed group"),
        (("--regex", "a", "--schema", "FILE"), "{}", "--schema and --regex cannot hold"),
    ],
)
def test_refusals(run_edge: RunEdge, tmp_path: Path, options: tuple[str, ...], content: str, message: str) -> None:
    """Before the model is loaded: there is none."""
    model, file = tmp_path / "empty.gguf", tmp_path / "form"
    model.write_bytes(b"")
    file.write_text(content)
    result = run_edge("run", str(model), "hello", *(str(file) if option == "FILE" else option for option in options))
    assert result.returncode == 2
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_standard_input_is_one_thing(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("run", str(tiny_model), "-", "--schema", "-", input=b"{}")
    assert result.returncode == 2
    assert "standard input can be the prompt or the schema" in result.stderr
