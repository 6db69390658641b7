"""A conversation that lasts: its messages, and K and V of what the model has read and said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self, Unpack

from edge.engine import Priority
from edge.errors import BadSessionFile, RequestError, StaleSessionFile
from edge.generate_options import ChatOptions, Message, Tool
from edge.results import Completion
from edge.sessions.conversation import Conversation
from edge.sessions.places import SavedPlaces, listed_name
from edge.sessions.reader import SavedFile
from edge.sessions.store import KVStore
from edge.stream import PrefillProgress, Stream

__all__ = ["Chats", "Session"]

_HINT = "--recompute (recompute=True) keeps the messages and lets this model read them again"


class Chats(Protocol):
    """What a session asks of a model."""

    def stream_chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] | None,
        priority: Priority = "interactive",
        on_prefill: PrefillProgress | None,
        **options: Unpack[ChatOptions],
    ) -> Stream: ...


class Session:
    """A conversation with one model, made by `Model.session`. For one thread at a time.

    A context manager: leaving it saves what is new. The file holds messages, tools, token ids, and K and V of the full
    blocks: after a restart at most the last block's tokens are read by the model again, beside the new ones, and its
    answers are the same, bit for bit. `usage.cached_tokens` of an answer says what was not computed.
    """

    def __init__(
        self,
        chats: Chats,
        store: KVStore,
        places: SavedPlaces,
        path: Path,
        conversation: Conversation,
        adapter: str | None = None,
    ) -> None:
        self.path = path
        self.num_restored_tokens = 0  # whose K and V were in memory when the file had been read
        self.note: str | None = None  # why the file's K and V are computed again, where that was asked for
        self._chats = chats
        self._store = store
        self._places = places
        self._conversation = conversation
        self._adapter = adapter
        self._tokens: tuple[int, ...] = ()
        self._turn = 0
        self._changed = False

    @classmethod
    def open(
        cls,
        chats: Chats,
        store: KVStore,
        places: SavedPlaces,
        name: str | os.PathLike[str],
        *,
        recompute: bool,
        adapter: str | None = None,
    ) -> Session:
        """The session of a name, or a new one; `Model.session` says the rest."""
        path = places.session(name)
        if not os.path.lexists(path):
            return cls(chats, store, places, path, Conversation(), adapter)
        with SavedFile(path) as saved:
            contents = saved.contents
            if contents.kind != "session":
                raise BadSessionFile(path, f"holds a {contents.kind} prompt, not a session")
            session = cls(chats, store, places, path, Conversation.of_json(path, contents.conversation), adapter)
            try:
                saved.check_fingerprint(store.fingerprint)
                keys = store.keys(contents.tokens)[: contents.num_blocks]
                session.num_restored_tokens = store.restore(saved, keys)
            except (BadSessionFile, StaleSessionFile) as error:
                detail = str(error).removeprefix(f"{error.path}: ")
                if not recompute:
                    raise type(error)(path, f"{detail}; {_HINT}") from None
                session.note = f"the session's K and V are computed again: {detail}"
                return session
            session._tokens = contents.tokens
        return session

    @property
    def name(self) -> str:
        """As in the list of sessions."""
        return listed_name(self.path)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The conversation so far, oldest first: what was asked, and the answers that were read to their end."""
        return self._conversation.messages

    @property
    def tools(self) -> tuple[Tool, ...] | None:
        """What the model may call; None when nothing was said of tools."""
        return self._conversation.tools

    @property
    def tokens(self) -> tuple[int, ...]:
        """Ids of the conversation as the model read it last."""
        return self._tokens

    @property
    def num_kept_tokens(self) -> int:
        """Of `tokens`, how many have their K and V in memory now. Other sequences may need the memory."""
        return self._store.num_kept_tokens(self._tokens)

    def stream_chat(
        self,
        message: str | Message | Sequence[Message],
        *,
        tools: Sequence[Tool] | None = None,
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> Stream:
        """Says something more and streams the answer, as `Model.stream_chat` does.

        message: a text of the user's, a message or several. tools: instead of those that the session has; None leaves
        them. Question and answer become part of the conversation when the answer has been read to its end; asking
        again before that gives them up.
        """
        new = _messages(message)
        told = self._conversation.tools if tools is None else tuple(tools)
        asked = (*self._conversation.messages, *new)
        if self._adapter is not None:
            options.setdefault("adapter", self._adapter)
        stream = self._chats.stream_chat(asked, tools=told, on_prefill=on_prefill, **options)
        self._turn += 1
        turn = self._turn

        def take(ended: Stream) -> None:  # does not hold the stream: dropping it must end it
            if turn == self._turn:
                self._conversation = Conversation((*asked, ended.completion().as_message()), told)
                self._tokens = ended.context_tokens
                self._changed = True

        stream.on_end = take
        return stream

    def chat(
        self,
        message: str | Message | Sequence[Message],
        *,
        tools: Sequence[Tool] | None = None,
        on_prefill: PrefillProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> Completion:
        """Like stream_chat, but returns the finished answer."""
        with self.stream_chat(message, tools=tools, on_prefill=on_prefill, **options) as stream:
            return stream.completion()

    def trim(self, num_messages: int) -> None:
        """Takes the conversation back to its first messages. RequestError: it has fewer."""
        if not 0 <= num_messages <= len(self.messages):
            raise RequestError(f"trim to {num_messages} messages; the session has {len(self.messages)}")
        if num_messages < len(self.messages):
            self._turn += 1
            self._conversation = Conversation(self.messages[:num_messages], self.tools)
            self._changed = True

    def set_system(self, text: str | None) -> None:
        """Puts these instructions before the conversation, instead of those that it has; None: none. What follows is
        read again by the model at the next question."""
        rest = self.messages[1:] if self.messages and self.messages[0]["role"] == "system" else self.messages
        new: tuple[Message, ...] = () if text is None else ({"role": "system", "content": text},)
        if new + rest != self.messages:
            self._turn += 1
            self._conversation = Conversation(new + rest, self.tools)
            self._changed = True

    def fork(self, name: str | os.PathLike[str]) -> Session:
        """A session of another name that goes on from here; what both have in common is kept in memory once.

        RequestError: there is such a session, or that is no name.
        """
        path = self._places.session(name)
        if os.path.lexists(path):
            raise RequestError(f"there is a session {os.fspath(name)!r} already: {path}")
        fork = Session(self._chats, self._store, self._places, path, self._conversation, self._adapter)
        fork._tokens, fork._changed = self._tokens, True
        return fork

    def save(self) -> Path:
        """Writes the file: old or new, never half of one. What was given up of K and V since the last answer, because
        other sequences needed the memory, is not in it and will be computed again.

        Raises DoesNotFit (the disk is full), SessionFileError (it cannot be written), RequestError (a conversation too
        long to keep, or messages that JSON cannot hold).
        """
        self._store.save(self.path, "session", self._tokens, self._conversation.as_json())
        self._changed = False
        return self.path

    def close(self) -> None:
        """Saves what is new. Allowed twice."""
        if self._changed:
            self.save()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<edge.Session {self.name!r}: {len(self.messages)} messages, {len(self._tokens)} tokens>"


def _messages(message: str | Message | Sequence[Message]) -> tuple[Message, ...]:
    if isinstance(message, str):
        return ({"role": "user", "content": message},)
    items = [message] if isinstance(message, Mapping) else message
    return tuple(dict(item) for item in items)  # ours: the caller may change theirs
