"""Our logits are as near to the truth as llama.cpp's, on the same file, for every weight format.

The truth is float64 over the decoded file. Two measures, because one broken row hides in a norm over all logits:
the relative L2 error over everything, and the same for the worst row of the vocabulary. And two kinds of model: a
random one with sharp attention, and one whose activations int8 holds exactly, where nothing hides a wrong weight.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.formats.gguf import open_gguf
from tests.accuracy import peer
from tests.accuracy.engine import logits as our_logits
from tests.accuracy.random_models import Shape, write_model
from tests.accuracy.truth import forward

Array = npt.NDArray[np.floating]
FORMATS = ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q4_K", "Q6_K")
ARCHITECTURES = ("llama", "qwen2", "qwen3")
TOKENS, SEEDS = 96, (1, 2, 3)
OVERALL, WORST_ROW = 1.1, 1.35  # the worst of 512 rows scatters more than the norm over all of them
ROUNDING = 2e-6  # relative error that float32 arithmetic may leave where int8 activations are exact


def errors(logits: Array, truth: Array) -> tuple[float, float]:
    """(overall, worst vocabulary row) relative L2 error."""
    difference = np.asarray(logits, np.float64) - truth
    rows = np.linalg.norm(difference, axis=0) / np.linalg.norm(truth, axis=0)
    return float(np.linalg.norm(difference) / np.linalg.norm(truth)), float(rows.max())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests of this file share their models."""
    return tmp_path_factory.mktemp("models")


def _model(folder: Path, shape: Shape, kind: str, seed: int) -> Path:
    stem = f"{shape.model_type}-{'exact-' if shape.exact else ''}{seed}"
    source = folder / f"{stem}.gguf"
    if not source.exists():
        write_model(source, shape, seed)
    if kind == "F32":
        return source
    target = folder / f"{stem}-{kind}.gguf"
    return target if target.exists() else peer.quantize(source, target, kind)


def _prompt(seed: int) -> list[int]:
    tokens: list[int] = np.random.default_rng(seed).integers(0, 512, TOKENS).tolist()
    return tokens


def measure(
    folder: Path, shape: Shape, kind: str, change: Callable[[Path], None] | None = None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean (overall, worst row) error over the seeds: ours, on files that `change` may damage, and llama.cpp's."""
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    for seed in SEEDS:
        path, tokens = _model(folder, shape, kind, seed), _prompt(seed)
        truth = forward(path, tokens)
        assert shape.exact or truth.sharpness >= 0.3, f"attention is too flat to be tested: {truth.sharpness:.2f}"
        theirs.append(errors(peer.logits(path, tokens), truth.logits))
        if change is not None:
            path = Path(shutil.copy(path, folder / f"changed-{path.name}"))
            change(path)
        ours.append(errors(our_logits(path, tokens), truth.logits))
    return np.mean(ours, axis=0), np.mean(theirs, axis=0)


def _as_good(ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64]) -> bool:
    overall, worst = max(OVERALL * theirs[0], ROUNDING), max(WORST_ROW * theirs[1], ROUNDING)
    return bool(ours[0] <= overall and ours[1] <= worst)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_error_is_at_most_that_of_llama(arch: str, kind: str, folder: Path) -> None:
    ours, theirs = measure(folder, Shape(arch), kind)
    assert _as_good(ours, theirs), f"ours {ours}, llama.cpp {theirs} (overall, worst row)"


@pytest.mark.parametrize("kind", FORMATS)
def test_weights_are_decoded_exactly(kind: str, folder: Path) -> None:
    ours, theirs = measure(folder, Shape("llama", exact=True), kind)
    assert _as_good(ours, theirs), f"ours {ours}, llama.cpp {theirs} (overall, worst row)"


def _patch(path: Path, tensor: str, edit: Callable[[npt.NDArray[np.uint8]], None]) -> None:
    """Edits a tensor in place, as (rows, bytes of a row)."""
    with open_gguf(path) as file:
        info = file.tensors[tensor]
    raw = np.memmap(path, np.uint8, "r+", info.offset, (info.shape[0], info.num_bytes // info.shape[0]))
    edit(raw)
    raw.flush()


def _swap_rows(first: int, second: int, count: int = 1) -> Callable[[npt.NDArray[np.uint8]], None]:
    def edit(raw: npt.NDArray[np.uint8]) -> None:
        a, b = slice(first, first + count), slice(second, second + count)
        raw[a], raw[b] = raw[b].copy(), raw[a].copy()

    return edit


def _scale_off_by_one(raw: npt.NDArray[np.uint8]) -> None:
    scale = int(raw[7, 4])  # row 7, first block of Q4_K: the 6-bit scale of sub-block 0, in a byte with two other bits
    raw[7, 4] = scale + 1 if scale & 63 < 63 else scale - 1


def _rope_off(path: Path) -> None:
    # only the first pair of a head still rotates; the key is edited in place
    raw = bytearray(path.read_bytes())
    key = b"llama.rope.dimension_count"
    at = raw.index(key) + len(key) + 4
    assert raw[at : at + 4] == np.uint32(64).tobytes()
    raw[at : at + 4] = np.uint32(2).tobytes()
    path.write_bytes(raw)


SHARP, EXACT = Shape("llama"), Shape("llama", exact=True)
CONTROLS: dict[str, tuple[Shape, Callable[[Path], None]]] = {
    "rope off": (SHARP, _rope_off),
    "KV heads swapped": (SHARP, lambda path: _patch(path, "blk.1.attn_k.weight", _swap_rows(0, 64, 64))),
    "one sub-block scale off by one": (EXACT, lambda path: _patch(path, "output.weight", _scale_off_by_one)),
    "one row permuted": (SHARP, lambda path: _patch(path, "blk.0.attn_output.weight", _swap_rows(3, 4))),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_the_check_sees_a_fault(control: str, folder: Path) -> None:
    shape, change = CONTROLS[control]
    ours, theirs = measure(folder, shape, "Q4_K", change)
    assert not _as_good(ours, theirs), f"{control} went unseen: ours {ours}, llama.cpp {theirs}"
