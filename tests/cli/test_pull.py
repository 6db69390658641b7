"""`edge pull`, `ls`, `rm`, `plan` and `run` with models of a hub: a server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.conftest import RunEdge, environment
from tests.conftest import WriteModel
from tests.hub.hub_server import Behaviour, Hub, serving


@pytest.fixture(scope="module")
def tiny(tiny_model: Path) -> bytes:
    return tiny_model.read_bytes()


@pytest.fixture
def hub(tiny: bytes) -> Generator[Hub]:
    with serving(Hub({"tiny-Q8_0.gguf": tiny})) as served:
        yield served


def variables(hub: Hub, folder: Path, **more: str) -> dict[str, str]:
    return {"EDGE_HUB": hub.url, "EDGE_MODELS_DIR": str(folder), "EDGE_CACHE_DIR": str(folder / "cache"), **more}


def test_from_the_verdict_to_an_answer_and_away(run_edge: RunEdge, hub: Hub, tiny: bytes, tmp_path: Path) -> None:
    env = variables(hub, tmp_path)
    planned = run_edge("plan", "me/tiny", env=env)
    assert planned.returncode == 0, planned.stderr
    assert "me/tiny:Q8_0 is not on this machine: its header is read from 127.0.0.1" in planned.stderr
    assert planned.stdout.startswith("me/tiny:Q8_0\n") and "fits: " in planned.stdout
    shown = run_edge("show", "me/tiny", env=env)
    assert shown.returncode == 0 and "its header is read from 127.0.0.1" in shown.stderr
    assert shown.stdout.startswith("file          me/tiny:Q8_0\n") and "gpt2, pre gpt-2, 259 tokens" in shown.stdout
    described = json.loads(run_edge("show", "me/tiny:Q8_0", "--json", env=env).stdout)
    assert described["path"] == "me/tiny:Q8_0" and described["file_bytes"] == len(tiny)
    refused = run_edge("run", "me/tiny", "hello", env=env)
    assert refused.returncode == 2 and "`edge pull me/tiny` gets it" in refused.stderr

    pulled = run_edge("pull", "me/tiny", env=env)
    assert pulled.returncode == 0, pulled.stderr
    target = tmp_path / "hub" / "me" / "tiny" / "tiny-Q8_0.gguf"
    lines = pulled.stdout.splitlines()
    assert lines[0].startswith("me/tiny:Q8_0 · ")
    assert lines[1].startswith("needs ") and "fits: " in lines[1]
    assert lines[-2:] == [f"{target} (sha256 is as announced)", "edge run me/tiny:Q8_0"]
    assert target.read_bytes() == tiny

    again = json.loads(run_edge("pull", "me/tiny:Q8_0", "--json", env=env).stdout)
    assert (again["path"], again["downloaded_bytes"]) == (str(target), 0)
    assert again["sha256"] == [hashlib.sha256(tiny).hexdigest()]
    listed = json.loads(run_edge("ls", "--json", env=env).stdout)
    assert [(model["name"], model["tool"]) for model in listed["models"]] == [
        ("assistant", "bundled"),
        ("me/tiny:Q8_0", "edge"),
    ]
    asked = len(hub.asked)
    answered = run_edge("run", "me/tiny", "hello", "--max-tokens", "3", env=env)
    assert answered.returncode == 0, answered.stderr
    assert json.loads(run_edge("show", "tiny-Q8_0", "--json", env=env).stdout)["path"] == str(target)
    assert len(hub.asked) == asked  # what is here is not asked for

    removed = run_edge("rm", "me/tiny:Q8_0", env=env)
    assert removed.returncode == 0 and str(target) in removed.stdout
    assert not (tmp_path / "hub" / "me").exists()
    gone = run_edge("rm", "me/tiny:Q8_0", env=env)
    assert gone.returncode == 2 and "no pulled model" in gone.stderr


def test_what_does_not_fit_is_not_downloaded(run_edge: RunEdge, hub: Hub, tmp_path: Path) -> None:
    env = variables(hub, tmp_path)
    refused = run_edge("pull", "me/tiny", "--memory", "9MiB", env=env)
    assert refused.returncode == 3
    assert "does not fit: memory allows 9.0 MiB" in refused.stderr and "--force" in refused.stderr
    assert os.listdir(tmp_path) == []
    assert run_edge("plan", "me/tiny", "--memory", "9MiB", env=env).returncode == 3
    assert run_edge("pull", "me/tiny", "--memory", "9MiB", "--force", env=env).returncode == 0


def test_what_edge_cannot_run_is_not_downloaded(run_edge: RunEdge, write_model: WriteModel, tmp_path: Path) -> None:
    foreign = write_model(tmp_path / "foreign.gguf", architecture="mamba").read_bytes()
    with serving(Hub({"m.gguf": foreign})) as hub:
        env = variables(hub, tmp_path / "models")
        refused = run_edge("pull", "me/tiny", env=env)
        assert refused.returncode == 4 and "me/tiny:m.gguf: " in refused.stderr and "mamba" in refused.stderr
        assert not (tmp_path / "models").exists()
        assert run_edge("pull", "me/tiny", "--force", env=env).returncode == 0


def test_a_model_in_parts(run_edge: RunEdge, split_model: dict[str, bytes], tmp_path: Path) -> None:
    with serving(Hub(split_model)) as hub:
        env = variables(hub, tmp_path)
        report = json.loads(run_edge("pull", "me/tiny", "--json", env=env).stdout)
        assert report["downloaded_bytes"] == report["bytes"] == sum(len(content) for content in split_model.values())
        # A part that is gone is fetched again, alone.
        Path(report["files"][1]).unlink()
        before = hub.sent_bytes
        again = json.loads(run_edge("pull", "me/tiny", "--json", env=env).stdout)
        assert again["downloaded_bytes"] == len(split_model["tiny-Q8_0-00002-of-00002.gguf"])
        assert hub.sent_bytes - before <= again["downloaded_bytes"] + 2**20
        assert run_edge("run", "me/tiny", "hello", "--max-tokens", "2", env=env).returncode == 0
        removed = run_edge("rm", "me/tiny", env=env).stdout
        assert all(file in removed for file in report["files"])


def test_a_url_of_its_own(run_edge: RunEdge, hub: Hub, tiny: bytes, tmp_path: Path) -> None:
    hub.behaviour.no_sum = True
    with serving(Hub({})) as other:
        env = variables(other, tmp_path, HF_TOKEN="hf_secret")
        url = f"{hub.url}/files/tiny-Q8_0.gguf"
        done = run_edge("pull", url, env=env)
        assert done.returncode == 0, done.stderr
        assert "no sha256 was announced: not checked" in done.stdout
        assert other.asked == [] and {asked.authorization for asked in hub.asked} == {None}
        assert run_edge("run", "tiny-Q8_0", "hello", "--max-tokens", "2", env=env).returncode == 0
        hub.behaviour.no_sum = False
        wrong = run_edge("pull", url, "--sha256", "0" * 64, env=env | {"EDGE_MODELS_DIR": str(tmp_path / "b")})
        assert wrong.returncode == 1 and "announced was 000000" in wrong.stderr
        right = hashlib.sha256(tiny).hexdigest()
        done = run_edge("pull", url, "--sha256", right, env=env | {"EDGE_MODELS_DIR": str(tmp_path / "b")})
        assert "sha256 is as announced" in done.stdout


def test_a_private_model(run_edge: RunEdge, hub: Hub, tmp_path: Path) -> None:
    hub.behaviour.needs_token = "hf_secret"
    env = variables(hub, tmp_path)
    refused = run_edge("pull", "me/tiny", env=env)
    assert refused.returncode == 1 and "set HF_TOKEN" in refused.stderr
    done = run_edge("pull", "me/tiny", env=env | {"HF_TOKEN": "hf_secret"})
    assert done.returncode == 0, done.stderr
    assert "hf_secret" not in done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.rglob("*.pull"))


def test_names_that_cannot_be_meant(run_edge: RunEdge, hub: Hub, tmp_path: Path) -> None:
    env = variables(hub, tmp_path)
    for name, message in (
        ("tiny", "neither OWNER/REPO"),
        ("../x", "neither OWNER/REPO"),
        ("https://u:p@example.com/x.gguf", "HF_TOKEN"),
        ("me/tiny:Q3_K", "has no Q3_K; it has Q8_0"),
    ):
        done = run_edge("pull", name, env=env)
        assert done.returncode == 2 and message in done.stderr
    assert run_edge("pull", "me/none", env=env).returncode == 1


def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on(
    run_edge: RunEdge, model_bytes: bytes, tmp_path: Path
) -> None:
    how = Behaviour(stop_at=2**20 + 300_000)
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        env = variables(hub, tmp_path)
        command = [sys.executable, "-m", "edge", "pull", "me/tiny"]
        process = subprocess.Popen(command, env=environment(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert how.reached.wait(60)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"the same command goes on" in stderr
        part = tmp_path / "hub" / "me" / "tiny" / "m.gguf.part"
        kept = part.stat().st_size
        assert 2**20 <= kept <= 2**20 + 300_032 and not part.with_suffix("").exists()
        listed = json.loads(run_edge("ls", "--json", env=env).stdout)
        assert [(one["name"], one["bytes"]) for one in listed["unfinished"]] == [("me/tiny:m.gguf", kept)]
        how.released.set()
        before = hub.sent_bytes
        assert run_edge("pull", "me/tiny", env=env).returncode == 0
        assert part.with_suffix("").read_bytes() == model_bytes
        # What the first answer, released now, still writes into the void is little.
        assert hub.sent_bytes - before <= 2**20 + len(model_bytes) - kept + 2**16


def test_no_room_on_the_disk(
    run_edge: RunEdge, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    from edge.cli import main

    def full(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=1000)

    monkeypatch.setattr(shutil, "disk_usage", full)
    for name, value in variables(hub, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert main(["pull", "me/tiny"]) == 3
    assert "has 1000 free; EDGE_MODELS_DIR names another folder" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_models_of_other_tools_are_used_and_not_removed(run_edge: RunEdge, tiny: bytes, tmp_path: Path) -> None:
    snapshot = tmp_path / "hub" / "models--me--tiny" / "snapshots" / "aaa"
    snapshot.mkdir(parents=True)
    (snapshot / "tiny-Q8_0.gguf").write_bytes(tiny)
    env = {"EDGE_OTHER_MODELS": "on", "HF_HUB_CACHE": str(tmp_path / "hub"), "HOME": str(tmp_path)}
    assert "me/tiny:Q8_0  " in run_edge("ls", env=env).stdout
    assert run_edge("run", "me/tiny", "hello", "--max-tokens", "2", env=env).returncode == 0
    refused = run_edge("rm", "me/tiny", env=env)
    assert refused.returncode == 2 and "belongs to Hugging Face" in refused.stderr
    assert os.listdir(snapshot) == ["tiny-Q8_0.gguf"]
