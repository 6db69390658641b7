"""Random operations on the block manager and on the engine, with what must hold after each of them.

Hypothesis state machines; `steps` counts the rules that ran, for campaigns.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)

import edge
from edge.engine import AdapterUse, BlockManager, Sequence
from edge.sessions.fingerprint import KV_VERSION, Fingerprint
from edge.sessions.reader import SavedFile
from edge.sessions.store import KVStore
from tests.engine.fake import POISON, VOCAB_SIZE, Bench

NUM_BLOCKS, BLOCK_SIZE = 12, 4
CONTEXT = 40  # of the engine's sequences: 10 blocks

IDENTITIES = (b"first", b"second")  # of the adapters

# What prompts have in common, for blocks to be found.
BEGINNINGS: tuple[list[int], ...] = ([], list(range(17, 34)), [*range(17, 26), 40, 41, 42], [9] * 24)


class Table:
    """A table, and what its owner believes is written at each position."""

    def __init__(self, blocks: list[int], content: list[int]) -> None:
        self.blocks = blocks
        self.content = content


def keys_of(content: list[int]) -> list[bytes]:
    """A key for every full block: everything up to its end."""
    ends = range(BLOCK_SIZE, len(content) + 1, BLOCK_SIZE)
    return [repr(content[:end]).encode() for end in ends]


class BlockMachine(RuleBasedStateMachine):
    """Writes numbered values through tables, and reads them back through all tables after every rule."""

    steps = 0
    tables = Bundle("tables")

    def __init__(self) -> None:
        super().__init__()
        self.manager = BlockManager(NUM_BLOCKS, BLOCK_SIZE)
        self.cells = [[-1] * BLOCK_SIZE for _ in range(NUM_BLOCKS)]
        self.live: list[Table] = []
        self.on_disk: list[tuple[list[int], list[list[int]]]] = []  # (content, cells) of what was swapped
        self.next_value = 0

    @rule(target=tables)
    def start(self) -> Table:
        self.live.append(Table([], []))
        return self.live[-1]

    @rule(table=tables, count=st.integers(1, 9))
    def append(self, table: Table, count: int) -> None:
        before = list(table.blocks)
        try:
            copies = self.manager.make_writable(table.blocks, len(table.content))
            for source, target in copies:
                assert self.manager.ref_count(target) == 1
                self.cells[target] = list(self.cells[source])
            before = list(table.blocks)
            self.manager.grow(table.blocks, len(table.content) + count)
        except edge.DoesNotFit:
            assert table.blocks == before
            return
        for _ in range(count):
            position = len(table.content)
            self.cells[table.blocks[position // BLOCK_SIZE]][position % BLOCK_SIZE] = self.next_value
            table.content.append(self.next_value)
            self.next_value += 1

    @rule(target=tables, table=tables)
    def fork(self, table: Table) -> Table:
        self.live.append(Table(self.manager.share(table.blocks), list(table.content)))
        return self.live[-1]

    @rule(table=tables, keep=st.floats(0, 1))
    def trim(self, table: Table, keep: float) -> None:
        del table.content[int(keep * len(table.content)) :]
        self.manager.trim(table.blocks, len(table.content))

    @rule(table=consumes(tables))
    def cancel(self, table: Table) -> None:
        own, free = self.manager.num_own(table.blocks), self.manager.num_free
        self.manager.release(table.blocks)
        assert table.blocks == []
        assert self.manager.num_free == free + own
        self.live.remove(table)

    @rule(table=tables)
    def publish(self, table: Table) -> None:
        for block, key in zip(table.blocks, keys_of(table.content), strict=False):
            self.manager.publish(block, key)

    @rule(target=tables, table=tables)
    def find(self, table: Table) -> Table:
        """What is found under the keys of a content has that content, whoever wrote it and whoever still owns it."""
        found = self.manager.find(keys_of(table.content))
        free = self.manager.num_free - self.manager.num_idle(found)
        self.live.append(Table(self.manager.share(found), table.content[: len(found) * BLOCK_SIZE]))
        assert self.manager.num_free == free
        return self.live[-1]

    @rule()
    def evict(self) -> None:
        """Uses every free block for something else: nothing without an owner is found any more."""
        table: list[int] = []
        self.manager.grow(table, self.manager.num_free * BLOCK_SIZE)
        assert self.manager.num_free == self.manager.num_cached_tokens == 0
        self.manager.release(table)

    @rule(table=consumes(tables))
    def swap_out(self, table: Table) -> None:
        self.on_disk.append((table.content, [list(self.cells[block]) for block in table.blocks]))
        self.manager.release(table.blocks)
        self.live.remove(table)

    @precondition(lambda self: self.on_disk)
    @rule(target=tables)
    def swap_in(self) -> Table:
        """What can be found is shared, and the rest written back: not kept where there is no room."""
        content, cells = self.on_disk.pop(0)
        found = self.manager.find(keys_of(content))
        blocks = self.manager.share(found)
        try:
            self.manager.grow(blocks, len(content))
        except edge.DoesNotFit:
            content = content[: len(found) * BLOCK_SIZE]
        for index in range(len(found), len(blocks)):
            self.cells[blocks[index]] = cells[index]
        self.live.append(Table(blocks, content))
        return self.live[-1]

    @invariant()
    def counts_add_up(self) -> None:
        type(self).steps += 1
        owners = [block for table in self.live for block in table.blocks]
        assert self.manager.num_free + self.manager.num_used == NUM_BLOCKS
        assert self.manager.num_used == len(set(owners))
        assert all(self.manager.ref_count(block) == owners.count(block) for block in range(NUM_BLOCKS))

    @invariant()
    def every_table_reads_what_was_written(self) -> None:
        for table in self.live:
            assert len(table.blocks) == self.manager.blocks_for(len(table.content))
            for position, value in enumerate(table.content):
                assert self.cells[table.blocks[position // BLOCK_SIZE]][position % BLOCK_SIZE] == value


@cache
def fresh_answer(prompt: tuple[int, ...], adapter: AdapterUse | None) -> list[int]:
    """Of an engine that runs nothing else, to the end of the context."""
    return Bench(context=CONTEXT, num_blocks=64, max_tokens=64).answer(prompt, CONTEXT, adapter)


FINGERPRINT = Fingerprint(
    kv_type="fake",
    architecture="fake",
    weights="none",
    num_layers=1,
    num_kv_heads=1,
    head_dim=1,
    vocab_size=VOCAB_SIZE,
    rope="none",
    block_size=BLOCK_SIZE,
    block_bytes=8 * BLOCK_SIZE,
    kv_version=KV_VERSION,
    model_sha256=("0" * 64,),
)


class EngineMachine(RuleBasedStateMachine):
    """Traffic of all kinds on an engine with too few blocks; at the end everybody has the answer of a fresh run."""

    steps = 0
    disk_is_faster: bool | None = None  # than computing KV again; None: as Hypothesis chooses
    keeps_all = False  # no layer sees a window: only then is KV swapped and saved
    num_adapted = 0  # sequences with an adapter
    num_preempted = 0  # of all machines: a test asks that there were some
    num_swapped = 0
    num_compared = 0
    num_restored = 0  # tokens whose K and V came out of files

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="edge-test-")
        self.bench = Bench()
        self.sequences: list[tuple[Sequence, int]] = []  # and the answer tokens that it began with
        self.saved: list[Path] = []

    @initialize(
        num_blocks=st.integers(10, 16),
        max_tokens=st.integers(1, 12),
        max_sequences=st.sampled_from([2, 3, 4, 1]),
        schedule=st.sampled_from(["latency", "throughput"]),
        disk=st.sampled_from([1e15, 1e-15, None]),
        solo=st.sampled_from([1e-4, 0.03, 0.2]),
        num_long=st.sampled_from([3, 2, 1, 0]),
        window=st.sampled_from([0, 1, 6, 13]),
    )
    def begin(
        self,
        num_blocks: int,
        max_tokens: int,
        max_sequences: int,
        schedule: str,
        disk: float | None,
        solo: float,
        num_long: int,
        window: int,
    ) -> None:
        if self.disk_is_faster is not None:
            disk = 1e15 if self.disk_is_faster else 1e-15
        self.bench = Bench(
            context=CONTEXT,
            num_blocks=num_blocks,
            max_tokens=max_tokens,
            max_sequences=max_sequences,
            window=0 if self.keeps_all else window,
            poisoned=True,
            schedule=schedule,
            disk_bytes_s=disk,
            swap_folder=Path(self.folder.name) / "swap",
        )
        self.store = KVStore(self.bench.engine, lambda: FINGERPRINT, model_path="fake", model_name="fake")
        self.bench.backend.step_seconds = lambda num_tokens: solo * max(1.0, num_tokens / 4)
        for first in range(20, 20 + num_long):  # two that grow to the end of their context do not fit
            self.sequences.append((self.bench.add([first], CONTEXT), 0))

    @rule(
        beginning=st.sampled_from(BEGINNINGS),
        rest=st.lists(st.integers(14, 60), min_size=1, max_size=14),
        max_new=st.sampled_from([1, 5, 20, 30]),
        background=st.booleans(),
        adapter=st.sampled_from([None, None, *IDENTITIES]),
        starts=st.sampled_from([0, 0, 3, 4, 12, 20]),
    )
    def start(
        self,
        beginning: list[int],
        rest: list[int],
        max_new: int,
        background: bool,
        adapter: bytes | None,
        starts: int,
    ) -> None:
        """With an adapter, from anywhere in the prompt on: equal tokens do not mean equal K and V."""
        priority, prompt = "background" if background else "interactive", [*beginning, *rest]
        use = None
        if adapter is not None:
            use = AdapterUse(IDENTITIES.index(adapter), adapter, min(starts, len(prompt) - 1))
        self.sequences.append((self.bench.add(prompt, max_new, priority=priority, adapter=use), 0))
        type(self).num_adapted += use is not None

    @rule(count=st.integers(1, 12), reads=st.booleans())
    def append(self, count: int, reads: bool) -> None:
        for _ in range(count):
            self.bench.engine.step()
            if reads:
                for sequence, _ in self.sequences:
                    sequence.output.clear()

    @rule(index=st.integers(0, 30), back=st.integers(0, 6))
    def fork(self, index: int, back: int) -> None:
        """From the last token, or from one before it; of a sequence that has ended too."""
        if self.sequences:
            parent, _ = self.sequences[index % len(self.sequences)]
            length = max(parent.num_prompt_tokens, len(parent) - back)
            try:
                fork = self.bench.engine.fork(parent, number=1, length=length)
            except edge.RequestError:
                assert parent.finished
                assert length == len(parent)
                return
            self.sequences.append((fork, fork.num_answer_tokens))

    @rule(index=st.integers(0, 30))
    def cancel(self, index: int) -> None:
        """Whether it runs, waits or lies on the disk: what it held is free after one step."""
        if self.sequences:
            sequence, _ = self.sequences[index % len(self.sequences)]
            self.bench.engine.cancel(sequence)
            self.bench.engine.step()
            assert sequence.finished
            assert not sequence.block_table
            assert not sequence.swap_slots

    @rule()
    def late_cancel(self) -> None:
        self.bench.backend.cancel()

    @rule(index=st.integers(0, 30), returns=st.booleans())
    def save(self, index: int, returns: bool) -> None:
        """What a sequence has computed, whatever became of it: as much as is still in memory. It may end then, and come
        back when others have needed that memory."""
        if self.sequences:
            sequence, _ = self.sequences[index % len(self.sequences)]
            self.saved.append(Path(self.folder.name) / f"{len(self.saved)}.edge-session")
            self.store.save(self.saved[-1], "session", sequence.tokens[: len(sequence)].tolist(), "")
            if returns:
                self.cancel(index)
                self._evict()
                self._restore(self.saved[-1])

    @precondition(lambda self: self.saved)
    @rule(index=st.integers(0, 30), damage=st.none() | st.integers(1, 64 + 8 * BLOCK_SIZE), evicts=st.booleans())
    def restore(self, index: int, damage: int | None, evicts: bool) -> None:
        """A damaged file (a bit of the byte so far from its end: in the footer or the last block) is refused, or what
        it has wrong is not read."""
        path = self.saved[index % len(self.saved)]
        if evicts:
            self._evict()
        if damage is None:
            self._restore(path)
            return
        content = bytearray(path.read_bytes())
        content[-damage] ^= 1
        damaged = path.with_suffix(".damaged")
        damaged.write_bytes(content)
        with suppress(edge.BadSessionFile, edge.StaleSessionFile):
            self._restore(damaged)

    def _evict(self) -> None:
        """As if others had needed every block that nobody owns."""
        table: list[int] = []
        self.bench.engine.blocks.grow(table, self.bench.engine.blocks.num_free * BLOCK_SIZE)
        self.bench.engine.blocks.release(table)

    def _restore(self, path: Path) -> None:
        """Nobody owns what is restored, so that nobody has less room than before."""
        used = self.bench.engine.blocks.num_used
        with SavedFile(path) as saved:
            saved.check_fingerprint(FINGERPRINT)
            keys = self.store.keys(saved.contents.tokens)[: saved.contents.num_blocks]
            known = self.store.num_kept(keys) * BLOCK_SIZE
            type(self).num_restored += max(0, self.store.restore(saved, keys) - known)
        assert self.bench.engine.blocks.num_used == used

    @rule(rest=st.lists(st.integers(14, 60), max_size=8))
    def fail(self, rest: list[int]) -> None:
        self.sequences.append((self.bench.add([*rest, POISON, 1], 5), 0))

    @rule(works=st.booleans())
    def disk(self, works: bool) -> None:
        """The folder goes away, and comes back; a file that is open already stays."""
        folder = Path(self.folder.name) / "swap"
        if works and folder.is_file():
            folder.unlink()
        elif not works and not folder.exists():
            folder.write_text("no folder")

    @invariant()
    def blocks_add_up(self) -> None:
        type(self).steps += 1
        self.bench.check_blocks()

    def teardown(self) -> None:
        try:
            for _ in range(20_000):
                if not self.bench.engine.step():
                    break
                self.bench.check_blocks()
            else:
                raise AssertionError("sequences are set aside and brought back without end")
            engine = self.bench.engine
            type(self).num_preempted += engine.stats().preemptions
            type(self).num_swapped += engine.stats().swaps
            assert engine.blocks.num_used == self.bench.swap_slots == 0
            for sequence, skipped in self.sequences:
                self._check(sequence, skipped)
        finally:
            self.bench.engine.close()
            self.folder.cleanup()

    def _check(self, sequence: Sequence, skipped: int) -> None:
        assert sequence.finished
        prompt = tuple(sequence.tokens[: sequence.num_prompt_tokens])
        if sequence.error is not None:
            assert isinstance(sequence.error, edge.NumericalError)
            assert POISON in sequence.tokens
        cut_short = sequence.error is not None or sequence.finish_reason == "cancelled"
        assert cut_short or POISON not in sequence.tokens[:-1]
        expected = fresh_answer(prompt, sequence.adapter)[skipped : sequence.max_length - len(prompt)]
        got = sequence.tokens[len(prompt) + skipped :].tolist()
        assert got == expected[: len(got)]
        assert len(got) == len(expected) or cut_short
        type(self).num_compared += not cut_short
