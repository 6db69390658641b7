"""Several answers to one long prompt: branches that share its K and V, against the same answers one after another.

python -m scripts.measure_branches [FILE.gguf | SHAPE:TYPE] [--prompt 2000] [--tokens 48] [--branches 4] [--rounds 3]

SHAPE:TYPE (tinyllama-1.1b:Q4_0 when nothing is named) is made in --folder, if it is not there, with random weights. The
prompt is computed before anything is timed, and found by both. Prints tokens per second of both, their ratio, and the
KV blocks that the branches held, with those of the prompt.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

import edge
from edge.native import BLOCK_SIZE
from scripts.compare_speed import model_file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="tinyllama-1.1b:Q4_0")
    parser.add_argument("--folder", type=Path, default=Path("build/models"))
    parser.add_argument("--prompt", type=int, default=2000)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--branches", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    path = model_file(args.file, args.folder)
    ratios: list[float] = []
    with edge.load(path, context=args.prompt + args.tokens, sequences=args.branches) as model:
        prompt = [(7 * i + 3) % (model.config.vocab_size - 10) + 5 for i in range(args.prompt)]
        print(f"{path.name}, {model.decode_threads} thread(s), {args.branches} answers of {args.tokens} tokens each")
        model.generate(prompt, max_tokens=1)
        for _ in range(args.rounds):
            alone, together, blocks = _round(model, prompt, args.tokens, args.branches)
            ratios.append(together / alone)
            held = f"{blocks} KV blocks, {args.prompt // BLOCK_SIZE} of the prompt"
            print(f"alone {alone:.1f} tok/s, branches {together:.1f} tok/s: {ratios[-1]:.2f}x; {held}", flush=True)
    print(f"median {median(ratios):.2f}x")


def _round(model: edge.Model, prompt: list[int], tokens: int, branches: int) -> tuple[float, float, int]:
    """(tokens a second of answers one by one, of branches; most blocks in use)."""
    endless = dict.fromkeys(model.tokenizer.eog_ids, -100.0)  # so that all answers have the same length
    start = time.perf_counter()
    for seed in range(branches):
        model.generate(prompt, max_tokens=tokens, temperature=1.0, seed=seed, logit_bias=endless)
    middle = time.perf_counter()
    first = model.stream(prompt, max_tokens=tokens, temperature=1.0, seed=0, logit_bias=endless)
    streams = [first, *(first.fork(restart=True) for _ in range(branches - 1))]
    blocks = 0
    for _ in first:  # all go on while one is read
        blocks = max(blocks, model.stats.blocks_used)
    for stream in streams:
        assert len(stream.completion().tokens) == tokens
    end = time.perf_counter()
    return branches * tokens / (middle - start), branches * tokens / (end - middle), blocks


if __name__ == "__main__":
    main()
