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


def check_session_options(session: str | None, recompute: bool) -> None:
    """Before the seconds that loading may take. RequestError: not a name, or nothing to recompute."""
    if session is not None:
        from edge.sessions import SavedPlaces

        SavedPlaces.of(os.environ).session(session)
    elif recompute:
        raise RequestError("--recompute belongs to --session NAME")


@contextmanager
def opened_session(model: Model, name: str | None, recompute: bool) -> Generator[Session | None]:
    """The session, which is saved at the end, however that comes; None without a name. Says what it begins with."""
    if name is None:
        yield None
        return
    start = time.perf_counter()
    session = model.session(name, recompute=recompute)
    print(_said(session, time.perf_counter() - start), file=sys.stderr)
    with _leaving_on_signals(), session:
        yield session


def _said(session: Session, seconds: float) -> str:
    if not session.messages:
        return f"session {session.name}: new, kept in {harmless(str(session.path))}"
    if session.note is not None:
        return f"session {session.name}: goes on after {len(session.messages)} messages; {harmless(session.note)}"
    return (
        f"session {session.name}: goes on after {len(session.messages)} messages; "
        f"{session.num_restored_tokens} of {len(session.tokens)} tokens restored in {seconds:.2f} s"
    )


@contextmanager
def _leaving_on_signals() -> Generator[None]:
    """Inside, a terminal that is closed and a request to end leave as Ctrl-D does, so that the session is saved."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, leave) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
