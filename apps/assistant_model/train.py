"""Trains the vocabulary and the network.

    python -m apps.assistant_model.train --out build/assistant

writes `tokenizer.json`, `weights.pt`, `train.json` (settings, losses) and `loss.svg` to the folder. Every step is
shared out among two workers, each on one core; their gradients are summed in a fixed order, so that a run repeats
itself.

    python -m apps.assistant_model.train --continue edge/assets/assistant.gguf --out build/assistant

goes on from a model file, or from the folder of a run, with `courses.CONTINUED`, at lower rates, and keeps a mean of
the old and the new weights (`--old-share`; https://arxiv.org/abs/2109.01903). `--seconds` ends it by the clock: rates
then fall with the time, and it no longer repeats itself.
"""

# pyright: basic, reportMissingImports=false
# PyTorch leaves parameters untyped, and is only there where models are trained.

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from apps.assistant_model.courses import CONTINUED, EMPHASIS, NEW_EMPHASIS, PHASES, TRAIN_SEED, training_groups
from apps.assistant_model.data import KINDS, Group, evaluation_groups
from apps.assistant_model.drills import copy_drills
from apps.assistant_model.loss_curve import loss_curve
from apps.assistant_model.network import Network, Pack, Shape
from apps.assistant_model.optimizer import Muon
from apps.assistant_model.start import Start, read_start
from apps.assistant_model.tokenizer_bpe import Encoded, encode_groups, train_tokenizer

CONVERSATIONS, CONTINUED_CONVERSATIONS = 290_000, 80_000
TOKENS_PER_STEP = 3200
COPY_STEPS = 210
DRILL_EVERY = 16  # steps of requests, after which one of copying keeps every token of the vocabulary fit to be copied
WORKERS = 2
MUON_RATE, ADAM_RATE, WEIGHT_DECAY = 0.04, 0.008, 0.01
DECISION_WEIGHT = 2.0  # of tokens where a meaning decides: an answer's first, and the first of every name in it
MEANING_WEIGHT = 0.5  # of a meaning told half-way up, beside a token of an answer
WARMUP_STEPS = 40
PLATEAU = 0.5  # share of the conversations up to which rates stay at their height; then they fall to zero
CONTINUED_HEIGHT = 0.3  # of the rates, where a trained network goes on
OLD_SHARE = 0.15  # of the weights it went on from, in those that are kept: less is forgotten (Wortsman et al., 2022)
CLASSIFIER_STEPS = 40  # in which only the classifier of meanings, which no file has, catches up with such a network
VOCABULARY_CONVERSATIONS = 25_000
LOG_EVERY = 25
PROBE_EVERY, PROBED = 250, 150  # steps, and conversations of each generated set


@dataclass(frozen=True, slots=True)
class Part:
    """What a worker found: summed losses of the answers' tokens and of the meanings, and the gradient of their sum."""

    loss: float
    tokens: int
    meaning_loss: float
    meanings: int
    gradient: list[Tensor]


def gradients(network: Network, groups: list[Encoded], bf16: bool) -> Part:
    tensors = [*network.tensors.values(), network.classifier]
    loss, tokens, meaning_loss, meanings = 0.0, 0, 0.0, 0
    summed = [torch.zeros_like(tensor) for tensor in tensors]
    for encoded in groups:
        pack = Pack.of(encoded.prefix, encoded.rows, network.shape)
        at = torch.tensor(encoded.written())
        marked = torch.tensor(encoded.meanings, dtype=torch.long).view(-1, 2)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            hidden, middle = network.hidden(pack, at - 1, marked[:, 0])
            logits, classes = network.logits(hidden), F.linear(middle, network.classifier)
        answers = F.cross_entropy(logits.float(), pack.ids[at], reduction="none")
        weights = torch.where(torch.isin(at - 1, marked[:, 0]), DECISION_WEIGHT, 1.0)
        told = F.cross_entropy(classes.float(), marked[:, 1], reduction="sum")
        total = (weights * answers).sum() + MEANING_WEIGHT * told
        for held, gradient in zip(summed, torch.autograd.grad(total, tensors), strict=True):
            held += gradient
        loss, tokens = loss + answers.sum().item(), tokens + len(at)
        meaning_loss, meanings = meaning_loss + told.item(), meanings + len(marked)
    return Part(loss, tokens, meaning_loss, meanings, summed)


def probe(network: Network, groups: list[Encoded]) -> float:
    """Share of conversations whose every answer token is the likeliest one: exact match of greedy answers."""
    right = rows = 0
    for encoded in groups:
        pack = Pack.of(encoded.prefix, encoded.rows, network.shape)
        at = torch.tensor(encoded.written())
        with torch.no_grad():
            wrong = at[network.logits(network.hidden(pack, at - 1)[0]).argmax(-1) != pack.ids[at]]
        ends = torch.tensor([len(row) for row in encoded.rows]).cumsum(0) + pack.prefix
        rows += len(ends)
        right += len(ends) - len(torch.searchsorted(ends, wrong, right=True).unique())
    return right / rows


@dataclass(slots=True)
class Log:
    """What a run sees: (step, mean loss since the entry before), and all conversations, steps, tokens and seconds."""

    losses: list[tuple[int, float]] = field(default_factory=list[tuple[int, float]])
    conversations: int = 0
    steps: int = 0
    tokens: int = 0
    seconds: int = 0
    cpu_seconds: int = 0


def rate_at(step: int, share: float) -> float:
    return min(step / WARMUP_STEPS, 1.0, (1.0 - share) / (1.0 - PLATEAU))


def rates(step: int, share: float, is_continued: bool) -> tuple[float, float]:
    """Of the network and of the classifier, as shares of their height in a training from nothing."""
    if not is_continued:
        return rate_at(step, share), rate_at(step, share)
    return CONTINUED_HEIGHT * max(0.0, rate_at(step - CLASSIFIER_STEPS, share)), rate_at(WARMUP_STEPS, share)


def train(
    network: Network,
    batches: Iterable[list[list[Encoded]]],
    probes: dict[str, list[Encoded]],
    progress: Progress,
    bf16: bool,
    keep: Path,
    is_continued: bool = False,
) -> Log:
    """One pass over the batches; each is a list of groups for every worker. The weights are written to `keep` with
    every probe and at the end.
    """
    log = Log()
    tensors = network.tensors
    matrices = [weight for name, weight in tensors.items() if weight.ndim == 2 and name.startswith("blk.")]
    others = [weight for name, weight in tensors.items() if weight.ndim == 1 or not name.startswith("blk.")]
    muon = Muon(matrices)
    adam = torch.optim.Adam([{"params": others}, {"params": [network.classifier]}], betas=(0.9, 0.95), eps=1e-10)
    seen: list[Part] = []  # their gradients dropped
    started, cpu_started, step = time.monotonic(), time.process_time(), 0
    with ThreadPoolExecutor(WORKERS, initializer=torch.set_num_threads, initargs=(1,)) as workers:
        for step, batch in enumerate(batches, 1):
            found = list(workers.map(lambda groups: gradients(network, groups, bf16), batch))
            answer_tokens = sum(part.tokens for part in found)
            gradients_by_tensor = zip(*(part.gradient for part in found), strict=True)
            for weight, parts in zip([*tensors.values(), network.classifier], gradients_by_tensor, strict=True):
                weight.grad = torch.stack(parts).sum(0).div_(answer_tokens)
            rate, classifier_rate = rates(step, progress.share, is_continued)
            for group, share in zip(adam.param_groups, (rate, classifier_rate), strict=True):
                group["lr"] = ADAM_RATE * share
            adam.step()
            muon.step(MUON_RATE * rate, WEIGHT_DECAY)
            seen += [replace(part, gradient=[]) for part in found]
            log.tokens += sum(encoded.num_tokens for groups in batch for encoded in groups)
            if step % LOG_EVERY == 0:
                loss = sum(part.loss for part in seen) / sum(part.tokens for part in seen)
                meaning_loss = sum(part.meaning_loss for part in seen) / max(1, sum(part.meanings for part in seen))
                log.losses.append((step, round(loss, 5)))
                seconds = time.monotonic() - started
                print(f"step {step} {progress.share:.1%} loss {loss:.4f} meanings {meaning_loss:.4f} {seconds:.0f} s",
                      flush=True)  # fmt: skip
                seen = []
            if step % PROBE_EVERY == 0:
                print("  " + ", ".join(f"{name} {probe(network, groups):.1%}" for name, groups in probes.items()))
                torch.save(tensors, keep)
    torch.save(tensors, keep)
    log.steps, log.conversations = step, progress.seen
    log.seconds, log.cpu_seconds = round(time.monotonic() - started), round(time.process_time() - cpu_started)
    return log


@dataclass(slots=True)
class Progress:
    """The share of the conversations that have been through the network, or of the time that is over."""

    conversations: int
    seconds: float | None = None
    seen: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def share(self) -> float:
        over = 0.0 if self.seconds is None else (time.monotonic() - self.started) / self.seconds
        return min(1.0, max(over, self.seen / self.conversations))


def encoded_batches(tokenizer: Tokenizer, groups: Iterable[Group], progress: Progress) -> Iterator[list[list[Encoded]]]:
    """TOKENS_PER_STEP tokens at a time, shared out evenly among the workers; made while training runs."""
    batch: list[Encoded] = []
    for group in groups:
        if progress.share >= 1.0:
            return
        batch += encode_groups(tokenizer, [group])
        progress.seen += len(group.examples)
        if sum(encoded.num_tokens for encoded in batch) >= TOKENS_PER_STEP:
            yield shared_out(batch)
            batch = []


def with_drills(
    batches: Iterable[list[list[Encoded]]], drills: Iterator[list[list[Encoded]]]
) -> Iterator[list[list[Encoded]]]:
    """The batches, and a drill after every DRILL_EVERY of them."""
    for step, batch in enumerate(batches, 1):
        yield batch
        if step % DRILL_EVERY == 0:
            yield next(drills)


def shared_out(batch: list[Encoded]) -> list[list[Encoded]]:
    """The largest group first, each to the worker with the least to do."""
    shares: list[list[Encoded]] = [[] for _ in range(WORKERS)]
    for encoded in sorted(batch, key=lambda encoded: -encoded.num_tokens):
        min(shares, key=lambda share: sum(one.num_tokens for one in share)).append(encoded)
    return shares


def mean_of(old: dict[str, Tensor], new: dict[str, Tensor], old_share: float) -> dict[str, Tensor]:
    """Of every weight `old_share` of the old and the rest of the new."""
    return {name: old[name].lerp(tensor.detach(), 1.0 - old_share) for name, tensor in new.items()}


def new_start(data_seed: int) -> Start:
    """A vocabulary for a network that knows nothing."""
    sample = list(training_groups(data_seed + 1, VOCABULARY_CONVERSATIONS))
    turns = [turn for group in sample for example in group.examples for turn in example]
    texts = [text for turn in turns for text in (turn.request, turn.answer)]
    shape = Shape()
    return Start(shape, train_tokenizer(texts + [group.text for group in sample[::8]], shape.vocab_size), {}, {})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--continue", dest="start", type=Path, help="a model file, or the folder of a run, to go on from"
    )
    parser.add_argument("--old-share", type=float, default=OLD_SHARE, help="of the weights gone on from, at the end")
    parser.add_argument("--conversations", type=int)
    parser.add_argument("--seconds", type=float, help="the time it may take at most, by the clock")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data-seed", type=int, default=TRAIN_SEED)
    parser.add_argument(
        "--bf16", action="store_true", help="matrix products in bfloat16: for CPUs with instructions for it"
    )
    options = parser.parse_args()
    torch.set_num_threads(WORKERS)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)

    is_continued = options.start is not None
    conversations = options.conversations or (CONTINUED_CONVERSATIONS if is_continued else CONVERSATIONS)
    start = read_start(options.start) if is_continued else new_start(options.data_seed)
    start.tokenizer.save(str(options.out / "tokenizer.json"))
    probes: dict[str, list[Encoded]] = {
        kind: encode_groups(start.tokenizer, evaluation_groups(kind, PROBED))
        for kind in KINDS
        if kind != "hand_written"
    }
    network = Network(start.shape)
    if is_continued:
        network.set_tensors(start.tensors)
    print(f"{network.num_parameters} parameters", flush=True)
    settings = {
        "data_seed": options.data_seed,
        "seed": options.seed,
        "drill_steps": COPY_STEPS,
        "bf16": options.bf16,
        "shape": asdict(start.shape),
        "before": start.before,
        "old_share": options.old_share if is_continued else 0.0,
    }
    drills = copy_drills(Random(options.seed), start.shape.vocab_size, WORKERS)
    progress = Progress(conversations, options.seconds)
    phases, emphasis = (CONTINUED, NEW_EMPHASIS) if is_continued else (PHASES, EMPHASIS)
    groups = training_groups(options.data_seed, conversations, phases, emphasis)
    batches: Iterator[list[list[Encoded]]] = with_drills(encoded_batches(start.tokenizer, groups, progress), drills)
    if not is_continued:
        batches = chain(islice(drills, COPY_STEPS), batches)
    log = train(network, batches, probes, progress, options.bf16, options.out / "weights.pt", is_continued)
    if is_continued:
        network.set_tensors(mean_of(start.tensors, network.tensors, options.old_share))
        torch.save(network.tensors, options.out / "weights.pt")
    (options.out / "train.json").write_text(json.dumps(settings | asdict(log), indent=1) + "\n")
    (options.out / "loss.svg").write_text(loss_curve(log.losses))


if __name__ == "__main__":
    main()
