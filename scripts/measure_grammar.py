"""What structured output adds to a token, beside what a token takes: masks, the grammar's state, forced tokens.

python -m scripts.measure_grammar [FILE.gguf | SHAPE:TYPE] [--vocabulary FILE.gguf] [--tokens 48] [--rounds 3]

SHAPE:TYPE (llama-3.2-1b:Q4_0 when nothing is named: 128,256 tokens) is made in --folder, if it is not there, with
random weights; their tokens are no words, so the tables are made of --vocabulary's, a file of as many. Answers of each
form are drawn greedily from random logits. Per token: the mask, the engine's two other calls, and sampling with the
mask less sampling without it, in processor time; tokens that were forced count with what asking for them took. Beside
it the least decode step of the model, timed in the same run and between the forms. Ends with status 1 when the median
of a form is 5 % of a step or more.
"""

from __future__ import annotations

import argparse
import sys
import time
from array import array
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

import edge
from edge import native
from edge.engine import Constraint
from edge.formats import open_gguf
from edge.grammar import Constraints, Grammar, grammar_of
from edge.tokenizer import Tokenizer
from scripts.compare_speed import model_file

LIMIT = 0.05
TEXT = {"type": "string", "maxLength": 60}
FORMS: dict[str, dict[str, Any]] = {
    "object of texts": {
        "schema": {
            "type": "object",
            "properties": {"name": TEXT, "address": TEXT, "tags": {"type": "array", "items": TEXT, "maxItems": 4}},
            "required": ["name", "address", "tags"],
            "additionalProperties": False,
        }
    },
    "numbers": {
        "schema": {"type": "array", "items": {"type": "number", "minimum": -1000, "maximum": 1000}, "maxItems": 20}
    },
    "any JSON": {"schema": {"type": "object"}},
    "pattern": {
        "schema": {"type": "array", "items": {"pattern": "^[a-z]{2,9}@[a-z.]{3,20}$", "type": "string"}, "maxItems": 9}
    },
    "regex": {"regex": r"([A-Z][a-z]+ ){5,40}end"},
    "grammar": {"grammar": 'start: sum\nsum: term (("+" | "-") term)*\nterm: /[0-9]{1,9}/ | "(" sum ")"'},
}


class Cost(NamedTuple):
    """Seconds of each drawn token, and how many came without a draw."""

    drawn: list[float]
    forced: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="llama-3.2-1b:Q4_0")
    parser.add_argument("--vocabulary", type=Path, help="a GGUF file whose tokens are words")
    parser.add_argument("--folder", type=Path, default=Path("build/models"))
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    path = model_file(args.file, args.folder)
    with edge.load(path, context=1024) as model:
        vocab_size = model.config.vocab_size
        tokenizer = model.tokenizer
        if args.vocabulary is not None:
            with open_gguf(args.vocabulary) as file:
                tokenizer = Tokenizer.from_gguf(file)
        start = time.perf_counter()
        constraints = Constraints(lambda: tokenizer, vocab_size, lambda: None)
        constraints.constraint(_form({"regex": "a"}))
        made = time.perf_counter() - start
        print(f"{path.name}, {vocab_size} tokens, tables made in {made:.2f} s, {model.decode_threads} thread(s)")
        steps: list[float] = []
        costs: dict[str, Cost] = {}
        for seed in range(args.rounds):
            for name, options in FORMS.items():
                steps.append(_step_seconds(model, args.tokens))
                cost = _answers(
                    partial(constraints.constraint, _form(options)), tokenizer.eog_ids, vocab_size, args.tokens, seed
                )
                before = costs.setdefault(name, Cost([], 0))
                costs[name] = Cost(before.drawn + cost.drawn, before.forced + cost.forced)
    step = min(steps)
    print(f"decode step: least {1e3 * step:.2f} ms, median {1e3 * median(steps):.2f} ms, of {len(steps)} answers")
    worst = 0.0
    for name, cost in costs.items():
        share = median(cost.drawn) / step
        worst = max(worst, share)
        print(
            f"{name:16} {len(cost.drawn):5} drawn, {cost.forced:4} forced: median {1e3 * median(cost.drawn):.3f} ms "
            f"({100 * share:.1f} % of a step), 99 of 100 within {1e3 * float(np.quantile(cost.drawn, 0.99)):.3f} ms, "
            f"most {1e3 * max(cost.drawn):.3f} ms"
        )
    print(f"highest median: {100 * worst:.1f} %, wanted under {100 * LIMIT:.0f} %")
    return 1 if worst >= LIMIT else 0


def _form(options: dict[str, Any]) -> Grammar:
    form = grammar_of(**options)
    assert form is not None
    return form


def _step_seconds(model: edge.Model, tokens: int) -> float:
    endless = dict.fromkeys(model.tokenizer.eog_ids, -100.0)  # so that all answers have the same length
    answer = model.generate([5, 6, 7], max_tokens=tokens, logit_bias=endless)
    assert answer.timings.decode_tok_s is not None
    return 1 / answer.timings.decode_tok_s


def _answers(start: Callable[[], Constraint], ends: frozenset[int], vocab_size: int, tokens: int, seed: int) -> Cost:
    """So many drawn tokens, of one answer or several, chosen as the engine does it, by logits that mean nothing."""
    rng = np.random.default_rng(seed)
    drawn: list[float] = []
    forced = 0
    clock = time.thread_time
    with native.Sampler(vocab_size) as sampler:
        constraint = start()
        while len(drawn) < tokens:
            logits = array("f", rng.standard_normal(vocab_size, np.float32).tobytes())
            begin = clock()
            sampler.sample(logits)
            free = clock() - begin
            begin = clock()
            forced += _take_forced(constraint)
            if not constraint.complete:
                token = sampler.sample(logits, allowed=constraint.mask())
                if token not in ends:
                    constraint.advance(token)
                    forced += _take_forced(constraint)
                    drawn.append(clock() - begin - free)
                    continue
            constraint = start()
    return Cost(drawn, forced)


def _take_forced(constraint: Constraint) -> int:
    count = 0
    while not constraint.complete and (run := constraint.forced()):
        for token in run:
            constraint.advance(token)
        count += len(run)
    return count


if __name__ == "__main__":
    sys.exit(main())
