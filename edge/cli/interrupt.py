"""Ctrl-C that stops a native step at once.

Python runs signal handlers only between two of its own instructions, so during a long native call a handler would
wait. The signal's number is written to a pipe at once, though, and a thread that waits for it can cancel.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType


class NoticedInterrupt:
    """A handler for Ctrl-C that raises, and remembers that it did.

    Python drops an exception that a handler raises inside a finaliser or a weak reference's callback, and imports run
    many of those: without a memory that Ctrl-C would be lost.
    """

    def __init__(self) -> None:
        self.happened = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.happened = True
        raise KeyboardInterrupt


@contextmanager
def noticing() -> Generator[None]:
    """Inside, a Ctrl-C raises KeyboardInterrupt, at the latest when `cancelling` is entered."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGINT, NoticedInterrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def forget_interrupt() -> None:
    """Ctrl-C was understood: what follows may run."""
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, NoticedInterrupt):
        handler.happened = False


class Interrupt:
    """Whether Ctrl-C came inside `cancelling`."""

    def __init__(self) -> None:
        self.happened = False


@contextmanager
def cancelling(cancel: Callable[[], None]) -> Generator[Interrupt]:
    """Inside, SIGINT calls `cancel` (from another thread) instead of raising KeyboardInterrupt.

    A second Ctrl-C raises, in case cancelling does not end it; so does one from before that was noticed and then lost.
    Only the main thread gets signals; elsewhere this does nothing.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    before = signal.getsignal(signal.SIGINT)
    if isinstance(before, NoticedInterrupt) and before.happened:
        raise KeyboardInterrupt

    def handle(number: int, frame: FrameType | None) -> None:
        if interrupt.happened:
            raise KeyboardInterrupt
        interrupt.happened = True
        cancel()

    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def watch() -> None:
        while data := os.read(reader, 1):
            if data[0] == signal.SIGINT:
                cancel()

    watcher = threading.Thread(target=watch, name="edge-interrupt", daemon=True)
    watcher.start()
    previous_handler = signal.signal(signal.SIGINT, handle)
    previous_fd = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield interrupt
    finally:
        signal.set_wakeup_fd(previous_fd)
        signal.signal(signal.SIGINT, previous_handler)
        os.close(writer)
        watcher.join()
        os.close(reader)
