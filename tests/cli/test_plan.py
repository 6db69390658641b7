"""`edge plan`, and --memory of `edge run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import RunEdge


def test_the_plan_in_words_and_as_json(run_edge: RunEdge, tiny_model: Path) -> None:
    words = run_edge("plan", str(tiny_model), "--context", "100", "--sequences", "2")
    assert words.returncode == 0, words.stderr
    assert "2 sequences of 100 tokens, f16" in words.stdout
    assert "fits: " in words.stdout
    report = json.loads(run_edge("plan", str(tiny_model), "--json").stdout)
    plan = report["plan"]
    assert report["fits"] and report["would_fit"] == []
    items = ("weights", "kv", "program", "tokenizer", "process")
    assert plan["total_bytes"] == sum(plan[f"{item}_bytes"] for item in items)
    assert plan["context"] == 256
    assert set(report["chosen"]["reasons"]) == {"decode_threads", "prefill_threads", "chunk", "residency", "isa"}
    assert "chunk            128: the default" in words.stdout


def test_fewer_tokens_kept_than_all_may_have_take_less(run_edge: RunEdge, tiny_model: Path) -> None:
    def kv_bytes(*options: str) -> int:
        report = json.loads(run_edge("plan", str(tiny_model), "--json", "--sequences", "4", *options).stdout)
        return int(report["plan"]["kv_bytes"])

    whole = kv_bytes()  # four sequences of 256 tokens
    assert kv_bytes("--kv-tokens", "512") == whole // 2
    assert kv_bytes("--kv-tokens", "100000") == whole
    refused = run_edge("plan", str(tiny_model), "--kv-tokens", "10")
    assert refused.returncode == 2
    assert "kv_tokens is 10; it must be a whole number from 256" in refused.stderr


def test_what_does_not_fit_ends_with_3_and_what_would(run_edge: RunEdge, tmp_path: Path) -> None:
    from scripts.random_model import write

    write("tiny", "Q4_0", model := tmp_path / "m.gguf")
    done = run_edge("plan", str(model), "--context", "8192", "--sequences", "8", "--memory", "60MiB")
    assert done.returncode == 3
    assert "does not fit: memory allows 60 MiB" in done.stdout
    assert "would fit: 8 sequences of " in done.stdout
    done = run_edge("plan", str(model), "--memory", "5MiB")
    assert done.returncode == 3
    assert "no context would fit" in done.stdout


def test_a_run_that_does_not_fit_is_refused(run_edge: RunEdge, tiny_model: Path) -> None:
    done = run_edge("run", str(tiny_model), "hello", "--memory", "9MiB")
    assert done.returncode == 3
    assert "memory allows 9 MiB" in done.stderr
    assert done.stdout == ""


def test_options_out_of_range_are_refused_as_a_run_would(run_edge: RunEdge, tiny_model: Path) -> None:
    done = run_edge("plan", str(tiny_model), "--threads", "0")
    assert done.returncode == 2
    assert "threads is 0; it must be a whole number from 1" in done.stderr


def test_what_is_missing_for_a_prediction_can_be_measured_here(run_edge: RunEdge, tiny_model: Path) -> None:
    advice = "edge doctor --save measures what a prediction needs here"
    assert advice in run_edge("plan", str(tiny_model)).stdout  # the tests have no profile
    assert advice not in run_edge("plan", str(tiny_model), "--device", "raspberry-pi-5").stdout


def test_a_plan_for_a_board_that_is_not_here(run_edge: RunEdge, tiny_model: Path) -> None:
    """178 tiles of 544 bytes (tests/bench/test_step_bytes.py) and 33 positions of KV of 256, at 13.23 GB/s."""
    done = run_edge("plan", str(tiny_model), "--device", "raspberry-pi-5", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    speed = report["plan"]["prediction"]
    assert speed["predicted"] is True and speed["decode_at_most"] is True
    assert speed["decode_tok_s"] == pytest.approx(13.23e9 / (178 * 544 + 33 * 256))
    assert speed["prefill_tok_s"] is None and speed["ttft_seconds"] is None
    chosen = report["chosen"]
    assert (report["device"], chosen["isa"], chosen["decode_threads"]) == ("Raspberry Pi 5", "dotprod", 2)
    assert report["fits"] is None and report["budget_bytes"] is None  # it does not say how much memory it has
    words = run_edge("plan", str(tiny_model), "--device", "raspberry-pi-5", "--memory", "20MiB")
    assert words.returncode == 3
    assert f"{tiny_model} on Raspberry Pi 5" in words.stdout
    assert "predicted: at most " in words.stdout
    assert "decode threads   2: 13.2 GB/s with 2" in words.stdout
    assert "missing there: kernels on dotprod with one token, 2 threads: Q8_0" in words.stdout


def test_the_memory_of_a_board_is_its_budget(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    profile = tmp_path / "board.toml"
    profile.write_text(
        'format = 1\n[device]\nname = "A board"\nkind = "board"\nmachine = "aarch64"\n'
        '[memory]\ntype = "m"\nsize_bytes = 41943040\nmeasured = true\nmethod = "m"\n'
    )
    done = run_edge("plan", str(tiny_model), "--device", str(profile), "--threads", "1")
    assert done.returncode == 3
    assert "does not fit: 85% of the memory of A board allows 34 MiB" in done.stdout
    assert "predicted: nothing behind 32 tokens" in done.stdout


def test_an_unknown_board_and_a_prompt_that_is_too_long(run_edge: RunEdge, tiny_model: Path) -> None:
    done = run_edge("plan", str(tiny_model), "--device", "toaster")
    assert done.returncode == 2
    assert "device is 'toaster'" in done.stderr and "raspberry-pi-5, rk3588" in done.stderr
    done = run_edge("plan", str(tiny_model), "--prompt", "256")
    assert done.returncode == 2
    assert "prompt is 256; it must be a whole number from 1 to 255" in done.stderr


def test_weights_that_do_not_fit_are_streamed_and_said(run_edge: RunEdge, tmp_path: Path) -> None:
    from scripts.random_model import write

    write("deep", "Q8_0", model := tmp_path / "m.gguf")
    plan = run_edge("plan", str(model), "--context", "256", "--memory", "80MiB")
    assert plan.returncode == 0, plan.stdout
    lines = {line.split()[0]: line for line in plan.stdout.splitlines()[1:]}
    assert {"resident", "buffers", "streamed"} <= set(lines) and "weights" not in lines
    assert "layers that every step reads from the disk" in lines["streamed"]
    kept = run_edge("plan", str(model), "--context", "256", "--memory", "80MiB", env={"EDGE_NO_CACHE": "1"})
    assert kept.returncode == 3 and "would fit: " in kept.stdout
    for note in (True, False):  # the load that packs, and the next
        run = run_edge("run", str(model), "ab", "--raw", "--max-tokens", "2", "--context", "256", "--memory", "80MiB")
        assert run.returncode == 0, run.stderr
        assert ("packed into" in run.stderr) == note
        assert "edge: the weights do not fit in memory: the last " in run.stderr
        assert " of weights resident · " in run.stderr and " streamed for each step, " in run.stderr
    report = run_edge(
        "run", str(model), "ab", "--raw", "--json", "--max-tokens", "2", "--context", "256", "--memory", "80MiB"
    )
    weights = json.loads(report.stdout)["weights"]
    assert weights["residency"] == "streamed" and weights["streamed_layers"] > 10
    for option in ("--no-cache", "--residency=mapped"):
        run = run_edge("run", str(model), "ab", "--raw", "--context", "256", "--memory", "80MiB", option)
        assert run.returncode == 3
        assert "24 layers streamed from the disk" in run.stderr and "layers are not streamed, since" in run.stderr
