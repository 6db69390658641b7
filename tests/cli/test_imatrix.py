"""`edge imatrix`: a file that the library reads back, and refusals before any work."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

from edge.calibration import collect, read_imatrix, shipped_text
from tests.cli.conftest import RunEdge


def test_the_shipped_text(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    output = tmp_path / "tiny.imatrix.gguf"
    result = run_edge("imatrix", str(tiny_model), "-o", str(output), "--tokens", "300", "--window", "100")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{output}: 15 matrices over 300 tokens of calibration.txt\n"
    found = read_imatrix(output)
    assert found.text_hash == hashlib.sha256(shipped_text().encode()).hexdigest()
    wanted = collect(tiny_model, shipped_text(), max_tokens=300, window=100)
    assert list(found.squares) == list(wanted.squares)
    for name, squares in wanted.squares.items():
        np.testing.assert_allclose(found.squares[name], squares, rtol=3e-7)


def test_a_text_of_ones_own_and_json(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    text, output = tmp_path / "mine.txt", tmp_path / "out.gguf"
    text.write_text("Nothing but this.")
    result = run_edge("imatrix", str(tiny_model), "--text", str(text), "-o", str(output), "--json", "--threads", "1")
    assert result.returncode == 0, result.stderr
    facts = json.loads(result.stdout)
    assert (facts["num_matrices"], facts["num_tokens"], facts["text"]) == (15, 17, "mine.txt")
    assert facts["text_sha256"] == hashlib.sha256(text.read_bytes()).hexdigest()


def test_refusals(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    output = str(tmp_path / "x.gguf")
    for arguments, code, message in (
        ((), 2, "Missing option '--output'"),
        (("-o", str(tmp_path / "no" / "x.gguf")), 2, "cannot be written"),
        (("-o", output, "--text", str(tmp_path / "no.txt")), 2, "No such file or directory"),
        (("-o", output, "--text", str(empty)), 2, "the calibration text has no tokens"),
        (("-o", output, "--tokens", "0"), 2, "0 is not at least 1"),
        (("-o", output, "--window", "1"), 2, "window is 1"),
        (("-o", output, "--threads", "0"), 2, "threads is 0"),
    ):
        result = run_edge("imatrix", str(tiny_model), *arguments)
        assert (result.returncode, result.stdout) == (code, ""), arguments
        assert message in result.stderr and "Traceback" not in result.stderr, result.stderr
    assert not Path(output).exists()
    (tmp_path / "bad.gguf").write_bytes(b"GGUF")
    assert run_edge("imatrix", str(tmp_path / "bad.gguf"), "-o", output).returncode == 4
