"""Shows samples and counts of what the model learns from, or of what it is tested on.

python -m apps.assistant_model.samples [--kind train|new_values|new_templates|hand_written|renamed|reworded]
"""

from __future__ import annotations

import argparse
import json
from collections import Counter

from apps.assistant_model.courses import TRAIN_SEED, training_groups
from apps.assistant_model.data import KINDS, TEMPLATES, evaluation_groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=["train", *KINDS], default="train")
    parser.add_argument("--seed", type=int, default=TRAIN_SEED)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--show", type=int, default=3, help="tool lists, or requests of a fixed set, to print")
    options = parser.parse_args()
    if options.kind == "train":
        groups = list(training_groups(options.seed, options.count))
    else:
        groups = evaluation_groups(options.kind, options.count)
    for group in groups[: options.show]:
        print(group.text + "\n")
        for example in group.examples:
            print("\n".join(f"  {turn.request}\n      {turn.answer}" for turn in example))
    print_statistics([turn.answer for group in groups for example in group.examples for turn in example])


def print_statistics(answers: list[str]) -> None:
    """How often each sentence is said and how many calls an answer has, and what there is to choose from."""
    said: Counter[str] = Counter()
    for answer in answers:
        said[f"{len(json.loads(answer))} calls" if answer.startswith("[") else answer] += 1
    print(f"{len(answers)} answers")
    for name, count in said.most_common():
        print(f"{count:6d} {count / len(answers):6.1%} {name}")
    needs: Counter[str] = Counter()
    for template in TEMPLATES:
        needs.update({tool: len(template.train) for tool in template.needs} or {"(no tool)": len(template.train)})
    print(f"{len(TEMPLATES)} meanings, {sum(len(t.train) for t in TEMPLATES)} wordings trained, "
          f"{sum(len(t.held_out) for t in TEMPLATES)} held out; wordings trained by tool:")  # fmt: skip
    print(", ".join(f"{name} {count}" for name, count in needs.most_common()))


if __name__ == "__main__":
    main()
