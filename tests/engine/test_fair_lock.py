"""Turns are taken in order, also beside a thread that wants the lock again and again."""

from __future__ import annotations

import threading
import time

import pytest

from edge.engine.fair_lock import FairLock


def test_whoever_gives_it_up_waits_behind_those_who_asked_meanwhile() -> None:
    lock, order = FairLock(), list[str]()

    def take() -> None:
        with lock:
            order.append("the other")

    for _ in range(50):
        thread = threading.Thread(target=take)
        with lock:
            thread.start()
            while not lock._queue:  # pyright: ignore[reportPrivateUsage]
                time.sleep(0.0001)
        with lock:
            order.append("again")
        thread.join()
    assert order == ["the other", "again"] * 50


def test_turns_are_taken_in_the_order_of_asking() -> None:
    lock, order, threads = FairLock(), list[int](), list[threading.Thread]()

    def take(number: int) -> None:
        with lock:
            order.append(number)

    with lock:
        for number in range(5):
            threads.append(threading.Thread(target=take, args=(number,)))
            threads[-1].start()
            while len(lock._queue) <= number:  # pyright: ignore[reportPrivateUsage]
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join()
    assert order == list(range(5))


def test_its_owner_may_take_it_again() -> None:
    lock = FairLock()
    with pytest.raises(ValueError), lock, lock:
        raise ValueError
    taken = threading.Event()

    def take() -> None:
        with lock:
            taken.set()

    thread = threading.Thread(target=take)
    with lock:
        with lock:
            thread.start()
        assert not taken.wait(0.05)
    thread.join()
    assert taken.is_set()
