"""The table and the plot of results that are given."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from scripts.speed_plot import plot
from scripts.speed_report import BEGIN, END, replace_between, table

ROOT = Path(__file__).resolve().parents[2]


def side(factor: float) -> dict[str, float]:
    return {
        "prefill_tok_s": 80.0 * factor, "decode_tok_s": 20.0 * factor, "deep_decode_tok_s": 10.0 * factor,
        "step_4_cost": 1.25, "step_8_cost": 1.7, "decode_spread": 0.02,
    }  # fmt: skip


def row(file: str, threads: int) -> dict[str, Any]:
    keys = ("prefill_tok_s", "decode_tok_s", "deep_decode_tok_s")
    return {
        "file": file, "file_bytes": 637_000_000, "threads": threads, "isa": "avx2", "read_bytes_s": 27e9,
        "limit_tok_s": 44.0, "share": {"decode": 0.909, "deep_decode": 0.8}, "ratio": dict.fromkeys(keys, 2.0),
        "edge": side(2), "llama.cpp": side(1),
    }  # fmt: skip


def results(deep: int = 4096) -> dict[str, Any]:
    return {
        "edge": "0.1.0", "cpu": "a <CPU>", "cores": 2, "machine": "x86_64", "rounds": 5, "prompt": 512, "decode": 32,
        "deep": deep, "llama.cpp": {"version": "llama-cpp-python 0.3.36", "system": ""},
        "rows": [row("m-Q4_0.gguf", 1), row("m-Q4_0.gguf", 2), row("n-Q8_0.gguf", 2)],
    }  # fmt: skip


def test_the_table_says_how_and_has_every_row() -> None:
    text = table(results())
    assert text.startswith("Measured, ") and "5 rounds; a <CPU> (2 cores), avx2" in text
    lines = text.splitlines()[2:]
    assert lines == [
        "| file | threads | prefill of 512 | decode behind it | of the bandwidth | decode at 4096 "
        "| steps of 4 and 8 tokens |",
        "|---|---|---|---|---|---|---|",
        "| m-Q4_0 | 1 | 160 / 80.0 = 2.00x | 40.0 / 20.0 = 2.00x | 91 % | 20.0 / 10.0 = 2.00x | 1.25, 1.70 |",
        "| m-Q4_0 | 2 | 160 / 80.0 = 2.00x | 40.0 / 20.0 = 2.00x | 91 % | 20.0 / 10.0 = 2.00x | 1.25, 1.70 |",
        "| n-Q8_0 | 2 | 160 / 80.0 = 2.00x | 40.0 / 20.0 = 2.00x | 91 % | 20.0 / 10.0 = 2.00x | 1.25, 1.70 |",
    ]


def test_a_busy_machine_is_said() -> None:
    busy = results()
    busy["rows"][1]["llama.cpp"]["decode_spread"] = 0.5
    assert table(busy).endswith("\n\nMeasured while the machine was busy, so that they say little: m-Q4_0 (2).")


def test_no_column_for_a_depth_that_was_not_measured() -> None:
    shallow = results(deep=0)
    for measured in shallow["rows"]:
        for figures in (measured["edge"], measured["llama.cpp"], measured["ratio"]):
            del figures["deep_decode_tok_s"]
    text = table(shallow)
    assert "decode at" not in text
    assert len({line.count("|") for line in text.splitlines()[2:]}) == 1


def test_the_plot_has_the_rows_with_most_threads_in_proportion() -> None:
    svg = plot(results())
    root = ElementTree.fromstring(svg)
    name = "{http://www.w3.org/2000/svg}"
    bars = [(bar.get("class"), float(bar.get("width", ""))) for bar in root.iter(f"{name}rect")]
    assert len(bars) == 2 * 2 * 2  # panels, rows, sides
    for (ours, long), (peer, short) in zip(bars[::2], bars[1::2], strict=True):
        assert (ours, peer) == ("edge", "peer")
        assert long == pytest.approx(2 * short, abs=0.2)
    limits = [mark.get("d", "") for mark in root.iter(f"{name}path")]
    assert len(limits) == 2
    matched = re.match(r"M([\d.]+) ", limits[0])
    assert matched is not None and (float(matched[1]) - 190) / bars[0][1] == pytest.approx(44 / 40, abs=0.01)
    assert "prefers-color-scheme: dark" in svg
    width = float(root.get("width", ""))
    assert all(float(text.get("x", "")) < width - 100 for text in root.iter(f"{name}text"))


def test_text_between_the_markers_is_replaced() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert replace_between(page, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert replace_between(replace_between(page, "new"), "old") == page
    for broken in ("", f"{END}\n{BEGIN}", page + page):
        with pytest.raises(ValueError, match="once, in this order"):
            replace_between(broken, "new")


def test_the_readme_has_the_markers() -> None:
    assert "new" in replace_between((ROOT / "README.md").read_text(), "new")


def test_the_script(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(json.dumps(results()))
    (tmp_path / "README.md").write_text(f"{BEGIN}\n{END}\n")
    args = ["r.json", "--readme", "README.md", "--svg", "docs/speed.svg"]
    paths = [arg if arg.startswith("--") else str(tmp_path / arg) for arg in args]
    subprocess.run([sys.executable, "-m", "scripts.speed_report", *paths], cwd=ROOT, check=True, capture_output=True)
    text = (tmp_path / "README.md").read_text()
    assert "](docs/speed.svg)" in text and "| n-Q8_0 | 2 |" in text
    assert (tmp_path / "docs/speed.svg").read_text() == plot(results())
