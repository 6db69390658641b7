"""A loaded model that answers."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence as Items
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from edge.backends.native import NativeBackend
from edge.backends.weights import WeightsInfo
from edge.describe import TEMPLATE_KEY
from edge.engine import Engine, EngineStats, Policy, Priority, SamplingParams, Sequence
from edge.engine.sampler import NativeSampler
from edge.errors import RequestError
from edge.formats.gguf import GGUFFile
from edge.generate_options import GenerateOptions, Message, Tool
from edge.results import Completion
from edge.sessions import Fingerprint, SavedPlaces, Session
from edge.sessions.content_hash import content_hashes
from edge.sessions.prepared import PreparedPrompt, PreparedPrompts
from edge.sessions.store import KVStore
from edge.stream import PrefillProgress, Stream
from edge.tools import function_tools

if TYPE_CHECKING:
    from edge.formats.config import ModelConfig
    from edge.memory import MemoryPlan
    from edge.templates import ChatTemplate
    from edge.tokenizer import Tokenizer
    from edge.tuning import Choice


class Model:
    """A loaded model. Made by `edge.load`; a context manager, freed by close().

    Its methods may be called from several threads: answers then share the engine's steps.
    """

    def __init__(
        self,
        file: GGUFFile,
        backend: NativeBackend,
        tuning: Choice,
        plan: MemoryPlan,
        *,
        load_seconds: float,
        policy: Policy | None = None,
        saved: SavedPlaces | None = None,
        hash_folder: Path | None = None,
    ) -> None:
        """saved: where sessions lie (None: nowhere). hash_folder: where the hash of a large model may be kept."""
        self._file = file
        self._backend = backend
        self._sampler = NativeSampler(backend.limits.vocab_size)
        self._engine = Engine(backend, self._sampler, policy=policy)
        self._saved = SavedPlaces(None) if saved is None else saved
        self._hash_folder = hash_folder
        self._store = KVStore(
            self._engine,
            self._fingerprint,
            model_path=os.fsencode(file.path.absolute()).decode(errors="replace"),
            model_name=file.get_str("general.name", default=""),
        )
        self._prepared = PreparedPrompts(self._store, self._saved)
        self._tokenizer: Tokenizer | None = None
        self._lock = threading.Lock()
        self._closed = False
        self.plan = plan  # what the process may take with it, by what it is for
        self.tuning = tuning  # which settings were chosen, from what and why
        self.load_seconds = load_seconds

    @property
    def path(self) -> str:
        return str(self._file.path)

    @property
    def config(self) -> ModelConfig:
        return self._backend.config

    @property
    def context(self) -> int:
        """Tokens of prompt and answer together that one sequence may hold."""
        return self._backend.limits.context

    @property
    def backend(self) -> str:
        """What computes, for example "native/avx2"."""
        return self._backend.name

    @property
    def native_backend(self) -> NativeBackend:
        """What runs the steps, for programs that time them one by one; only while no answer is made."""
        return self._backend

    @property
    def weights(self) -> WeightsInfo:
        """How the weights are held (packed at load, mapped or owned) and how much of them is in RAM now."""
        return self._backend.weights

    @property
    def stats(self) -> EngineStats:
        """What the engine is doing at this moment: answers that run, wait and are set aside, and its KV blocks."""
        return self._engine.stats()

    @property
    def prepared_note(self) -> str | None:
        """Why a prepared prompt that would fit is not used; None otherwise."""
        return self._prepared.note

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the file does not say and had to be assumed."""
        return self.tokenizer.warnings

    @property
    def isa(self) -> str:
        return self._backend.isa

    @property
    def kv_type(self) -> str:
        """What K and V are kept as: "f16", "q8", "q4" or "f32"."""
        return self._backend.kv_type

    @property
    def num_threads(self) -> int:
        """Threads that read a prompt."""
        return self._backend.num_threads

    @property
    def decode_threads(self) -> int:
        """Threads that compute the tokens of the answer; at most num_threads."""
        return self._backend.decode_threads

    @property
    def tokenizer(self) -> Tokenizer:
        """Built from the file's vocabulary at first use."""
        with self._lock:
            if self._tokenizer is None:
                self._check_open()
                from edge.tokenizer import Tokenizer

                with self._backend.reading():
                    self._tokenizer = Tokenizer.from_gguf(self._file)
            return self._tokenizer

    @cached_property
    def chat_template(self) -> str | None:
        """The file's chat template (Jinja), None when it has none."""
        with self._backend.reading():
            return self._file.get_str(TEMPLATE_KEY, default="") or None

    @property
    def takes_tools(self) -> bool:
        """Whether there is a chat template and it reads `tools`. Raises TemplateError when it does not compile."""
        return self.chat_template is not None and "tools" in self._compiled_template.variables

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
        Raises RequestError for an option out of range, DoesNotFit for a prompt longer than the context.
        """
        submitted_at = time.perf_counter()
        if isinstance(prompt, str):
            prompt = self.tokenizer.encode(prompt, parse_special=parse_special)
        return self._submit(prompt, SamplingParams(**options), submitted_at, None, priority, on_prefill)

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
        **options: Unpack[GenerateOptions],
    ) -> Stream:
        """Answers a conversation, rendered with the file's chat template.

        messages: {"role": ..., "content": ...} each, oldest first; a text is one message of the user.
        tools: what the model may call, {"type": "function", "function": {"name": ..., "description": ...,
        "parameters": JSON schema of type "object"}} each, or the function alone. None leaves it to the template,
        [] says that there are none. A call comes back as text, in the model's own form.
        Raises RequestError when the file has no template, a tool is malformed or the template takes no tools,
        TemplateError when the template fails, otherwise as stream.
        """
        submitted_at = time.perf_counter()
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        tokens = self._encode_chat(messages, None if tools is None else function_tools(tools))
        return self._submit(tokens, SamplingParams(**options), submitted_at, TEMPLATE_KEY, priority, on_prefill)

    def chat(
        self,
        messages: str | Items[Message],
        *,
        tools: Items[Tool] | None = None,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[GenerateOptions],
    ) -> Completion:
        """Like stream_chat, but returns the finished answer."""
        with self.stream_chat(messages, tools=tools, priority=priority, on_prefill=on_prefill, **options) as stream:
            return stream.completion()

    def session(self, name: str | os.PathLike[str], *, recompute: bool = False) -> Session:
        """A conversation that lasts: the one saved under this name, or a new one.

        name: 1 to 64 letters, digits, ".", "_" or "-"; a Path is a file of yours. recompute: when the file is another
        model's, or its K and V are damaged, keep its messages and let this model read them again.
        Raises StaleSessionFile (what differs, both values), BadSessionFile (what is damaged), SessionFileError (it
        cannot be read), RequestError (no name).
        """
        self._check_open()
        return Session.open(self, self._store, self._saved, name, recompute=recompute)

    def prepare(self, system: str, *, tools: Items[Tool] | None = None, raw: bool = False) -> PreparedPrompt:
        """Reads a system prompt and tools ahead and keeps their K and V on disk: every later prompt of this model that
        begins with them takes them from there. raw: the text begins a prompt without chat template.

        Raises as stream_chat, RequestError for less than a block of tokens or a model whose layers see a window,
        DoesNotFit, SessionFileError.
        """
        self._prepared.check()
        tokens = self._shared_beginning(system, tools, raw)
        size = self._store.block_size
        with self.stream(tokens[: max(1, len(tokens) // size * size)], max_tokens=1) as stream:
            stream.completion()
        return self._prepared.write(tokens)

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
            self._engine.close()
            self._sampler.close()
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<edge.Model {self.path!r}: {self.config.model_type}, {self.backend}, context {self.context}>"

    def _submit(
        self,
        tokens: Items[int],
        params: SamplingParams,
        submitted_at: float,
        template: str | None,
        priority: Priority,
        on_prefill: PrefillProgress | None,
    ) -> Stream:
        self._check_open()
        seed = int.from_bytes(os.urandom(4), "little") if params.seed is None else params.seed
        length = self.context if params.max_tokens is None else len(tokens) + params.max_tokens
        try:
            sequence = Sequence(
                tokens, params, max_length=length, seed=seed, end_ids=self.tokenizer.eog_ids, priority=priority
            )
        except (TypeError, OverflowError) as error:
            raise RequestError(f"the prompt's token ids must be whole numbers of 32 bits: {error}") from None
        num_prepared = self._prepared.fetch(sequence.tokens)
        with self._engine.lock:
            self._engine.add(sequence)
        return Stream(
            self._engine,
            sequence,
            self.tokenizer,
            submitted_at=submitted_at,
            template=template,
            on_prefill=on_prefill,
            num_prepared_tokens=num_prepared,
        )

    def _fingerprint(self) -> Fingerprint:
        self._check_open()
        file, backend = self._file, self._backend
        block_size = backend.limits.block_size
        with backend.reading():
            return Fingerprint.of(
                backend.config,
                [info.type for info in file.tensors.values()],
                kv_type=backend.kv_type,
                block_size=block_size,
                block_bytes=backend.kv_bytes_per_position * block_size,
                model_sha256=backend.source_hashes or content_hashes(file, self._hash_folder),
            )

    def _encode_chat(self, messages: Items[Message], tools: Items[Tool] | None) -> list[int]:
        template, tokenizer = self._compiled_template, self.tokenizer
        if tools and not self.takes_tools:
            raise RequestError(f"tools: the chat template of {self.path} never mentions them; leave them out")
        bos, eos = tokenizer.bos_id, tokenizer.eos_id
        text = template.render(
            messages,
            tools=tools,
            bos_token="" if bos is None else tokenizer.token_text(bos),
            eos_token="" if eos is None else tokenizer.token_text(eos),
            shield=tokenizer.shield,
        )
        # The template's control tokens are read as such, those that someone wrote into a message stay text.
        tokens = tokenizer.encode(text, add_special=False, parse_special=True, shielded=True)
        # Templates of some files write the BOS token and those of others leave it to the tokenizer: exactly one.
        if bos is not None and tokenizer.add_bos and tokens[:1] != [bos]:
            tokens.insert(0, bos)
        return tokens

    def _shared_beginning(self, text: str, tools: Items[Tool] | None, raw: bool) -> list[int]:
        """The tokens that any two prompts have in common that begin with this."""

        def tokens_with(more: str) -> list[int]:
            if raw:
                return self.tokenizer.encode(text + more, parse_special=True)
            messages = [{"role": "system", "content": text}, {"role": "user", "content": more}]
            return self._encode_chat(messages, None if tools is None else function_tools(tools))

        if raw and tools is not None:
            raise RequestError("tools need the chat template, and raw uses none; leave one of them out")
        one, other = tokens_with("a"), tokens_with("1")
        return one[: next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))]

    @cached_property
    def _compiled_template(self) -> ChatTemplate:
        if self.chat_template is None:
            raise RequestError(f"{self.path} has no chat template; use generate or stream with a prompt of your own")
        from edge.templates import ChatTemplate

        return ChatTemplate(self.chat_template)

    def _check_open(self) -> None:
        if self._closed:
            raise RequestError("the model is closed; load it again")
