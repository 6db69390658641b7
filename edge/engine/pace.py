"""How much of the prompts a step may compute, so that answers which are being read keep coming."""

from __future__ import annotations

from collections.abc import Sequence as Items

from edge.engine.policy import Policy
from edge.engine.sequence import Sequence
from edge.engine.step_cost import StepCost

MAX_STEP_SECONDS = 0.08  # a reader sees a longer pause
MAX_SLOWDOWN = 2.0  # of the step of one token that a stream alone takes
MOST_UNREAD = 8  # tokens that an answer may be ahead of its reader, who then waits for none
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
        return min(room, max(LEAST_SHARE, self._cost.tokens_within(target, self._max_tokens) - len(decodes)))


def _is_read(sequence: Sequence) -> bool:
    """Whether somebody waits for its next token."""
    begun = sequence.num_answer_tokens > 0
    return sequence.priority == "interactive" and begun and len(sequence.output) <= MOST_UNREAD
