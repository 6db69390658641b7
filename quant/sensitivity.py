"""How much a model minds an error in its matrices: measured by the engine, as divergence per error.

A probe rounds a group of matrices coarsely and reads a text. Errors of different matrices have little to do with each
other, so that a group costs about the sum of what its members cost: its divergence over the sum of their errors.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.backends.variants import Stored, Variant, Variants
from edge.damage.scorer import rows_for, window_logits
from edge.damage.text import Passage, windows_of
from edge.errors import RequestError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile, TensorInfo, open_gguf
from edge.formats.types import BLOCKS, GGMLType
from edge.loading import load
from edge.quant.codec import decode
from edge.quant.mixed import Encode, measure_options

__all__ = ["Probes", "measure_sensitivity", "plan_probes"]

TYPES = ("Q3_K", "Q4_0")  # of a probe, the first whose blocks fit: coarse enough to stand out of the engine's rounding
WINDOW = 512  # tokens that are read together
LEAST_TOKENS, MOST_TOKENS = 300, 600  # of the text, for each probe: more hardly change what is chosen
MOST_LOGITS = 2**26  # that are kept of the model as it is: 256 MiB
# Weights times tokens, of all probes together: as much as is spent to be exact, and what nobody who did not ask for it
# should wait for. Measuring what a model of n weights lost is 6000 n.
GOOD_WORK, MOST_WORK = 8e12, 25e12
_LAYER = re.compile(r"blk\.(\d+)\.(.+)")
_THIRDS = 3
Floats = NDArray[np.float32]
Progress = Callable[[int, int], None]  # (done, total)


class Probes(NamedTuple):
    """groups: names of the matrices that are rounded together. num_tokens: of the text, for each of them. work: weights
    times tokens, of all together."""

    groups: tuple[tuple[str, ...], ...]
    num_tokens: int
    work: float

    @property
    def is_much(self) -> bool:
        """More than anybody should wait for who did not ask for it."""
        return self.work > MOST_WORK


def plan_probes(file: GGUFFile) -> Probes:
    """A probe for every matrix; where that is more than GOOD_WORK, one for each role in each third of the layers; where
    that is, one for each role, however much it is. As many tokens as GOOD_WORK allows, within bounds."""
    matrices = [info for info in file.tensors.values() if len(info.shape) == 2]
    num_weights = sum(math.prod(info.shape) for info in matrices)
    num_layers = 1 + max((_place(info.name)[1] for info in matrices), default=0)
    most_tokens = min(MOST_TOKENS, max(LEAST_TOKENS, MOST_LOGITS // ModelConfig.from_gguf(file).vocab_size))
    for parts in (num_layers, _THIRDS, 1):
        groups: dict[tuple[str, int], list[str]] = {}
        for info in matrices:
            role, layer = _place(info.name)
            groups.setdefault((role, layer * parts // num_layers), []).append(info.name)
        each = float(num_weights * (len(groups) + 1))  # a token, and one reading of the model as it is
        if each * LEAST_TOKENS <= GOOD_WORK:
            break
    num_tokens = max(LEAST_TOKENS, min(int(GOOD_WORK / max(each, 1.0)), most_tokens))
    return Probes(tuple(map(tuple, groups.values())), num_tokens, each * num_tokens)


def measure_sensitivity(
    path: str | os.PathLike[str],
    encode: Encode,
    probes: Probes,
    *,
    text: tuple[str, str, bytes],
    importance: Mapping[str, Floats] | None = None,
    threads: int | None = None,
    guard: Callable[[Callable[[], None]], AbstractContextManager[object]] = nullcontext,
    on_load: Progress | None = None,
    on_progress: Progress | None = None,
) -> dict[str, float]:
    """Per matrix of a GGUF file: mean KL divergence (nats) of the model's distributions, over the share of its output
    that is error (as `measure_options` counts it), when the group of matrices that it is in is rounded.

    text: (name, text, bytes), of which the first tokens are read. guard: entered with a function that cancels the steps
    which run inside it. on_load gets bytes of weights, on_progress probes. In memory are the model, the matrices of a
    group once more, and logits. Raises RequestError for an encoder, for weights that are streamed and for a text that
    is too short, Cancelled, and what loading a model raises.
    """
    with open_gguf(path) as file:
        config = ModelConfig.from_gguf(file)
        if config.is_encoder:
            raise RequestError(f"{path} is an encoder, which predicts no token to measure")
        length, rows = min(WINDOW, config.max_position_embeddings), rows_for(config.vocab_size)
        with (
            load(
                path, context=length, kv_tokens=length, sequences=rows, chunk=rows, kv_type="f32", threads=threads,
                no_cache=True, on_progress=on_load,
            ) as model,
            Variants(model.native_backend) as variants,
            guard(model.native_backend.cancel),
        ):  # fmt: skip
            passage = windows_of(text, model.tokenizer, length, probes.num_tokens)
            with variants.variant({}) as original:
                wanted = [_log_softmax(logits) for logits in _logits(original, passage, rows)]
            found: dict[str, float] = {}
            for number, group in enumerate(probes.groups, 1):
                rounded = [_rounded(file, file.tensors[name], encode, importance) for name in group]
                error, cost = sum(one.error for one in rounded), 0.0
                if error > 0:
                    with variants.variant({one.name: one.stored for one in rounded}) as variant:
                        parts = zip(wanted, _logits(variant, passage, rows), strict=True)
                        cost = sum(_divergence(*part) for part in parts) / sum(map(len, wanted)) / error
                found |= dict.fromkeys(group, cost)
                if on_progress is not None:
                    on_progress(number, len(probes.groups))
    return found


class _Rounded(NamedTuple):
    """error: 0 for a matrix that is left as it is, because no block fits its rows."""

    name: str
    stored: Stored
    error: float


def _rounded(file: GGUFFile, info: TensorInfo, encode: Encode, importance: Mapping[str, Floats] | None) -> _Rounded:
    weights, data = None if importance is None else importance.get(info.name), file.tensor_data(info.name)
    for name in TYPES:
        kind = GGMLType[name]
        if info.shape[1] % BLOCKS[kind][0] == 0:
            values = decode(info.type, data, info.shape)
            data.release()
            file.let_go(info.name)
            error = measure_options(values, encode, weights, (name,))[0].error
            return _Rounded(info.name, Stored(kind, encode(name, values, weights).data), error)
    return _Rounded(info.name, Stored(info.type, data), 0.0)


def _place(name: str) -> tuple[str, int]:
    """A matrix's role, "attn_q.weight", and its layer, 0 for what is in none."""
    found = _LAYER.fullmatch(name)
    return (found[2], int(found[1])) if found else (name, 0)


def _logits(variant: Variant, passage: Passage, rows: int) -> Iterator[Floats]:
    """(at most `rows`, vocabulary) at a time."""
    for window in passage.windows:
        yield from window_logits(variant, window, rows)


def _log_softmax(logits: Floats) -> Floats:
    """In single precision, which is exact enough for sums of differences, and quicker."""
    rows: Floats = logits - logits.max(axis=1, keepdims=True)
    rows -= np.log(np.exp(rows).sum(axis=1, keepdims=True))
    return rows


def _divergence(wanted: Floats, logits: Floats) -> float:
    """Sum over rows of the divergence of distributions from those whose logarithms are wanted."""
    return float((np.exp(wanted) * (wanted - _log_softmax(logits))).sum(dtype=np.float64))
