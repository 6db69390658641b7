"""`--session NAME`: a conversation that is there again the next time, also when the terminal is closed on it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from edge.cli.terminal import harmless
from edge.errors import RequestError

if TYPE_CHECKING:
    from edge.model import Model
    from edge.sessions import Session

_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_REPEAT_SECONDS = 0.05


def check_session_options(session: str | None, recompute: bool) -> None:
    """Before the seconds that loading may take. RequestError: not a name, or nothing to recompute."""
    if session is not None:
        from edge.sessions import SavedPlaces

        SavedPlaces.of(os.environ).session(session)
    elif recompute:
        raise RequestError("--recompute belongs to --session NAME")


@contextmanager
def opened_session(
    model: Model, name: str | None, recompute: bool, adapter: str | None = None
) -> Generator[Session | None]:
    """The session, which is saved at the end, however that comes; None without a name. Says what it begins with."""
    if name is None:
        yield None
        return
    start = time.perf_counter()
    session = model.session(name, recompute=recompute, adapter=adapter)
    print(said_of(session, time.perf_counter() - start), file=sys.stderr)
    with session:
        yield session


def said_of(session: Session, seconds: float) -> str:
    """What a session begins with, in a line."""
    if not session.messages:
        return f"session {session.name}: new, kept in {harmless(str(session.path))}"
    if session.note is not None:
        return f"session {session.name}: goes on after {len(session.messages)} messages; {harmless(session.note)}"
    return (
        f"session {session.name}: goes on after {len(session.messages)} messages; "
        f"{session.num_restored_tokens} of {len(session.tokens)} tokens restored in {seconds:.2f} s"
    )


@contextmanager
def leaving_on_signals() -> Generator[None]:
    """Inside, a terminal that is closed and a request to end leave as Ctrl-D does, so that the session is saved.

    Python runs a handler when a call that waits for a key is interrupted, and a signal that comes just before the call
    interrupts nothing: a thread that hears of it repeats it until it was handled.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or main.ident is None:
        yield
        return
    ident, left = main.ident, threading.Event()

    def leave(number: int, frame: FrameType | None) -> None:
        left.set()
        raise SystemExit(128 + number)

    def repeat() -> None:
        while data := os.read(reader, 1):
            while data[0] in _ENDINGS and not left.wait(_REPEAT_SECONDS):
                signal.pthread_kill(ident, data[0])

    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    repeater = threading.Thread(target=repeat, name="edge-leave", daemon=True)
    repeater.start()
    before = [signal.signal(number, leave) for number in _ENDINGS]
    previous_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield
    finally:
        left.set()
        signal.set_wakeup_fd(previous_fd)
        for number, handler in zip(_ENDINGS, before, strict=True):
            signal.signal(number, handler)
        os.close(writer)
        repeater.join()
        os.close(reader)
