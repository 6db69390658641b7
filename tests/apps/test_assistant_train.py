"""Training that goes on from a model file."""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path

import pytest

import edge

torch = pytest.importorskip("torch", reason="training needs the train extra")

from apps.assistant_model import train  # noqa: E402
from apps.assistant_model.export import write_model  # noqa: E402
from apps.assistant_model.start import read_start  # noqa: E402
from edge.formats.gguf import open_gguf  # noqa: E402
from edge.formats.types import GGMLType  # noqa: E402

SHIPPED = Path(str(resources.files("edge") / "assets" / "assistant.gguf"))


def test_a_start_is_the_file_it_was_read_from() -> None:
    start = read_start(SHIPPED)
    with open_gguf(SHIPPED) as file, edge.load(SHIPPED) as model:
        assert start.before["steps"] == file.get_int("edge.training.steps")
        assert {name: tuple(tensor.shape) for name, tensor in start.tensors.items()} == {
            name: info.shape for name, info in file.tensors.items()
        }
        text = '<|user|>wake me at half past six, Zoë<|assistant|>[{"name":"set_alarm","arguments":{"time":"06:30"}}]'
        assert start.tokenizer.encode(text).ids == model.tokenizer.encode(text, parse_special=True)


def test_only_the_classifier_learns_at_first_and_all_rates_end_at_zero() -> None:
    assert train.rates(1, 0.0, is_continued=True) == (0.0, 1.0)
    assert train.rates(train.CLASSIFIER_STEPS + train.WARMUP_STEPS, 0.1, is_continued=True) == (
        train.CONTINUED_HEIGHT,
        1.0,
    )
    assert train.rates(5000, 1.0, is_continued=True) == train.rates(5000, 1.0, is_continued=False) == (0.0, 0.0)


def test_the_clock_ends_a_run() -> None:
    progress = train.Progress(1000, seconds=10.0)
    assert progress.share < 0.1
    progress.started -= 5.0
    assert 0.5 <= progress.share < 0.6
    progress.started -= 6.0
    assert progress.share == 1.0
    assert train.Progress(1000, seen=250).share == 0.25


def test_a_run_that_goes_on_can_be_exported_and_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["train", "--continue", str(SHIPPED), "--out", str(tmp_path), "--conversations", "500"]
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.setattr(train, "PROBED", 4)
    monkeypatch.setattr(train, "CLASSIFIER_STEPS", 1)
    monkeypatch.setattr(train, "LOG_EVERY", 2)
    train.main()
    record = json.loads((tmp_path / "train.json").read_text())
    assert 500 <= record["conversations"] < 700 and record["steps"] > 3
    assert record["before"]["steps"] > 4000
    assert all(loss < 0.5 for _, loss in record["losses"])  # a network that knows nothing has 7.6
    old, new = read_start(SHIPPED), read_start(tmp_path)
    assert any(not torch.equal(old.tensors[name], new.tensors[name]) for name in old.tensors)
    file = tmp_path / "new.gguf"
    write_model(tmp_path, file, GGMLType.Q8_0, {})
    with edge.load(file) as model, open_gguf(file) as opened:
        assert model.chat("set a timer for ten minutes").text == (
            '[{"name":"set_timer","arguments":{"duration":"10m"}}]'
        )
        assert opened.get_int("edge.training.steps") == record["before"]["steps"] + record["steps"]
        assert "assistant app" in opened.get_str("general.description")
