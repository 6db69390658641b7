"""Runs a plan: calls whose needs have ended run side by side, each checked, consented to and bounded in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from edge.assistant.consent import Desk, Grants, why_ask
from edge.assistant.errors import AssistantError, StoreError, ToolFailure
from edge.assistant.plan import resolve, used_by
from edge.assistant.records import Call, CallStatus
from edge.assistant.schema_check import problem_of
from edge.assistant.tool import Result, Tool

__all__ = ["Executor"]


class Executor:
    """One turn's. changed: told each call whenever it is another than before, and keeps it. stopped: ends the turn."""

    def __init__(
        self,
        tools: Mapping[str, Tool],
        grants: Grants,
        desk: Desk,
        changed: Callable[[Call], None],
        stopped: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._tools = tools
        self._grants = grants
        self._desk = desk
        self._changed = changed
        self._stopped = stopped
        self._clock = clock
        self.waited = 0.0  # seconds that a person took
        self.first_done_at: float | None = None  # perf_counter, without those

    def run(self, calls: list[Call], *, untrusted_before: bool) -> None:
        """Returns when all have ended. untrusted_before: the plan was made after untrusted text was read."""
        by_number = {call.number: call for call in calls}
        changed = threading.Condition()
        started, ended = set[int](), set[int]()  # ended: told and kept too, not only marked

        def work(call: Call) -> None:
            try:
                self._run_one(call, by_number, untrusted_before)
            except StoreError:
                pass  # it cannot be kept; saving the turn says so
            finally:
                with changed:
                    ended.add(call.number)
                    changed.notify_all()

        with changed:
            while len(ended) < len(calls):
                for call in calls:
                    if call.number not in started and ended.issuperset(call.needs):
                        started.add(call.number)
                        threading.Thread(target=work, args=(call,), name=f"call-{call.id}", daemon=True).start()
                changed.wait()

    def _run_one(self, call: Call, by_number: Mapping[int, Call], untrusted_before: bool) -> None:
        try:
            tool = self._prepared(call, by_number, untrusted_before)
            if tool is None or not self._allowed(call, tool):
                return
            self._set(call, "running")
            began = time.perf_counter()
            result = _bounded(tool, call.arguments)
            call.seconds = time.perf_counter() - began
            call.text, call.result, call.untrusted = result.text, result.data, result.untrusted
            if self.first_done_at is None:
                self.first_done_at = time.perf_counter() - self.waited
            self._set(call, "done")
        except AssistantError as error:
            self._set(call, "failed", str(error))
        except BaseException as error:  # a tool's own bug: the turn goes on, and says which
            self._set(call, "failed", f"{call.tool} failed: {type(error).__name__}: {error}"[:500])

    def _prepared(self, call: Call, by_number: Mapping[int, Call], untrusted_before: bool) -> Tool | None:
        """Puts earlier results into the arguments and checks them; None: it cannot run."""
        if self._stopped():
            self._set(call, "skipped", "The turn was stopped.")
            return None
        used = {number: by_number[number] for number in used_by(call.arguments) if number in call.needs}
        for number, earlier in used.items():
            if earlier.status != "done":
                self._set(call, "skipped", f"Call {number} gave no result.")
                return None
        call.arguments = resolve(call.arguments, used)
        call.untrusted_before = untrusted_before or any(earlier.untrusted for earlier in used.values())
        tool = self._tools.get(call.tool)
        if tool is None:
            raise ToolFailure(f"There is no tool {call.tool}.")
        problem = problem_of(call.arguments, tool.parameters)
        if problem is not None:
            raise ToolFailure(f"{call.tool}: {problem}.")
        call.scope = tool.scope(call.arguments)
        return tool

    def _allowed(self, call: Call, tool: Tool) -> bool:
        call.reason = why_ask(tool, call.scope, untrusted_before=call.untrusted_before, grants=self._grants)
        if call.reason is None:
            return True
        call.may_remember = call.reason == "first"
        self._desk.open(call)
        self._set(call, "asking")
        began, digest = time.perf_counter(), call.digest
        answer = self._desk.wait(call, self._stopped)
        self.waited += time.perf_counter() - began
        if answer == "refuse" or call.digest != digest:
            self._set(call, "refused", "It was not allowed." if not self._stopped() else "The turn was stopped.")
            return False
        if answer == "always":
            self._grants.add(call.tool, call.scope, self._clock())
        return True

    def _set(self, call: Call, status: CallStatus, error: str | None = None) -> None:
        call.status, call.error = status, error
        self._changed(call)


def _bounded(tool: Tool, arguments: dict[str, Any]) -> Result:
    """Runs a tool for as long as it may take. What runs on behind that is not waited for."""
    box: list[Result | BaseException] = []

    def work() -> None:
        try:
            box.append(tool.run(arguments))
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=work, name=f"tool-{tool.name}", daemon=True)
    thread.start()
    thread.join(tool.seconds)
    if not box:
        raise ToolFailure(f"{tool.name} took longer than {tool.seconds:g} seconds; it may still be done.")
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]
