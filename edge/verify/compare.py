"""Two observations of one model: where they differ, by how much, and whether that is more than rounding."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.errors import RequestError
from edge.verify.forced import F64, log_softmax
from edge.verify.observe import TEXTS, Observation

__all__ = ["THRESHOLDS", "Comparison", "Thresholds", "compare"]

_LIKELY = 64  # tokens of a position whose logits count for the error: what could be chosen


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Beyond these, two backends disagree. mean_kld: nats, of the next token's probabilities. margin: in units of the
    logit error measured between the two: where the reference's best token leads by more, it must be the other's best.
    qualifying: share of positions of which that is asked; with fewer, the error is too large to say anything."""

    mean_kld: float = 2e-2
    margin: float = 4.0
    qualifying: float = 0.5


THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of `backend` with `reference`. disagreements: a sentence each; none means that they agree.

    token_ids: texts read the same, of how many; None where the backend has no tokenizer of its own. prompt: whether its
    template engine writes the same; None where there is none. top1: share of positions with the same best token.
    qualifying: share with a lead of more than margin x logit_error, which is the root mean square difference of likely
    logits. greedy_equal: tokens of the greedy answer that are equal from its start, of num_greedy.
    """

    backend: str
    path: str
    reference: str
    token_ids: tuple[int, int] | None
    prompt: bool | None
    num_positions: int
    mean_kld: float
    max_kld: float
    top1: float
    logit_error: float
    qualifying: float
    greedy_equal: int
    num_greedy: int
    disagreements: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        return not self.disagreements

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"agrees": self.agrees}


def compare(reference: Observation, other: Observation, thresholds: Thresholds = THRESHOLDS) -> Comparison:
    """RequestError when the two are not of one model: another vocabulary, or another reading of the text."""
    if reference.logits.shape[1] != other.logits.shape[1]:
        raise RequestError(
            f"{other.path} has {other.logits.shape[1]} tokens, {reference.path} has {reference.logits.shape[1]}: they "
            "are not one model"
        )
    wrong = [*_readings(reference, other), *_prompts(reference, other)]
    if reference.text != other.text:  # what follows would compare different questions
        raise RequestError(f"{other.backend} and {reference.backend} read the text differently: {'; '.join(wrong)}")
    one, two = log_softmax(reference.logits), log_softmax(other.logits)
    kld = (np.exp(one) * (one - two)).sum(axis=1)
    best = one.argmax(axis=1)
    same = best == two.argmax(axis=1)
    error = _logit_error(one, two)
    lead = _lead(one)
    certain = lead > thresholds.margin * error
    mean_kld, qualifying = float(kld.mean()), float(certain.mean())
    if mean_kld > thresholds.mean_kld:
        wrong.append(f"mean KL divergence {mean_kld:.3g} nats, at most {thresholds.mean_kld:g} is rounding")
    if qualifying < thresholds.qualifying:
        wrong.append(
            f"the logit error of {error:.3g} leaves {qualifying:.0%} of positions certain, at least "
            f"{thresholds.qualifying:.0%} must be"
        )
    for place in np.flatnonzero(certain & ~same)[:1]:
        wrong.append(
            f"position {place}: another best token, although the reference's leads by {lead[place]:.3g}, "
            f"{lead[place] / error:.1f} times the logit error"
        )
    ids = other.token_ids
    return Comparison(
        backend=other.backend,
        path=other.path,
        reference=reference.backend,
        token_ids=None if ids is None else (sum(map(_equal, ids, reference.own_token_ids)), len(ids)),
        prompt=None if other.prompt is None else other.prompt == reference.own_prompt,
        num_positions=len(kld),
        mean_kld=mean_kld,
        max_kld=float(kld.max()),
        top1=float(same.mean()),
        logit_error=error,
        qualifying=qualifying,
        greedy_equal=_beginning(reference.greedy, other.greedy),
        num_greedy=max(len(reference.greedy), len(other.greedy)),
        disagreements=tuple(wrong),
    )


def _readings(reference: Observation, other: Observation) -> list[str]:
    wrong: list[str] = []
    for ids, name in ((other.token_ids, other.backend), (other.own_token_ids, f"edge's tokenizer of {other.path}")):
        for text, mine, theirs in zip(TEXTS, reference.own_token_ids, ids or (), strict=False):
            if mine != theirs:
                place = _beginning(mine, theirs)
                wrong.append(
                    f"{name} reads {text[:30]!r} differently from token {place} on: {theirs[place : place + 4]} "
                    f"instead of {mine[place : place + 4]}"
                )
                break
    return wrong


def _prompts(reference: Observation, other: Observation) -> list[str]:
    mine = reference.own_prompt
    wrong: list[str] = []
    for theirs, name in ((other.prompt, other.backend), (other.own_prompt, f"the template of {other.path}")):
        if mine is not None and theirs is not None and mine != theirs:
            place = _beginning(mine, theirs)
            wrong.append(
                f"{name} writes another prompt from character {place} on: {theirs[place : place + 30]!r} instead of "
                f"{mine[place : place + 30]!r}"
            )
    return wrong


def _logit_error(one: F64, two: F64) -> float:
    """Root mean square of the differences over the likeliest tokens of each position, less what all have in common."""
    count = min(_LIKELY, one.shape[1])
    likely = np.argpartition(one, -count, axis=1)[:, -count:]
    difference: F64 = np.take_along_axis(one, likely, axis=1) - np.take_along_axis(two, likely, axis=1)
    difference -= difference.mean(axis=1, keepdims=True)
    return float(np.sqrt(np.square(difference).mean()))


def _lead(rows: F64) -> F64:
    """By how much the best token leads the second."""
    second, first = np.partition(rows, -2, axis=1)[:, -2:].T
    lead: F64 = first - second
    return lead


def _equal(one: object, other: object) -> bool:
    return one == other


def _beginning(one: tuple[int, ...] | str, other: tuple[int, ...] | str) -> int:
    """How much they have in common from the start."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
