"""The thread that makes all answers: one step of the engine after another, and what it made to whom it belongs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from edge.serve.api_error import logged, stopping
from edge.serve.job import Job

if TYPE_CHECKING:
    from edge.model import Model


class Driver:
    """Jobs may be added and cancelled from any thread; a cancelled one's blocks are free before the next step."""

    def __init__(self, model: Model, on_error: Callable[[BaseException], object] | None = None) -> None:
        """on_error: told of errors that were not a request's own."""
        self._model = model
        self._on_error = logged if on_error is None else on_error
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="edge-driver", daemon=True)
        self._thread.start()

    @property
    def num_jobs(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> None:
        with self._changed:
            if self._closing:
                refused = True
            else:
                refused = False
                self._jobs.append(job)
                self._changed.notify()
        if refused:
            job.end(stopping())

    def cancel(self, job: Job) -> None:
        """Its client went away. The running step is broken off only when nobody else waits for it: a client that
        begins and goes again and again must not keep the others from their steps."""
        with self._changed:
            job.cancelled = True
            alone = self._jobs == [job]
        if alone:
            for stream in job.streams:
                stream.cancel()

    def close(self, seconds: float) -> bool:
        """Ends all jobs; whether the thread has ended within so many seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._model.cancel()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._jobs or self._closing)
                jobs, closing = tuple(self._jobs), self._closing
            for job in jobs:
                if closing or job.cancelled:
                    self._end(job, stopping() if closing else None)
            if closing:
                return
            if self._jobs:
                self._step()

    def _step(self) -> None:
        try:
            self._model.step()
        except BaseException as error:  # of the engine: the file is unreadable, memory is out ...
            self._on_error(error)
            for job in tuple(self._jobs):
                self._end(job, error)
            return
        for job in tuple(self._jobs):
            try:
                if not job.collect():
                    self._end(job, None)
            except BaseException as error:
                self._end(job, error)

    def _end(self, job: Job, error: BaseException | None) -> None:
        with self._changed:
            self._jobs.remove(job)
        try:
            job.end(error)
        except BaseException as failure:
            self._on_error(failure)
