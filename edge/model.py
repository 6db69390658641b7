"""A loaded model that answers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as Items
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from edge.adapters import Adapters
from edge.backends.protocol import LoadedBackend
from edge.describe import TEMPLATE_KEY
from edge.embeddings import Embeddings
from edge.engine import Engine, Policy, Priority, Sequence
from edge.engine.sampler import NativeSampler
from edge.errors import RequestError
from edge.forms import Forms
from edge.generate_options import ChatOptions, GenerateOptions, Message, Tool
from edge.kept import KeptKV
from edge.memory import MemoryPlan, with_embeddings, with_grammar
from edge.model_facts import ModelFacts, OtherPrefill
from edge.results import Completion
from edge.sessions import SavedPlaces, Session
from edge.sessions.prepared import PreparedPrompt
from edge.sources import ModelSource
from edge.stream import PrefillProgress, Stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge.chat_prompt import ChatPrompt, ChatPrompts
    from edge.formats.config import Pooling
    from edge.tokenizer import Tokenizer
    from edge.tuning import Choice


class Model(ModelFacts):
    """A loaded model. Made by `edge.load`; a context manager, freed by close().

    Its methods may be called from several threads: answers then share the engine's steps.
    """

    def __init__(
        self,
        source: ModelSource,
        backend: LoadedBackend,
        tuning: Choice,
        plan: Callable[[], MemoryPlan],
        *,
        load_seconds: float,
        policy: Policy | None = None,
        saved: SavedPlaces | None = None,
        hash_folder: Path | None = None,
        memory: int | None = None,
        prefill: OtherPrefill | None = None,
    ) -> None:
        """saved: where sessions lie (None: nowhere). hash_folder: as `ModelSource`. memory: as the user said. prefill:
        another engine that reads prompts, the model's own from now on."""
        self._sampler = NativeSampler(backend.limits.vocab_size)
        reader = None if prefill is None else prefill.reader
        super().__init__(source, backend, Engine(backend, self._sampler, policy=policy, reader=reader), prefill)
        self._memory = memory
        self._adapters = Adapters(backend.adapters)
        places = SavedPlaces(None) if saved is None else saved
        self._kept = KeptKV(self._engine, source, backend, self._adapters, places, hash_folder)
        self._tokenizer: Tokenizer | None = None
        self._forms = Forms(lambda: self.tokenizer, backend.limits.vocab_size, self._plan_grammar)
        self._embeddings = Embeddings(
            lambda: self.native_backend, self._engine.lock, lambda: self.tokenizer, self._plan_embeddings
        )
        self._lock = threading.Lock()
        self._closed = False
        self._plan = plan
        self.tuning = tuning  # which settings were chosen, from what and why
        self.load_seconds = load_seconds

    @cached_property
    def plan(self) -> MemoryPlan:
        """What the process may take with it, by what it is for, and how fast it should be. Predicted when it is asked
        for, by the profile that the load found: an answer need not wait for that."""
        return self._plan()

    def num_kept_tokens(self, tokens: Items[int]) -> int:
        """How many of these, from the first on, have K and V in memory, for a prompt that begins with them
        and uses no adapter."""
        return self._kept.store().num_kept_tokens(tokens)

    @property
    def prepared_note(self) -> str | None:
        """Why a prepared prompt that would fit is not used; None otherwise."""
        return self._kept.note

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the file does not say and had to be assumed."""
        return self.tokenizer.warnings

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the adapters that answers may use."""
        return self._adapters.names

    @property
    def tokenizer(self) -> Tokenizer:
        """Built from the file's vocabulary at first use."""
        with self._lock:
            if self._tokenizer is None:
                self._check_open()
                with self._backend.reading():
                    self._tokenizer = self._source.tokenizer()
            return self._tokenizer

    @cached_property
    def chat_template(self) -> str | None:
        """The file's chat template (Jinja), None when it has none."""
        with self._backend.reading():
            return self._source.chat_template()

    @property
    def takes_tools(self) -> bool:
        """Whether there is a chat template and it reads `tools`. Raises TemplateError when it does not compile."""
        return self.chat_template is not None and self._chat_prompts.takes_tools

    @property
    def tool_format(self) -> str | None:
        """How the model writes calls, "hermes" for one; None: it takes no tools, or its calls stay text in answers."""
        form = None if self.chat_template is None else self._chat_prompts.tool_format
        return None if form is None else form.name

    @property
    def takes_results(self) -> bool:
        """Whether the chat template knows messages that hold what a tool gave."""
        return self.chat_template is not None and self._chat_prompts.takes_results

    @property
    def thinks(self) -> bool:
        """Whether the chat template shows a thinking that answers are told apart from."""
        return self.chat_template is not None and self._chat_prompts.tags is not None

    @property
    def takes_thinking(self) -> bool:
        """Whether the chat template can switch the thinking (`thinking=` of chat)."""
        return self.chat_template is not None and self._chat_prompts.thinking_switch is not None

    def stream(
        self,
        prompt: str | Items[int],
        *,
        parse_special: bool = False,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Stream:
        """Continues a prompt, used as it is, without chat template.

        prompt: text, or token ids. parse_special: read names of special tokens in the text as these tokens.
        priority: "background" gives way to answers that are "interactive": it begins after them, and is set aside for
        one that waits, but goes on in the end. That changes no token.
        Raises RequestError for an option out of range or a schema, regex or grammar that cannot be enforced, DoesNotFit
        for a prompt longer than the context. An answer that its grammar cannot go on with ends with GrammarError.
        """
        submitted_at = time.perf_counter()
        if isinstance(prompt, str):
            prompt = self.tokenizer.encode(prompt, parse_special=parse_special)
        return self._submit(prompt, options, submitted_at, priority, on_prefill)

    def generate(
        self,
        prompt: str | Items[int],
        *,
        parse_special: bool = False,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Completion:
        """Like stream, but returns the finished answer."""
        with self.stream(
            prompt, parse_special=parse_special, priority=priority, on_prefill=on_prefill, **options
        ) as stream:
            return stream.completion()

    def stream_chat(
        self,
        messages: str | Items[Message],
        *,
        tools: Items[Tool] | None = None,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> Stream:
        """Answers a conversation, rendered with the file's chat template.

        messages: {"role": ..., "content": ...} each, oldest first; a text is one message of the user.
        tools: what the model may call, {"type": "function", "function": {"name": ..., "description": ...,
        "parameters": JSON schema of type "object"}} each, or the function alone. None leaves it to the template,
        [] says that there are none. Calls are in `tool_calls` of tokens and completion if `tool_format` is not None.
        tool_choice: "auto"; "none": call nothing; "required": call something, or the name of the tool to call, once.
        The answer is then held to such calls, with arguments that obey the tools' schemas; only to the beginning of one
        where llguidance is not installed or the name stands outside of the JSON ("mistral-args").
        parallel_tool_calls: False ends the answer with its first call.
        thinking: switches the thinking of a model on or off whose template can. thinking_budget: tokens of thinking
        after which it is ended. template_options: more variables for the template, which must read them.
        max_completion_tokens: max_tokens by OpenAI's newer name; thinking and answer together.
        Raises RequestError when the file has no template, a tool is malformed or the template takes no tools, or has no
        way to do what was asked; TemplateError when the template fails, otherwise as stream.
        """
        submitted_at = time.perf_counter()
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        prompt, sampling = self._chat_prompts.read(messages, tools, options)
        return self._submit(prompt.tokens, sampling, submitted_at, priority, on_prefill, prompt)

    def chat(
        self,
        messages: str | Items[Message],
        *,
        tools: Items[Tool] | None = None,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> Completion:
        """Like stream_chat, but returns the finished answer."""
        with self.stream_chat(messages, tools=tools, priority=priority, on_prefill=on_prefill, **options) as stream:
            return stream.completion()

    def encode_chat(self, messages: Items[Message], tools: Items[Tool] | None = None) -> list[int]:
        """Token ids of a conversation as stream_chat gives it to the model. Errors as there."""
        return self._chat_prompts.tokens(messages, tools)

    def embed(
        self,
        texts: str | Items[str | Items[int]],
        *,
        pooling: Pooling | None = None,
        normalize: bool = True,
    ) -> NDArray[np.float32]:
        """One row for each text, float32 (n, hidden_size): the last hidden states of its tokens, pooled.

        texts: one, several, or lists of token ids, which are used as they are. pooling: "mean", "cls" (the first token)
        or "last"; None: as the file says, and of a decoder that does not say "last". normalize: rows of length 1.
        A text's row is the same, bit for bit, whatever stands beside it. Raises ContextExceeded for a text that is
        longer than the context (nothing is cut), RequestError, DoesNotFit where a decoder's states have no room.
        """
        self._check_open()
        return self._embeddings.embed(texts, pooling, normalize)

    @property
    def embeddings(self) -> Embeddings:
        """What `embed` calls, for programs that must end it early."""
        return self._embeddings

    def session(self, name: str | os.PathLike[str], *, recompute: bool = False, adapter: str | None = None) -> Session:
        """A conversation that lasts: the one saved under this name, or a new one.

        name: 1 to 64 letters, digits, ".", "_" or "-"; a Path is a file of yours. recompute: when the file is another
        model's, or its K and V are damaged, keep its messages and let this model read them again. adapter: the one that
        its answers use.
        Raises StaleSessionFile (what differs, both values), BadSessionFile (what is damaged), SessionFileError (it
        cannot be read), RequestError (no name).
        """
        self.check_writes()
        return self._kept.session(self, name, recompute=recompute, adapter=adapter)

    def prepare(
        self, system: str, *, tools: Items[Tool] | None = None, raw: bool = False, adapter: str | None = None
    ) -> PreparedPrompt:
        """Reads a system prompt and tools ahead and keeps their K and V on disk: every later prompt of this model that
        begins with them takes them from there. raw: the text begins a prompt without chat template. adapter: the one
        that those prompts will use.

        Raises as stream_chat, RequestError for less than a block of tokens or a model whose layers see a window,
        DoesNotFit, SessionFileError.
        """
        if raw and tools is not None:
            raise RequestError("tools need the chat template, and raw uses none; leave one of them out")

        def tokens_with(more: str) -> list[int]:
            if raw:
                return self.tokenizer.encode(system + more, parse_special=True)
            return self.encode_chat([{"role": "system", "content": system}, {"role": "user", "content": more}], tools)

        def read(tokens: list[int]) -> None:
            options: GenerateOptions = {"max_tokens": 1, "adapter": adapter}
            with self._submit(tokens, options, time.perf_counter(), "interactive", None, is_read_here=True) as stream:
                stream.completion()

        return self._kept.prepare(tokens_with, read, adapter)

    def step(self) -> bool:
        """Computes one step of all answers, for a program that reads many streams from one thread while they are
        `ready`. False: nothing was left to do."""
        self._check_open()
        with self._engine.lock:
            return self._engine.step()

    def cancel(self) -> None:
        """From any thread or signal handler: all answers end with reason "cancelled"."""
        self._engine.cancel()

    def close(self) -> None:
        """Frees weights, KV cache and threads; running answers end. Allowed twice."""
        if self._closed:
            return
        self._engine.cancel()
        with self._engine.lock:
            self._closed = True
            self._embeddings.close()
            self._engine.close()
            self._sampler.close()
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<edge.Model {self.path!r}: {self._source.architecture}, {self.backend}, context {self.context}>"

    def _submit(
        self,
        tokens: Items[int],
        options: GenerateOptions,
        submitted_at: float,
        priority: Priority,
        on_prefill: PrefillProgress | None,
        chat: ChatPrompt | None = None,
        *,
        is_read_here: bool = False,
    ) -> Stream:
        """is_read_here: no other engine may have read it, since its K and V are kept."""
        self.check_writes()
        adapter = self._adapters.use(options.get("adapter"), tokens)
        params, constraint = self._forms.read(options)
        if constraint is not None and chat is not None:
            constraint = chat.held(constraint, self.tokenizer)
        seed = int.from_bytes(os.urandom(4), "little") if params.seed is None else params.seed
        length = self.context if params.max_tokens is None else len(tokens) + params.max_tokens
        try:
            sequence = Sequence(
                tokens,
                params,
                max_length=length,
                seed=seed,
                end_ids=self.tokenizer.eog_ids,
                priority=priority,
                forced=None if chat is None else chat.forcing,
                constraint=constraint,
                adapter=adapter,
                is_read_here=is_read_here,
            )
        except (TypeError, OverflowError) as error:
            raise RequestError(f"the prompt's token ids must be whole numbers of 32 bits: {error}") from None
        num_prepared = self._kept.fetch(options.get("adapter"), sequence.tokens)
        with self._engine.lock:
            self._engine.add(sequence)
        return Stream(
            self._engine,
            sequence,
            self.tokenizer,
            submitted_at=submitted_at,
            template=None if chat is None else TEMPLATE_KEY,
            on_prefill=on_prefill,
            num_prepared_tokens=num_prepared,
            form=None if chat is None else chat.form,
        )

    @cached_property
    def _chat_prompts(self) -> ChatPrompts:
        self.check_writes()
        if self.chat_template is None:
            raise RequestError(f"{self.path} has no chat template; use generate or stream with a prompt of your own")
        from edge.chat_prompt import ChatPrompts

        return ChatPrompts(self.chat_template, self.tokenizer, self.path)

    def _plan_grammar(self) -> None:
        self.plan = with_grammar(self.plan, self._backend.limits.vocab_size, self._memory)

    def _plan_embeddings(self, num_bytes: int) -> None:
        self.plan = with_embeddings(self.plan, num_bytes, self._memory)

    def check_writes(self) -> None:
        """RequestError: it is an embedding model, which writes no text, or closed."""
        self._check_open()
        if not self.writes_text:
            raise RequestError(f"{self.path} is an embedding model: it writes no text; use embed")

    def _check_open(self) -> None:
        if self._closed:
            raise RequestError("the model is closed; load it again")
