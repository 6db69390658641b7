"""Sampling through the binding: greedy, filters, penalties, bias, and draws that depend on their counter only."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import native
from edge.errors import NativeError, NumericalError

VOCAB = 8
LOGITS = array("f", [0.5, 2.0, -1.0, 2.0, 1.0, -3.0, 0.0, 1.5])


@pytest.fixture(scope="module")
def sampler() -> Iterator[native.Sampler]:
    with native.Sampler(VOCAB) as sampler:
        yield sampler


def test_greedy_takes_the_lowest_of_equal_ids(sampler: native.Sampler) -> None:
    assert sampler.sample(LOGITS) == 1
    assert sampler.sample(memoryview(LOGITS)) == 1
    assert sampler.sample(array("f", [0.0] * VOCAB)) == 0


@given(st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=300), st.booleans())
def test_the_best_is_the_greedy_choice(values: list[float], read_only: bool) -> None:
    logits = array("f", values)
    with native.Sampler(len(values)) as sampler:
        given = memoryview(logits).toreadonly() if read_only else memoryview(logits)
        assert sampler.best(given) == sampler.sample(logits) == values.index(max(values))


@pytest.mark.parametrize("count", [1, 15, 16, 17, 128, 129, 300])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_logit_that_is_not_finite_is_found_wherever_it_is(count: int, bad: float) -> None:
    with native.Sampler(count) as sampler:
        for place in range(count):
            logits = array("f", [1.0] * count)
            assert native.all_finite(logits.buffer_info()[0], count)
            logits[place] = bad
            assert not native.all_finite(logits.buffer_info()[0], count)
            for choose in (sampler.best, sampler.sample):
                with pytest.raises(NumericalError):
                    choose(logits)


def test_bias_and_penalties_move_the_choice(sampler: native.Sampler) -> None:
    assert sampler.sample(LOGITS, bias={1: -math.inf}) == 3
    assert sampler.sample(LOGITS, bias={5: 5.5}) == 5
    assert sampler.sample(LOGITS, bias={}) == 1
    assert sampler.sample(LOGITS, history=[1, 1], repetition_penalty=1.1) == 3
    assert sampler.sample(LOGITS, history=array("i", [1, 3]), presence_penalty=0.75) == 7
    # once for each token, however often it stands in the history: 2.0 - 0.4 > 1.5
    assert sampler.sample(LOGITS, history=[1, 1, 1, 3], presence_penalty=0.4) == 1
    # a negative logit is multiplied: -1 * 2 < -1.5
    low = array("f", [-1.0, -1.5] + [-9.0] * (VOCAB - 2))
    assert sampler.sample(low, history=[0], repetition_penalty=2.0) == 1


def test_a_mask_forbids_before_anything_else(sampler: native.Sampler) -> None:
    assert sampler.sample(LOGITS, allowed=b"\xff") == 1
    assert sampler.sample(LOGITS, allowed=bytes([0b10100000])) == 7
    assert sampler.sample(LOGITS, allowed=bytearray([1 << 5, 0xFF]), bias={1: 50.0}, history=[5]) == 5
    drawn = {
        sampler.sample(LOGITS, allowed=bytes([0b00110001]), temperature=3.0, top_k=5, position=i) for i in range(200)
    }
    assert drawn == {0, 4, 5}
    with pytest.raises(NativeError, match="allowed has 0 bits, wanted 8"):
        sampler.sample(LOGITS, allowed=b"")
    with pytest.raises(NativeError, match="every token is forbidden"):
        sampler.sample(LOGITS, allowed=b"\0")
    with pytest.raises(NumericalError):
        sampler.sample(array("f", [math.nan] + [0.0] * 7), allowed=b"\xfe")


def test_a_draw_depends_on_seed_sequence_and_position_only(sampler: native.Sampler) -> None:
    def draws(seed: int, sequence: int = 0) -> list[int]:
        return [sampler.sample(LOGITS, temperature=2.0, seed=seed, sequence=sequence, position=i) for i in range(40)]

    assert draws(1) == draws(1)
    assert len({tuple(draws(seed, sequence)) for seed in range(3) for sequence in range(3)}) == 9
    assert len({sampler.sample(LOGITS, temperature=2.0, seed=1, position=5) for _ in range(40)}) == 1
    with native.Sampler(VOCAB) as other:
        assert other.sample(LOGITS, temperature=2.0, seed=9, position=3) == sampler.sample(
            LOGITS, temperature=2.0, seed=9, position=3
        )


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({}, set(range(VOCAB))),
        ({"top_k": 1}, {1}),
        ({"top_k": 2}, {1, 3}),
        ({"top_k": 3}, {1, 3, 7}),
        ({"top_k": 100}, set(range(VOCAB))),
        ({"top_p": 1e-9}, {1}),
        ({"min_p": 0.99}, {1, 3}),
        ({"min_p": 0.6}, {1, 3, 7}),  # exp(-0.5) = 0.607
        ({"top_k": 3, "top_p": 0.5}, {1, 3}),  # of what top_k left: 1, 1, 0.607
        ({"top_k": 3, "top_p": 0.3}, {1}),
    ],
)
def test_filters_keep_the_tokens_they_should(
    sampler: native.Sampler, filters: dict[str, float], kept: set[int]
) -> None:
    drawn = {sampler.sample(LOGITS, temperature=1.0, position=i, **filters) for i in range(2000)}  # type: ignore[arg-type]
    assert drawn == kept


def test_draws_follow_the_softmax(sampler: native.Sampler) -> None:
    counts = Counter(sampler.sample(LOGITS, temperature=1.0, seed=4, position=i) for i in range(20_000))
    total = sum(math.exp(x) for x in LOGITS)
    expected = [20_000 * math.exp(x) / total for x in LOGITS]
    chi = sum((counts[i] - e) ** 2 / e for i, e in enumerate(expected))
    assert chi < 24.3  # 0.1 % point of 7 degrees of freedom; the draws are fixed


@given(st.lists(st.floats(-50, 50, width=16), min_size=VOCAB, max_size=VOCAB), st.integers(0, 2**64 - 1))
def test_a_tiny_temperature_is_nearly_greedy(values: list[float], seed: int) -> None:
    with native.Sampler(VOCAB) as sampler:
        logits = array("f", values)
        token = sampler.sample(logits, temperature=1e-30, seed=seed)
        assert logits[token] == max(logits)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": math.nan}, "temperature"),
        ({"temperature": "hot"}, "parameters"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"min_p": 1.0}, "min_p"),
        ({"top_k": -1}, "top_k"),
        ({"top_k": 2**31}, "top_k"),
        ({"repetition_penalty": 0.0}, "repetition_penalty"),
        ({"presence_penalty": 2.5}, "presence_penalty"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"position": -1}, "position"),
        ({"history": [VOCAB]}, "history: id 8"),
        ({"history": [-1]}, "history: id -1"),
        ({"history": array("q", [1])}, "format"),
        ({"bias": {VOCAB: 1.0}}, "bias: id 8"),
        ({"bias": {1: math.inf}}, "bias"),
        ({"bias": {1: math.nan}}, "bias"),
        ({"bias": {2**40: 1.0}}, "bias"),
        ({"bias": dict.fromkeys(range(VOCAB), -math.inf)}, "every token is forbidden"),
    ],
)
def test_bad_parameters_are_refused(sampler: native.Sampler, change: dict[str, object], message: str) -> None:
    with pytest.raises(NativeError, match=message):
        sampler.sample(LOGITS, **change)  # type: ignore[arg-type]
    assert sampler.sample(LOGITS) == 1


def test_logits_are_checked(sampler: native.Sampler) -> None:
    for bad in (math.nan, math.inf, -math.inf):
        with pytest.raises(NumericalError):
            sampler.sample(array("f", [*LOGITS[:-1], bad]))
    with pytest.raises(NativeError, match="7 values, wanted 8"):
        sampler.sample(LOGITS[:-1])
    with pytest.raises(NativeError, match="format"):
        sampler.sample(array("d", LOGITS))
    with native.Sampler(3) as closed:
        pass
    with pytest.raises(NativeError, match="closed"):
        closed.sample(array("f", [1, 2, 3]))
    with pytest.raises(NativeError, match="closed"):
        closed.best(array("f", [1, 2, 3]))
    with pytest.raises(NativeError, match="7 values, wanted 8"):
        sampler.best(LOGITS[:-1])
    with pytest.raises(NativeError, match="format"):
        sampler.best(array("i", range(VOCAB)))
    with pytest.raises(NativeError, match="vocab_size"):
        native.Sampler(0)
