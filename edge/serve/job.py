"""The answers of one request while they are made: a driver thread fills it, the event loop empties it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.results import Completion, Token
from edge.stream import Stream


@dataclass(frozen=True, slots=True)
class Piece:
    """Of choice `index`: its next token, or how it ended."""

    index: int
    token: Token | None = None
    completion: Completion | None = None


class Job:
    """streams: one for each prompt, whose answers are choices i * n .. (i + 1) * n - 1.

    on_end: called once, by the driver's thread, when all blocks are free; its argument says whether all ended by
    themselves.
    """

    def __init__(self, on_end: Callable[[Job, bool], None]) -> None:
        self.n = 1
        self.streams: list[Stream] = []
        self.cancelled = False
        self.began_at = time.perf_counter()
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._pieces: list[Piece] = []
        self._error: BaseException | None = None
        self._live: dict[int, Stream] = {}
        self._unforked: set[int] = set()

    @property
    def num_choices(self) -> int:
        return self.n * len(self.streams)

    def begin(self, streams: Sequence[Stream], n: int) -> None:
        """Before the driver gets it. n: answers to each prompt."""
        self.n, self.streams = n, list(streams)
        self._live = {number * self.n: stream for number, stream in enumerate(streams)}
        self._unforked = set(self._live) if n > 1 else set()

    # By the driver's thread:

    def collect(self) -> bool:
        """Takes what the last step made. False: nothing is left to be made."""
        pieces: list[Piece] = []
        for index, stream in tuple(self._live.items()):
            while index in self._live and stream.ready:
                token = next(stream, None)
                if token is not None:
                    pieces.append(Piece(index, token=token))
                    if index in self._unforked:
                        self._fork(index, stream)
                else:
                    pieces.append(Piece(index, completion=stream.completion()))
                    del self._live[index]
                    self._unforked.discard(index)
        if pieces:
            self._loop.call_soon_threadsafe(self._put, pieces)
        return bool(self._live)

    def end(self, error: BaseException | None = None) -> None:
        """Closes what still runs, and says so."""
        completed = error is None and not self.cancelled and not self._live
        for stream in self._live.values():
            stream.close()
        self._live.clear()
        self._on_end(self, completed)
        if error is not None:
            self._loop.call_soon_threadsafe(self._fail, error)

    def _fork(self, index: int, stream: Stream) -> None:
        """The other answers to a prompt that has been read now: they go on from its end."""
        self._unforked.discard(index)
        for number in range(1, self.n):
            self._live[index + number] = stream.fork(restart=True)

    # By the event loop:

    def _put(self, pieces: list[Piece]) -> None:
        self._pieces += pieces
        self._ready.set()

    def _fail(self, error: BaseException) -> None:
        self._error = error
        self._ready.set()

    async def pieces(self, seconds: float | None = None) -> list[Piece]:
        """What has come, at least one piece; none when nothing came for so many seconds. Raises what went wrong."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return []
        self._ready.clear()
        pieces, self._pieces = self._pieces, []
        if not pieces and self._error is not None:
            raise self._error
        if self._error is not None:
            self._ready.set()
        return pieces

    def prefill(self) -> tuple[int, int, int] | None:
        """Of all prompts: tokens found in the cache, computed or found, all. None: all of them wait."""
        states = [stream.prefill for stream in self.streams]
        begun = [state for state in states if state is not None]
        if not begun:
            return None
        total = sum(len(stream.context_tokens) for stream, state in zip(self.streams, states, strict=True) if not state)
        return sum(s[0] for s in begun), sum(s[1] for s in begun), sum(s[2] for s in begun) + total
