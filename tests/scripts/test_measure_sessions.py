"""The measurement of sessions runs, on a model of nothing, and its figures belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.measure_sessions import TEMPLATE, measure, print_figures
from scripts.random_model import write


def test_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    model = tmp_path / "tiny.gguf"
    write("tiny", "Q4_0", model, template=TEMPLATE)
    figures = measure(model, num_tokens=200, num_new=20, rounds=1, options={"threads": 1})
    assert figures.cached_tokens == 192  # of 201 that the question was: six blocks
    assert figures.prompt_tokens == 201 + 2 + 21  # each with a line break, the answer between them
    num_blocks = figures.cached_tokens // 32
    assert (
        figures.session_bytes >= num_blocks * 2 * 2 * 2 * 32 * 32 * 2
    )  # K and V, layers, heads, dims, positions, bytes
    assert 0 < figures.restore_seconds < figures.session_ttft
    assert min(figures.cold_ttft, figures.prepared_ttft, figures.save_seconds, figures.restore_from_disk_seconds) > 0
    print_figures(figures)
    assert "192 tokens restored of " in capsys.readouterr().out
