"""Log probabilities against their definition, and that they go with their tokens."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import edge
from edge.engine.logprobs import token_logprobs
from edge.errors import RequestError


def test_definition() -> None:
    logits = [1.0, 3.0, 3.0, -2.0, 0.5]
    total = sum(math.exp(value) for value in logits)
    expected = [value - math.log(total) for value in logits]
    found = token_logprobs(logits, 3, 3)
    assert found.logprob == pytest.approx(expected[3], abs=1e-12)
    assert [token for token, _ in found.top] == [1, 2, 0]  # of equals the lower id first
    assert [value for _, value in found.top] == pytest.approx([expected[1], expected[2], expected[0]], abs=1e-12)
    assert token_logprobs(logits, 0, 0).top == ()
    assert len(token_logprobs(logits, 0, 20).top) == 5


def test_logits_that_are_far_apart() -> None:
    found = token_logprobs([1e30, 0.0, -1e30], 2, 1)
    assert found.logprob == -2e30 and found.top == ((0, 0.0),)


def test_ties_at_the_edge_go_to_the_lower_id() -> None:
    assert [token for token, _ in token_logprobs([0.0] * 10, 5, 3).top] == [0, 1, 2]


def test_every_token_has_its_own(tiny_model: Path) -> None:
    with edge.load(tiny_model, sequences=3) as model:
        plain = model.generate("abc", max_tokens=12)
        with model.stream("abc", max_tokens=12, logprobs=2) as stream:
            tokens = [token for token in stream if token.logprobs is not None]
        assert tuple(token.id for token in tokens) == plain.tokens
        for token in tokens:
            assert token.logprobs is not None
            assert token.logprobs.top[0] == (token.id, token.logprobs.logprob)  # greedy
        assert all(token.logprobs is None for token in model.stream("abc", max_tokens=3))
        # A batch mate, a stop string and a fork do not mix them up.
        with model.stream("abc", max_tokens=12, logprobs=0) as one, model.stream("xyz", max_tokens=12) as other:
            assert next(one).id == plain.tokens[0] and next(other)
            fork = one.fork()
            rest = [token.logprobs for token in fork if token.logprobs is not None]
        assert [item.logprob for item in rest] == [token.logprobs.logprob for token in tokens[1:] if token.logprobs]
        with pytest.raises(RequestError, match="logprobs is 21"):
            model.generate("abc", logprobs=21)


def test_frequency_penalty_counts(tiny_model: Path) -> None:
    with edge.load(tiny_model) as model:
        plain = model.generate("aaaa", max_tokens=40).tokens
        penalised = model.generate("aaaa", max_tokens=40, frequency_penalty=2.0).tokens
        assert len(set(penalised)) > len(set(plain))
        first = plain[0]
        forced = model.generate("b", max_tokens=8, logit_bias={first: 50.0}).tokens
        assert forced == (first,) * 8
        spread = model.generate("b", max_tokens=60, logit_bias={first: 50.0}, frequency_penalty=2.0).tokens
        assert spread[:8] == forced and spread != (first,) * 60  # fifty is used up by twos


def test_many_streams_are_read_from_one_thread(tiny_model: Path) -> None:
    prompts = ("abc", "hello", "x" * 60)
    with edge.load(tiny_model, sequences=2) as model:
        alone = [model.generate(prompt, max_tokens=10).tokens for prompt in prompts]
        streams = [model.stream(prompt, max_tokens=10) for prompt in prompts]
        assert not any(stream.ready for stream in streams) and streams[0].prefill is None
        while model.step():
            for stream in streams:
                while stream.ready and next(stream, None) is not None:
                    pass
        assert [stream.completion().tokens for stream in streams] == alone
        assert streams[2].prefill is not None and streams[2].prefill[1:] == (60, 60)
        assert model.stats.blocks_used == 0
