"""Whole models with mutated bytes, loaded and asked: an answer or an error of ours, never anything else.

A small share of the campaign, in this process: a crash of the C library would end the test run.
"""

from __future__ import annotations

import random
from pathlib import Path

import edge
from tests.formats.mutations import mutate

NUM_CASES = 400
HEADER_SHARE = 0.9  # of the mutations hit what is parsed, the rest the weights


def ask(path: Path) -> str:
    """Loads and answers; returns how it ended, errors by name."""
    try:
        with edge.load(path, threads=1) as model:
            if model.chat_template is None:
                return model.generate("hello ~", max_tokens=3, temperature=0.8, seed=1).finish_reason
            return model.chat("hello ~", max_tokens=3, temperature=0.8, seed=1).finish_reason
    except edge.EdgeError as error:
        assert len(str(error)) < 2000
        assert "\n" not in str(error)
        return type(error).__name__


def damaged(content: bytes, number: int) -> bytes:
    rng = random.Random(f"models/{number}")
    header = len(content) - 115_000  # the tensors of the tiny model take about that
    if rng.random() < HEADER_SHARE:
        return mutate(content[:header], rng) + content[header:] if rng.random() < 0.8 else mutate(content, rng)
    changed = bytearray(content)
    for _ in range(rng.randrange(1, 64)):
        changed[rng.randrange(header, len(changed))] = rng.randrange(256)
    return bytes(changed)


def test_mutated_models(tmp_path: Path, tiny_model: Path) -> None:
    content, path = tiny_model.read_bytes(), tmp_path / "mutated.gguf"
    ends: dict[str, int] = {}
    for number in range(NUM_CASES):
        path.write_bytes(damaged(content, number))
        end = ask(path)
        ends[end] = ends.get(end, 0) + 1
    assert ends.get("length", 0) > 0, ends  # some harm nothing that is looked at
    assert ends.get("BadModelFile", 0) > NUM_CASES // 4, ends
