"""`edge bench` as users run it, and the forms of its report."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from edge.bench.report import BenchReport, Load, ModelFacts, Result
from edge.cli.bench_report import csv_lines, table

RunEdge = Callable[..., CompletedProcess[str]]
QUICK = ("--prompt", "8", "--decode", "4", "--depth", "0", "--threads", "1", "--rounds", "1")


def test_the_bundled_model(run_edge: RunEdge) -> None:
    result = run_edge("bench", *QUICK)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("measured ")
    for words in ("Q8_0 x 43", "packed in memory", "memory reads ", "peak ", "prefill 8", "decode 4", "of bandwidth"):
        assert words in result.stdout, words
    assert result.stderr == ""  # no bar where nobody watches


def test_json_and_lists(run_edge: RunEdge, tiny_model: Path) -> None:
    args = ("--prompt", "8,4", "--decode", "4", "--depth", "0", "--depth", "8,16", "--rounds", "2", "--threads", "1")
    result = run_edge("bench", str(tiny_model), *args, "--json")
    report = json.loads(result.stdout)
    assert [(row["phase"], row["tokens"], row["depth"]) for row in report["results"]] == [
        (phase, tokens, depth)
        for depth in (0, 8, 16)
        for phase, tokens in (("prefill", 8), ("prefill", 4), ("decode", 4))
    ]
    assert report["prefill_tok_s"] > 0 and report["decode_tok_s"] > 0
    assert report["rounds"] == 2
    assert report["loads"][0]["read_bytes_s"] > 0


def test_csv(run_edge: RunEdge, tiny_model: Path) -> None:
    result = run_edge("bench", str(tiny_model), *QUICK, "--batch", "2", "--csv")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert [(row["phase"], row["tokens"]) for row in rows] == [
        ("prefill", "8"), ("decode", "4"), ("step", "1"), ("step", "2")
    ]  # fmt: skip
    assert rows[0]["label"] == "measured"
    assert float(rows[1]["decode_tok_s"]) > 0 and rows[1]["prefill_tok_s"] == ""
    assert float(rows[3]["step_cost"]) > 0


def test_the_environment(run_edge: RunEdge, tiny_model: Path) -> None:
    env = {"EDGE_PROMPT": "4,6", "EDGE_DECODE": "0", "EDGE_DEPTH": "0", "EDGE_THREADS": "1", "EDGE_ROUNDS": "1"}
    report = json.loads(run_edge("bench", str(tiny_model), "--json", env=env).stdout)
    assert [(row["phase"], row["tokens"]) for row in report["results"]] == [("prefill", 4), ("prefill", 6)]


def test_output_goes_to_a_file_whose_name_chooses_the_form(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    for name, begins in (("r.json", "{"), ("r.csv", "label,"), ("r.txt", "measured ")):
        result = run_edge("bench", str(tiny_model), *QUICK, "--output", str(tmp_path / name))
        assert (result.returncode, result.stdout) == (0, "")
        assert result.stderr == f"edge: written to {tmp_path / name}\n"
        assert (tmp_path / name).read_text().startswith(begins)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--prompt", "many"), "'many' is not a whole number, or several with commas between them"),
        (("--prompt", "1,,2"), "'1,,2' is not a whole number"),
        (("--decode", "-1"), "decode is -1; it must be a whole number from 0 to"),
        (("--threads", "0"), "threads is 0; it must be a whole number from 1 to 256"),
        (("--batch", "1000"), "batch is 1000; it must be a whole number from 1 to 256"),
        (("--rounds", "0"), "rounds is 0; it must be"),
        (("--depth", "5000"), "the model was made for 2048: ask for fewer with --prompt, --decode or --depth"),
        (("--prompt", "0", "--decode", "0"), "nothing to measure"),
        (("--json", "--csv"), "choose one"),
        (("--output", "/nowhere/report.json"), "cannot be written"),
        (("--isa", "mmx"), "isa is 'mmx'"),
    ],
)
def test_wrong_usage(run_edge: RunEdge, args: tuple[str, ...], message: str) -> None:
    result = run_edge("bench", *args)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_a_missing_file(run_edge: RunEdge) -> None:
    result = run_edge("bench", "missing.gguf")
    assert result.returncode == 4
    assert "no such file" in result.stderr


def test_interrupt(edge_environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "edge", "bench", "--rounds", "1000", "--threads", "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=edge_environment,
    )
    maps = Path(f"/proc/{process.pid}/maps")
    while (
        process.poll() is None and maps.exists() and "_libedge" not in maps.read_text()
    ):  # our code runs once the library is there
        time.sleep(0.1)
    time.sleep(2)
    assert process.poll() is None, "the run is too short for this test"
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert (output, errors.strip()) == (b"", b"")


def report(**changes: Any) -> BenchReport:
    model = ModelFacts(
        "/m/x.gguf", "x", "llama", 1_100_048_384, 636_788_864, {"Q4_0": 155, "F32": 45}, 600_000_000, "f16", 22528
    )
    load = Load(
        2, 2, "no profile", "native/avx2", "avx2", 4160, 128, 0.1234, "opened", "mapped", 640 << 20, None, None,
        700 << 20, 800 << 20, (26e9, 28e9, 27e9), None,
    )  # fmt: skip
    results = (
        Result("prefill", 512, 0, 2, (4.0, 2.0, 2.5), ()),
        Result("decode", 64, 4096, 2, (1.6, 1.6, 1.6), (), 675e6, 27e9),
        Result("step", 4, 4096, 2, (0.03, 0.03, 0.03), (), cost=1.2),
    )
    values: dict[str, Any] = {
        "edge": "0.1.0", "cpu": "a CPU", "machine": "x86_64", "model": model, "rounds": 3, "loads": (load,),
        "results": results, "celsius_before": {}, "celsius_after": {}, "battery_watts": None,
    }  # fmt: skip
    return BenchReport(**values | changes)


def test_the_table() -> None:
    assert table(report()) == (
        "measured      edge 0.1.0, native/avx2, a CPU (x86_64), medians of 3\n"
        "file          /m/x.gguf\n"
        "model         x: llama, 1,100,048,384 parameters, 636.8 MB, Q4_0 x 155, F32 x 45\n"
        "a step reads  600.0 MB of packed matrices, and 22,528 bytes of f16 KV for each position\n"
        "2 threads     loaded in 0.12 s (packed file of an earlier load, mapped), resident 0.7 GiB, peak 0.8 GiB, "
        "prompts in chunks of 128\n"
        "              memory reads 27.0 GB/s (26.0 to 28.0 in the rounds)\n"
        "profile       no profile\n"
        "\n"
        "phase        depth  threads  tok/s  least   most  ms/step   cost  of bandwidth\n"
        "prefill 512      0        2  204.8  128.0  256.0\n"
        "decode 64     4096        2   40.0   40.0   40.0                         100 %\n"
        "step 4        4096        2  133.3  133.3  133.3    30.00  1.20x\n"
    )


def test_what_cannot_be_read_has_no_line_and_no_column() -> None:
    plain = table(report())
    for words in ("J/token", "°C", "battery"):
        assert words not in plain
    joules = (Result("decode", 4, 0, 2, (1.0,), (8.0,)),)
    full = table(report(results=joules, celsius_before={"cpu": 40.4}, celsius_after={"cpu": 71.0}, battery_watts=9.5))
    for words in ("J/token", "  2\n", "40 °C before (cpu), 71 °C after (cpu)", "gave 9.5 W"):
        assert words in full, words


def test_control_characters_of_a_file_do_not_reach_a_terminal() -> None:
    model = ModelFacts("/m/x\x1b[2J.gguf", "x\x07", "llama", 1, 1, {}, 1, "f16", 1)
    assert "\x1b" not in table(report(model=model)) and "\x07" not in table(report(model=model))


def test_csv_has_the_figures_of_each_line() -> None:
    prefill, decode, step = csv.DictReader(io.StringIO(csv_lines(report())))
    assert prefill["prefill_tok_s"] == "204.8"
    assert (decode["decode_tok_s"], decode["bandwidth_share"], decode["depth"]) == ("40.0", "1.0", "4096")
    assert (step["step_cost"], step["isa"], step["packed"]) == ("1.2", "avx2", "opened")
