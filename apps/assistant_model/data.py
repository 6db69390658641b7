"""Generates home and desk requests with their answers: the same seed always gives the same requests.

Run `python -m apps.assistant_model.data` (at the root) to see samples and counts.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Literal

from apps.assistant_model.template_desk import DESK, TALK
from apps.assistant_model.template_home import HOME
from apps.assistant_model.templates import Call, Template, say
from apps.assistant_model.values import Draw, Split

TEMPLATES: tuple[Template, ...] = HOME + DESK + TALK
Kind = Literal["train", "new_values", "new_templates"]

TRAIN_SEED = 20240
TRAIN_EXAMPLES = 130_000
EVAL_SEED = 77001
TWO_CALLS_SHARE = 0.14
SECOND_TURN_SHARE = 0.06

_BEFORE = (
    "please", "can you", "could you", "would you", "hey", "hey there", "ok", "okay", "um", "so", "could you please",
    "can you please", "i'd like you to", "would you please", "well", "now", "computer", "assistant",
)  # fmt: skip
_AFTER = ("please", "thanks", "thank you", "for me", "now", "right now", "will you", "would you", "if you can")
_JOINTS = (" and ", " and ", " and then ", " then ", ", ", " and also ", ", and ", " and please ")


@dataclass(frozen=True, slots=True)
class Turn:
    """One request and its answer, the JSON of the calls or a sentence."""

    request: str
    answer: str


Example = tuple[Turn, ...]  # a conversation; the last turn is the one evaluated


def dump_calls(calls: list[Call]) -> str:
    """Compact JSON: the model was trained on exactly these separators, which save a third of the tokens."""
    return json.dumps(calls, separators=(",", ":"), ensure_ascii=False)


class Generator:
    """An endless, reproducible source of examples of one kind."""

    def __init__(self, seed: int, kind: Kind) -> None:
        self._rng = Random(f"{seed} {kind}")
        self._split: Split = "held_out" if kind == "new_values" else "train"
        self._kind: Kind = kind
        self._weights = [template.weight for template in TEMPLATES]

    def example(self) -> Example:
        """One conversation; `new_values` holds at least one value, `new_templates` only wordings, never trained on."""
        while True:
            first, answer, unseen = self._one()
            if self._kind == "new_values" and not unseen:
                continue
            if isinstance(answer, dict) and self._rng.random() < TWO_CALLS_SHARE:
                second, other, _ = self._one()
                if isinstance(other, dict):
                    joint = self._rng.choice(_JOINTS)
                    return (Turn(self._dress(first + joint + second), dump_calls([answer, other])),)
            turn = Turn(self._dress(first), dump_calls([answer]) if isinstance(answer, dict) else answer)
            if self._kind == "train" and self._rng.random() < SECOND_TURN_SHARE:
                return (*self.example()[-1:], turn)  # an earlier, unrelated turn must not change the answer
            return (turn,)

    def _one(self) -> tuple[str, Call | str, bool]:
        template = self._rng.choices(TEMPLATES, self._weights)[0]
        draw = Draw(self._rng, self._split)
        pattern = self._rng.choice(template.held_out if self._kind == "new_templates" else template.train)
        request = say(pattern, draw)
        return request, template.answer(draw), draw.unseen

    def _dress(self, request: str) -> str:
        """Politeness, fillers, capitals and punctuation around a bare request."""
        rng = self._rng
        if rng.random() < 0.3:
            request = f"{rng.choice(_BEFORE)}{rng.choice([' ', ' ', ', '])}{request}"
        if rng.random() < 0.2:
            request = f"{request}{rng.choice([' ', ' ', ', '])}{rng.choice(_AFTER)}"
        if rng.random() < 0.35:
            request = request[0].upper() + request[1:]
        if rng.random() < 0.35:
            request += rng.choice([".", ".", "!", "?"])
        return request


def make_examples(seed: int, kind: Kind, count: int) -> list[Example]:
    """`count` examples; those for evaluation are all different."""
    generator = Generator(seed, kind)
    if kind == "train":
        return [generator.example() for _ in range(count)]
    found: dict[str, Example] = {}
    while len(found) < count:
        example = generator.example()
        found.setdefault(example[-1].request.lower().rstrip(".!?"), example)
    return list(found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=["train", "new_values", "new_templates"], default="train")
    parser.add_argument("--seed", type=int, default=TRAIN_SEED)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--show", type=int, default=20)
    options = parser.parse_args()
    examples = make_examples(options.seed, options.kind, options.count)
    for example in examples[: options.show]:
        print("\n".join(f"{turn.request}\n    {turn.answer}" for turn in example))
    names: Counter[str] = Counter()
    for example in examples:
        answer = example[-1].answer
        names.update([call["name"] for call in json.loads(answer)] if answer.startswith("[") else ["(sentence)"])
    print(f"\n{len(examples)} examples, {len(TEMPLATES)} meanings, "
          f"{sum(len(t.train) for t in TEMPLATES)} wordings trained, "
          f"{sum(len(t.held_out) for t in TEMPLATES)} held out")  # fmt: skip
    for name, count in names.most_common():
        print(f"{count:6d} {name}")


if __name__ == "__main__":
    main()
