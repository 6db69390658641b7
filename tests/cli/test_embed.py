"""`edge embed` as users run it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np

import edge
from tests.cli.conftest import RunEdge
from tests.embeddings import models


def test_a_line_for_each_text(run_edge: RunEdge, tmp_path: Path) -> None:
    path = models.bert(tmp_path)
    with edge.load(path) as model:
        wanted = model.embed(["ab c", "d", "ef"])
        raw = model.embed(["ab c"], pooling="cls", normalize=False)
    done = run_edge("embed", str(path), "ab c", "d", "ef")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["index"], line["num_tokens"]) for line in lines] == [(0, 5), (1, 3), (2, 4)]
    np.testing.assert_array_equal(np.array([line["embedding"] for line in lines], np.float32), wanted)
    done = run_edge("embed", str(path), "-", "--base64", input=b"ab c\nd\nef\n")
    rows = [base64.b64decode(json.loads(line)["embedding"]) for line in done.stdout.splitlines()]
    np.testing.assert_array_equal(np.array([np.frombuffer(row, "<f4") for row in rows]), wanted)
    done = run_edge("embed", str(path), "ab c", "--pooling", "cls", "--no-normalize")
    np.testing.assert_array_equal(np.array(json.loads(done.stdout)["embedding"], np.float32), raw[0])


def test_what_is_wrong_is_said(run_edge: RunEdge, tmp_path: Path) -> None:
    path = str(models.bert(tmp_path))
    for arguments, data, code, words in (
        ((path,), b"", 2, "no text: give some"),
        ((path, "-"), b"\xff", 2, "standard input is not UTF-8 at byte 0"),
        ((path, "a", "a " * 200), b"", 3, "text 1 of 202 tokens exceeds the available context size of 96"),
        ((str(tmp_path / "none.gguf"), "a"), b"", 4, "none.gguf"),
    ):
        done = run_edge("embed", *arguments, input=data)
        assert done.returncode == code and words in done.stderr and not done.stdout, (arguments, done.stderr)
    for command in (("run", path, "hello"), ("chat", path)):
        done = run_edge(*command)
        assert done.returncode == 2 and "is an embedding model: it writes no text" in done.stderr
