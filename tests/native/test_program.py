"""The binding's program: a step's numbers against plain Python, every check, views that outlive their program."""

from __future__ import annotations

import gc
import math
import threading
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt
import pytest

from edge import native
from edge.errors import Cancelled, NativeError, NumericalError
from tests.native.programs import (
    F32,
    HEAD_DIM,
    HEADS,
    HIDDEN,
    VOCAB,
    Op,
    Spec,
    make_program,
    make_weights,
    with_op,
)


@dataclass
class Engine:
    weights: list[native.Weights]
    program: native.Program
    threads: native.Threads
    kv: native.KV

    def step(self, ids: list[int], start: int = 0, rows: list[int] | None = None) -> list[list[float]]:
        n = len(ids)
        wanted = [n - 1] if rows is None else rows
        self.program.step(self.threads, self.kv, ids, range(start, start + n), [0] * n, [2, 0], 2, wanted)
        return rows_of(self.program.logits)


def rows_of(view: memoryview[float]) -> list[list[float]]:
    """tolist of a view with two dimensions, which typeshed knows with one only."""
    return cast(list[list[float]], view.tolist())


@pytest.fixture
def engine() -> Iterator[Engine]:
    weights = make_weights()
    with (
        make_program(weights) as program,
        native.Threads(2) as threads,
        native.KV("f32", 1, 1, HEAD_DIM, 4) as kv,
    ):
        yield Engine(weights, program, threads, kv)


def plain_logits(weights: list[native.Weights], ids: list[int]) -> list[float]:
    """The same network in double, for the last token."""
    embedding, q, k, v, head = weights

    def product(matrix: native.Weights, x: list[float]) -> list[float]:
        return [math.fsum(a * b for a, b in zip(matrix.row(r), x, strict=True)) for r in range(matrix.rows)]

    def rotate(x: list[float], position: int) -> list[float]:
        out = list(x)
        for i in range(HEAD_DIM // 2):
            angle = position * 10000.0 ** (-2 * i / HEAD_DIM)
            a, b = x[2 * i], x[2 * i + 1]
            out[2 * i] = a * math.cos(angle) - b * math.sin(angle)
            out[2 * i + 1] = a * math.sin(angle) + b * math.cos(angle)
        return out

    rows = [list(embedding.row(i)) for i in ids]
    keys = [rotate(product(k, x), p) for p, x in enumerate(rows)]
    values = [product(v, x) for x in rows]
    query = product(q, rows[-1])
    mixed: list[float] = []
    for h in range(HEADS):
        head_query = rotate(query[h * HEAD_DIM : (h + 1) * HEAD_DIM], len(ids) - 1)
        scores = [0.25 * math.fsum(a * b for a, b in zip(head_query, key, strict=True)) for key in keys]
        most = max(scores)
        shares = [math.exp(s - most) for s in scores]
        mixed += [
            math.fsum(p * value[d] for p, value in zip(shares, values, strict=True)) / math.fsum(shares)
            for d in range(HEAD_DIM)
        ]
    return product(head, mixed)


def test_a_step_computes_the_network(engine: Engine) -> None:
    ids = [(7 * i + 3) % VOCAB for i in range(45)]  # two blocks
    logits: list[list[float]] = []
    for start in range(0, len(ids), 9):
        logits = engine.step(ids[start : start + 9], start)
    assert logits[0] == pytest.approx(plain_logits(engine.weights, ids), abs=2e-6)


def test_any_split_level_and_thread_count_gives_the_same_bits() -> None:
    weights, ids = make_weights(), [(5 * i + 1) % VOCAB for i in range(16)]
    results: set[bytes] = set()
    for isa in native.isa_supported():
        for num_threads in (1, 2):
            for size in (1, 7, 16):
                with (
                    make_program(weights, isa=isa) as program,
                    native.Threads(num_threads) as threads,
                    native.KV("f32", 1, 1, HEAD_DIM, 4) as kv,
                ):
                    engine = Engine(weights, program, threads, kv)
                    rows = b"".join(
                        array("f", row).tobytes()
                        for at in range(0, 16, size)
                        for row in engine.step(ids[at : at + size], at, list(range(len(ids[at : at + size]))))
                    )
                    results.add(rows)
    assert len(results) == 1
    assert len(results.pop()) == 4 * 16 * VOCAB


def test_logits_are_rows_of_the_tokens_that_were_asked_for(engine: Engine) -> None:
    everything = engine.step([1, 2, 3, 4], rows=[0, 1, 2, 3])
    assert engine.program.logits.shape == (4, VOCAB)
    assert engine.program.logits.format == "f"
    assert engine.step([1, 2, 3, 4], rows=[1, 3]) == [everything[1], everything[3]]
    engine.step([1, 2], rows=[])
    assert len(engine.program.logits) == 0


def as_array(values: list[int]) -> array[int]:
    return array("i", values)


def as_numpy(values: list[int]) -> npt.NDArray[np.int32]:
    return np.array(values, np.int32)


def as_tuple(values: list[int]) -> tuple[int, ...]:
    return tuple(values)


@pytest.mark.parametrize("make", [as_array, as_numpy, as_tuple])
def test_arrays_numpy_and_sequences_are_taken(
    engine: Engine, make: Callable[[list[int]], Sequence[int] | array[int]]
) -> None:
    expected = engine.step([1, 2, 3])
    engine.program.step(
        engine.threads, engine.kv, make([1, 2, 3]), make([0, 1, 2]), make([0, 0, 0]), make([2, 0]), 2, make([2])
    )
    assert rows_of(engine.program.logits) == expected


def test_inner_buffers_can_be_read(engine: Engine) -> None:
    engine.step([4, 4, 7])
    embedded = engine.program.buffer(0)
    assert embedded.shape == (3, HIDDEN)
    assert rows_of(embedded)[2] == list(engine.weights[0].row(7))
    for index in (-1, 7):
        with pytest.raises(NativeError, match="buffer"):
            engine.program.buffer(index)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"token_ids": [1, 2]}, "2 token_ids, 3 positions and 3 sequences"),
        ({"positions": [0, 1]}, "2 positions"),
        ({"sequences": [0, 0, 0, 0]}, "4 sequences"),
        ({"block_tables": [2, 0, 1]}, "no rows of table_stride 2"),
        ({"table_stride": 0}, "table_stride is 0"),
        ({"table_stride": 1.5}, "whole number"),
        ({"token_ids": [1, 2, VOCAB]}, "id 10 is not in 0 .. 9"),
        ({"token_ids": [1, 2, 2**31]}, "token_ids"),
        ({"token_ids": array("f", [1, 2, 3])}, "format"),
        ({"token_ids": b"123456789012"}, "format"),
        ({"token_ids": None}, "contiguous memory"),
        ({"positions": [0, 1, 64]}, "outside a table of 2 blocks"),
        ({"positions": [0, 1, 1024]}, "position 1024 is not in 0 .. 1023"),
        ({"positions": [0, 1, 1]}, "written twice"),
        ({"sequences": [0, 0, 1]}, "sequence 1 is not in 0 .. 0"),
        ({"block_tables": [4, 0]}, "block 4 is not in 0 .. 3"),
        ({"block_tables": [-1, 0]}, "block -1"),
        ({"logit_rows": [2, 1]}, "not ascending"),
        ({"logit_rows": [3]}, "token 3"),
        ({"token_ids": [], "positions": [], "sequences": []}, "num_tokens 0"),
        ({"token_ids": [1] * 17, "positions": list(range(17)), "sequences": [0] * 17}, "num_tokens 17"),
    ],
)
def test_a_bad_batch_is_refused_and_the_program_lives(engine: Engine, change: dict[str, object], message: str) -> None:
    before = engine.step([1, 2, 3])
    batch: dict[str, object] = {
        "token_ids": [1, 2, 3],
        "positions": [0, 1, 2],
        "sequences": [0, 0, 0],
        "block_tables": [2, 0],
        "table_stride": 2,
        "logit_rows": [2],
    }
    with pytest.raises(NativeError, match=message):
        engine.program.step(engine.threads, engine.kv, **{**batch, **change})  # type: ignore[arg-type]
    assert engine.step([1, 2, 3]) == before


def test_a_bad_program_is_refused_with_the_rule_it_breaks() -> None:
    weights, spec = make_weights(), Spec()
    for index, op, message in (
        (0, Op(99, (), (0,), (0,)), "op 0: no such kind"),
        (1, Op(3, (0,), (1, 2, 3), (1, 2, 9)), "op 1: no such weight"),
        (3, Op(8, (9,), (5,)), "op 3: no such input buffer"),
    ):
        with pytest.raises(NativeError, match=message):
            make_program(weights, with_op(spec, index, op))
    with pytest.raises(NativeError, match="rope"):
        make_program(weights, replace(spec, ropes=()))
    with pytest.raises(NativeError, match="frequency scales"):
        make_program(weights, replace(spec, ropes=(native.Rope(1e4, 16, False, 1.0, (1.0,)),)))
    with pytest.raises(NativeError, match="max_tokens"):
        make_program(weights, replace(spec, max_tokens=0))
    with pytest.raises(NativeError, match="level"):
        make_program(weights, isa="pentium")
    weights[0].close()
    with pytest.raises(NativeError, match="closed"):
        make_program(weights)


def test_too_many_threads_and_another_arena_are_refused(engine: Engine) -> None:
    with native.Threads(3) as many, pytest.raises(NativeError, match="3 threads"):
        engine.program.step(many, engine.kv, [1], [0], [0], [0], 1, [0])
    with native.KV("f16", 1, 1, HEAD_DIM, 4) as other, pytest.raises(NativeError, match="KV arena"):
        engine.program.step(engine.threads, other, [1], [0], [0], [0], 1, [0])


def test_cancel_ends_the_next_step_only(engine: Engine) -> None:
    before = engine.step([1, 2])
    engine.program.cancel()
    with pytest.raises(Cancelled):
        engine.step([1, 2])
    assert engine.step([1, 2]) == before


def test_logits_that_are_not_finite_are_an_error() -> None:
    weights = make_weights()
    poisoned = array("f", [0.5] * (VOCAB * HIDDEN))
    poisoned[3 * HIDDEN] = math.nan
    weights[0] = native.Weights.matrix(F32, VOCAB, HIDDEN, poisoned)
    with make_program(weights) as program, native.Threads(1) as threads, native.KV("f32", 1, 1, HEAD_DIM, 4) as kv:
        engine = Engine(weights, program, threads, kv)
        before = engine.step([2])
        with pytest.raises(NumericalError):
            engine.step([3])
        assert len(program.logits) == 0
        assert engine.step([2]) == before


def test_copied_blocks_continue_like_the_original(engine: Engine) -> None:
    engine.step([1, 2, 3, 4])
    engine.kv.copy_block(2, 3)
    expected = engine.step([5], 4)
    engine.program.step(engine.threads, engine.kv, [5], [4], [0], [3], 1, [0])
    assert rows_of(engine.program.logits) == expected


def test_views_and_programs_keep_what_they_need() -> None:
    weights = make_weights()
    program = make_program(weights)
    with native.Threads(1) as threads, native.KV("f32", 1, 1, HEAD_DIM, 4) as kv:
        engine = Engine(weights, program, threads, kv)
        expected = engine.step([1, 2])
        for matrix in weights:
            matrix.close()
        gc.collect()
        assert engine.step([1, 2]) == expected
        view = program.logits
        program.close()
        gc.collect()
        assert rows_of(view) == expected
        for use in (lambda: program.logits, program.cancel, lambda: engine.step([1]), lambda: program.num_bytes):
            with pytest.raises(NativeError, match="closed"):
                use()
    program.close()


def test_steps_of_several_threads_take_turns(engine: Engine) -> None:
    expected = engine.step([1, 2, 3])
    programs = [make_program(engine.weights) for _ in range(3)]
    arenas = [native.KV("f32", 1, 1, HEAD_DIM, 4) for _ in programs]
    wrong: list[object] = []

    def work(program: native.Program, kv: native.KV) -> None:
        mine = Engine(engine.weights, program, engine.threads, kv)
        for _ in range(50):
            if mine.step([1, 2, 3]) != expected:
                wrong.append(program)

    workers = [threading.Thread(target=work, args=pair) for pair in zip(programs, arenas, strict=True)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_memory_is_reported(engine: Engine) -> None:
    _, arena_bytes = Spec().buffers()
    assert arena_bytes < engine.program.num_bytes < arena_bytes + 100_000
    assert engine.program.vocab_size == VOCAB
