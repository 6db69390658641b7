"""The table of predicted and measured speeds: what counts as good, and one whole run on a tiny model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edge.predict import Estimate, Prediction, Question, predict_speed
from edge.profiles import Machine, Profile, to_toml
from edge.profiles.records import Evidence, Read
from scripts import check_prediction
from scripts.check_prediction import Row, Work, line, run_file

PROOF = Evidence(measured=True, method="m")


def row(phase: str, predicted: float | None, measured: float) -> Row:
    return Row("m-Q4_0", 2, phase, predicted, measured, "" if predicted else "kernels are missing")


def test_what_is_good() -> None:
    assert row("decode", 115.0, 100.0).is_good(0.15)
    assert row("decode", 86.0, 100.0).is_good(0.15)
    assert not row("decode", 116.0, 100.0).is_good(0.15)
    assert not row("deep decode", 84.0, 100.0).is_good(0.15)
    assert not row("decode", None, 100.0).is_good(0.15)  # a limit is no prediction
    assert row("prefill", 300.0, 100.0).is_good(0.15)  # printed, not judged


def test_a_line() -> None:
    assert line(row("decode", 50.0, 100.0), 0.15).split() == [
        "m-Q4_0", "2", "decode", "50", "100", "0.50", "off", "by", "more", "than", "15%",
    ]  # fmt: skip
    assert line(row("decode", None, 100.0), 0.15).endswith("none      100         kernels are missing")


@pytest.fixture
def reads_only(tmp_path: Path) -> Path:
    machine = Machine.here()
    profile = Profile(device=machine.device, reads=(Read(threads=1, gb_s=10.0, evidence=PROOF),))
    (path := tmp_path / "p.toml").write_text(to_toml(profile))
    return path


def test_a_run(tiny_model: Path, reads_only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a profile with reads alone nothing but limits follows: the run fails and says why."""
    monkeypatch.setenv("EDGE_PROFILE", "off")
    arguments = [str(tiny_model), "--threads", "1", "--profile", str(reads_only), "--folder", str(tmp_path)]
    arguments += ["--prompt", "16", "--decode", "4", "--deep", "8", "--rounds", "1", "--output", str(tmp_path / "o")]
    monkeypatch.setattr("sys.argv", ["check_prediction", *arguments])
    assert check_prediction.main() == 1
    assert '"phase": "deep decode"' in (tmp_path / "o").read_text()


def test_what_is_predicted_is_what_is_measured(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same context in front: a deep answer of 4 tokens behind 8 positions has 10 in front in the mean."""
    asked: list[tuple[int, int | None, str | None]] = []

    def predict(profile: Profile, source: str, question: Question) -> Prediction:
        asked.append((question.context - 1, question.prompt, question.residency))
        return predict_speed(profile, source, question)

    monkeypatch.setenv("EDGE_PROFILE", "off")
    monkeypatch.setattr(check_prediction, "predict_speed", predict)
    profile = Profile(device=Machine.here().device)
    rows = list(run_file(tiny_model, 1, Work(prompt=16, decode=4, deep=8, rounds=1)).rows([profile]))
    assert [row.phase for row in rows] == ["decode", "deep decode", "prefill"]
    assert all(row.predicted is None and row.measured > 0 and "reads of memory" in row.reason for row in rows)
    assert asked == [(10, 16, None)]
    rows = list(run_file(tiny_model, 1, Work(prompt=16, decode=4, deep=0, rounds=1)).rows([profile]))
    assert [row.phase for row in rows] == ["decode", "prefill"]


def test_of_two_profiles_the_mean_is_predicted(monkeypatch: pytest.MonkeyPatch, tiny_model: Path) -> None:
    """Of which one may lack a figure: then it is none."""
    found = run_file(tiny_model, 1, Work(prompt=16, decode=4, deep=0, rounds=1))
    speeds = {"slow": 40.0, "fast": 60.0}

    def predict(profile: Profile, source: str, question: Question) -> Prediction:
        speed = speeds.get(profile.device.name)
        if speed is None:
            return Prediction(source, None, 0, None, 0, None, (), ("nothing is known",))
        return Prediction(source, Estimate(speed, False, 1, 0.0, 0.0, 0.0), 0, None, 0, None, (), ())

    monkeypatch.setattr(check_prediction, "predict_speed", predict)
    device = Machine.here().device
    slow, fast, none = (Profile(device=dataclasses.replace(device, name=name)) for name in ("slow", "fast", "none"))
    assert next(found.rows([slow, fast])).predicted == 50.0
    row = next(found.rows([slow, none]))
    assert row.predicted is None and row.reason == "nothing is known"
