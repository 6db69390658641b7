"""The assistant: conversations, tools and a model behind one object that pages, terminals and programs use."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import edge
from edge.assistant.bus import Bus
from edge.assistant.chat_model import ChatModel
from edge.assistant.consent import Answer, Desk, Grants
from edge.assistant.conversations import Conversations
from edge.assistant.errors import Busy, NotFound
from edge.assistant.executor import Executor
from edge.assistant.history import search
from edge.assistant.home import Home
from edge.assistant.machine import Machine
from edge.assistant.planner import planner_for, shortcoming
from edge.assistant.records import Call, Turn
from edge.assistant.retrieval import Ranker, shortlist
from edge.assistant.settings import AssistantSettings
from edge.assistant.status import Sensors, status_of
from edge.assistant.store import Store
from edge.assistant.timers import Ringer, Timers
from edge.assistant.tool import Tool
from edge.assistant.tools import Toolbox, built_in_tools
from edge.assistant.turn_runner import TurnRunner
from edge.assistant.workspace import Workspace

__all__ = ["Assistant"]

ConsentPolicy = Callable[[Call], Answer]


class Assistant:
    """A context manager. For all threads.

    model: one that was loaded (by `edge.load`, with sequences of 2 or more so that conversations answer side by side).
    tools: further ones. consent: answers for the person, in a program without a page; None: `answer_consent` does.
    Raises StoreError, RequestError.
    """

    def __init__(
        self,
        model: edge.Model | ChatModel,
        settings: AssistantSettings,
        *,
        tools: Iterable[Tool] = (),
        consent: ConsentPolicy | None = None,
        ranker: Ranker | None = None,
        budget: int | None = None,
        machine: Machine | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.model = cast("ChatModel", model)
        self.bus = Bus()
        self.notices: list[str] = []
        self._settings, self._clock, self._consent, self._ranker = settings, clock, consent, ranker
        self._budget, self._started = budget, time.monotonic()
        self._lock = threading.RLock()
        self._running: dict[int, TurnRunner] = {}  # by conversation
        self._threads: list[threading.Thread] = []
        self._tokens: dict[int, tuple[int, ...]] = {}  # what the model read last, by conversation
        self._last: Turn | None = None
        self._sensors = Sensors()
        self._desk = Desk()
        workspace = Workspace(settings.workspace or settings.data / "files")
        self._store = Store(settings.data, now=clock())
        try:
            self.conversations = Conversations(self._store)
            self.timers = Timers(self._store, lambda timer: self.bus.publish("timer.updated", timer))
            self.home = Home(self._store, clock, lambda home: self.bus.publish("home.updated", home))
            box = Toolbox(self._store, self.timers, self.home, workspace, machine or Machine(), clock)
            self.notes, self.lists, self.calendar = box.notes, box.lists, box.calendar
            self.tools = {tool.name: tool for tool in [*built_in_tools(box), *tools]}
            unknown = [name for name in settings.allow if name not in self.tools]
            if unknown:
                raise edge.RequestError(f"--allow: there is no tool {unknown[0]!r}")
            self.grants = Grants(self._store, lambda data: self.bus.publish("grants.updated", data), settings.allow)
            self.planner = planner_for(self.model)
            self.offered = self._offered_tools(box)
            told = self._store.notice, shortcoming(self.model, self.planner)
            self.notices += [each for each in told if each is not None]
            self.conversations.close_interrupted(clock())
            self._ringer = Ringer(
                self.timers, lambda timer: self.bus.publish("timer.ringing", timer), self.notice, clock
            )
        except BaseException:
            self._store.close()
            raise

    # What people ask

    def ask(self, request: str, conversation: int | None = None) -> Turn:
        """Answers a request and returns when that is done."""
        where = self.conversations.create(self._clock())["id"] if conversation is None else conversation
        turn = self.start(request, where)
        self.wait(turn.id)
        return self.conversations.turn(turn.id)

    def start(self, request: str, conversation: int) -> Turn:
        """Begins a turn behind the last one; what follows comes as events. Busy, NotFound."""
        with self._lock:
            path = self.conversations.path(conversation)
            return self._begin(conversation, path, request, seed=0)

    def edit(self, turn: int, request: str, conversation: int | None = None) -> Turn:
        """A new version of a turn, beside it."""
        with self._lock:
            where, path, _ = self._before(turn, conversation)
            return self._begin(where, path, request, seed=0)

    def retry(self, turn: int, conversation: int | None = None) -> Turn:
        """The same request with another seed."""
        with self._lock:
            where, path, old = self._before(turn, conversation)
            return self._begin(where, path, old.request, seed=max(1, len(old.versions)))

    def select(self, turn: int, conversation: int | None = None) -> int:
        """Shows a version and what followed it; returns the conversation."""
        with self._lock:
            where = conversation or self.conversations.turn(turn).conversation
            self._check_idle(where)
            if turn not in {version for each in self.conversations.path(where) for version in each.versions}:
                raise NotFound(f"conversation {where} has no version {turn}")
            self.conversations.select(where, turn)
            return where

    def stop(self, turn: int) -> Turn:
        with self._lock:
            runner = next((each for each in self._running.values() if each.turn.id == turn), None)
        if runner is not None:
            runner.stop()
            self._desk.wake()
            return runner.turn
        return self.conversations.turn(turn)

    def answer_consent(self, call: int, answer: Answer, digest: str) -> Call:
        """Raises Conflict."""
        return self._desk.answer(call, answer, digest)

    def fork(self, conversation: int, at_turn: int | None = None) -> dict[str, Any]:
        """Goes on from there under another name; K and V of what both share are kept once."""
        with self._lock:
            created = self.conversations.create(self._clock(), fork_of=conversation, at_turn=at_turn)
            self._tokens[created["id"]] = self._tokens.get(conversation, ())
        return self.described(created)

    def remove(self, conversation: int) -> None:
        with self._lock:
            self._check_idle(conversation)
            self.conversations.remove(conversation)
            self._tokens.pop(conversation, None)
        self.bus.publish("conversation.removed", {"id": conversation})

    def search(self, words: str, limit: int = 50) -> list[dict[str, Any]]:
        return search(self._store, words, limit)

    # What pages show

    def described(self, conversation: dict[str, Any]) -> dict[str, Any]:
        """With what runs in it, and its tokens."""
        number = conversation["id"]
        runner, tokens = self._running.get(number), self._tokens.get(number, ())
        size = self.model.stats.block_size or 1
        shared = max((_alike(tokens, other, size) for key, other in tuple(self._tokens.items()) if key != number),
                     default=0)  # fmt: skip
        return conversation | {
            "running": None if runner is None else runner.turn.id, "tokens": len(tokens),
            "kept_tokens": self.model.num_kept_tokens(tokens) if tokens else 0, "shared_tokens": shared,
        }  # fmt: skip

    def live(self, turn: Turn) -> Turn:
        """The turn as it stands now, where it runs."""
        runner = next((each for each in tuple(self._running.values()) if each.turn.id == turn.id), None)
        return turn if runner is None else runner.turn

    def status(self) -> dict[str, Any]:
        figures = None if self._last is None else self._last.figures
        return status_of(self.model, self._sensors, figures, contexts=tuple(self._tokens.values()),
                         running=len(self._running), budget=self._budget,
                         uptime=time.monotonic() - self._started)  # fmt: skip

    def described_model(self) -> dict[str, Any]:
        how = "off" if self._all_fit() else "lexical" if self._ranker is None else "embeddings"
        return {"name": Path(self.model.path).stem, "path": self.model.path, "backend": self.model.backend,
                "context": self.model.context, "bundled": self.model.tool_format == "assistant",
                "planning": self.planner.steps, "retrieval": how, "tools": len(self.tools)}  # fmt: skip

    def now(self) -> float:
        """Seconds since 1970, by the assistant's clock."""
        return self._clock()

    def notice(self, text: str) -> None:
        self.notices.append(text)
        self.bus.publish("notice", {"text": text})

    # Life

    def warm_up(self) -> str | None:
        """Reads what every prompt begins with, so that the first request finds its K and V; nothing where the list of
        tools changes with the request. Returns what a person should know of it."""
        return self.planner.warm_up(self.offered) if self._all_fit() else None

    def wait(self, turn: int, seconds: float | None = None) -> None:
        """Until a turn has ended."""
        thread = next((each for each in self._threads if each.name == f"turn-{turn}"), None)
        if thread is not None:
            thread.join(seconds)

    def close(self) -> None:
        """Stops what runs, and closes the database; the model stays the caller's. Allowed twice."""
        for runner in tuple(self._running.values()):
            runner.stop()
        self._desk.wake()
        for thread in tuple(self._threads):
            thread.join(5.0)
        self._ringer.close()
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # Inside

    def publish(self, name: str, data: Any) -> None:
        self.bus.publish(name, data)

    def add_calls(self, calls: Sequence[Call]) -> None:
        self.conversations.add_calls(calls)

    def save_call(self, call: Call) -> None:
        self.conversations.save_call(call)
        if call.status == "asking" and self._consent is not None:
            self._desk.answer(call.id, self._consent(call), call.digest)

    def joules(self) -> float | None:
        return self._sensors.joules()

    def _before(self, turn: int, conversation: int | None) -> tuple[int, list[Turn], Turn]:
        """The conversation, the turns in front of this one, and this one. NotFound: it is not shown there."""
        where = conversation or self.conversations.turn(turn).conversation
        path = self.conversations.path(where)
        place = next((index for index, each in enumerate(path) if each.id == turn), None)
        if place is None:
            raise NotFound(f"conversation {where} shows no turn {turn}")
        return where, path[:place], path[place]

    def _check_idle(self, conversation: int) -> None:
        if conversation in self._running:
            raise Busy(f"conversation {conversation} has a running turn; stop it or wait")

    def _begin(self, conversation: int, path: list[Turn], request: str, seed: int) -> Turn:
        arrived_at = time.perf_counter()
        self._check_idle(conversation)
        turn = self.conversations.add_turn(conversation, path[-1].id if path else None, request, seed, self._clock())

        def executor(changed: Callable[[Call], None], stopped: Callable[[], bool]) -> Executor:
            return Executor(self.tools, self.grants, self._desk, changed, stopped, self._clock)

        runner = TurnRunner(turn, path, self.planner, self.tools, self._shown, self, executor, arrived_at=arrived_at)
        self._running[conversation] = runner
        self.bus.publish("turn.started", turn.as_json())
        self._threads = [each for each in self._threads if each.is_alive()]
        thread = threading.Thread(target=self._run, args=(conversation, runner), name=f"turn-{turn.id}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return turn

    def _run(self, conversation: int, runner: TurnRunner) -> None:
        turn = runner.turn
        try:
            runner.run()
        except BaseException as error:  # a bug of ours: the conversation goes on
            turn.status, turn.error = "failed", f"internal error, {type(error).__name__}: {error}"
        turn.ended_at = self._clock()
        try:
            self.conversations.save_turn(turn)
        except edge.EdgeError as error:
            turn.status, turn.error = "failed", str(error)
        with self._lock:
            del self._running[conversation]
            if turn.figures is not None and turn.figures.prompt_tokens is not None:
                self._last = turn  # the last that a model was asked for
            if runner.tokens:
                self._tokens[conversation] = runner.tokens
        self.bus.publish("turn.ended", turn.as_json())
        self.bus.publish("conversation.updated", self.described(self.conversations.get(conversation)))

    def _offered_tools(self, box: Toolbox) -> list[Tool]:
        """What the model is told of: all tools."""
        if self.model.tool_format == "assistant":
            self.planner.own = frozenset(box.learnt)  # type: ignore[attr-defined]
        return list(self.tools.values())

    def _all_fit(self) -> bool:
        if self._settings.retrieval != "auto":
            return self._settings.retrieval == "off"
        size = sum(len(str(tool.as_function())) for tool in self.offered) // 4  # about four characters a token
        return self.model.tool_format == "assistant" or size <= self.model.context // 4

    def _shown(self, request: str, path: Sequence[Turn]) -> list[Tool]:
        if self._all_fit():
            return self.offered
        used = {call.tool for turn in path[-3:] for call in turn.calls}
        return shortlist(request, self.offered, self._settings.shown_tools, ranker=self._ranker, keep=used)


def _alike(tokens: Sequence[int], others: Sequence[int], size: int) -> int:
    """Tokens of the blocks that both begin with."""
    length = min(len(tokens), len(others)) // size * size
    while length and tuple(tokens[:length]) != tuple(others[:length]):
        length -= size
    return length
