"""The short share of `tests/campaigns/serve_load.py`: 300 requests of 16 clients, half aborted."""

from __future__ import annotations

from tests.serve.load import check_nothing_is_left, run_load
from tests.serve.process import serving


def test_survivors_get_what_they_get_alone_and_nothing_is_left() -> None:
    with serving("--sequences", "4", "--queue", "12") as server:
        run_load(server, num_requests=60, num_clients=16, seed=1)  # many at once: all threads begin
        server.wait_for("edge_answers_inside", 0)
        descriptors, threads = server.num_descriptors, server.num_threads
        tally = run_load(server, num_requests=300, num_clients=16, seed=2)
        assert not tally.wrong, "\n".join(tally.wrong[:5])
        assert tally.answered + tally.aborted == 300 and tally.answered > 100 and tally.aborted > 100
        check_nothing_is_left(server, descriptors + 1, threads)


def test_answers_that_are_set_aside_for_lack_of_memory_are_the_same() -> None:
    """KV for one context only: eight answers at once do not fit."""
    with serving("--sequences", "8", "--queue", "24", "--kv-tokens", "2048") as server:
        tally = run_load(server, num_requests=80, num_clients=16, seed=3)
        assert not tally.wrong, "\n".join(tally.wrong[:5])
        assert tally.answered > 20
        server.wait_for("edge_answers_inside", 0, 10)
        assert server.metric("edge_kv_blocks_used") == 0
