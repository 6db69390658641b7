"""Prompts that another engine reads: answers, who reads what, cancelling, failing, keys. No model is needed."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.backends import Batch, Capabilities, Limits
from edge.backends.onnx import CAPABILITIES
from edge.engine import AdapterUse, Sequence
from edge.engine.handover import LEAST, Handover
from edge.engine.prefix import keys_of
from edge.engine.work import Work
from edge.errors import Cancelled, NativeError
from tests.engine.fake import VOCAB_SIZE, Bench

if TYPE_CHECKING:
    from edge.backends.handover import Heads

SIZE, CHUNK, FOREIGN = 4, 16, 100


class FakeReader:
    """Its "KV" is the tokens, and `shift` more in each. gated: every step waits for a permit of `allow`."""

    name = "fake/other"
    capabilities: Capabilities = CAPABILITIES

    def __init__(self, *, gated: bool = False, shift: int = 0, context: int = 200) -> None:
        self.limits = Limits(VOCAB_SIZE, context, CHUNK, 1, context, 1)
        self.positions: list[list[int]] = []
        self.cells = array("i", [-1] * context)
        self.fails = self.is_closed = False
        self._shift = shift
        self._permits = threading.Semaphore(0)
        self._is_gated = gated
        self._cancelled = threading.Event()

    def allow(self, steps: int = 1) -> None:
        self._permits.release(steps)

    def step(self, batch: Batch) -> memoryview[float]:
        self.positions.append(list(batch.positions))
        while self._is_gated and not self._permits.acquire(timeout=0.005):
            if self._cancelled.is_set():
                self._cancelled.clear()
                raise Cancelled("cancelled")
        if self.fails:
            raise NativeError("the provider is gone")
        for token, position in zip(batch.token_ids, batch.positions, strict=True):
            self.cells[position] = token
        return memoryview(array("f"))

    def read_kv(self, slot: int, first: int, end: int) -> Iterator[tuple[Heads, Heads]]:
        cells = np.array(self.cells[first:end], np.float32)[None, :, None] + self._shift
        assert (cells >= self._shift).all(), "a position that was never computed"
        yield cells, cells

    def copy_block(self, source: int, target: int) -> None:
        raise AssertionError

    def read_block(self, block: int) -> bytearray:
        raise AssertionError

    def write_block(self, block: int, content: object) -> None:
        raise AssertionError

    def cancel(self) -> None:
        self._cancelled.set()

    def close(self) -> None:
        self.is_closed = True


def prompt(length: int, seed: int = 0) -> list[int]:
    return [(7 * i + 3 * (i // 40) + seed) % 40 + 15 for i in range(length)]


def bench(reader: FakeReader | None, **options: int) -> Bench:
    settings = {"context": 200, "max_tokens": 8, "block_size": SIZE, "num_blocks": 200} | options
    return Bench(reader=reader, **settings)  # type: ignore[arg-type]


def rows(test: Bench, sequence_length: int = 0) -> int:
    return sum(len(batch.token_ids) for batch in test.backend.batches)


@pytest.mark.parametrize("window", [0, 10])
@pytest.mark.parametrize("length", [LEAST + 1, 100, 133])
def test_the_answer_is_that_of_a_prompt_read_here(length: int, window: int) -> None:
    reader = FakeReader()
    test = bench(reader, window=window)
    sequence = test.add(prompt(length), 20)
    test.run()
    assert list(sequence.output) == bench(None, window=window).answer(prompt(length), 20)
    assert sequence.num_handed_tokens == (length - 1) // SIZE * SIZE
    assert rows(test) == length - sequence.num_handed_tokens + 19  # the rest of the prompt, and the answer
    assert [row for rows in reader.positions for row in rows] == list(range(sequence.num_handed_tokens))
    assert sequence.origin == b"fake/other"
    test.engine.close()
    assert reader.is_closed


def test_what_is_short_or_uses_an_adapter_is_read_here() -> None:
    reader = FakeReader()
    test = bench(reader)
    short = test.add(prompt(LEAST))
    adapted = test.add(prompt(100), adapter=AdapterUse(0, b"one"))
    test.run()
    assert short.num_handed_tokens == adapted.num_handed_tokens == 0 and not reader.positions
    assert short.origin == adapted.origin == b""
    test.engine.close()


def test_a_prompt_longer_than_the_other_engines_context_is_read_by_both() -> None:
    test = bench(FakeReader(context=90))
    sequence = test.add(prompt(140), 8)
    test.run()
    assert sequence.num_handed_tokens == 88
    assert list(sequence.output) == bench(None).answer(prompt(140), 8)
    test.engine.close()


def test_what_is_finished_while_the_scheduler_looks_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the look for pieces, before the question whether there is anything to wait for."""
    reader = FakeReader(gated=True)
    test = bench(reader)
    away = test.add(prompt(120, 2), 4)
    handover = test.engine.scheduler.handover
    assert isinstance(handover, Handover)
    share = handover.share

    def share_then_finish(running: Iterable[Sequence]) -> list[Work]:
        found = share(running)
        reader.allow(100)
        deadline = time.monotonic() + 10
        while (job := handover._job) is not None and job.done < job.end:  # pyright: ignore[reportPrivateUsage]
            assert time.monotonic() < deadline
            time.sleep(0.001)
        return found

    monkeypatch.setattr(handover, "share", share_then_finish)
    test.run()
    assert away.error is None and away.num_handed_tokens == 116
    test.engine.close()


def test_others_decode_and_a_second_prompt_is_read_here_meanwhile() -> None:
    reader = FakeReader(gated=True)
    test = bench(reader)
    talker = test.add(prompt(5, 1), 60)
    test.engine.step()
    away, second = test.add(prompt(120, 2), 4), test.add(prompt(70, 3), 4)
    for _ in range(30):
        test.engine.step()
        test.check_blocks()
    assert talker.num_answer_tokens == 31 and second.finished
    assert away.num_computed_tokens == 0 and second.num_handed_tokens == 0
    reader.allow(100)
    test.run()
    assert away.num_handed_tokens == 116
    for sequence, number in ((talker, 1), (away, 2), (second, 3)):
        length = sequence.num_prompt_tokens
        alone = bench(None).answer(prompt(length, number), sequence.num_answer_tokens)
        assert list(sequence.output) == alone
    test.engine.close()


def test_pieces_come_as_they_are_read() -> None:
    reader = FakeReader(gated=True)
    test = bench(reader)
    sequence = test.add(prompt(101), 2)
    for steps in (1, 2):
        reader.allow(steps)
        wanted = sequence.num_computed_tokens + steps * CHUNK
        while sequence.num_computed_tokens < wanted:
            assert test.engine.step()
            test.check_blocks()
        assert sequence.num_computed_tokens == wanted
    reader.allow(100)
    test.run()
    assert len(sequence.output) == 2
    test.engine.close()


def test_cancelling_frees_the_blocks_and_the_other_engine() -> None:
    reader = FakeReader(gated=True)
    test = bench(reader)
    doomed = test.add(prompt(120), 4)
    reader.allow(2)
    while doomed.num_computed_tokens < 2 * CHUNK:
        test.engine.step()
    assert test.engine.blocks.num_used > 0
    test.engine.cancel(doomed)
    test.engine.step()
    assert doomed.finish_reason == "cancelled" and test.engine.blocks.num_used == 0
    following = test.add(prompt(100, 9), 4)
    reader.allow(100)
    test.run()
    assert following.num_handed_tokens == 96
    assert list(following.output) == bench(None).answer(prompt(100, 9), 4)
    test.engine.close()


def test_a_sequence_that_is_set_aside_comes_back() -> None:
    """Blocks for one and a half, and both have begun: one is set aside, and what it has is read again."""
    reader = FakeReader(gated=True)
    test = bench(reader, num_blocks=44, max_sequences=2, context=176)
    first, second = test.add(prompt(100, 1), 70), test.add(prompt(68, 2), 60)
    while not second.output:  # this engine reads it, since the other one is busy
        test.engine.step()
    reader.allow(1000)
    while sum(map(len, reader.positions)) < 96:
        time.sleep(0.001)
    test.run()
    assert second.num_preemptions + first.num_preemptions > 0
    assert list(first.output) == bench(None).answer(prompt(100, 1), 70)
    assert list(second.output) == bench(None).answer(prompt(68, 2), 60)
    assert test.engine.blocks.num_used == 0
    test.engine.close()


def test_a_failure_ends_the_sequence_with_its_error_and_no_other() -> None:
    reader = FakeReader()
    reader.fails = True
    test = bench(reader)
    broken, other = test.add(prompt(100), 4), test.add(prompt(8), 4)
    test.run()
    assert isinstance(broken.error, NativeError) and "provider is gone" in str(broken.error)
    assert list(other.output) == bench(None).answer(prompt(8), 4)
    assert test.engine.blocks.num_used == 0
    reader.fails = False
    later = test.add(prompt(90, 4), 4)
    test.run()
    assert later.error is None and later.num_handed_tokens == 88
    test.engine.close()


def found(test: Bench, tokens: list[int]) -> list[list[int]]:
    """Cells of the blocks that keys of this engine's own K and V find."""
    blocks = test.engine.blocks.find(keys_of(array("i", tokens), SIZE))
    return [test.backend.cells[block] for block in blocks]


def test_keys_keep_apart_what_each_engine_computed() -> None:
    """A key without the other engine's name finds nothing that it computed, nor what was computed on top of it."""
    tokens = prompt(100)
    test = bench(FakeReader(shift=FOREIGN))
    first = test.add(tokens, 9)
    test.run()
    assert first.origin and found(test, tokens) == []
    again = test.add([*tokens, 20, 21], 4)  # but a prompt finds it, and says so
    test.run()
    assert again.num_cached_tokens == 100 and again.origin == b"fake/other" and again.num_handed_tokens == 0
    test.engine.close()


def test_a_beginning_read_here_goes_before_the_same_from_there() -> None:
    tokens = prompt(180)
    reader = FakeReader(shift=FOREIGN)
    test = bench(reader)
    test.answer(tokens[:60], 1)  # too short for the other engine
    longer = test.add(tokens, 4)
    test.run()
    assert longer.num_cached_tokens == 60 and longer.num_handed_tokens == 116
    assert found(test, tokens) == [tokens[at : at + SIZE] for at in range(0, 60, SIZE)]
    table = test.add(tokens, 5)
    test.engine.step()
    cells = [cell for block in table.block_table for cell in test.backend.cells[block]][:176]
    assert cells == [*tokens[:60], *(token + FOREIGN for token in tokens[60:176])]
    assert table.origin == b"fake/other"
    test.engine.close()


def test_what_the_other_engine_holds_already_is_not_read_again() -> None:
    reader = FakeReader()
    test = bench(reader, num_blocks=45)
    tokens = prompt(100)
    test.answer(tokens, 2)
    test.answer(prompt(50, 9), 100)  # takes blocks of the first
    reader.positions.clear()
    again = test.add([*tokens[:90], 50, *prompt(40, 5)], 2)
    test.run()
    assert again.num_handed_tokens == 128 - again.num_cached_tokens > 90 and reader.positions[0][0] == 90
    test.engine.close()


def test_an_engine_that_goes_forward_only_reads_again_or_on() -> None:
    """Layers with windows have overwritten what an earlier position sees."""
    reader = FakeReader()
    reader.capabilities = replace(CAPABILITIES, reuses=False)
    test = bench(reader)
    tokens = prompt(101)
    test.answer(tokens, 1)
    reader.positions.clear()
    longer = test.add([*tokens, *prompt(90, 3)], 2)
    test.run()
    assert longer.num_handed_tokens == 188 - 100 and reader.positions[0][0] == 100  # it stands there
    reader.positions.clear()
    other = test.add([*tokens[:50], *prompt(120, 5)], 2)
    test.run()
    assert other.num_handed_tokens == 168 - 48 and reader.positions[0][0] == 0
    assert list(other.output) == bench(None).answer([*tokens[:50], *prompt(120, 5)], 2)
    test.engine.close()


def test_a_beginning_that_only_this_engine_holds_is_not_read_again_for_little() -> None:
    """To read 68 tokens behind 100 the other engine would have to read 168."""
    reader = FakeReader()
    test = bench(reader)
    for length in range(20, 120, 20):  # grows by too little to be handed over
        test.answer(prompt(length), 1)
    assert not reader.positions
    sequence = test.add(prompt(170), 2)
    test.run()
    assert sequence.num_cached_tokens == 100 and sequence.num_handed_tokens == 0 and not reader.positions
    test.engine.close()


def test_a_fork_knows_where_its_blocks_come_from() -> None:
    test = bench(FakeReader(shift=FOREIGN))
    sequence = test.add(prompt(100), 12)
    while sequence.num_answer_tokens < 3:
        test.engine.step()
    fork: Sequence = test.engine.fork(sequence, number=1)
    assert fork.origin == b"fake/other"
    test.run()
    assert list(fork.tokens) == list(sequence.tokens) and found(test, list(fork.tokens)) == []
    test.engine.close()
