# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

"""Copying drills: random tokens that the answer repeats.

Requests alone teach copying late, because a small network can long do well by knowing values by heart. A few hundred
steps of nothing but copying come first and leave attention heads that copy anything (induction heads; Olsson et al.,
2022, https://arxiv.org/abs/2209.11895), which the requests then put to use.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor

from apps.assistant_model.tokenizer_bpe import END, SPECIAL, START

SHORTEST, LONGEST = 4, 16  # tokens to copy


def copy_drills(
    tokenizer: Tokenizer, rng: Random, steps: int, tokens_per_batch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """`steps` batches of (ids, targets), both (rows, length), with -100 where the loss does not look."""
    before: list[int] = tokenizer.encode(f"{START}user\n").ids
    between: list[int] = tokenizer.encode(f"{END}\n{START}assistant\n").ids
    end, vocab_size = SPECIAL.index(END), tokenizer.get_vocab_size()
    for _ in range(steps):
        count = rng.randint(SHORTEST, LONGEST)
        rows: list[list[int]] = []
        while (len(rows) + 1) * (len(before) + len(between) + 2 * count + 1) <= tokens_per_batch:
            copied = [rng.randrange(len(SPECIAL), vocab_size) for _ in range(count)]
            rows.append([*before, *copied, *between, *copied, end])
        ids = torch.tensor(rows)
        targets = torch.full_like(ids, -100)
        targets[:, -count - 2 : -1] = ids[:, -count - 1 :]
        yield ids, targets
