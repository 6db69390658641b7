"""Turns are taken in order, also beside a thread that wants the lock again and again."""

from __future__ import annotations

import threading
import time

import pytest

from edge.engine.fair_lock import FairLock


def test_a_thread_that_takes_it_again_and_again_lets_others_in_between() -> None:
    lock, stop, turns = FairLock(), threading.Event(), [0]

    def greedy() -> None:
        while not stop.is_set():
            with lock:
                turns[0] += 1
                time.sleep(0.001)

    thread = threading.Thread(target=greedy)
    thread.start()
    try:
        for _ in range(20):
            before = turns[0]
            with lock:
                assert turns[0] - before <= 2
    finally:
        stop.set()
        thread.join()


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
