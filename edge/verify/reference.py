"""A trusted run in a file, and whether another run is like it (Token-DiFR).

The run that is trusted samples with a known seed: at each position the token whose logit, plus temperature times a
Gumbel number of (seed, position), is largest. Whoever reads the file computes the same prompt and tokens once, without
choosing, and knows at every position what it would have chosen with the same numbers. Where that is another token, the
margin says how much its logits must be wrong for the recorded one to win: rounding loses only near ties.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from edge.errors import BadModelFile, RequestError
from edge.formats.atomic import atomic_file
from edge.model import Model
from edge.verify.forced import F32, Forced, gumbel, log_softmax
from edge.verify.observe import MESSAGES, TEXTS

__all__ = ["MARGIN_CLIP", "MEAN_MARGIN", "Judgement", "Recorded", "judge", "read_recorded", "record", "write_recorded"]

FORMAT, VERSION = "edge-verify-run", 1
NUM_TOKENS, TOP = 64, 32  # of the answer; kept of each position
TEMPERATURE, SEED = 0.7, 1
MARGIN_CLIP = 2.0  # a wild token counts no more than this
MEAN_MARGIN = 0.02  # over the answer: rounding stays below, fewer bits do not
_MAX_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Recorded:
    """tokens: sampled behind `prompt`. top_ids and top_logprobs: (tokens, TOP) of each position, best first."""

    backend: str
    model: str
    vocab_size: int
    seed: int
    temperature: float
    prompt: tuple[int, ...]
    tokens: tuple[int, ...]
    top_ids: tuple[tuple[int, ...], ...]
    top_logprobs: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Of a backend's logits at the positions of a recorded run.

    first: the first position where it would choose another token, None: nowhere; `chosen` and `recorded` are these
    tokens as text, `margin` by how much, in logits. num_equal: positions with the same choice. mean_margin: over all,
    each at most MARGIN_CLIP. max_logprob_error: over all recorded probabilities, the position of the largest is
    max_error_at; exact: all are equal, to the last bit.
    """

    backend: str
    reference: str
    num_tokens: int
    num_equal: int
    mean_margin: float
    max_logprob_error: float
    max_error_at: int
    exact: bool
    first: int | None = None
    chosen: str | None = None
    recorded: str | None = None
    margin: float | None = None

    @property
    def agrees(self) -> bool:
        return self.mean_margin <= MEAN_MARGIN

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"agrees": self.agrees}


def record(model: Model, num_tokens: int = NUM_TOKENS) -> Recorded:
    """A run of this model that others can be compared with. RequestError: its context is too short."""
    vocab_size = model.step_backend.limits.vocab_size
    prompt = model.tokenizer.encode(TEXTS[0]) if model.chat_template is None else model.encode_chat(MESSAGES)
    forced = Forced(model.step_backend)
    logits = forced.feed(prompt, all_logits=False)[-1]
    tokens: list[int] = []
    rows: list[F32] = []
    for position in range(num_tokens):
        rows.append(logits)
        noisy = logits.astype(np.float64) + TEMPERATURE * gumbel(SEED, position, vocab_size)
        tokens.append(int(noisy.argmax()))
        if position + 1 < num_tokens:
            logits = forced.feed(tokens[-1:], all_logits=False)[-1]
    probabilities = log_softmax(np.stack(rows))
    ids = np.argsort(-probabilities, axis=1, kind="stable")[:, : min(TOP, vocab_size)]
    return Recorded(
        backend=model.backend,
        model=Path(model.path).name,
        vocab_size=vocab_size,
        seed=SEED,
        temperature=TEMPERATURE,
        prompt=tuple(prompt),
        tokens=tuple(tokens),
        top_ids=tuple(map(tuple, ids.tolist())),
        top_logprobs=tuple(map(tuple, np.take_along_axis(probabilities, ids, axis=1).tolist())),
    )


def judge(model: Model, run: Recorded) -> Judgement:
    """RequestError: another vocabulary, or a context too short for the run."""
    vocab_size = model.step_backend.limits.vocab_size
    if vocab_size != run.vocab_size:
        raise RequestError(f"{model.path} has {vocab_size} tokens, the model of the recorded run {run.vocab_size}")
    forced = Forced(model.step_backend)
    behind_prompt = forced.feed(run.prompt, all_logits=False)
    # Token by token, as the run was made: kernels of longer steps may round otherwise.
    rows = [behind_prompt[-1], *(forced.feed([token], all_logits=False)[-1] for token in run.tokens[:-1])]
    logits = np.stack(rows).astype(np.float64)
    noisy = np.stack([logits[i] + run.temperature * gumbel(run.seed, i, vocab_size) for i in range(len(rows))])
    claimed = np.take_along_axis(noisy, np.array(run.tokens)[:, None], axis=1)[:, 0]
    margins = noisy.max(axis=1) - claimed
    error = np.abs(np.take_along_axis(log_softmax(np.stack(rows)), np.array(run.top_ids), axis=1) - run.top_logprobs)
    others = np.flatnonzero(margins > 0)
    found = Judgement(
        backend=model.backend,
        reference=run.backend,
        num_tokens=len(run.tokens),
        num_equal=len(run.tokens) - len(others),
        mean_margin=float(np.minimum(margins, MARGIN_CLIP).mean()),
        max_logprob_error=float(error.max()),
        max_error_at=int(error.max(axis=1).argmax()),
        exact=bool((error == 0).all()),
    )
    if not len(others):
        return found
    first = int(others[0])
    ids = (int(noisy[first].argmax()), run.tokens[first])
    texts = [model.tokenizer.decode([token], skip_special=False) for token in ids]
    return replace(found, first=first, chosen=texts[0], recorded=texts[1], margin=float(margins[first]))


def write_recorded(path: Path, run: Recorded) -> None:
    """Old or new, never half of one. DoesNotFit, OSError."""
    data = json.dumps({"format": FORMAT, "version": VERSION} | asdict(run)).encode()
    with atomic_file(path, len(data)) as file:
        file.write(data)


def read_recorded(path: Path) -> Recorded:
    """BadModelFile naming the field that is not as it must be. The file is data that nothing trusts."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise BadModelFile(path, f"has more than the {_MAX_BYTES} bytes that a recorded run may have")
        raw: Any = json.loads(path.read_bytes())
    except OSError as error:
        raise RequestError(f"--reference {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise BadModelFile(path, f"is no JSON: {error}") from None
    found = cast("dict[str, Any]", raw) if isinstance(raw, dict) else {}
    if found.get("format") != FORMAT or found.get("version") != VERSION:
        raise BadModelFile(path, f"is no {FORMAT} of version {VERSION}; `edge verify --record` writes one")
    fields = _Fields(path, found)
    vocab_size = fields.number("vocab_size", 2, 2**24)
    tokens = fields.ids("tokens", fields.raw.get("tokens"), vocab_size)
    top_ids = tuple(fields.ids("top_ids", row, vocab_size) for row in fields.rows("top_ids", len(tokens)))
    logprobs = tuple(fields.floats("top_logprobs", row) for row in fields.rows("top_logprobs", len(tokens)))
    if len({len(row) for row in (*top_ids, *logprobs)}) != 1:
        raise BadModelFile(path, "top_ids and top_logprobs must have one length at every position")
    temperature = fields.floats("temperature", [fields.raw.get("temperature")])[0]
    if not 0 <= temperature <= 100:
        raise BadModelFile(path, f"temperature is {temperature}; it must be from 0 to 100")
    return Recorded(
        backend=fields.text("backend"),
        model=fields.text("model"),
        vocab_size=vocab_size,
        seed=fields.number("seed", 0, 2**64 - 1),
        temperature=temperature,
        prompt=fields.ids("prompt", fields.raw.get("prompt"), vocab_size),
        tokens=tokens,
        top_ids=top_ids,
        top_logprobs=logprobs,
    )


class _Fields:
    """Typed access to the fields of a run."""

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self.path = path
        self.raw = raw

    def text(self, name: str) -> str:
        value = self.raw.get(name)
        if not isinstance(value, str) or len(value) > 4096:
            raise BadModelFile(self.path, f"{name} must be a text of at most 4096 characters")
        return value

    def number(self, name: str, low: int, high: int) -> int:
        value = self.raw.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise BadModelFile(
                self.path, f"{name} is {str(value)[:40]}; it must be a whole number from {low} to {high}"
            )
        return value

    def rows(self, name: str, count: int) -> list[object]:
        rows = _list(self.raw.get(name))
        if len(rows) != count:
            raise BadModelFile(self.path, f"{name} must be a list of {count}, an entry for each token")
        return rows

    def ids(self, name: str, value: object, vocab_size: int) -> tuple[int, ...]:
        items = _list(value)
        numbers = tuple(item for item in items if type(item) is int and 0 <= item < vocab_size)
        if not items or len(numbers) != len(items):
            raise BadModelFile(self.path, f"{name} must be a list of token ids from 0 to {vocab_size - 1}, not empty")
        return numbers

    def floats(self, name: str, value: object) -> tuple[float, ...]:
        items = _list(value)
        numbers = tuple(float(item) for item in items if isinstance(item, (int, float)) and item is not True)
        if not items or len(numbers) != len(items) or not all(map(math.isfinite, numbers)):
            raise BadModelFile(self.path, f"{name} must hold finite numbers")
        return numbers


def _list(value: object) -> list[object]:
    """The list that JSON gave, an empty one if it gave something else."""
    return cast("list[object]", value) if isinstance(value, list) else []
