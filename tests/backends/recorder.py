"""An engine on the native backend that keeps the bytes of every row of logits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from edge.backends.native import NativeBackend
from edge.engine import Engine, Policy, SamplingParams, Sequence
from edge.engine.sampler import NativeSampler
from edge.formats import GGUFFile, open_gguf

PARAMS = SamplingParams(temperature=1.0, top_k=40, top_p=0.95, repetition_penalty=1.1)


class Recorder:
    """options: of NativeBackend."""

    def __init__(self, file: GGUFFile, *, policy: Policy | None = None, **options: Any) -> None:
        self.backend = NativeBackend(file, **options)
        self._sample = NativeSampler(self.backend.limits.vocab_size)
        self.engine = Engine(self.backend, self._choose, policy=policy)
        self.logits: dict[int, list[bytes]] = {}

    def _choose(self, sequence: Sequence, logits: memoryview[float]) -> int:
        self.logits.setdefault(id(sequence), []).append(logits.tobytes())
        return self._sample(sequence, logits)

    def add(self, prompt: list[int], max_new: int = 12, number: int = 0, priority: str = "interactive") -> Sequence:
        sequence = Sequence(prompt, PARAMS, max_length=len(prompt) + max_new, seed=9, number=number, priority=priority)
        self.engine.add(sequence)
        return sequence

    def run(self) -> None:
        while self.engine.step():
            for sequence in self.engine.scheduler.running:
                sequence.output.clear()  # they are read

    def of(self, sequence: Sequence) -> tuple[list[int], list[bytes]]:
        return sequence.tokens.tolist(), self.logits[id(sequence)]

    def close(self) -> None:
        self.engine.close()


def alone(path: Path, prompt: list[int], max_new: int = 12, **options: Any) -> tuple[list[int], list[bytes]]:
    """Tokens and logits of a sequence that runs by itself."""
    with open_gguf(path) as file:
        recorder = Recorder(file, **options)
        sequence = recorder.add(prompt, max_new)
        recorder.run()
        result = recorder.of(sequence)
        recorder.close()
    return result
