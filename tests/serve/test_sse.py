"""Signs of life in a stream, and its end when the client goes: with a job that the test fills by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from edge.results import Completion, Timings, Token, Usage
from edge.serve.disconnect import ClientGone
from edge.serve.job import Job, Piece
from edge.serve.reply import CompletionReply
from edge.serve.requests import completion_ask
from edge.serve.sse import EventStream
from edge.tokenizer import Tokenizer

END = Completion(
    "ab", (1, 2), "stop", Usage(10, 4, 2), Timings(0.1, 0.1, 0.1, 60.0, 10.0), "native/scalar", None, seed=5
)
Prefill = tuple[int, int, int] | None


class FakeJob:
    """Gives one entry of the script for each time it is asked: pieces, or how far the prompt is."""

    began_at = 0.0

    def __init__(self, script: list[list[Piece] | Prefill | Exception]) -> None:
        self._script = script
        self._prefill: Prefill = None

    async def pieces(self, seconds: float | None = None) -> list[Piece]:
        await asyncio.sleep(0)
        if not self._script:
            await asyncio.sleep(60)
        item = self._script.pop(0)
        if isinstance(item, Exception):
            raise item
        if isinstance(item, list):
            return item
        self._prefill = item
        return []

    def prefill(self) -> Prefill:
        return self._prefill


def streamed(script: list[Any], *, leave: bool = False, **fields: Any) -> tuple[list[str], list[BaseException | None]]:
    """(events and comments, what the stream was said to end with)"""
    sent: list[bytes] = []
    ended: list[BaseException | None] = []

    async def run() -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))
            if leave and b"data" in sent[-1]:
                gone.set()

        ask = completion_ask({"prompt": "x", "stream": True, **fields}, "m")
        reply = CompletionReply(ask, "m", "f", cast(Tokenizer, None), None)
        on_end: Callable[[BaseException | None], None] = ended.append
        await EventStream(cast(Job, FakeJob(script)), reply, ask, 5.0, on_end)({"type": "http"}, receive, send)

    asyncio.run(asyncio.wait_for(run(), 10))
    return [part for part in b"".join(sent).decode().split("\n\n") if part], ended


ANSWER = [[Piece(0, token=Token("a", 1))], [Piece(0, token=Token("b", 2)), Piece(0, completion=END)]]


def test_comments_say_where_the_answer_is() -> None:
    parts, ended = streamed([None, (0, 3, 10), (0, 10, 10), *ANSWER])
    assert parts[:3] == [": queued", ": prefill 3/10", ": alive"]
    assert parts[-1] == "data: [DONE]" and ended == [None]
    assert "".join(json.loads(part[6:])["choices"][0]["text"] for part in parts[3:-1]) == "ab"


def test_progress_is_sent_when_asked_for_and_when_it_changes() -> None:
    parts, _ = streamed([None, (4, 6, 10), (4, 6, 10), (4, 9, 10), *ANSWER], return_progress=True)
    progress = [json.loads(part[6:]) for part in parts if "prompt_progress" in part]
    assert [chunk["prompt_progress"]["processed"] for chunk in progress] == [6, 9]
    assert progress[0]["prompt_progress"]["cache"] == 4 and progress[0]["prompt_progress"]["total"] == 10
    assert all(chunk["choices"] == [] for chunk in progress)


def test_an_error_in_the_middle_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    parts, ended = streamed([ANSWER[0], ValueError("secret")])
    error = json.loads(parts[-1].removeprefix("data: "))["error"]
    assert error["code"] == "internal_error" and "secret" not in error["message"]
    assert isinstance(ended[0], ValueError) and "secret" in capsys.readouterr().err


def test_a_client_that_goes_ends_the_stream() -> None:
    _, ended = streamed([ANSWER[0]], leave=True)
    assert len(ended) == 1 and isinstance(ended[0], ClientGone)
