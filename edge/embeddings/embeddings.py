"""The embeddings of one loaded model: what a request asks for is checked, and its parts are made at first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, get_args

from edge.backends.native import NativeBackend
from edge.backends.states import States, plan_states
from edge.errors import ContextExceeded, RequestError
from edge.formats.config import Pooling
from edge.formats.gguf import GGUFFile

if TYPE_CHECKING:
    from edge.embeddings.embedder import Embedder
    from edge.embeddings.pooling import F32
    from edge.tokenizer import Tokenizer

__all__ = ["Embeddings"]

MAX_TEXTS = 1 << 20  # of a call


class Embeddings:
    """step_lock: held around every step of the model. grow: told of the bytes that a decoder's second program takes,
    before it is used; raises DoesNotFit."""

    def __init__(
        self,
        file: GGUFFile,
        backend: NativeBackend,
        step_lock: AbstractContextManager[object],
        tokenizer: Callable[[], Tokenizer],
        grow: Callable[[int], None],
    ) -> None:
        self._file = file
        self._backend = backend
        self._step_lock = step_lock
        self._tokenizer = tokenizer
        self._grow = grow
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None
        self._closed = False

    def embed(
        self,
        texts: str | Sequence[str] | Sequence[Sequence[int]],
        pooling: Pooling | None,
        normalize: bool,
        before_step: Callable[[], None] = lambda: None,
    ) -> F32:
        """As `Model.embed`. before_step: called between steps; what it raises ends the work."""
        chosen = self._chosen(pooling)
        token_lists = self.token_lists(texts)
        embedder = self._opened()
        vectors = embedder.embed(token_lists, chosen, before_step)
        if not normalize:
            return vectors
        from edge.embeddings.pooling import normalized

        return normalized(vectors)

    def token_lists(self, texts: str | Sequence[str] | Sequence[Sequence[int]]) -> list[Sequence[int]]:
        """Token ids of each text, checked. Errors as `Model.embed`."""
        items = [texts] if isinstance(texts, str) else texts
        if len(items) > MAX_TEXTS:
            raise RequestError(f"{len(items)} texts, at most {MAX_TEXTS} are embedded at a time")
        return [self._tokens(number, item) for number, item in enumerate(items)]

    def close(self) -> None:
        """While no step runs."""
        self._closed = True
        if self._embedder is not None:
            self._embedder.states.close()

    def _tokens(self, number: int, item: str | Sequence[int]) -> Sequence[int]:
        limits = self._backend.limits
        tokens = self._tokenizer().encode(item) if isinstance(item, str) else item
        if not tokens:
            raise RequestError(f"text {number} has no tokens; there is nothing to embed")
        if len(tokens) > limits.context:
            raise ContextExceeded(len(tokens), limits.context, text=number)
        for token in (min(tokens), max(tokens)):
            if not 0 <= token < limits.vocab_size:
                known = f"the vocabulary has ids 0 to {limits.vocab_size - 1}"
                raise RequestError(f"text {number} holds token id {token}; {known}")
        return tokens

    def _chosen(self, pooling: Pooling | None) -> Pooling:
        if pooling is not None and pooling not in get_args(Pooling):
            names = ", ".join(repr(name) for name in get_args(Pooling))
            raise RequestError(f"pooling is {pooling!r}; it must be one of {names}")
        config = self._backend.config
        found = pooling or config.pooling or (None if config.is_encoder else "last")
        if found is None:
            raise RequestError(
                f"{self._file.path} does not say how states are pooled; say pooling 'mean', 'cls' or 'last'"
            )
        return found

    def _opened(self) -> Embedder:
        with self._lock:
            if self._closed:
                raise RequestError("the model is closed; load it again")
            if self._embedder is None:
                from edge.embeddings.embedder import Embedder

                self._embedder = Embedder(self._states(), self._step_lock)
            return self._embedder

    def _states(self) -> States:
        if self._backend.config.is_encoder:
            return States(self._backend, None)
        plan = plan_states(self._file, self._backend)
        states = States(self._backend, plan)  # whose memory nobody has touched yet
        try:
            self._grow(plan.num_bytes + states.num_bytes)
        except BaseException:
            states.close()
            raise
        return states
