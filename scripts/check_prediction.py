"""Predicted beside measured speed on this machine, in one run: exit code 1 when a decode prediction is further off than
--tolerance, or is none but a limit.

python -m scripts.check_prediction [FILE.gguf | SHAPE:TYPE]... [--threads 1,2] [--profile FILE] [--output FILE]

SHAPE:TYPE (tinyllama-1.1b:Q4_0, scripts/random_model.py) is made in --folder, if it is not there, with random weights.
The machine is measured first, as `edge doctor --save` does (a minute), unless --profile names what it wrote. Then each
file with each number of threads: predicted, loaded, and timed by edge.bench's steps, medians over the rounds. Decode is
that of --decode tokens from the start, and behind --deep positions. Prefill is printed and not judged.

A machine that others share changes by the minute. With --between it is measured again behind every file, and what is
predicted is the mean of what the profiles before and behind say: that judges the prediction, not the minute.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import edge
from edge import native
from edge.bench import Steps
from edge.formats.gguf import open_gguf
from edge.memory import Settings, compiled_for
from edge.predict import Estimate, Question, predict_speed
from edge.probe import full_probe
from edge.profiles import Machine, Profile, load_profile, to_toml
from scripts.random_model import SHAPES, write

FILES = (
    "smollm-135m:Q8_0", "smollm-135m:Q4_0", "qwen2.5-0.5b:Q4_0", "qwen3-0.6b:Q8_0", "qwen3-0.6b:Q4_K_M",
    "tinyllama-1.1b:Q8_0", "tinyllama-1.1b:Q4_0", "tinyllama-1.1b:Q4_K_M", "tinyllama-1.1b:Q2_K",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, in tokens a second. predicted None: no prediction, and reason says what is missing."""

    file: str
    threads: int
    phase: str
    predicted: float | None
    measured: float
    reason: str

    @property
    def ratio(self) -> float | None:
        return None if self.predicted is None else self.predicted / self.measured

    def is_good(self, tolerance: float) -> bool:
        """Prefill is not judged."""
        return self.phase == "prefill" or (self.ratio is not None and abs(self.ratio - 1) <= tolerance)


@dataclass(frozen=True, slots=True)
class Work:
    """Tokens: of a prompt, of an answer, in front of the deep answer (0: none)."""

    prompt: int
    decode: int
    deep: int
    rounds: int

    @property
    def context(self) -> int:
        return max(self.prompt, self.decode, self.deep + self.decode) + 1


@dataclass(frozen=True, slots=True)
class Found:
    """Of one file and number of threads: tokens a second by phase, and what is to be predicted."""

    file: str
    threads: int
    measured: dict[str, float]
    question: Question

    def rows(self, profiles: Sequence[Profile]) -> Iterator[Row]:
        """Against the mean of what the profiles say."""
        predictions = [predict_speed(profile, "measured now", self.question) for profile in profiles]
        for phase, of in (("decode", "decode"), ("deep decode", "deep"), ("prefill", "prefill")):
            if phase in self.measured:
                speeds = [_of(getattr(predicted, of)) for predicted in predictions]
                known = [speed for speed in speeds if speed is not None]
                missing = dict.fromkeys(reason for predicted in predictions for reason in predicted.missing)
                speed = sum(known) / len(known) if len(known) == len(speeds) else None
                yield Row(
                    self.file, self.threads, phase, speed, self.measured[phase], "" if speed else "; ".join(missing)
                )


def run_file(path: Path, threads: int, work: Work) -> Found:
    """Loads and measures."""
    with edge.load(path, threads=threads, context=work.context) as model:
        measured = _measure(Steps(model.native_backend), work)
        residency = model.weights.residency
        choice = dataclasses.replace(model.tuning, isa=model.isa)
    # The deepest token of a prediction has context - 1 in front of it: as many as a deep answer's on average.
    deepest = work.deep + work.decode // 2 + 1 if work.deep else work.context
    with open_gguf(path) as file:
        compiled = compiled_for(file, Settings(context=deepest, chunk=choice.chunk, num_threads=threads))
    question = dataclasses.replace(
        Question.of(compiled, choice, native.isa_supported(), kv_type="f16"),
        residency=None if residency == "memory" else residency,
        prompt=work.prompt,
    )
    return Found(path.stem, threads, measured, question)


def _of(estimate: Estimate | None) -> float | None:
    """A limit is no prediction."""
    return None if estimate is None or estimate.at_most else estimate.tok_s


def _measure(steps: Steps, work: Work) -> dict[str, float]:
    """Tokens a second by phase: of the median step, and of the median prompt. The first round fetches pages."""
    seconds: dict[str, list[float]] = {}
    for number in range(work.rounds + 1):
        found = {"prefill": [steps.prefill(work.prompt, 0)], "decode": steps.decode(work.decode, 0)}
        if work.deep:
            found["deep decode"] = steps.decode(work.decode, work.deep)
        if number:
            for phase, times in found.items():
                seconds.setdefault(phase, []).extend(times)
    tokens = {"prefill": work.prompt, "decode": 1, "deep decode": 1}
    return {phase: tokens[phase] / median(times) for phase, times in seconds.items()}


def line(row: Row, tolerance: float) -> str:
    predicted = "none" if row.predicted is None else f"{row.predicted:.4g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    verdict = "" if row.is_good(tolerance) else row.reason or f"off by more than {tolerance:.0%}"
    figures = f"{predicted:>9}{row.measured:>9.4g}{ratio:>7}"
    return f"{row.file:<28}{row.threads:>3}  {row.phase:<12}{figures}  {verdict}".rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=list(FILES))
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=64)
    parser.add_argument("--deep", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=0.15)
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--between", action="store_true", help="measure the machine behind every file, too")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "edge-models")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    work = Work(options.prompt, options.decode, options.deep, options.rounds)
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.between and options.profile:
        parser.error("--between measures the machine, --profile says that it was measured")
    profiles = [_profile(options.profile, options.folder)]
    rows: list[Row] = []
    print(f"{'file':<28}{'thr':>3}  {'':<12}{'predicted':>9}{'measured':>9}{'ratio':>7}")
    for reference in options.files:
        path = _file(reference, options.folder)
        found = [run_file(path, threads, work) for threads in map(int, options.threads.split(","))]
        if options.between:
            profiles.append(_profile(None, options.folder))
        for row in (row for item in found for row in item.rows(profiles[-2:])):
            rows.append(row)
            print(line(row, options.tolerance), flush=True)
    wrong = [row for row in rows if not row.is_good(options.tolerance)]
    print(f"{len(wrong)} of {len(rows)} figures are further off than {options.tolerance:.0%}, or no predictions")
    if options.output is not None:
        options.output.write_text(json.dumps(_as_json(rows, profiles), indent=1) + "\n")
    return 1 if wrong else 0


def _as_json(rows: list[Row], profiles: list[Profile]) -> dict[str, Any]:
    written = [dataclasses.asdict(row) | {"ratio": row.ratio} for row in rows]
    return {"rows": written, "profiles": [to_toml(profile) for profile in profiles]}


def _profile(path: Path | None, folder: Path) -> Profile:
    if path is not None:
        return load_profile(path)
    finding = full_probe(Machine.here(), folder)
    for sentence in finding.missing:
        print(sentence, file=sys.stderr)
    return finding.profile


def _file(reference: str, folder: Path) -> Path:
    shape, _, kind = reference.partition(":")
    if shape not in SHAPES or not kind:
        return Path(reference)
    path = folder / f"{shape}-{kind}.gguf"
    if not path.exists():
        write(shape, kind, path)
    return path


if __name__ == "__main__":
    sys.exit(main())
