"""What a step costs, by its number of tokens: measured by the engine's own clock, between its steps and beyond them
shaped like the profile's.

A step of few tokens is bound by reading the weights, a long one by arithmetic, and where the border lies depends on
kernels and machine. So there is no formula: the figures are a curve through what was measured. Each size has the median
of its last few steps, because one slow step (a page that was not there, another program) says nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Mapping

RECENT = 9  # steps of a size that are remembered
DOUBT_AFTER = 120  # times that a size may keep steps short without being measured again
CERTAIN = 3  # steps of a size, of which the median is believed so long
RETRY_AFTER = 8  # times that one measured less often may
_LEAST_SECONDS = 1e-9  # a clock may stand still
_EXACT = 16  # sizes up to here are told apart; above, four to every doubling


class StepCost:
    """seconds(n) of a step of n tokens. prior: tokens -> seconds of which only the shape counts; empty: a plain one."""

    def __init__(self, prior: Mapping[int, float]) -> None:
        # One more token costs a quarter of the first: what small kernels take on a CPU, give or take a half.
        shape = dict(prior) if len(prior) >= 2 else {1: 1.0, 5: 2.0}
        self._shape = sorted(shape.items())
        self._measured: dict[int, deque[float]] = {}  # size -> seconds over the shape's, of its last RECENT steps
        self._doubts: dict[int, int] = {}  # size -> how often it kept steps short since it was measured
        self._medians: list[tuple[int, float]] = []  # (size, their median), ascending
        self._stale: set[int] = set()  # sizes whose median is to be taken again

    def observe(self, num_tokens: int, seconds: float) -> None:
        """A step of num_tokens took so long."""
        size = _size(num_tokens)
        recent = self._measured.setdefault(size, deque(maxlen=RECENT))
        recent.append(max(seconds, _LEAST_SECONDS) / _on_line(self._shape, num_tokens, extend=True))
        self._doubts.pop(size, None)
        self._stale.add(size)  # most steps are followed by others before anybody asks

    @property
    def _ratios(self) -> list[tuple[int, float]]:
        for size in self._stale:
            recent = self._measured[size]
            median = sorted(recent)[(len(recent) - 1) // 2]
            place = bisect_left(self._medians, (size,))
            known = place < len(self._medians) and self._medians[place][0] == size
            self._medians[place : place + known] = [(size, median)]
        self._stale.clear()
        return self._medians

    def measured_up_to(self, num_tokens: int) -> bool:
        """Whether a step of so many tokens or fewer was measured."""
        return bool(self._ratios) and self._ratios[0][0] <= num_tokens

    def seconds(self, num_tokens: int) -> float | None:
        """None before anything was measured."""
        if not self._ratios:
            return None
        return _on_line(self._shape, num_tokens, extend=True) * _on_line(self._ratios, num_tokens, extend=False)

    def tokens_within(self, seconds: float, most: int) -> int:
        """The largest step up to `most` tokens that takes so long; 0 when none does, or nothing is known.

        What was measured above it is believed DOUBT_AFTER times and then forgotten, or a slow time would keep steps
        short for good; and what was measured less than CERTAIN times is tried again soon, or one slow step would keep
        them short for long.
        """
        low, high = 0, most + 1  # low does, high does not
        while high - low > 1:
            middle = (low + high) // 2
            cost = self.seconds(middle)
            low, high = (middle, high) if cost is not None and cost <= seconds else (low, middle)
        if self._ratios:
            self._doubt(above=max(low, self._ratios[0][0]))
        return low

    def is_measured(self, num_tokens: int) -> bool:
        """Whether a step of this size was, as far as sizes are told apart."""
        return any(size == _size(num_tokens) for size, _ in self._ratios)

    def tokens_per_second(self, num_tokens: int) -> float | None:
        """In steps of num_tokens; None before anything was measured."""
        cost = self.seconds(num_tokens)
        return None if cost is None else num_tokens / cost

    def _doubt(self, above: int) -> None:
        for size in [size for size, _ in self._ratios if size > above]:
            self._doubts[size] = self._doubts.get(size, 0) + 1
            certain = len(self._measured[size]) >= CERTAIN
            if self._doubts[size] >= (DOUBT_AFTER if certain else RETRY_AFTER):
                del self._doubts[size], self._ratios[bisect_left(self._ratios, (size,))]
                if certain:
                    del self._measured[size]


def _size(num_tokens: int) -> int:
    """The size that stands for steps of num_tokens: the largest at most as large, so that there are few."""
    if num_tokens <= _EXACT:
        return num_tokens
    unit = 1 << (num_tokens.bit_length() - 3)
    return num_tokens // unit * unit


def _on_line(points: list[tuple[int, float]], at: int, *, extend: bool) -> float:
    """Linear between points, flat below them; above, flat or as steep as the last piece."""
    index = bisect_left(points, at, key=lambda point: point[0])
    if index == 0:
        return points[0][1]
    if index == len(points):
        if not extend or len(points) == 1:
            return points[-1][1]
        index -= 1
    (x0, y0), (x1, y1) = points[index - 1], points[index]
    return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
