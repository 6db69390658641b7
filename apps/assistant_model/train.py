"""Trains the vocabulary and the network, and scores the result on both held-out sets.

    python -m apps.assistant_model.train --out build/assistant

writes `tokenizer.json`, `weights.pt` and `train.json` (settings, losses, scores) to the folder.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from apps.assistant_model.data import TRAIN_EXAMPLES, TRAIN_SEED, make_examples
from apps.assistant_model.drills import copy_drills
from apps.assistant_model.network import Network, Shape
from apps.assistant_model.network_score import score_network
from apps.assistant_model.optimizer import Muon
from apps.assistant_model.scoring import EVAL_KINDS, evaluation_set
from apps.assistant_model.tokenizer_bpe import encode_example, train_tokenizer

TOKENS_PER_BATCH = 2048
DRILL_STEPS = 250
MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 0.02, 0.004, 0.01
WARMUP_STEPS = 40
VOCABULARY_EXAMPLES = 40_000


def batches(encoded: list[tuple[list[int], list[int]]], rng: Random) -> Iterator[tuple[Tensor, Tensor]]:
    """(ids, targets), both (rows, length); targets are -100 where the loss does not look, as in every prompt.

    Rows of similar length share a batch, so little of it is padding; batches come in random order.
    """
    order = sorted(range(len(encoded)), key=lambda i: (len(encoded[i][0]) + len(encoded[i][1]), rng.random()))
    groups: list[list[int]] = [[]]
    for i in order:
        length = len(encoded[i][0]) + len(encoded[i][1])
        if (len(groups[-1]) + 1) * length > TOKENS_PER_BATCH:
            groups.append([])
        groups[-1].append(i)
    rng.shuffle(groups)
    for group in groups:
        width = max(len(encoded[i][0]) + len(encoded[i][1]) for i in group)
        ids = torch.zeros(len(group), width, dtype=torch.long)
        targets = torch.full((len(group), width), -100)
        for row, i in enumerate(group):
            prompt, answer = encoded[i]
            tokens = torch.tensor(prompt + answer)
            ids[row, : len(tokens)] = tokens
            targets[row, len(prompt) - 1 : len(tokens) - 1] = tokens[len(prompt) :]
        yield ids, targets


def rate_at(step: int, steps: int) -> float:
    """Warm-up, then a straight line to zero."""
    return min((step + 1) / WARMUP_STEPS, 1.0) * (1.0 - step / steps)


def train(network: Network, plan: list[tuple[Tensor, Tensor]]) -> list[tuple[int, float]]:
    """One pass over the batches; returns (step, mean loss since the last entry) as logged."""
    tensors = network.tensors
    matrices = [weight for name, weight in tensors.items() if weight.ndim == 2 and name.startswith("blk.")]
    others = [weight for name, weight in tensors.items() if weight.ndim == 1 or not name.startswith("blk.")]
    muon, adam = Muon(matrices), torch.optim.Adam(others, betas=(0.9, 0.95), eps=1e-10)
    log: list[tuple[int, float]] = []
    total, started = 0.0, time.monotonic()
    for step, (ids, targets) in enumerate(plan):
        wanted = targets >= 0
        loss = F.cross_entropy(network.logits(network.hidden(ids)[wanted]), targets[wanted])
        for weight in tensors.values():
            weight.grad = None
        loss.backward()
        rate = rate_at(step, len(plan))
        muon.step(MUON_RATE * rate, WEIGHT_DECAY)
        for group in adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        adam.step()
        total += float(loss.detach())
        if (step + 1) % 50 == 0 or step + 1 == len(plan):
            since = step + 1 - (log[-1][0] if log else 0)
            log.append((step + 1, total / since))
            seconds = time.monotonic() - started
            print(f"step {step + 1}/{len(plan)} loss {total / since:.4f} {seconds:.0f} s", flush=True)
            total = 0.0
    return log


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--examples", type=int, default=TRAIN_EXAMPLES)
    parser.add_argument("--layers", type=int, default=Shape().num_hidden_layers)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-seed", type=int, default=TRAIN_SEED)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--eval-examples", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)

    started = time.monotonic()
    examples = make_examples(options.data_seed, "train", options.examples)
    turns = [turn for example in examples[:VOCABULARY_EXAMPLES] for turn in example]
    texts = [text for turn in turns for text in (turn.request, turn.answer)]
    shape = Shape(num_hidden_layers=options.layers)
    tokenizer: Tokenizer = train_tokenizer(texts, shape.vocab_size)
    tokenizer.save(str(options.out / "tokenizer.json"))
    encoded = [encode_example(tokenizer, example) for example in examples]
    network = Network(shape)
    num_tokens = sum(len(prompt) + len(answer) for prompt, answer in encoded)
    print(f"{len(examples)} examples, {num_tokens} tokens, {network.num_parameters} parameters, "
          f"prepared in {time.monotonic() - started:.0f} s", flush=True)  # fmt: skip
    rng = Random(options.seed)
    drills = list(copy_drills(tokenizer, rng, DRILL_STEPS, TOKENS_PER_BATCH))
    log = train(network, drills + list(batches(encoded, rng)))
    torch.save(network.tensors, options.out / "weights.pt")
    record: dict[str, object] = {
        "data_seed": options.data_seed,
        "seed": options.seed,
        "examples": len(examples),
        "tokens": num_tokens,
        "drill_steps": DRILL_STEPS,
        "steps": log[-1][0],
        "seconds": round(time.monotonic() - started),
        "layers": shape.num_hidden_layers,
        "loss": [[step, round(loss, 5)] for step, loss in log],
        "eval_examples": options.eval_examples,
    }
    for kind in EVAL_KINDS:
        score = score_network(network, tokenizer, evaluation_set(kind, options.eval_examples))
        record[f"float.{kind}"] = round(score.exact_match, 4)
        print(f"float {kind}: exact match {score.exact_match:.1%} of {score.count}, invalid {score.invalid_json:.1%}")
        for miss in score.misses[:25]:
            print(f"  {miss.request}\n    wanted {miss.wanted}\n    got    {miss.got}")
    (options.out / "train.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
