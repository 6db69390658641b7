"""One running answer: its tokens, its block table and how far it has been computed."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import Literal, Protocol, Self, get_args

from edge.engine.adapter_use import AdapterUse
from edge.engine.constraint import Constraint
from edge.engine.logprobs import TokenLogprobs
from edge.engine.sampling_params import SamplingParams
from edge.errors import EdgeError, RequestError

FinishReason = Literal["stop", "length", "cancelled"]
Priority = Literal["interactive", "background"]


class Forced(Protocol):
    """Tokens that are not chosen but given. Depends on nothing but the tokens so far."""

    def next(self, tokens: Items[int], start: int) -> int | None:
        """The token that must come, None for a free choice. The answer begins at `start`."""
        ...

    def fresh(self) -> Self:
        """The same for a fork."""
        ...


class Sequence:
    """State of one answer. The engine changes it, the caller reads `output`, `finish_reason` and `error`.

    max_length: tokens of prompt and answer together after which it ends with "length".
    seed, number and a token's position determine its random number, so batching cannot change it.
    forced: tokens that the answer must take. constraint: what its tokens may be, its own, not shared; one of both.
    adapter: which it uses; None: none. is_read_here: no other engine may have read any of it.
    priority: "background" gives way to "interactive". RequestError: another.
    """

    __slots__ = (
        "adapter",
        "admission",
        "arrival",
        "block_keys",
        "block_table",
        "cancel_requested",
        "constraint",
        "end_ids",
        "error",
        "favoured_until",
        "finish_reason",
        "first_token_at",
        "forced",
        "is_read_here",
        "last_token_at",
        "logprobs",
        "max_length",
        "num_cached_tokens",
        "num_computed_tokens",
        "num_handed_tokens",
        "num_preemptions",
        "num_prompt_tokens",
        "number",
        "origin",
        "output",
        "params",
        "priority",
        "seed",
        "started_at",
        "swap_slots",
        "times_passed",
        "tokens",
        "window_end",
        "window_start",
    )

    def __init__(
        self,
        prompt: Iterable[int],
        params: SamplingParams,
        *,
        max_length: int,
        seed: int,
        number: int = 0,
        end_ids: frozenset[int] = frozenset(),
        priority: str = "interactive",
        forced: Forced | None = None,
        constraint: Constraint | None = None,
        adapter: AdapterUse | None = None,
        is_read_here: bool = False,
    ) -> None:
        if priority not in get_args(Priority):
            names = " or ".join(repr(name) for name in get_args(Priority))
            raise RequestError(f"priority is {priority!r}; it must be {names}")
        self.tokens = array("i", prompt)  # prompt, then answer
        self.num_prompt_tokens = len(self.tokens)
        self.num_computed_tokens = 0  # tokens whose K and V are in the cache
        self.num_cached_tokens = 0  # of the prompt, found in the cache instead of computed
        self.num_handed_tokens = 0  # computed by another engine, for this sequence
        self.origin = b""  # the other engine that computed some of its K and V: part of its blocks' keys
        self.params = params
        self.max_length = max_length
        self.seed = seed
        self.number = number
        self.end_ids = end_ids
        self.forced = forced
        self.constraint = constraint  # which tokens may come
        self.adapter = adapter
        self.is_read_here = is_read_here
        self.block_table: list[int] = []
        self.window_start = self.window_end = 0  # which of the table's blocks have places in the windows
        self.block_keys: list[bytes] = []  # of the blocks that are full, by which other sequences find them
        self.output: deque[int] = deque()  # chosen, not handed out yet; an end token is not handed out
        # Of each token in `output`, when the parameters ask for them; None of a token that was not chosen by logits.
        self.logprobs: deque[TokenLogprobs | None] = deque()
        self.finish_reason: FinishReason | None = None
        self.error: EdgeError | None = None
        self.cancel_requested = False
        self.priority = priority
        self.arrival = 0  # the scheduler's count of sequences when it came
        self.admission = 0  # and of admissions when it was last admitted
        self.num_preemptions = 0
        self.times_passed = 0  # interactive ones admitted before it since it was last favoured
        self.favoured_until = 0  # tokens; with fewer it counts as interactive
        self.swap_slots: list[int] = []  # where its KV lies on the disk, while it is set aside
        self.started_at: float | None = None  # seconds of the engine's clock: first step
        self.first_token_at: float | None = None
        self.last_token_at: float | None = None

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def num_uncomputed_tokens(self) -> int:
        return len(self.tokens) - self.num_computed_tokens

    @property
    def num_answer_tokens(self) -> int:
        """Tokens of the answer, the end token included when one was chosen."""
        return len(self.tokens) - self.num_prompt_tokens

    @property
    def finished(self) -> bool:
        return self.finish_reason is not None or self.error is not None

    def forced_token(self) -> int | None:
        """What must come next; None for a free choice."""
        return None if self.forced is None else self.forced.next(self.tokens, self.num_prompt_tokens)

    def append(self, token: int, logprobs: TokenLogprobs | None = None) -> None:
        """Takes the next token, and ends the sequence when that was the last."""
        self.tokens.append(token)
        if token in self.end_ids:
            self.finish_reason = "stop"
            return
        self.output.append(token)
        if self.params.logprobs is not None:
            self.logprobs.append(logprobs)
        if self.constraint is not None:
            self.constraint.advance(token)
        if self.constraint is not None and self.constraint.complete:
            self.finish_reason = "stop"  # no step is spent on an end token, the only one that could come
        elif len(self.tokens) >= self.max_length:
            self.finish_reason = "length"

    def append_forced(self) -> bool:
        """Takes the tokens about which the constraint leaves no choice; False when there are none."""
        before = len(self.tokens)
        while self.constraint is not None and not self.finished:
            forced = self.constraint.forced()
            if not forced:
                break
            for token in forced:
                if not self.finished:
                    self.append(token)
        return len(self.tokens) > before
