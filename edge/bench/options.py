"""What to measure, checked before anything is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge import native
from edge.errors import RequestError

MAX_BATCH = 256
MAX_ROUNDS = 1000
MAX_TOKENS = 1 << 20
DEFAULT_DEPTHS = (0, 1024)


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """Every combination is measured, once a round; medians are over the rounds.

    prompt, decode: tokens; 0 leaves that phase out. depth: positions in front of them; None: 0, and 1024 where the
    model's context has room for it. threads: None is the engine's own choice. batch: tokens of single steps whose cost
    is compared with that of one. Raises RequestError naming the option, the value and the limits.
    """

    prompt: tuple[int, ...] = (512,)
    decode: tuple[int, ...] = (64,)
    depth: tuple[int, ...] | None = None
    threads: tuple[int, ...] | None = None
    batch: tuple[int, ...] = ()
    rounds: int = 3

    def __post_init__(self) -> None:
        _check("prompt", self.prompt, 0, MAX_TOKENS)
        _check("decode", self.decode, 0, MAX_TOKENS)
        _check("depth", self.depth or (), 0, MAX_TOKENS)
        _check("threads", self.threads or (), 1, native.MAX_THREADS)
        _check("batch", self.batch, 1, MAX_BATCH)
        _check("rounds", (self.rounds,), 1, MAX_ROUNDS)
        if not (self.prompts or self.decodes or self.batch):
            raise RequestError("prompt and decode are 0 and there is no batch: nothing to measure")

    @property
    def prompts(self) -> tuple[int, ...]:
        return _unique(self.prompt, but=0)

    @property
    def decodes(self) -> tuple[int, ...]:
        return _unique(self.decode, but=0)

    @property
    def batches(self) -> tuple[int, ...]:
        """With 1 in front, which the others are compared with; () when there are none."""
        return _unique((1, *self.batch)) if self.batch else ()

    @property
    def longest(self) -> int:
        """Positions that the longest of what is measured takes behind its depth."""
        return max(*self.prompts, *self.decodes, *self.batches, 2)

    def depths(self, max_context: int) -> tuple[int, ...]:
        """In ascending order. RequestError when one does not fit a model made for `max_context` positions."""
        if self.depth is None:
            wanted = [depth for depth in DEFAULT_DEPTHS if depth == 0 or depth + self.longest <= max_context]
        else:
            wanted = sorted(set(self.depth))
        deepest = max(wanted)
        if deepest + self.longest > max_context:
            raise RequestError(
                f"{self.longest} tokens behind a depth of {deepest} make {deepest + self.longest}; "
                f"the model was made for {max_context}: ask for fewer with --prompt, --decode or --depth"
            )
        return tuple(wanted)


def _check(name: str, values: Sequence[int], low: int, high: int) -> None:
    for value in values:
        if not low <= value <= high:
            raise RequestError(f"{name} is {value}; it must be a whole number from {low} to {high}")


def _unique(values: Sequence[int], but: int | None = None) -> tuple[int, ...]:
    """In the order given, each once."""
    return tuple(value for value in dict.fromkeys(values) if value != but)
