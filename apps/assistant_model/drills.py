"""Copying drills: random tokens that the answer repeats.

Requests alone teach copying late, because a small network can long do well by knowing values by heart. A few hundred
steps of nothing but copying come first and leave attention heads that copy anything (induction heads; Olsson et al.,
2022, https://arxiv.org/abs/2209.11895), which the requests then put to use. One drill among many steps of requests
keeps tokens copyable that training hardly ever wants to see written.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from apps.assistant_model.tokenizer_bpe import ASSISTANT, END, SPECIAL, TOOLS, USER, Encoded

SHORTEST, LONGEST = 3, 12  # tokens to copy
TOKENS = 1000  # for each worker in a step


def copy_drills(rng: Random, vocab_size: int, workers: int) -> Iterator[list[list[Encoded]]]:
    """Batches without end, a group for each worker, whose rows hold random tokens that the answer repeats."""
    while True:
        yield [[_group(rng, vocab_size)] for _ in range(workers)]


def _group(rng: Random, vocab_size: int) -> Encoded:
    tools, user, assistant, end = map(SPECIAL.index, (TOOLS, USER, ASSISTANT, END))
    rows: list[list[int]] = []
    answers: list[list[bool]] = []
    while sum(map(len, rows)) < TOKENS:
        copied = [rng.randrange(len(SPECIAL), vocab_size) for _ in range(rng.randint(SHORTEST, LONGEST))]
        rows.append([user, *copied, assistant, *copied, end])
        answers.append([False] * (len(copied) + 2) + [True] * (len(copied) + 1))
    return Encoded([tools], rows, answers, [])
