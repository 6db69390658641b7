"""Endpoints of API.md as plain functions: path numbers and a body in, JSON out."""

from __future__ import annotations

from typing import Any, cast

from edge.assistant.assistant import Assistant
from edge.assistant.consent import Answer
from edge.assistant.records import Turn
from edge.assistant.web.fields import Fields

__all__ = ["Api"]

_MAX_ID = 2**62
_MAX_TEXT = 8000


class Api:
    """Methods return (status, value); value None is an empty body."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def state(self) -> tuple[int, Any]:
        assistant = self._assistant
        last = assistant.bus.last  # before what follows is read: an event may come twice, never be missed
        return 200, {
            "model": assistant.described_model(), "conversations": self._conversations(),
            "timers": assistant.timers.all(), "home": assistant.home.picture(), "status": assistant.status(),
            "notices": list(assistant.notices), "last_event": last,
        }  # fmt: skip

    def conversations(self) -> tuple[int, Any]:
        return 200, {"conversations": self._conversations()}

    def create(self, body: Fields) -> tuple[int, Any]:
        fork_of, at_turn = body.number("fork_of", 1, _MAX_ID), body.number("at_turn", 1, _MAX_ID)
        body.done()
        assistant = self._assistant
        if fork_of is None:
            created = assistant.described(assistant.conversations.create(assistant.now()))
        else:
            created = assistant.fork(fork_of, at_turn)
        assistant.publish("conversation.updated", created)
        return 201, created

    def conversation(self, number: int) -> tuple[int, Any]:
        turns = [self._turn(turn, number) for turn in self._assistant.conversations.path(number)]
        return 200, self._assistant.described(self._assistant.conversations.get(number)) | {"turns": turns}

    def rename(self, number: int, body: Fields) -> tuple[int, Any]:
        title = body.text("title", 200).strip()
        body.done()
        renamed = self._assistant.described(self._assistant.conversations.rename(number, title))
        self._assistant.publish("conversation.updated", renamed)
        return 200, renamed

    def remove(self, number: int) -> tuple[int, Any]:
        self._assistant.remove(number)
        return 204, None

    def start(self, number: int, body: Fields) -> tuple[int, Any]:
        text = body.text("text", _MAX_TEXT)
        body.done()
        return 202, self._assistant.start(text, number).as_json()

    def edit(self, number: int, body: Fields) -> tuple[int, Any]:
        text, where = body.text("text", _MAX_TEXT), body.number("conversation", 1, _MAX_ID)
        body.done()
        return 202, self._assistant.edit(number, text, where).as_json()

    def retry(self, number: int, body: Fields) -> tuple[int, Any]:
        where = body.number("conversation", 1, _MAX_ID)
        body.done()
        return 202, self._assistant.retry(number, where).as_json()

    def select(self, number: int, body: Fields) -> tuple[int, Any]:
        where = body.number("conversation", 1, _MAX_ID)
        body.done()
        return self.conversation(self._assistant.select(number, where))

    def stop(self, number: int, body: Fields) -> tuple[int, Any]:
        body.done()
        return 202, self._assistant.stop(number).as_json()

    def consent(self, number: int, body: Fields) -> tuple[int, Any]:
        answer, digest = body.one_of("answer", "once", "always", "refuse"), body.text("digest", 64)
        body.done()
        return 202, self._assistant.answer_consent(number, cast("Answer", answer), digest).as_json()

    def search(self, words: str, limit: int) -> tuple[int, Any]:
        return 200, {"hits": self._assistant.search(words, limit)}

    def timers(self) -> tuple[int, Any]:
        return 200, {"timers": self._assistant.timers.all()}

    def dismiss(self, number: int, body: Fields) -> tuple[int, Any]:
        body.done()
        return 200, self._assistant.timers.dismiss(number)

    def snooze(self, number: int, body: Fields) -> tuple[int, Any]:
        minutes = body.number("minutes", 1, 120)
        body.done()
        return 200, self._assistant.timers.snooze(number, 60.0 * (minutes or 5), self._assistant.now())

    def cancel(self, number: int, body: Fields) -> tuple[int, Any]:
        body.done()
        return 200, self._assistant.timers.cancel(number)

    def home(self) -> tuple[int, Any]:
        return 200, self._assistant.home.picture()

    def notes(self, words: str) -> tuple[int, Any]:
        return 200, {"notes": self._assistant.notes.all(words)}

    def lists(self) -> tuple[int, Any]:
        return 200, {"lists": self._assistant.lists.all()}

    def calendar(self) -> tuple[int, Any]:
        return 200, {"events": self._assistant.calendar.coming()}

    def tools(self) -> tuple[int, Any]:
        tools: list[dict[str, Any]] = []
        for tool in self._assistant.tools.values():
            why_not = None if tool.why_not is None else tool.why_not()
            tools.append(
                {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters),
                 "effect": tool.effect, "source": tool.source, "available": why_not is None, "why_not": why_not,
                 "granted": self._assistant.grants.scopes(tool.name)}
            )  # fmt: skip
        return 200, {"tools": tools}

    def grants(self) -> tuple[int, Any]:
        return 200, {"grants": self._assistant.grants.all()}

    def revoke(self, number: int) -> tuple[int, Any]:
        self._assistant.grants.remove(number)
        return 204, None

    def status(self) -> tuple[int, Any]:
        return 200, self._assistant.status()

    def _conversations(self) -> list[dict[str, Any]]:
        return [self._assistant.described(each) for each in self._assistant.conversations.all()]

    def _turn(self, turn: Turn, conversation: int) -> dict[str, Any]:
        return self._assistant.live(turn).as_json() | {"conversation": conversation, "versions": list(turn.versions)}
