"""Prints exact match on both held-out sets: the shipped file through edge, and the float network it was made from.

    python -m apps.assistant_model.evaluate [MODEL.gguf] [--run build/assistant] [--examples N] [--show]

A request counts as right when its calls are equal after JSON normalisation, or its sentence is the wanted one.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# PyTorch is only there where models are trained.

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import edge
from apps.assistant_model.data import Example
from apps.assistant_model.scoring import EVAL_KINDS, Miss, Score, evaluation_set, same_answer

SHIPPED = Path(__file__).parents[2] / "edge" / "assets" / "assistant.gguf"
MAX_TOKENS = 200  # the longest wanted answer has about 100


def score_model(model: edge.Model, examples: list[Example]) -> Score:
    """Greedy answers of a loaded model, each request in a conversation of its own."""
    misses: list[Miss] = []
    for example in examples:
        turn = example[-1]
        got = model.chat(turn.request, temperature=0.0, max_tokens=MAX_TOKENS).text
        if not same_answer(turn.answer, got):
            misses.append(Miss(turn.request, turn.answer, got))
    return Score(len(examples), tuple(misses))


def score_run(folder: Path, examples: list[Example]) -> Score:
    """The float32 network of a training run. Needs PyTorch."""
    import torch
    from tokenizers import Tokenizer

    from apps.assistant_model.network import Network, Shape
    from apps.assistant_model.network_score import score_network

    record = json.loads((folder / "train.json").read_text())
    network = Network(Shape(num_hidden_layers=record["layers"]))
    network.set_tensors(torch.load(folder / "weights.pt", weights_only=True))
    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return score_network(network, tokenizer, examples)


def tool_of(answer: str) -> str:
    """The first tool an answer calls, or what it is instead."""
    if not answer.startswith("["):
        return "(sentence)"
    try:
        return str(json.loads(answer)[0]["name"])
    except (ValueError, LookupError, TypeError):
        return "(broken)"


def report(who: str, kind: str, score: Score, show: bool) -> None:
    print(f"{who:8} {kind:14} exact match {score.exact_match:6.1%} of {score.count}, "
          f"invalid JSON {score.invalid_json:.1%}", flush=True)  # fmt: skip
    if not show:
        return
    confusions = Counter((tool_of(miss.wanted), tool_of(miss.got)) for miss in score.misses)
    for (wanted, got), count in confusions.most_common():
        print(f"  {count:4d} {wanted}" + ("" if wanted == got else f" taken for {got}"))
    for miss in score.misses:
        print(f"  {miss.request}\n    wanted {miss.wanted}\n    got    {miss.got}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="?", default=SHIPPED)
    parser.add_argument("--run", type=Path, help="also score the float network in this folder")
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--show", action="store_true", help="list confusions and wrong answers")
    options = parser.parse_args()
    sets = {kind: evaluation_set(kind, options.examples) for kind in EVAL_KINDS}
    if options.run is not None:
        for kind, examples in sets.items():
            report("float", kind, score_run(options.run, examples), options.show)
    with edge.load(options.model) as model:
        for kind, examples in sets.items():
            report("edge", kind, score_model(model, examples), options.show)


if __name__ == "__main__":
    main()
