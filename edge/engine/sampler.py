"""The native sampler as the engine's way to choose tokens."""

from __future__ import annotations

from collections import Counter

from edge import native
from edge.engine.sequence import Sequence


class NativeSampler:
    """Chooses by a sequence's parameters; the random number depends on (seed, sequence number, position) only."""

    def __init__(self, vocab_size: int) -> None:
        self._sampler = native.Sampler(vocab_size)

    def close(self) -> None:
        """Frees the scratch; allowed twice."""
        self._sampler.close()

    def __call__(self, sequence: Sequence, logits: memoryview[float]) -> int:
        params = sequence.params
        if sequence.constraint is None and params.is_plain_greedy:
            return self._sampler.best(logits)
        return self._sampler.sample(
            logits,
            allowed=None if sequence.constraint is None else sequence.constraint.mask(),
            temperature=params.temperature,
            top_k=params.top_k,
            top_p=params.top_p,
            min_p=params.min_p,
            repetition_penalty=params.repetition_penalty,
            presence_penalty=params.presence_penalty,
            seed=sequence.seed,
            sequence=sequence.number,
            position=len(sequence),
            history=sequence.tokens if params.needs_history else None,
            bias=_bias(sequence) if params.frequency_penalty else params.logit_bias,
        )


def _bias(sequence: Sequence) -> dict[int, float]:
    """What is added to logits, the frequency penalty included: both are applied before temperature."""
    bias = dict(sequence.params.logit_bias)
    for token, count in Counter(sequence.tokens).items():
        bias[token] = bias.get(token, 0.0) - sequence.params.frequency_penalty * count
    return bias
