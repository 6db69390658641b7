"""The endpoints: read and check a request, let the driver make its answers, give them back."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

import edge
from edge.errors import EdgeError
from edge.serve.api_error import as_api_error, logged, refused, stopping
from edge.serve.body import BodyReader, parse_json
from edge.serve.disconnect import ClientGone, unless_gone
from edge.serve.driver import Driver
from edge.serve.embeddings import embedded, embedding_ask
from edge.serve.fields import Fields
from edge.serve.gate import Gate
from edge.serve.job import Job
from edge.serve.metrics import Metrics
from edge.serve.reply import ChatReply, CompletionReply, Reply
from edge.serve.requests import Ask, begin, chat_ask, check_model, completion_ask
from edge.serve.settings import ServeSettings
from edge.serve.sse import EventStream
from edge.serve.tokens import detokenized, tokenized
from edge.serve.wording import in_words_of

if TYPE_CHECKING:
    from edge.model import Model

Endpoint = Callable[[Request], Awaitable[ASGIApp]]


class Api:
    """One model's endpoints. `stopping` refuses what comes while the server ends."""

    def __init__(self, model: Model, settings: ServeSettings) -> None:
        self.metrics = Metrics()
        self.gate = Gate(settings.sequences, settings.queue)
        self.driver = Driver(model)
        self.stopping = False
        self._model = model
        self._settings = settings
        self._created = int(os.stat(model.path).st_mtime)
        self._bodies = BodyReader(settings)
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="edge-request")  # templates and tokenizer
        self._embedding_pool = ThreadPoolExecutor(1, thread_name_prefix="edge-embed")
        self._fingerprint = f"edge-{edge.__version__}-{model.backend}-{model.kv_type}".replace("/", "-")
        tokenizer = model.tokenizer
        self._longest_token = max(
            1, *(len(tokenizer.token_bytes(token, skip_special=False)) for token in range(tokenizer.vocab_size))
        )

    def close(self, seconds: float) -> bool:
        """Ends all answers; whether no thread of this runs any more."""
        for pool in (self._pool, self._embedding_pool):
            pool.shutdown(wait=False, cancel_futures=True)
        return self.driver.close(seconds)

    async def health(self, request: Request) -> ASGIApp:
        return JSONResponse({"status": "ok"})

    async def show_metrics(self, request: Request) -> ASGIApp:
        text = self.metrics.text(self._model, self.gate)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def models(self, request: Request) -> ASGIApp:
        return JSONResponse({"object": "list", "data": [self._about(name) for name in (None, *self._model.adapters)]})

    async def one_model(self, request: Request) -> ASGIApp:
        asked = Fields({"model": request.path_params["model"]})
        return JSONResponse(self._about(check_model(asked, self._settings.model_name, self._model.adapters)))

    async def chat(self, request: Request) -> ASGIApp:
        def parse(body: object) -> Ask:
            return chat_ask(body, self._model, self._settings.model_name)

        def reply(ask: Ask, prompts: list[list[int]]) -> Reply:
            return ChatReply(ask, self._settings.model_name, self._fingerprint, self._model.tokenizer)

        return await self._answer(request, parse, reply)

    async def complete(self, request: Request) -> ASGIApp:
        def parse(body: object) -> Ask:
            return completion_ask(body, self._settings.model_name, self._model.adapters)

        def reply(ask: Ask, prompts: list[list[int]]) -> Reply:
            tokenizer = self._model.tokenizer
            echo = [tokenizer.decode(tokens) for tokens in prompts] if ask.echo else None
            return CompletionReply(ask, self._settings.model_name, self._fingerprint, tokenizer, echo)

        return await self._answer(request, parse, reply)

    async def embed(self, request: Request) -> ASGIApp:
        if self.stopping:
            raise stopping()
        body = await self._bodies.read(request)
        gone = threading.Event()

        def before_step() -> None:
            if gone.is_set() or self.stopping:
                raise stopping()

        def work() -> bytes:
            ask = embedding_ask(parse_json(body), self._model, self._settings.model_name)
            return embedded(ask, self._model, self._settings.model_name, self._longest_token, before_step)

        self.gate.enter(1)
        began_at = time.perf_counter()
        error: BaseException | None = None
        try:
            answer: bytes = await unless_gone(request.receive, self._in_pool(work, self._embedding_pool))
        except BaseException as reason:
            error = reason
            raise
        finally:
            gone.set()
            self.gate.leave(1, None if error is not None else time.perf_counter() - began_at)
            if isinstance(error, ClientGone):
                self.metrics.disconnect()
        return Response(answer, media_type="application/json")

    async def tokenize(self, request: Request) -> ASGIApp:
        return await self._told(request, tokenized)

    async def detokenize(self, request: Request) -> ASGIApp:
        return await self._told(request, detokenized)

    async def _told(self, request: Request, tell: Callable[[object, Model, str, int], dict[str, Any]]) -> ASGIApp:
        body = await self._bodies.read(request)
        name, longest = self._settings.model_name, self._longest_token
        told = await self._in_pool(lambda: tell(parse_json(body), self._model, name, longest))
        return JSONResponse(told)

    async def _answer(
        self,
        request: Request,
        parse: Callable[[object], Ask],
        make_reply: Callable[[Ask, list[list[int]]], Reply],
    ) -> ASGIApp:
        if self.stopping:
            raise stopping()
        body = await self._bodies.read(request)
        if not self._model.writes_text:
            raise refused("model", "is an embedding model: it writes no text; ask /v1/embeddings", "not_supported")
        job = Job(self._ended)
        ask, reply = await self._in_pool(lambda: self._submit(parse(parse_json(body)), job, make_reply))

        def on_end(error: BaseException | None) -> None:
            self._finished(job, reply, ask, error)

        if ask.delivery.stream:
            return EventStream(job, reply, ask, self._settings.keep_alive_seconds, on_end)
        error: BaseException | None = ClientGone()
        try:
            await unless_gone(request.receive, _collected(job, reply))
            error = None
        except Exception as reason:
            error = reason
            raise
        finally:
            on_end(error)
        return JSONResponse(reply.whole())

    def _submit(self, ask: Ask, job: Job, make_reply: Callable[[Ask, list[list[int]]], Reply]) -> tuple[Ask, Reply]:
        self.gate.enter(ask.num_choices)
        try:
            streams, prompts = begin(ask, self._model, self._longest_token)
        except BaseException as error:
            self.gate.leave(ask.num_choices, None)
            if isinstance(error, EdgeError):
                raise in_words_of(ask, error, self._model) from None
            raise
        reply = make_reply(ask, prompts)
        job.begin(streams, ask.delivery.n)
        self.driver.add(job)
        return ask, reply

    def _ended(self, job: Job, completed: bool) -> None:
        """By the driver's thread, when the blocks are free."""
        self.gate.leave(job.num_choices, time.perf_counter() - job.began_at if completed else None)

    def _finished(self, job: Job, reply: Reply, ask: Ask, error: BaseException | None) -> None:
        """By the event loop, when nothing more is sent."""
        if error is None:
            self.metrics.answers(reply.choices, ask.delivery.n, time.perf_counter() - job.began_at)
            return
        if isinstance(error, ClientGone):
            self.metrics.disconnect()
        self.driver.cancel(job)

    async def _in_pool(self, work: Callable[[], Any], pool: ThreadPoolExecutor | None = None) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(pool or self._pool, work)
        except RuntimeError:
            if self.stopping:
                raise stopping() from None
            raise

    def _about(self, adapter: str | None) -> dict[str, Any]:
        """The model, or one of its adapters, which requests ask for as models of their own."""
        about = {
            "id": adapter or self._settings.model_name,
            "object": "model",
            "created": self._created,
            "owned_by": "edge",
            "context_length": self._model.context,
        }
        return about if adapter is None else about | {"parent": self._settings.model_name}

    def guarded(self, endpoint: Endpoint, path: str) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint with errors as JSON, and counted."""

        async def answer(request: Request) -> Any:
            try:
                response = await endpoint(request)
                status = getattr(response, "status_code", 200)
            except ClientGone:
                response, status = Response(status_code=499), 499  # nobody reads it
            except Exception as error:
                response = error_response(error)
                status = response.status_code
            self.metrics.response(path, status)
            return response

        return answer


def error_response(error: Exception) -> JSONResponse:
    told = as_api_error(error)
    if told.status >= 500:
        logged(error)
    return JSONResponse(told.body, told.status, told.headers)


async def _collected(job: Job, reply: Reply) -> None:
    left = len(reply.choices)
    while left:
        for piece in await job.pieces():
            if piece.token is not None:
                reply.push(piece.index, piece.token)
            elif piece.completion is not None:
                reply.end(piece.index, piece.completion)
                left -= 1
