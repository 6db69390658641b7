"""One answer while it is made: token ids from the engine turned into text, stop strings, and what it took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import count
from types import TracebackType
from typing import Self

from edge.answer import AnswerForm, AnswerReader, Piece
from edge.engine import Engine, FinishReason, Sequence
from edge.errors import RequestError
from edge.results import Completion, Timings, Token, Usage
from edge.stops import StopStrings
from edge.tokenizer import StreamDecoder, Tokenizer

PrefillProgress = Callable[[int, int], None]  # (tokens computed, tokens of the prompt)


class Stream(Iterator[Token]):
    """Iterates over the tokens of an answer; afterwards `completion()` says how it ended and what it took.

    A context manager: leaving it, or close(), ends the answer and frees its KV blocks. Several streams of one model
    may be read in turn or from several threads; they share the engine's steps.
    Iteration raises NumericalError when the model computes logits that are not finite.
    """

    def __init__(
        self,
        engine: Engine,
        sequence: Sequence,
        tokenizer: Tokenizer,
        *,
        submitted_at: float,
        template: str | None = None,
        on_prefill: PrefillProgress | None = None,
        num_prepared_tokens: int = 0,
        form: AnswerForm | None = None,
    ) -> None:
        """form: what the answer may hold; None for an answer that is nothing but text."""
        self.on_end: Callable[[Stream], None] | None = None  # called once, when the answer has been read to its end
        self._num_prepared_tokens = num_prepared_tokens
        self._engine = engine
        self._sequence = sequence
        self._tokenizer = tokenizer
        self._form = AnswerForm() if form is None else form
        self._decoder = StreamDecoder(tokenizer, shown=tokenizer.control_ids(self._form.marks))
        self._reader = AnswerReader(self._form)
        self._stops = StopStrings(sequence.params.stop_strings)
        self._submitted_at = submitted_at
        self._template = template
        self._on_prefill = on_prefill
        self._numbers = count(sequence.number + 1)  # of forks, which all have their own
        self._pieces: list[Piece] = []
        self._tokens: list[int] = []
        self._ended = False

    @property
    def finish_reason(self) -> FinishReason | None:
        """None until the answer has ended."""
        return self._sequence.finish_reason if self._ended else None

    @property
    def ready(self) -> bool:
        """Whether a token or the end is there, so that next() computes no step."""
        return self._ended or bool(self._sequence.output) or self._sequence.finished

    @property
    def prefill(self) -> tuple[int, int, int] | None:
        """Tokens of the prompt: (found in the cache, computed or found, all). None: it waits in the queue."""
        sequence = self._sequence
        if sequence.started_at is None:
            return None
        done = min(sequence.num_computed_tokens, sequence.num_prompt_tokens)
        return sequence.num_cached_tokens, done, sequence.num_prompt_tokens

    @property
    def context_tokens(self) -> tuple[int, ...]:
        """Ids of the prompt and of the answer so far, as the model reads them."""
        return tuple(self._sequence.tokens)

    def __next__(self) -> Token:
        if self._ended:
            raise StopIteration
        try:
            token = self._next_id()
            piece = self._piece_of(token)
        except BaseException:
            self.close()
            raise
        if token is None:
            # Text held back as the possible start of a stop string or character is part of the answer after all.
            if not any(piece):
                raise StopIteration
            last = self._sequence.tokens[-1]
            return Token(piece.text, last, piece.reasoning, piece.content, piece.tool_calls, piece.problems)
        waiting = self._sequence.logprobs
        logprobs = waiting.popleft() if waiting else None
        return Token(piece.text, token, piece.reasoning, piece.content, piece.tool_calls, piece.problems, logprobs)

    def completion(self) -> Completion:
        """Reads the rest of the answer and returns all of it."""
        for _ in self:
            pass
        sequence = self._sequence
        if sequence.error is not None:
            raise sequence.error
        assert sequence.finish_reason is not None
        return Completion(
            text="".join(piece.text for piece in self._pieces),
            tokens=tuple(self._tokens),
            finish_reason=sequence.finish_reason,
            usage=Usage(
                sequence.num_prompt_tokens,
                sequence.num_cached_tokens,
                len(self._tokens),
                min(self._num_prepared_tokens, sequence.num_cached_tokens),
                sequence.num_handed_tokens,
            ),
            timings=_timings(sequence, self._submitted_at),
            backend=self._engine.backend.name,
            template=self._template,
            seed=sequence.seed,
            content="".join(piece.content for piece in self._pieces),
            reasoning="".join(piece.reasoning for piece in self._pieces),
            tool_calls=tuple(call for piece in self._pieces for call in piece.tool_calls),
            problems=tuple(problem for piece in self._pieces for problem in piece.problems),
            prefill_backend=sequence.origin.decode() or None,
        )

    def fork(self, *, restart: bool = False) -> Stream:
        """Another answer that goes on from what was read of this one, with random tokens of its own; what both share is
        kept once. Tokens that this one is ahead of its reader are not taken over.

        restart: from the end of the prompt instead, also when this one has ended. Any number of forks of one stream run
        side by side, as far as the model was loaded with `sequences` for them; the others wait. Under greedy sampling
        they are all equal. RequestError: this answer has ended, and restart is not asked for.
        """
        source, submitted_at = self._sequence, time.perf_counter()
        with self._engine.lock:
            if self._ended and not restart:
                raise RequestError("the answer has ended; fork it before, or with restart=True")
            while not (source.num_answer_tokens or source.finished):  # the prompt is read once, for all of them
                self._engine.step()
            length = source.num_prompt_tokens + (0 if restart else len(self._tokens))
            fork = self._engine.fork(source, number=next(self._numbers), length=length)
        stream = Stream(
            self._engine, fork, self._tokenizer, submitted_at=submitted_at, template=self._template, form=self._form
        )
        stream._numbers = self._numbers
        if not restart:
            for token in self._tokens:
                stream._piece_of(token)
        return stream

    def cancel(self) -> None:
        """From any thread: ends this answer with reason "cancelled", between two operations of a running step."""
        self._engine.cancel(self._sequence)

    def close(self) -> None:
        """Ends the answer if it runs and frees its KV blocks; allowed twice."""
        self._ended = True
        if not self._sequence.finished:
            self._engine.cancel(self._sequence)
        with self._engine.lock:
            self._engine.finish(self._sequence, "cancelled")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # May run in the middle of a step, so it only marks the sequence; the next step frees its blocks.
        if not self._sequence.finished:
            self._engine.cancel(self._sequence)

    def _next_id(self) -> int | None:
        """The next token of the answer; None when it has ended."""
        sequence = self._sequence
        while True:
            with self._engine.lock:
                steps = not (sequence.output or sequence.finished)
                if steps:
                    self._engine.step()
                token = sequence.output.popleft() if sequence.output else None
            if steps and self._on_prefill is not None and sequence.num_answer_tokens <= 1:
                self._on_prefill(sequence.num_computed_tokens, sequence.num_prompt_tokens)
            if token is not None:
                return token
            if sequence.error is not None:
                raise sequence.error
            if sequence.finish_reason is not None:
                return None

    def _piece_of(self, token: int | None) -> Piece:
        """What this token completes; ends the answer at a stop string or at the last token."""
        sequence = self._sequence
        if token is not None:
            self._tokens.append(token)
            text = self._stops.push(self._decoder.push(token))
        else:
            text = ""
        last = token is None or (sequence.finished and not sequence.output)
        if last and sequence.error is None and not self._stops.stopped:
            text += self._stops.push(self._decoder.flush())
            if not self._stops.stopped:
                text += self._stops.flush()
        piece = self._reader.push(text)
        stopped = self._stops.stopped or self._reader.done
        if stopped:
            with self._engine.lock:
                self._engine.finish(sequence, "stop")
            sequence.finish_reason = "stop"  # also when the stop string came with the last token allowed
        if (last and sequence.error is None) or stopped:
            self._ended = True
        if self._ended:
            piece = piece.followed_by(self._reader.finish())
        self._pieces.append(piece)
        on_end = self.on_end
        if self._ended and on_end is not None:
            self.on_end = None
            on_end(self)
        return piece


def _timings(sequence: Sequence, submitted_at: float) -> Timings:
    first, last, started = sequence.first_token_at, sequence.last_token_at, sequence.started_at
    prefill = None if first is None or started is None else first - started
    decode = None if first is None or last is None else last - first
    computed = sequence.num_prompt_tokens - sequence.num_cached_tokens
    steps = sequence.num_answer_tokens - 1  # the first token belongs to the prefill
    return Timings(
        time_to_first_token=None if first is None else first - submitted_at,
        prefill_seconds=prefill,
        decode_seconds=decode,
        prefill_tok_s=computed / prefill if prefill else None,
        decode_tok_s=steps / decode if decode and steps > 0 else None,
    )
