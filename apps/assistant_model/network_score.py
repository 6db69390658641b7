"""The score of the PyTorch network."""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import torch
from tokenizers import Tokenizer

from apps.assistant_model.data import Example
from apps.assistant_model.network import Network
from apps.assistant_model.scoring import Miss, Score, same_answer
from apps.assistant_model.tokenizer_bpe import END, SPECIAL, encode_example

SPARE_TOKENS = 16  # a wrong answer may run this much longer than the wanted one before it is cut


def score_network(network: Network, tokenizer: Tokenizer, examples: list[Example]) -> Score:
    """Greedy exact match. One pass finds where the likeliest token is first another one than wanted; only there is
    an answer generated, from that place on.
    """
    misses: list[Miss] = []
    failed: list[tuple[int, list[int]]] = []  # example, the tokens that greedy decoding shares with the wanted answer
    end = SPECIAL.index(END)
    encoded = [encode_example(tokenizer, example) for example in examples]
    order = sorted(range(len(examples)), key=lambda i: len(encoded[i][0]) + len(encoded[i][1]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        rows = [encoded[i][0] + encoded[i][1] for i in chosen]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        with torch.no_grad():
            best: list[list[int]] = network.logits(network.hidden(ids)).argmax(-1).tolist()
        for i, predicted in zip(chosen, best, strict=True):
            prompt, answer = encoded[i]
            guessed = predicted[len(prompt) - 1 : len(prompt) + len(answer) - 1]
            if guessed != answer:
                same = next(at for at, (one, other) in enumerate(zip(guessed, answer, strict=True)) if one != other)
                failed.append((i, answer[:same]))
    for start in range(0, len(failed), 64):
        part = failed[start : start + 64]
        prompts = [encoded[i][0] + prefix for i, prefix in part]
        rest = network.greedy(prompts, end, SPARE_TOKENS + max(len(encoded[i][1]) - len(prefix) for i, prefix in part))
        for (i, prefix), more in zip(part, rest, strict=True):
            got: str = tokenizer.decode(prefix + more, skip_special_tokens=False)
            turn = examples[i][-1]
            if not same_answer(turn.answer, got):
                misses.append(Miss(turn.request, turn.answer, got))
    return Score(len(examples), tuple(misses))
