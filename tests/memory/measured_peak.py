"""Loads a model with given settings, fills the context of every sequence, and prints the plan's total and the kernel's
own figure for the peak, in bytes: to be run as a process of its own.

python -m tests.memory.measured_peak MODEL.gguf '{"context": 512, "sequences": 2}'
"""

from __future__ import annotations

import json
import sys

import edge
from edge.device import peak_memory_bytes


def main() -> None:
    path, options = sys.argv[1], json.loads(sys.argv[2])
    with edge.load(path, **options) as model:
        plan, length, vocabulary = model.plan, model.context - 1, model.config.vocab_size
        prompts = [[(7 * i + 13 * number) % vocabulary for i in range(length)] for number in range(plan.num_sequences)]
        streams = [model.stream(prompt, max_tokens=1) for prompt in prompts]
        for stream in streams:
            list(stream)
        if model.chat_template is not None:
            model.chat("hello", max_tokens=2)
    print(plan.total_bytes, peak_memory_bytes())


if __name__ == "__main__":
    main()
