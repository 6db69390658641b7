"""Sequences with adapters share steps with others, and blocks only with those that computed the same."""

from __future__ import annotations

import pytest

import edge
from edge.engine import AdapterUse
from tests.engine.fake import Bench

FIRST, SECOND = AdapterUse(0, b"first"), AdapterUse(1, b"second")
PROMPT = list(range(20, 40))  # five blocks


def test_one_step_serves_all_of_them() -> None:
    bench = Bench()
    answers = [bench.add([1, 2, 3], adapter=use) for use in (None, FIRST, SECOND, FIRST)]
    bench.run()
    wanted = [Bench().answer([1, 2, 3], adapter=use) for use in (None, FIRST, SECOND, FIRST)]
    assert [list(sequence.output) for sequence in answers] == wanted
    assert len({tuple(answer) for answer in wanted}) == 3
    decodes = [batch for batch in bench.backend.batches if len(batch.token_ids) == 4 and len(batch.logit_rows) == 4]
    assert decodes
    for batch in decodes:  # neighbours use the same
        assert batch.adapters is not None
        assert batch.adapters.tolist() == [-1, 0, 0, 1]


def test_a_batch_without_them_says_nothing_of_adapters() -> None:
    bench = Bench()
    bench.answer(PROMPT)
    assert all(batch.adapters is None for batch in bench.backend.batches)


@pytest.mark.parametrize("use", [None, FIRST, SECOND])
@pytest.mark.parametrize("before", [None, FIRST, SECOND])
def test_blocks_of_one_never_serve_another(before: AdapterUse | None, use: AdapterUse | None) -> None:
    bench = Bench()
    bench.answer(PROMPT, adapter=before)
    sequence = bench.add(PROMPT, adapter=use)
    bench.run()
    assert sequence.num_cached_tokens == (16 if before == use else 0)
    assert list(sequence.output) == Bench().answer(PROMPT, adapter=use)


def test_an_adapter_is_known_by_its_identity() -> None:
    """Not by the number that it has in one engine: files on disk outlive that."""
    bench = Bench()
    bench.answer(PROMPT, adapter=AdapterUse(0, b"same"))
    sequence = bench.add(PROMPT, adapter=AdapterUse(0, b"other"))
    bench.run()
    assert sequence.num_cached_tokens == 0


@pytest.mark.parametrize("start", range(0, 20))
@pytest.mark.parametrize("before", [None, FIRST, SECOND._replace(start=9), FIRST._replace(start=13)])
def test_blocks_before_the_start_are_the_models(before: AdapterUse | None, start: int) -> None:
    """Full ones that hold no position that either adapter acted on."""
    bench, use = Bench(), FIRST._replace(start=start)
    bench.answer(PROMPT, adapter=before)
    sequence = bench.add(PROMPT, adapter=use)
    bench.run()
    same = min(start, 20 if before is None else before.start) if before != use else 20
    assert sequence.num_cached_tokens == min(16, same // 4 * 4)
    assert list(sequence.output) == Bench().answer(PROMPT, adapter=use)
    assert len(PROMPT) - start or list(sequence.output) == Bench().answer(PROMPT)


def test_a_fork_uses_what_its_source_uses() -> None:
    bench = Bench()
    source = bench.add(PROMPT, adapter=FIRST)
    while not source.num_answer_tokens:
        bench.engine.step()
    fork = bench.engine.fork(source, number=1)
    bench.run()
    assert fork.tokens == source.tokens
    assert fork.adapter == FIRST


def test_what_is_not_loaded_is_refused() -> None:
    for number in (-1, 2):
        with pytest.raises(edge.RequestError, match="not one of the 2 loaded"):
            Bench().add([1], adapter=AdapterUse(number, b"x"))
