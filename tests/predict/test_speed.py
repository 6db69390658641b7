"""What must follow from round figures, computed by hand; and what is said where a figure is missing."""

from __future__ import annotations

from typing import Any

import pytest

from edge.backends.work import Matrix, StepWork
from edge.formats.types import GGMLType
from edge.predict import Prediction, Question, predict_speed
from edge.profiles import Profile
from tests.predict.profiles import (
    BYTES,
    HEAD,
    KV_BYTES,
    WORK,
    cache,
    disk,
    kernel,
    peak,
    profile,
    question,
    read,
    step,
    step_model,
)


def predicted(given: Profile, asked: Question | None = None) -> Prediction:
    return predict_speed(given, "a file", question() if asked is None else asked)


def parts(prediction: Prediction) -> tuple[float, float, float]:
    """Milliseconds of a short token: weights, attention, the rest."""
    assert prediction.decode is not None
    return prediction.decode.weights_ms, prediction.decode.attention_ms, prediction.decode.rest_ms


def test_the_bytes_of_the_example() -> None:
    assert WORK.num_bytes == BYTES
    assert WORK.kv_bytes("f16") == KV_BYTES


def test_reads_alone_give_a_limit_and_name_what_is_missing() -> None:
    found = predicted(profile(reads=(read(1, 6.684672),)))  # a millisecond for the weights
    weights, attention, rest = parts(found)
    assert (weights, rest) == (1.0, 0.0)
    assert attention == pytest.approx(33 * KV_BYTES / 6684.672 / 1e3)
    assert found.decode is not None and found.decode.at_most
    assert found.decode.tok_s == pytest.approx(1e3 / (1.0 + 33 * 256 / 6_684_672))
    assert found.deep is not None and found.deep_depth == 1024  # 1025 positions with its own
    assert found.deep.attention_ms == pytest.approx(1025 * 256 / 6_684_672)
    assert found.prefill is None and found.ttft_seconds is None
    assert "kernels on avx2 with one token, 1 thread: Q8_0" in found.missing
    assert "attention of steps of one token with 1 thread" in found.missing
    assert any("as if no cache held any" in sentence for sentence in found.basis)
    assert found.as_json()["predicted"] is True
    assert found.as_json()["decode_at_most"] is True


def test_an_empty_profile_predicts_nothing() -> None:
    found = predicted(profile())
    assert (found.decode, found.deep, found.prefill, found.basis) == (None, None, None, ())
    assert "reads of memory with 1 thread" in found.missing


def test_each_matrix_takes_what_takes_longer() -> None:
    """Q8_0 is bound by reading (1.0625 bytes at 1 GB/s), a second type by its kernel at 0.5 GMAC/s."""
    quick = Matrix(GGMLType.Q4_0, 1024, 1024)
    work = StepWork({quick: 1}, HEAD, num_layers=1, hidden_size=1024, num_heads=2, num_kv_heads=1, head_dim=64)
    tables = (kernel(100), kernel(0.5, weights="Q4_0"))
    weights, _, _ = parts(predicted(profile(reads=(read(1, 1.0),), compute=tables), question(work)))
    assert weights == pytest.approx(1e3 * (2**21 * 17 / 16 / 1e9 + 2**20 / 0.5e9))


def test_between_thread_counts_figures_are_linear_and_beyond_there_are_none() -> None:
    given = profile(reads=(read(1, 10.0), read(4, 16.0)), compute=(kernel(1000, threads=1), kernel(1000, threads=4)))
    weights, _, _ = parts(predicted(given, question(decode_threads=2)))
    assert weights == pytest.approx(1e3 * BYTES / 12e9)
    beyond = predicted(given, question(decode_threads=5))
    assert beyond.decode is None
    assert "reads of memory with 5 threads" in beyond.missing


def test_a_data_sheet_is_a_limit_where_nobody_measured() -> None:
    from edge.profiles.records import Evidence, Memory

    memory = Memory(type="m", peak_gb_s=66.84672, evidence=Evidence(measured=False, source="https://example.org"))
    found = predicted(profile(memory=memory))
    assert found.decode is not None and found.decode.at_most
    assert found.decode.weights_ms == pytest.approx(0.1)
    assert "weights by the memory's peak, 66.8 GB/s, as if no cache held any" in found.basis


def test_mapped_weights_are_read_as_mapped_memory_is() -> None:
    given = profile(reads=(read(1, 10.0), read(1, 8.0, "mapped"), read(1, 10.0, "owned")), compute=(kernel(1000),))
    assert parts(predicted(given, question(residency="mapped")))[0] == pytest.approx(1e3 * BYTES / 8e9)
    for other in ("owned", None):
        assert parts(predicted(given, question(residency=other)))[0] == pytest.approx(1e3 * BYTES / 10e9)


def test_what_a_cache_holds_is_read_from_it() -> None:
    """Memory 10 GB/s, the cache 40: where 20 are reached, 2/3 come from it, as 1/20 = 2/3 x 1/40 + 1/3 x 1/10."""
    given = profile(reads=(read(1, 10.0),), caches=(cache(2**20, 40.0), cache(BYTES, 20.0)), compute=(kernel(1000),))
    found = predicted(given, question(context=2))
    assert parts(found)[0] == pytest.approx(1e3 * BYTES / 20e9, rel=1e-3)
    assert "67 % of the weights from a cache, 1 thread, 1 tokens in front" in found.basis
    far = profile(reads=(read(1, 10.0),), caches=(cache(2**16, 40.0), cache(2**20, 10.0)), compute=(kernel(1000),))
    assert parts(predicted(far))[0] == pytest.approx(1e3 * BYTES / 10e9)
    near = profile(reads=(read(1, 10.0),), caches=(cache(2**30, 40.0), cache(2**31, 10.0)), compute=(kernel(1000),))
    assert parts(predicted(near))[0] == pytest.approx(1e3 * BYTES / 40e9)


def test_a_kernel_is_as_fast_as_on_a_matrix_that_is_cached_as_much() -> None:
    """Half of the model comes from the cache, as 1/16 = 1/2 x 1/40 + 1/2 x 1/10. The kernel makes 4 GMAC/s on half a
    megabyte, which the cache holds, and 1 on a terabyte: 0.5 x 0.25 + 0.5 x 1 = 0.625 ns for each of the 6,291,456
    weights."""
    caches = (cache(2**20, 40.0), cache(BYTES + KV_BYTES, 16.0))
    kernels = (kernel(4.0, rows=512), kernel(1.0, rows=2**30))
    given = profile(reads=(read(1, 10.0),), caches=caches, compute=kernels)
    assert parts(predicted(given, question(context=2)))[0] == pytest.approx(3.93216)


def full(**changes: Any) -> Profile:
    """Reads of 3.063808 GB/s: 11 matrices of 512 x 512 in a millisecond, 6 of 1536 x 512 in 18/11. What steps of one
    token took beyond that is 0.1 ms a layer with a width of 512, 0.3 ms with 1536. 2560 values of K and V in each of
    1000 positions took 2.56 ms: 1 ns a value with two heads to a KV head; 1280 took 5.12 ms with six: 4 ns."""
    narrow, wide = step_model("narrow", 10, 512, 512), step_model("wide", 5, 1536, 1536, heads=12)
    tables: dict[str, Any] = {
        "reads": (read(1, 3.063808),),
        "compute": (kernel(1000.0), kernel(10.73741824, tokens=64)),
        "models": (narrow, wide),
        "steps": (
            step("narrow", 2.0), step("narrow", 4.56, depth=1000),
            step("wide", 18 / 11 + 1.5), step("wide", 18 / 11 + 6.62, depth=1000),
        ),
    }  # fmt: skip
    return profile(**(tables | changes))


def test_the_rest_of_a_layer_and_attention_lie_between_two_models() -> None:
    work = StepWork(WORK.matrices, WORK.head, num_layers=7, hidden_size=1024, num_heads=4, num_kv_heads=1, head_dim=64)
    found = predicted(full(), question(work))
    assert found.decode is not None and not found.decode.at_most
    weights, attention, rest = parts(found)
    assert weights == pytest.approx(BYTES / 3_063_808)
    assert rest == pytest.approx(7 * 0.2)
    assert attention == pytest.approx(2.5e-6 * 2 * 7 * 64 * 33)  # four heads to a KV head: 2.5 ns for each value
    assert "what a step costs besides, and attention, by measured steps" in found.basis


def test_one_model_stands_for_all_widths() -> None:
    given = full(models=(step_model("narrow", 10, 512, 512),))
    assert parts(predicted(given))[2] == pytest.approx(0.1)


def test_a_step_that_took_less_than_its_matrices_leaves_no_rest() -> None:
    given = full(models=(step_model("narrow", 10, 512, 512),), steps=(step("narrow", 0.5),))
    assert parts(predicted(given))[2] == 0.0


def test_models_of_types_that_are_not_known_are_left_out() -> None:
    from dataclasses import replace

    strange = replace(step_model("narrow", 10, 512, 512), matrices=("10 x Q9_Z 512 x 512",))
    assert (
        "what steps of one token with 1 thread cost beside matrices and attention"
        in predicted(full(models=(strange,))).missing
    )


def test_a_prompt() -> None:
    """256 tokens in two chunks: 2^22 weights at 10.73741824 GMAC/s take 100 ms, the head one token."""
    found = predicted(full(), question(prompt=256))
    assert found.prefill is not None and found.prefill.at_most
    assert "attention of steps of a prompt with 1 thread" in found.missing
    assert found.prefill.weights_ms == pytest.approx(100 + 2**21 * 17 / 16 / 3_063_808)
    assert found.prefill.seconds == pytest.approx(found.ttft_seconds)
    assert found.prefill.tok_s == pytest.approx(256 / found.prefill.seconds)


def test_a_prompt_with_what_measured_prompts_took() -> None:
    """128 tokens on 10 matrices of 512 x 512 take 31.25 ms at 10.73741824 GMAC/s, the head 1/11 ms. Behind 1000
    positions 655,360,000 multiply-adds of attention took 65.536 ms: 0.1 ns each, so 4.22707 ms of its own 42,270,720.
    What is left of the step is 12.8 ms: 10 us for each token of a layer."""
    own = 2 * 10 * 4 * 64 * sum(range(1, 129))
    assert (own, 2 * 10 * 4 * 64 * 128 * 1000) == (42_270_720, 655_360_000)
    start = 31.25 + 1 / 11 + 4.2270720 + 12.8
    steps = (step("narrow", start, tokens=128), step("narrow", start + 65.536, tokens=128, depth=1000))
    given = full(models=(step_model("narrow", 10, 512, 512),), steps=steps)
    found = predicted(given, question(prompt=256))
    assert found.prefill is not None and not found.prefill.at_most
    assert found.prefill.rest_ms == pytest.approx(256 * 0.01)
    assert found.prefill.attention_ms == pytest.approx(1e-7 * 2 * 2 * 64 * sum(range(1, 257)))


def test_a_prompt_without_kernels_is_limited_by_the_integer_peak() -> None:
    found = predicted(profile(reads=(read(1, 1000.0),), compute=(peak(10.73741824),)), question(prompt=256))
    assert found.prefill is not None and found.prefill.at_most
    assert found.prefill.weights_ms == pytest.approx(100, rel=1e-3)


def test_a_short_prompt_takes_at_least_what_a_token_takes() -> None:
    given = profile(reads=(read(1, 1000.0),), compute=(kernel(1.0), kernel(64.0, tokens=64)))
    one, two = (predicted(given, question(prompt=count)).prefill for count in (1, 2))
    assert one is not None and two is not None
    # 64 tokens take as long as one, so two do
    assert two.weights_ms == pytest.approx(one.weights_ms)


def test_other_kinds_of_kv_are_a_limit() -> None:
    found = predicted(full(), question(kv_type="q8"))
    assert found.decode is not None and found.decode.at_most
    assert "attention over q8: steps were measured with f16" in found.missing


def test_a_level_that_was_not_measured_has_no_kernels() -> None:
    assert "kernels on sse41 with one token, 1 thread: Q8_0" in predicted(full(), question(isa="sse41")).missing
    assert any("an instruction set that is not known" in text for text in predicted(full(), question(isa=None)).missing)


def test_the_prompt_is_512_tokens_or_what_fits() -> None:
    assert [question(context=count).prompt_tokens for count in (4096, 513, 512, 2)] == [512, 512, 511, 1]


def test_streamed_layers_take_what_the_disk_or_computing_takes() -> None:
    plain = predicted(profile(reads=(read(1, 6.684672),)))
    assert plain.decode is not None
    slow, fast = (
        profile(reads=(read(1, 6.684672),), disks=(disk(9000.0, "nvme"), disk(rate, "card")))
        for rate in (100.0, 8000.0)
    )
    streamed = plain.while_streaming(1_000_000, 128, slow).decode
    assert streamed is not None
    assert streamed.seconds == pytest.approx(0.01)  # a megabyte from the slowest disk
    assert streamed.waiting_ms == pytest.approx(10.0 - 1e3 * plain.decode.seconds)
    hidden = plain.while_streaming(1_000_000, 128, fast)
    assert hidden.decode is not None
    assert hidden.decode.tok_s == plain.decode.tok_s
    assert hidden.decode.waiting_ms == 0.0
    assert "1 MB from the disk in every step, by reads of 8000 MB/s beside the computing" in hidden.basis


def test_a_prompt_reads_the_streamed_layers_once_a_chunk() -> None:
    given = profile(reads=(read(1, 6.684672),), compute=(peak(100.0),), disks=(disk(1.0, "card"),))
    plain = predicted(given)
    assert plain.prefill is not None and plain.prefill.tokens == 512
    for chunk, passes in ((128, 4), (500, 2), (512, 1)):
        streamed = plain.while_streaming(1_000_000, chunk, given).prefill
        assert streamed is not None and streamed.seconds == pytest.approx(passes * 1.0)


def test_streaming_from_a_disk_that_nobody_measured_is_a_limit() -> None:
    given = profile(reads=(read(1, 6.684672),))
    streamed = predicted(given).while_streaming(5_000_000, 128, given)
    assert streamed.decode is not None and streamed.decode.at_most
    assert "reading 5 MB from the disk in every step" in streamed.missing
