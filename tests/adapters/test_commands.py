"""`--adapter` of the commands, and adapters as models of the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.cli.adapters import adapter_words, only_adapter, read_adapters
from edge.errors import RequestError
from tests.adapters.conftest import Files
from tests.cli.conftest import environment
from tests.serve.process import Server, serving

CHOICE = ["--max-tokens", "8", "--temperature", "1", "--seed", "3"]
OPTIONS: dict[str, Any] = {"max_tokens": 8, "temperature": 1.0, "seed": 3}


def run_edge(*arguments: str, code: int = 0, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, env=environment(env)
    )
    assert result.returncode == code, result.stderr
    return result


def test_names_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("odd=name.gguf").touch()
    assert read_adapters([]) == {}
    assert read_adapters(["a=x.gguf", "dir/b.gguf", "odd=name.gguf"]) == {
        "a": "x.gguf",
        "b": "dir/b.gguf",
        "odd-name": "odd=name.gguf",
    }
    assert read_adapters(["my adapter (1).gguf"]) == {"my-adapter-1-": "my adapter (1).gguf"}
    assert adapter_words(["a=x.gguf", "/b.gguf"]) == [f"a={tmp_path}/x.gguf", "b=/b.gguf"]
    with pytest.raises(RequestError, match="both named 'a'"):
        read_adapters(["a=x.gguf", "y/a.gguf"])
    assert only_adapter({}) is None
    assert only_adapter({"a": "x"}) == "a"
    with pytest.raises(RequestError, match="one adapter, not 2"):
        only_adapter({"a": "x", "b": "y"})


def test_run(files: Files, tmp_path: Path) -> None:
    model, terse = str(files.model), str(files.adapters["terse"])
    with edge.load(model, adapters={"terse": terse}) as loaded:
        wanted = loaded.chat("hello", adapter="terse", **OPTIONS).text
        assert wanted != loaded.chat("hello", **OPTIONS).text
    assert run_edge("run", model, "hello", "--adapter", terse, *CHOICE).stdout == wanted + "\n"
    assert run_edge("run", model, "hello", *CHOICE, env={"EDGE_ADAPTER": f"x={terse}"}).stdout == wanted + "\n"
    two = run_edge("run", model, "hello", "--adapter", terse, "--adapter", f"b={terse}", code=2)
    assert "one adapter, not 2" in two.stderr
    missing = run_edge("run", model, "hello", "--adapter", "nowhere.gguf", code=4)
    assert "nowhere.gguf" in missing.stderr
    as_model = run_edge("run", terse, "hello", code=4)
    assert "a LoRA adapter; give the model that it belongs to" in as_model.stderr


def test_a_session_with_an_adapter(files: Files, tmp_path: Path) -> None:
    model, terse = str(files.model), str(files.adapters["terse"])
    saved = {"EDGE_SESSIONS_DIR": str(tmp_path)}
    first = ["a message that fills a block", "--session", "s", "--adapter", terse]
    run_edge("run", model, *first, *CHOICE, env=saved)
    again = run_edge("run", model, "more", "--session", "s", "--adapter", terse, *CHOICE, env=saved)
    assert "tokens restored" in again.stderr and " 0 of" not in again.stderr
    other = run_edge("run", model, "more", "--session", "s", code=4, env=saved)
    assert "adapter is" in other.stderr


def test_plan(files: Files) -> None:
    arguments = [word for name, path in files.adapters.items() for word in ("--adapter", f"{name}={path}")]
    plan = json.loads(run_edge("plan", str(files.model), "--json", *arguments).stdout)["plan"]
    with edge.load(files.model, adapters=files.adapters) as model:
        assert plan["adapters_bytes"] == model.plan.adapters_bytes > 0
    assert "adapters" in run_edge("plan", str(files.model), *arguments).stdout
    assert "adapters" not in run_edge("plan", str(files.model)).stdout


def test_the_service_unit_has_absolute_paths(files: Files) -> None:
    relative = os.path.relpath(files.adapters["terse"])
    unit = run_edge("serve", str(files.model), "--adapter", f"t={relative}", "--print-service").stdout
    assert f"t={Path(relative).absolute()}" in unit


def test_a_name_twice_in_a_server(files: Files) -> None:
    result = run_edge("serve", str(files.model), "--adapter", f"tiny={files.adapters['terse']}", "--port", "0", code=2)
    assert "both named 'tiny'" in result.stderr


@pytest.fixture(scope="module")
def server(files: Files) -> Generator[Server]:
    arguments = [word for name in ("terse", "judge") for word in ("--adapter", f"{name}={files.adapters[name]}")]
    with serving(str(files.model), "--name", "base", *arguments) as running:
        yield running


def ask(server: Server, model: str | None, **fields: Any) -> tuple[int, Any]:
    name = {} if model is None else {"model": model}
    return server.call("/v1/completions", {"prompt": "hello", **OPTIONS, **name, **fields})


def test_models_of_the_server(server: Server) -> None:
    status, listed = server.call("/v1/models")
    assert status == 200
    assert [(model["id"], model.get("parent")) for model in listed["data"]] == [
        ("base", None),
        ("terse", "base"),
        ("judge", "base"),
    ]
    assert server.call("/v1/models/terse")[1]["parent"] == "base"
    status, error = server.call("/v1/models/kind")
    assert status == 404 and "'base' and 'terse' and 'judge'" in error["error"]["message"]


def test_the_model_field_chooses(files: Files, server: Server) -> None:
    with edge.load(files.model, adapters=files.adapters) as model:
        base, terse = (model.generate("hello", adapter=name, **OPTIONS).text for name in (None, "terse"))
        chat = model.chat([{"role": "user", "content": "hello"}], adapter="terse", **OPTIONS).text
    for name, text, shown in ((None, base, "base"), ("base", base, "base"), ("terse", terse, "terse")):
        status, answer = ask(server, name)
        assert status == 200
        assert (answer["choices"][0]["text"], answer["model"]) == (text, shown)
    message = {"role": "user", "content": "hello"}
    status, answer = server.call("/v1/chat/completions", {"model": "terse", "messages": [message], **OPTIONS})
    assert (status, answer["choices"][0]["message"]["content"]) == (200, chat)


def test_what_a_server_refuses(server: Server) -> None:
    status, error = ask(server, "kind")
    assert (status, error["error"]["code"]) == (404, "model_not_found")
    status, error = ask(server, "judge")
    assert status == 400 and "does not hold" in error["error"]["message"]
    assert server.call("/tokenize", {"model": "terse", "prompt": "x"})[0] == 200
