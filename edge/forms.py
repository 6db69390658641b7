"""A request's keywords as what the engine takes: sampling parameters, and the constraint of a form."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from edge.engine import Constraint, SamplingParams
from edge.generate_options import GenerateOptions

if TYPE_CHECKING:
    from edge.grammar import Constraints
    from edge.tokenizer import Tokenizer

_NAMES = ("schema", "regex", "grammar")


class Forms:
    """Of one model. Without a form nothing of edge.grammar is imported."""

    def __init__(self, tokenizer: Callable[[], Tokenizer], vocab_size: int, before: Callable[[], None]) -> None:
        """As `Constraints`."""
        self._made_of = tokenizer, vocab_size, before
        self._lock = threading.Lock()
        self._constraints: Constraints | None = None

    def read(self, options: GenerateOptions) -> tuple[SamplingParams, Constraint | None]:
        """RequestError: an option out of range, or a form that cannot be enforced. Whatever `before` raises."""
        rest: dict[str, Any] = dict(options)
        rest.pop("adapter", None)  # says what computes the logits, nothing of what is chosen by them
        form = {name: rest.pop(name) for name in _NAMES if name in rest}
        params = SamplingParams(**rest)
        if all(value is None for value in form.values()):
            return params, None
        from edge.grammar import Constraints, grammar_of

        grammar = grammar_of(**form)
        assert grammar is not None
        with self._lock:
            if self._constraints is None:
                self._constraints = Constraints(*self._made_of)
        return params, self._constraints.constraint(grammar)
