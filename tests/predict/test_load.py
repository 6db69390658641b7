"""What a loaded model was predicted to do is part of its plan; without a profile nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge
from edge.profiles import Machine, Profile, to_toml
from edge.profiles.records import Evidence, Read


def test_a_load_predicts_by_the_profile_that_it_chose_by(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """178 tiles of 544 bytes (tests/bench/test_step_bytes.py) and 33 positions of KV of 256, at 10 GB/s."""
    reads = (Read(threads=1, gb_s=10.0, evidence=Evidence(measured=True, method="m")),)
    (path := tmp_path / "p.toml").write_text(to_toml(Profile(device=Machine.here().device, reads=reads)))
    monkeypatch.setenv("EDGE_PROFILE", str(path))
    with edge.load(tiny_model, threads=1, context=200) as model:
        found = model.plan.prediction
    assert found is not None and found.decode is not None
    assert (found.source, found.decode_depth, found.deep_depth) == (str(path), 32, 199)
    assert found.decode.at_most
    assert found.decode.tok_s == pytest.approx(1e10 / (178 * 544 + 33 * 256))


def test_without_a_profile_nothing_is_predicted(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_PROFILE", "off")
    with edge.load(tiny_model) as model:
        assert model.plan.prediction is None
        assert model.plan.as_json()["prediction"] is None
