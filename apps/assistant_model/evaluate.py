"""Scores a model file on the held-out sets through edge, as a table.

    python -m apps.assistant_model.evaluate [MODEL.gguf ...] [--run build/assistant] [--show] [--json FILE]

The shipped file without arguments; with --run the float, Q8_0 and Q4_0 files made from that training run. A request
counts as right when its calls are equal after JSON normalisation, or its sentence is the wanted one.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import edge
from apps.assistant_model.card import score_table
from apps.assistant_model.data import KINDS, Group, evaluation_groups
from apps.assistant_model.scoring import Miss, Score, same_answer
from apps.assistant_model.tool_list import shipped_list

SHIPPED = Path(__file__).parents[2] / "edge" / "assets" / "assistant.gguf"
MAX_TOKENS = 256  # the longest wanted answer has about 150
SAMPLE = 250  # requests of each set that the tests answer, about


def score_model(model: edge.Model, groups: list[Group]) -> Score:
    """Greedy answers of a loaded model to the last turn of every conversation, behind the tool list of its group."""
    misses: list[Miss] = []
    shipped = shipped_list().text
    for group in groups:
        tools = None if group.tools.text == shipped else group.tools.as_json()
        for example in group.examples:
            messages = [
                {"role": role, "content": text}
                for turn in example
                for role, text in (("user", turn.request), ("assistant", turn.answer))
            ]
            got = model.chat(messages[:-1], tools=tools, temperature=0.0, max_tokens=MAX_TOKENS).text
            turn = example[-1]
            if not same_answer(turn.answer, got):
                misses.append(Miss(turn.request, turn.answer, got))
    return Score(sum(len(group.examples) for group in groups), tuple(misses))


def fixed_sample(groups: list[Group]) -> list[Group]:
    """About SAMPLE of the requests, evenly spread: what the tests run, whose figure stands in the file too."""
    stride = max(1, sum(len(group.examples) for group in groups) // SAMPLE)
    return [Group(group.tools, group.examples[stride // 2 :: stride]) for group in groups]


def score_of_sample(score: Score, groups: list[Group]) -> Score:
    """The part of a score that the fixed sample of its groups has."""
    requests = {example[-1].request for group in fixed_sample(groups) for example in group.examples}
    return Score(len(requests), tuple(miss for miss in score.misses if miss.request in requests))


def show(score: Score) -> None:
    """Confusions by tool, then every wrong answer."""
    for (wanted, got), count in score.confusions().most_common():
        print(f"  {count:4d} {wanted}: " + ("wrong arguments" if wanted == got else f"taken for {got}"))
    for miss in score.misses:
        print(f"  {miss.request}\n    wanted {miss.wanted}\n    got    {miss.got}")


def made_from(run: Path, folder: Path) -> dict[str, Path]:
    """The run's files by weight format. Needs PyTorch."""
    from apps.assistant_model.export import FILE_TYPES, write_model

    files = {kind.name: folder / f"{kind.name}.gguf" for kind in FILE_TYPES}
    for kind in FILE_TYPES:
        write_model(run, files[kind.name], kind, {})
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="*", metavar="MODEL.gguf")
    parser.add_argument("--run", type=Path, help="training run to make float, Q8_0 and Q4_0 files from")
    parser.add_argument("--examples", type=int, default=1000, help="requests of each generated set")
    parser.add_argument("--sets", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--show", action="store_true", help="list confusions and wrong answers")
    parser.add_argument("--json", type=Path, help="write the figures for export")
    options = parser.parse_args()
    groups = {kind: evaluation_groups(kind, options.examples) for kind in options.sets}
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        files = {path.stem: path for path in options.models}
        if options.run is not None:
            files |= made_from(options.run, Path(folder))
        for name, path in (files or {"shipped": SHIPPED}).items():
            count = invalid = 0
            with edge.load(path) as model:
                for kind in options.sets:
                    score = score_model(model, groups[kind])
                    figures[f"{name}.{kind}"] = score.exact_match
                    figures[f"{name}.sample.{kind}"] = score_of_sample(score, groups[kind]).exact_match
                    count, invalid = count + score.count, invalid + score.num_invalid
                    print(f"{name:10} {kind:14} exact match {score.exact_match:6.1%} of {score.count}, "
                          f"invalid JSON {score.invalid_json:.2%}", flush=True)  # fmt: skip
                    if options.show:
                        show(score)
            figures[f"{name}.invalid"] = invalid / count
    if set(options.sets) == set(KINDS):
        print("\n" + score_table(figures))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
