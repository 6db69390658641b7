"""One turn from the request to the answer: ask the model, run its plan, ask again with the results, say what came."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import edge
from edge.assistant.chat_model import Answering
from edge.assistant.errors import AssistantError, ToolFailure
from edge.assistant.executor import Executor
from edge.assistant.plan import make_plan
from edge.assistant.planner import Listener, Planner, Said
from edge.assistant.records import Call, Figures, Turn
from edge.assistant.schema_check import problem_of
from edge.assistant.tool import Tool

__all__ = ["Keeper", "TurnRunner", "typed_call"]

MAX_ROUNDS, MAX_CALLS = 4, 16  # plans and calls of one turn
SECONDS = 300.0  # of one turn, without what people take to consent


class _Stopped(AssistantError):
    """The person stopped the turn, or its time is over."""


class Keeper(Protocol):
    """Where a turn goes: the database and the events."""

    def publish(self, name: str, data: Any) -> None: ...
    def add_calls(self, calls: Sequence[Call]) -> None: ...
    def save_call(self, call: Call) -> None: ...
    def joules(self) -> float | None: ...


class TurnRunner:
    """Runs in a thread of its own; `stop` may come from any."""

    def __init__(
        self,
        turn: Turn,
        path: Sequence[Turn],
        planner: Planner,
        tools: Mapping[str, Tool],
        shown: Callable[[str, Sequence[Turn]], list[Tool]],
        keeper: Keeper,
        executor: Callable[[Callable[[Call], None], Callable[[], bool]], Executor],
        *,
        arrived_at: float,
    ) -> None:
        """path: the turns before. shown: which tools the model sees for a request. arrived_at: by perf_counter."""
        self.turn = turn
        self.tokens: tuple[int, ...] = ()  # of the last prompt and answer, as the model reads them
        self._path = path
        self._planner = planner
        self._tools = tools
        self._shown = shown
        self._keeper = keeper
        self._executor = executor(self._call_changed, lambda: self._stop.is_set())
        self._arrived_at = arrived_at
        self._stop = threading.Event()
        self._stream: Answering | None = None
        self._figures = Figures(tools=len(tools))
        self._untrusted = any(call.untrusted for turn in path for call in turn.calls)
        self._lock = threading.Lock()

    def stop(self) -> None:
        self._stop.set()
        stream = self._stream
        if stream is not None:
            stream.cancel()

    def run(self) -> None:
        """Leaves the turn done, stopped or failed."""
        turn, before = self.turn, self._keeper.joules()
        try:
            self._run()
            turn.status = "stopped" if self._stop.is_set() else "done"
        except _Stopped as error:
            turn.status, turn.error = "stopped", str(error) or None
        except edge.EdgeError as error:
            turn.status, turn.error = ("stopped", None) if self._stop.is_set() else ("failed", str(error))
        after = self._keeper.joules()
        if before is not None and after is not None:
            self._figures.joules = after - before
        first = self._executor.first_done_at
        self._figures.action_seconds = None if first is None else first - self._arrived_at
        turn.figures = self._figures

    def _run(self) -> None:
        typed = typed_call(self.turn.request, self._tools)
        if isinstance(typed, str):
            self._say(typed)
            return
        if typed is not None:
            self._execute([typed], 1)
            self._say(_told(self.turn.calls))
            return
        failed = 0
        for number in range(1, MAX_ROUNDS + 1):
            tools = self._shown(self.turn.request, self._path)
            said = self._ask(tools, number)
            if not said.calls:
                return
            calls = self._execute(said.calls, number)
            if not self._planner.sees_results:
                self._repair(calls)
                self._say(_told(self.turn.calls))
                return
            failed += any(call.status == "failed" for call in calls)
            if failed == 1 and calls[-1].round == number and any(call.status == "failed" for call in calls):
                self._note("Something failed; the plan is made once more.")
            if failed > 1 or len(self.turn.calls) >= MAX_CALLS or number == MAX_ROUNDS:
                self._note(_limit(failed, len(self.turn.calls)))
                self._say(_told(calls))
                return

    def _ask(self, tools: list[Tool], number: int) -> Said:
        self._check()
        self._figures.tools_shown = len(tools)
        if self.turn.answer:
            self._say("\n")
        before = len(self.turn.answer)
        said = self._planner.plan(self._path, self.turn, tools, self._listener())
        self._check()
        if not said.calls and len(self.turn.answer) == before:
            if said.text.lstrip().startswith(("[{", '{"')):
                raise AssistantError(f"The model wrote a call that cannot be read: {said.text.strip()[:200]}")
            self._say(said.text or _told(self.turn.calls) or "(The model said nothing.)")
        return said

    def _execute(self, wanted: Sequence[tuple[str, dict[str, Any]]], number: int) -> list[Call]:
        self._check()
        room = MAX_CALLS - len(self.turn.calls)
        calls = make_plan(wanted[:room], self._tools, turn=self.turn.id, round_=number)
        for call in calls:
            call.untrusted_before = self._untrusted
        self._keeper.add_calls(calls)
        self.turn.calls += calls
        plan = [call.as_json() for call in calls]
        self._keeper.publish("turn.plan", {"turn": self.turn.id, "round": number, "calls": plan})
        self._executor.run(calls, untrusted_before=self._untrusted)
        self._untrusted = self._untrusted or any(call.untrusted for call in calls)
        return calls

    def _repair(self, calls: Sequence[Call]) -> None:
        """The one second try of a model that cannot read what went wrong: arguments that did not fit their schema are
        asked for again, held to it."""
        broken = [call for call in calls if call.status == "failed" and call.tool in self._tools
                  and problem_of(call.arguments, self._tools[call.tool].parameters) is not None]  # fmt: skip
        if len(broken) != 1 or len(calls) != 1:
            return
        said = self._planner.repair(self.turn, self._tools[broken[0].tool], self._listener())
        self._check()
        if said.calls and said.calls[0][1] != broken[0].arguments:
            self._note(f"The arguments of {broken[0].tool} did not fit; they were asked for once more.")
            self._execute(said.calls[:1], 2)

    def _listener(self) -> Listener:
        def begin(stream: Answering) -> None:
            self._stream = stream
            self._check()

        def end(completion: edge.Completion, stream: Answering) -> None:
            self.tokens = stream.context_tokens
            usage, timings, figures = completion.usage, completion.timings, self._figures
            if figures.prompt_tokens is None:
                figures.prompt_tokens, figures.cached_tokens = usage.prompt_tokens, usage.cached_tokens
                figures.prefill_tok_s = timings.prefill_tok_s
            figures.answer_tokens = (figures.answer_tokens or 0) + usage.completion_tokens
            figures.decode_tok_s = timings.decode_tok_s or figures.decode_tok_s

        return Listener(begin, self._say, self._think, self._prefill, self._note, end)

    def _prefill(self, cached: int, done: int, total: int) -> None:
        if self._figures.first_token_seconds is None:
            self._figures.first_token_seconds = time.perf_counter() - self._arrived_at
        self._keeper.publish("turn.prefill", {"turn": self.turn.id, "cached": cached, "done": done, "total": total})

    def _say(self, text: str) -> None:
        self._check()
        if text:
            before = len(self.turn.answer)
            self.turn.answer += text
            self._keeper.publish("turn.token", {"turn": self.turn.id, "text": text, "at": before})

    def _think(self, text: str) -> None:
        before = len(self.turn.thinking)
        self.turn.thinking += text
        self._keeper.publish("turn.thinking", {"turn": self.turn.id, "text": text, "at": before})

    def _note(self, text: str) -> None:
        self.turn.notes.append(text)
        self._keeper.publish("turn.note", {"turn": self.turn.id, "text": text})

    def _check(self) -> None:
        if self._stop.is_set():
            raise _Stopped("")
        if time.perf_counter() - self._arrived_at - self._executor.waited > SECONDS:
            raise _Stopped(f"This took longer than {SECONDS:g} seconds.")

    def _call_changed(self, call: Call) -> None:
        with self._lock:
            self._keeper.save_call(call)
            asking = any(each.status == "asking" for each in self.turn.calls)
            self.turn.status = "asking" if asking else "running"
            self._keeper.publish("call.updated", call.as_json())


def typed_call(request: str, tools: Mapping[str, Tool]) -> tuple[str, dict[str, Any]] | str | None:
    """The call that `/tool name=value ...` is; the text of /help; None for anything else. ToolFailure."""
    if not request.startswith("/") or request.startswith("//"):
        return None
    try:
        words = shlex.split(request[1:])
    except ValueError as error:
        raise ToolFailure(f"{request.split()[0]}: {error}") from None
    if not words or words[0] == "help":
        return "\n".join(f"/{tool.name}: {tool.description}" for tool in tools.values())
    tool = tools.get(words[0])
    if tool is None:
        raise ToolFailure(f"There is no tool {words[0]}; /help lists them.")
    properties: Mapping[str, Any] = tool.parameters.get("properties", {})
    arguments: dict[str, Any] = {}
    for word in words[1:]:
        name, sign, text = word.partition("=")
        if not sign:
            raise ToolFailure(f"“{word}” is no argument; write {next(iter(properties), 'name')}=value.")
        arguments[name] = _typed(text, properties.get(name, {}).get("type", "string"))
    return tool.name, arguments


def _typed(text: str, kind: str) -> Any:
    if kind == "array" and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text  # the schema says what is wrong


def _told(calls: Sequence[Call]) -> str:
    """What came of a plan, in the tools' own sentences."""
    shown = {(call.round, call.number): call for call in calls}
    last = max((call.round for call in calls), default=0)
    said: list[str] = []
    for (number, _), call in sorted(shown.items()):
        if call.status == "done":
            said.append(call.text)
        elif call.status == "failed" and number < last:
            continue  # it was tried again
        elif call.status in ("failed", "skipped"):
            said.append(call.error or f"{call.tool} failed.")
        elif call.status == "refused":
            said.append(f"I did not run {call.tool}: {call.error or 'it was not allowed.'}")
    return "\n".join(said)


def _limit(failed: int, calls: int) -> str:
    if failed > 1:
        return "The second plan failed too; this is how far it came."
    if calls >= MAX_CALLS:
        return f"A turn has at most {MAX_CALLS} calls; this is how far it came."
    return f"A turn has at most {MAX_ROUNDS} plans; this is how far it came."
