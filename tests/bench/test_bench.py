"""A whole run on a tiny model, beside a bandwidth that is given."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.bench import BenchOptions, LoadOptions, bench
from edge.errors import Cancelled, DoesNotFit, RequestError

OPTIONS = BenchOptions(prompt=(16,), decode=(4,), depth=(0, 8), threads=(1,), batch=(2,), rounds=2)
MATRIX_BYTES, KV_BYTES = 96_832, 256  # test_step_bytes.py counts them


def fast(threads: int) -> float:
    return 1e9 * threads


def test_every_combination_is_measured(tiny_model: Path) -> None:
    report = bench(tiny_model, OPTIONS, bandwidth=fast)
    (load,) = report.loads
    assert (load.threads, load.context, load.packed, load.bandwidth) == (1, 24, "memory", (1e9, 1e9))
    assert load.load_seconds > 0
    assert load.peak_memory_bytes is not None and load.resident_bytes is not None
    assert load.peak_memory_bytes >= load.resident_bytes > MATRIX_BYTES
    cases = [(result.phase, result.tokens, result.depth) for result in report.results]
    assert cases == [
        (phase, tokens, depth)
        for depth in (0, 8)
        for phase, tokens in (("prefill", 16), ("decode", 4), ("step", 1), ("step", 2))
    ]
    for result in report.results:
        assert len(result.seconds) == 2 and min(result.seconds) > 0


def test_the_share_is_bytes_of_a_step_over_the_bandwidth_of_the_run(tiny_model: Path) -> None:
    report = bench(tiny_model, OPTIONS, bandwidth=fast)
    decode = [result for result in report.results if result.phase == "decode"]
    for result, depth in zip(decode, (0, 8), strict=True):
        assert result.bytes_per_step == MATRIX_BYTES + KV_BYTES * (depth + 2.5)
        assert result.bandwidth_share == pytest.approx((result.bytes_per_step or 0) * result.tok_s / 1e9)
    assert all(result.bandwidth_share is None for result in report.results if result.phase != "decode")


def test_each_number_of_threads_is_loaded_for_itself(tiny_model: Path) -> None:
    options = BenchOptions(prompt=(4,), decode=(2,), depth=(0,), threads=(2, 1), rounds=1)
    report = bench(tiny_model, options, bandwidth=fast)
    assert [load.threads for load in report.loads] == [2, 1]
    assert [load.read_bytes_s for load in report.loads] == [2e9, 1e9]
    assert [result.threads for result in report.results] == [2, 2, 1, 1]


def test_the_object_has_the_promised_keys_and_is_json(tiny_model: Path) -> None:
    report = bench(tiny_model, OPTIONS, bandwidth=fast).as_json()
    assert json.loads(json.dumps(report)) == json.loads(json.dumps(report))  # no NaN, which is not equal to itself
    first: dict[str, Any] = {}
    for row in report["results"]:
        first.setdefault(row["phase"], row)
    assert report["label"] == "measured"
    assert report["prefill_tok_s"] == first["prefill"]["prefill_tok_s"] > 0
    assert report["decode_tok_s"] == first["decode"]["decode_tok_s"] > 0
    assert first["prefill"]["decode_tok_s"] is None
    assert first["step"]["step_cost"] == 1.0
    assert report["model"]["step_matrix_bytes"] == MATRIX_BYTES
    assert report["model"]["types"] == {"Q8_0": 16, "F32": 5}
    assert report["loads"][0]["read_bytes_s"] == 1e9
    assert report["loads"][0]["isa"]


def test_a_phase_left_out_has_no_speed(tiny_model: Path) -> None:
    options = BenchOptions(prompt=(0,), decode=(2,), depth=(0,), threads=(1,), rounds=1)
    report = bench(tiny_model, options, bandwidth=fast).as_json()
    assert report["prefill_tok_s"] is None
    assert report["decode_tok_s"] > 0


def test_bandwidth_that_cannot_be_measured_is_said(tiny_model: Path) -> None:
    def no_room(threads: int) -> float:
        raise DoesNotFit("measuring needs 536870912 bytes")

    report = bench(tiny_model, OPTIONS, bandwidth=no_room)
    assert report.loads[0].bandwidth == ()
    assert report.loads[0].bandwidth_note == "measuring needs 536870912 bytes"
    assert all(result.bandwidth_share is None for result in report.results)
    assert report.as_json()["loads"][0]["read_bytes_s"] is None


def test_progress_ends_at_the_total(tiny_model: Path) -> None:
    seen: list[tuple[int, int]] = []
    bench(tiny_model, OPTIONS, bandwidth=fast, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_guard_can_cancel(tiny_model: Path) -> None:
    entered: list[Callable[[], None]] = []

    @contextmanager
    def guard(cancel: Callable[[], None]) -> Any:
        entered.append(cancel)
        yield

    def cancel_now(threads: int) -> float:
        entered[0]()
        return 1e9

    with pytest.raises(Cancelled):
        bench(tiny_model, OPTIONS, bandwidth=cancel_now, guard=guard)


def test_the_load_options_reach_the_model(tiny_model: Path) -> None:
    report = bench(tiny_model, OPTIONS, LoadOptions(isa="scalar"), bandwidth=fast)
    assert report.loads[0].isa == "scalar"
    with pytest.raises(RequestError, match="isa is 'mmx'"):
        bench(tiny_model, OPTIONS, LoadOptions(isa="mmx"), bandwidth=fast)


def test_a_depth_beyond_the_model_is_refused_before_it_is_loaded(tiny_model: Path) -> None:
    with pytest.raises(RequestError, match="the model was made for 256"):
        bench(tiny_model, BenchOptions(), bandwidth=fast)
