"""How much of the prompts a step may compute, so that answers which are being read keep coming."""

from __future__ import annotations

from collections.abc import Sequence as Items

from edge.engine.policy import Policy
from edge.engine.sequence import Sequence
from edge.engine.step_cost import StepCost

MAX_STEP_SECONDS = 0.08  # a reader sees a longer pause
MAX_SLOWDOWN = 2.0  # of the step of one token that a stream alone takes
MOST_UNREAD = 8  # tokens that an answer may be ahead of its reader, who then waits for none
WHOLE = 8  # tokens that kernels compute at a time: the next one costs more than its share
LEAST_SHARE = 2  # prompt tokens, whatever they cost, so that no prompt stands still; more would break the target


class Pace:
    """Prompt tokens for a step of at most max_tokens."""

    def __init__(self, policy: Policy, cost: StepCost, max_tokens: int) -> None:
        self._fills = policy.schedule == "throughput"
        self._cost = cost
        self._max_tokens = max_tokens

    def prompt_tokens(self, decodes: Items[Sequence]) -> int:
        """How many go into a step beside these sequences, which take one token each.

        While one of them is read, as many as keep the step within the lesser of MAX_STEP_SECONDS and MAX_SLOWDOWN
        steps of a single token, but never fewer than LEAST_SHARE; otherwise what there is room for. 0 once, when no
        step without a prompt was measured yet: there is nothing to compare with.
        """
        room = self._max_tokens - len(decodes)
        if self._fills or not any(_is_read(sequence) for sequence in decodes):
            return room
        alone = self._cost.seconds(1)
        if alone is None or not self._cost.measured_up_to(len(decodes)):
            return 0
        target = min(MAX_STEP_SECONDS, MAX_SLOWDOWN * alone)
        size = self._quickest(self._cost.tokens_within(target, self._max_tokens), len(decodes))
        return min(room, max(LEAST_SHARE, size - len(decodes)))

    def _quickest(self, most: int, num_decodes: int) -> int:
        """Up to `most` tokens, of which more than num_decodes are of prompts, in the step that computes these quicker:
        all of them, or as many as kernels compute at a time. What was never tried is."""
        whole = most // WHOLE * WHOLE
        if whole in (0, most) or whole <= num_decodes:
            return most
        seconds, seconds_whole = self._cost.seconds(most), self._cost.seconds(whole)
        if not self._cost.is_measured(whole) or seconds is None or seconds_whole is None:
            return whole
        return whole if (whole - num_decodes) * seconds > (most - num_decodes) * seconds_whole else most


def _is_read(sequence: Sequence) -> bool:
    """Whether somebody waits for its next token."""
    begun = sequence.num_answer_tokens > 0
    return sequence.priority == "interactive" and begun and len(sequence.output) <= MOST_UNREAD
