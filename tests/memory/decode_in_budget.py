"""Loads a model with given settings, fills every context but for a few tokens, then decodes, and prints JSON: the
plan's total, the kernel's own figure for the peak, seconds of a decoded token, and major page faults behind the first.
To be run as a process of its own.

python -m tests.memory.decode_in_budget MODEL.gguf '{"context": 512, "sequences": 2}'
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge import Model

TOKENS = 24  # decoded by the first sequence


def main() -> None:
    import edge
    from edge.device import peak_memory_bytes

    path, options = sys.argv[1], json.loads(sys.argv[2])
    with edge.load(path, **options) as model:
        plan, length, vocabulary = model.plan, model.context - TOKENS, model.config.vocab_size
        prompts = [[(7 * i + 13 * number) % vocabulary for i in range(length)] for number in range(plan.num_sequences)]
        others = [model.stream(prompt, max_tokens=TOKENS) for prompt in prompts[1:]]
        for other in others:
            list(other)
        times, faults = [time.perf_counter()], [0]
        for _ in model.stream(prompts[0], max_tokens=TOKENS, logit_bias=_never_ends(model)):
            times.append(time.perf_counter())
            faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_majflt)
        steps = [after - before for before, after in zip(times[1:], times[2:], strict=False)]
        report = {
            "planned": plan.total_bytes,
            "peak": peak_memory_bytes(),
            "decode_seconds": statistics.median(steps),
            "major_faults": faults[-1] - faults[2],
        }
    print(json.dumps(report))


def _never_ends(model: Model) -> dict[int, float]:
    """Bias that keeps end tokens from being chosen."""
    return dict.fromkeys(model.tokenizer.eog_ids, -100.0)


if __name__ == "__main__":
    main()
