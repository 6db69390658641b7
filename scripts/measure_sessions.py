"""How long K and V of a conversation take from disk, and to the first token behind them, beside computing them.

python -m scripts.measure_sessions                     tinyllama-1.1b, Q4_0, 2,000 tokens and 20 more

The model is a random one in a real model's shape (scripts/random_model.py), or a file with a chat template. Every
figure is of a model that was loaded again, and has answered something else before: what is measured is neither loading
weights nor building the tokenizer. Medians over --rounds. "from disk" drops the session file from the system's cache
first. The targets are 0.2 s for restoring and 1/20 for the time to the first token; exit code 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import string
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import edge
from edge.sessions import SavedFile
from scripts.random_model import SHAPES, write

TEMPLATE = "{% for m in messages %}{{ m.content }}\n{% endfor %}"  # adds next to nothing to what is asked
ANSWER = "a"  # one token: that of a random model may be a word that takes a dozen when it is read again
MAX_RESTORE_SECONDS = 0.2
MAX_SHARE = 1 / 20  # of the time to the first token when everything is computed


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds, bytes and tokens. Times to the first token include reading the file."""

    file: str
    threads: int
    kv_type: str
    rounds: int
    prompt_tokens: int
    cached_tokens: int  # of them, from the session
    session_bytes: int
    save_seconds: float
    restore_seconds: float
    restore_from_disk_seconds: float
    cold_ttft: float
    session_ttft: float
    prepared_ttft: float

    @property
    def share(self) -> float:
        """Time to the first token with the session, of that without."""
        return self.session_ttft / self.cold_ttft


def measure(model: Path, *, num_tokens: int, num_new: int, rounds: int, options: dict[str, Any]) -> Figures:
    """On `model`, whose vocabulary has a token for each letter. Sessions lie where EDGE_SESSIONS_DIR says."""
    rng = random.Random(1)
    known, system, new = (_letters(rng, count) for count in (num_tokens, num_tokens, num_new))
    with _loaded(model, options) as loaded:
        with loaded.session("measured") as session:
            session.chat(known, max_tokens=1, logit_bias={loaded.tokenizer.encode(ANSWER)[-1]: 1e9})
            start = time.perf_counter()
            session.save()
            save_seconds = time.perf_counter() - start
            loaded.prepare(system)
        conversation = [*session.messages, {"role": "user", "content": new}]
        threads, kv_type = loaded.num_threads, loaded.kv_type
    cold: list[float] = []
    restores: dict[bool, list[float]] = {False: [], True: []}
    warm: list[float] = []
    ahead: list[float] = []
    usages: list[edge.Usage] = []
    for _ in range(rounds):
        with _loaded(model, options) as loaded:
            answer = loaded.chat(conversation, max_tokens=1)
            if answer.usage.cached_tokens:
                raise SystemExit(f"{answer.usage.cached_tokens} tokens of the cold prompt were there already")
            cold.append(_ttft(answer))
        for from_disk in (True, False):
            with _loaded(model, options) as loaded:
                if from_disk:
                    _drop_from_cache(session.path)
                start = time.perf_counter()
                again = loaded.session("measured")
                restores[from_disk].append(time.perf_counter() - start)
                found = again.chat(new, max_tokens=1)
                if found.tokens != answer.tokens:
                    raise SystemExit(f"the session continues with {found.tokens}, not with {answer.tokens}")
                usages.append(found.usage)
                if not from_disk:
                    warm.append(restores[False][-1] + _ttft(found))
        with _loaded(model, options) as loaded:
            told = [{"role": "system", "content": system}, {"role": "user", "content": new}]
            ahead.append(_ttft(loaded.chat(told, max_tokens=1)))
    with SavedFile(session.path) as saved:
        num_bytes = saved.num_bytes
    return Figures(
        file=model.name,
        threads=threads,
        kv_type=kv_type,
        rounds=rounds,
        prompt_tokens=usages[-1].prompt_tokens,
        cached_tokens=usages[-1].cached_tokens,
        session_bytes=num_bytes,
        save_seconds=save_seconds,
        restore_seconds=median(restores[False]),
        restore_from_disk_seconds=median(restores[True]),
        cold_ttft=median(cold),
        session_ttft=median(warm),
        prepared_ttft=median(ahead),
    )


@contextmanager
def _loaded(model: Path, options: dict[str, Any]) -> Generator[edge.Model]:
    with edge.load(model, **options) as loaded:
        loaded.generate("something else", max_tokens=2)
        yield loaded


def _drop_from_cache(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _ttft(answer: edge.Completion) -> float:
    assert answer.timings.time_to_first_token is not None
    return answer.timings.time_to_first_token


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_lowercase, k=count))


def print_figures(figures: Figures) -> None:
    rate = figures.session_bytes / figures.restore_seconds / 1e9
    print(f"{figures.file}, {figures.threads} thread(s), KV as {figures.kv_type}, medians of {figures.rounds} round(s)")
    print(f"session        {figures.cached_tokens} tokens restored of {figures.prompt_tokens}")
    print(f"file           {figures.session_bytes / 1e6:.1f} MB, saved in {figures.save_seconds:.3f} s")
    print(f"restore        {figures.restore_seconds:.3f} s, {rate:.2f} GB/s (target: {MAX_RESTORE_SECONDS} s)")
    print(f"  from disk    {figures.restore_from_disk_seconds:.3f} s")
    print(f"TTFT cold      {figures.cold_ttft:.3f} s")
    print(f"TTFT session   {figures.session_ttft:.3f} s, 1/{1 / figures.share:.1f} of cold (target: 1/20)")
    print(f"TTFT prepared  {figures.prepared_ttft:.3f} s, 1/{figures.cold_ttft / figures.prepared_ttft:.1f} of cold")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a file with a chat template, instead of a random one")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="tinyllama-1.1b")
    parser.add_argument("--type", default="Q4_0")
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--new", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--kv-type", default="f16")
    parser.add_argument("--folder", type=Path, default=None, help="for the model and the session: the disk to measure")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    options = {"threads": arguments.threads, "kv_type": arguments.kv_type}
    with tempfile.TemporaryDirectory(prefix="measure-sessions-", dir=arguments.folder) as folder:
        os.environ["EDGE_SESSIONS_DIR"] = str(Path(folder) / "sessions")
        model = arguments.model
        if model is None:
            model = Path(folder) / f"{arguments.shape}-{arguments.type}.gguf"
            write(arguments.shape, arguments.type, model, template=TEMPLATE)
        figures = measure(
            model, num_tokens=arguments.tokens, num_new=arguments.new, rounds=arguments.rounds, options=options
        )
    if arguments.json:
        print(json.dumps({**asdict(figures), "share": figures.share}))
    else:
        print_figures(figures)
    return 0 if figures.restore_seconds <= MAX_RESTORE_SECONDS and figures.share <= MAX_SHARE else 1


if __name__ == "__main__":
    sys.exit(main())
