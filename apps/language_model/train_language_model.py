"""Trains the vocabulary and the network on the corpus.

    python -m apps.language_model.train_language_model --corpus build/language/corpus --out build/language/run

writes `tokenizer.json`, `checkpoint.pt` (every few minutes; a run that was stopped goes on from it), `weights.pt` and
`train.json`. Rates fall as the run nears its end: `--steps`, or `--minutes` of the clock if that is sooner, for a
machine that does other work as well. Every step is shared out among two workers, each on one core.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from apps.assistant_model.optimizer import Muon
from apps.language_model.corpus import DOCUMENT_END
from apps.language_model.network import Network, Shape
from apps.language_model.vocabulary import END_OF_TEXT, train_vocabulary

WORKERS = 2
ROWS_PER_STEP = 4  # of max_position_embeddings tokens
MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 0.02, 0.005, 0.01
WARMUP_STEPS = 40
PLATEAU = 0.4  # share of the run up to which rates stay at their height; then they fall to zero
VOCABULARY_PAGES_ONE_IN = 6
LOG_EVERY, SAVE_EVERY_SECONDS = 10, 120


def rate_at(step: int, share: float) -> float:
    """Of the greatest rate, at a step when `share` of the run is over."""
    return min(step / WARMUP_STEPS, 1.0, (1.0 - share) / (1.0 - PLATEAU))


def token_rows(tokenizer: Tokenizer, pages: list[str], length: int, wanted: int, seed: int) -> Tensor:
    """(rows, length + 1) tokens of pages in random order, at least `wanted` rows if there is so much text; each row
    begins with the token that the row before ended with."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(pages), generator=generator).tolist()
    start: int = tokenizer.get_vocab()[END_OF_TEXT]
    flat: list[int] = []
    for begin in range(0, len(order), 100):
        for encoding in tokenizer.encode_batch([pages[index] for index in order[begin : begin + 100]]):
            flat += [start, *encoding.ids]
        if len(flat) > (wanted + 1) * length:
            break
    rows = torch.tensor(flat, dtype=torch.int32).unfold(0, length + 1, length)
    return rows[torch.randperm(len(rows), generator=generator)]


class Run:
    """A network with its optimizers, as far as it got."""

    def __init__(self, shape: Shape) -> None:
        self.network = Network(shape)
        tensors = self.network.tensors
        inner = {name: weight for name, weight in tensors.items() if weight.ndim == 2 and name.startswith("blk.")}
        self.muon = Muon(list(inner.values()))
        others = [weight for name, weight in tensors.items() if name not in inner]
        self.adam = torch.optim.Adam(others, betas=(0.9, 0.95), eps=1e-10)
        self.step = 0
        self.share = 0.0  # of the whole run that is over
        self.cpu_seconds = 0.0
        self.losses: list[tuple[int, float]] = []

    def save(self, path: Path) -> None:
        state = {
            "tensors": self.network.tensors, "muon": list(self.muon.buffers.values()), "adam": self.adam.state_dict(),
            "step": self.step, "share": self.share, "losses": self.losses, "cpu_seconds": self.cpu_seconds,
        }  # fmt: skip
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        with torch.no_grad():
            for name, tensor in self.network.tensors.items():
                tensor.copy_(state["tensors"][name])
            for held, saved in zip(self.muon.buffers.values(), state["muon"], strict=True):
                held.copy_(saved)
        self.adam.load_state_dict(state["adam"])
        self.step, self.share, self.cpu_seconds = state["step"], state["share"], state["cpu_seconds"]
        self.losses = [(step, loss) for step, loss in state["losses"]]

    def gradients(self, rows: Tensor) -> tuple[float, tuple[Tensor, ...]]:
        """Summed loss of (rows, length + 1) tokens, and its gradient for each tensor."""
        rows = rows.long()
        logits = self.network.logits(rows[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten(), reduction="sum")
        return loss.item(), torch.autograd.grad(loss, list(self.network.tensors.values()))

    def advance(self, workers: ThreadPoolExecutor, rows: Tensor, rate: float) -> float:
        """One step; the mean loss before it."""
        parts = list(workers.map(self.gradients, rows.chunk(WORKERS)))
        count = rows.shape[0] * (rows.shape[1] - 1)
        for weight, *found in zip(self.network.tensors.values(), *(gradient for _, gradient in parts), strict=True):
            weight.grad = torch.stack(found).sum(0).div_(count)
        for group in self.adam.param_groups:
            group["lr"] = ADAM_RATE * rate
        self.adam.step()
        self.muon.step(MUON_RATE * rate, WEIGHT_DECAY)
        self.step += 1
        return float(sum(loss for loss, _ in parts) / count)


def train(run: Run, rows: Tensor, steps: int, minutes: float, checkpoint: Path) -> None:
    """To the end of the run, which is when its share is 1: after `steps`, or `minutes` from now if that is sooner."""
    started = saved = time.monotonic()
    share_before, cpu_before = run.share, run.cpu_seconds - time.process_time()
    recent: list[float] = []
    with ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,)) as workers:
        while run.share < 1.0:
            begin = run.step * ROWS_PER_STEP
            batch = rows[torch.arange(begin, begin + ROWS_PER_STEP) % len(rows)]
            recent.append(run.advance(workers, batch, rate_at(run.step + 1, run.share)))
            now = time.monotonic()
            by_clock = share_before + (1.0 - share_before) * (now - started) / (60 * minutes)
            run.share = min(1.0, max(run.step / steps, by_clock))
            run.cpu_seconds = cpu_before + time.process_time()
            if run.step % LOG_EVERY == 0:
                run.losses.append((run.step, round(sum(recent) / len(recent), 4)))
                print(f"step {run.step} {run.share:.1%} loss {run.losses[-1][1]} {now - started:.0f} s", flush=True)
                recent = []
            if now - saved > SAVE_EVERY_SECONDS or run.share == 1.0:
                run.save(checkpoint)
                saved = now


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(WORKERS)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    pages = (options.corpus / "train.txt").read_text().split(DOCUMENT_END)[:-1]
    shape = Shape()
    vocabulary, checkpoint = options.out / "tokenizer.json", options.out / "checkpoint.pt"
    if not vocabulary.exists():
        train_vocabulary(pages[::VOCABULARY_PAGES_ONE_IN], shape.vocab_size).save(str(vocabulary))
    tokenizer = Tokenizer.from_file(str(vocabulary))
    wanted = options.steps * ROWS_PER_STEP
    rows = token_rows(tokenizer, pages, shape.max_position_embeddings, wanted, options.seed)
    run = Run(shape)
    if checkpoint.exists():
        run.load(checkpoint)
    print(f"{run.network.num_parameters} parameters, {rows.numel()} tokens, from step {run.step}", flush=True)
    train(run, rows, options.steps, options.minutes, checkpoint)
    torch.save(run.network.tensors, options.out / "weights.pt")
    record = {
        "shape": asdict(shape), "seed": options.seed, "steps": run.step, "cpu_seconds": round(run.cpu_seconds),
        "tokens": run.step * ROWS_PER_STEP * shape.max_position_embeddings, "losses": run.losses,
    }  # fmt: skip
    (options.out / "train.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
