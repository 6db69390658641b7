"""Adapter files: what is read, what is refused and how, and which model one belongs to."""

from __future__ import annotations

import hashlib
import random
import time
from pathlib import Path

import pytest

from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.formats import open_gguf
from edge.formats.adapter import open_adapter
from tests.adapters.made import random_pairs, write_adapter
from tests.formats.bad_adapters import bad_adapters, sound_adapter
from tests.formats.bad_files import BadFile, bad_files
from tests.formats.mutations import mutate
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf

REFUSED = Path(__file__).parent / "refused_adapters"
MAX_KEPT_BYTES = 2048
CASES = bad_adapters()
SHAPES = {"blk.0.attn_q.weight": (64, 48), "blk.1.ffn_down.weight": (48, 80), "output.weight": (96, 48)}


@pytest.mark.parametrize("case", CASES + bad_files(), ids=lambda case: case.name)
def test_bad_adapter_is_refused(case: BadFile, tmp_path: Path) -> None:
    path = tmp_path / "adapter.gguf"
    path.write_bytes(case.content)
    with pytest.raises((BadModelFile, UnsupportedModel)) as caught:
        open_adapter(path)
    message = str(caught.value)
    for fragment in (str(path), *case.expected):
        assert fragment in message, message
    assert "\n" not in message and len(message) < 1000


def test_the_cases_open_as_gguf_but_for_types_of_keys(tmp_path: Path) -> None:
    """So it is the adapter's reader that refuses them."""
    path, refused = tmp_path / "adapter.gguf", set[str]()
    for case in CASES:
        path.write_bytes(case.content)
        try:
            open_gguf(path).close()
        except BadModelFile:
            refused.add(case.name)
    assert refused == {"alpha-text", "invoked-by-text", "invoked-by-one-number"}


def test_small_ones_are_kept_as_files() -> None:
    """Written by `python -m tests.formats.keep_refused`, for fuzzers and other tools."""
    kept = {path.stem: path.read_bytes() for path in REFUSED.iterdir()}
    assert kept == {case.name: case.content for case in CASES if len(case.content) <= MAX_KEPT_BYTES}


def test_what_is_read(tmp_path: Path) -> None:
    pairs = random_pairs(SHAPES, (4, 1, 7))
    path = write_adapter(tmp_path / "a.gguf", pairs, alpha=6.0, invocation=[5, 6], general__name="its name")
    with open_adapter(path) as adapter:
        assert (adapter.architecture, adapter.name, adapter.invocation) == ("llama", "its name", (5, 6))
        assert {name: (pair.rank, pair.scale) for name, pair in adapter.pairs.items()} == {
            "blk.0.attn_q.weight": (4, 1.5),
            "blk.1.ffn_down.weight": (1, 6.0),
            "output.weight": (7, pytest.approx(6 / 7)),
        }
        assert adapter.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        for name, (down, up) in pairs.items():
            assert bytes(adapter.file.tensor_data(adapter.pairs[name].down.name)) == down.tobytes()
            assert bytes(adapter.file.tensor_data(adapter.pairs[name].up.name)) == up.tobytes()


def test_without_alpha_nothing_is_scaled(tmp_path: Path) -> None:
    path = write_adapter(tmp_path / "a.gguf", random_pairs(SHAPES), adapter__lora__alpha=None)
    with open_adapter(path) as adapter:
        assert {pair.scale for pair in adapter.pairs.values()} == {1.0}
        assert adapter.invocation == ()


@pytest.mark.parametrize(
    ("shapes", "architecture", "expected"),
    [
        (SHAPES, "qwen2", ["'qwen2'", "'llama'"]),
        ({"blk.7.attn_q.weight": (64, 48)}, "llama", ["blk.7.attn_q.weight", "does not have"]),
        ({"blk.0.attn_q.weight": (64, 32)}, "llama", ["blk.0.attn_q.weight", "(64, 32)", "(64, 48)"]),
        ({"blk.0.attn_q.weight": (32, 48)}, "llama", ["(32, 48)", "(64, 48)"]),
    ],
)
def test_another_models_adapter(
    tmp_path: Path, shapes: dict[str, tuple[int, int]], architecture: str, expected: list[str]
) -> None:
    config = tiny_config()
    model = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    path = write_adapter(tmp_path / "a.gguf", random_pairs(shapes), architecture=architecture)
    with open_gguf(model) as base, open_adapter(path) as adapter:
        with pytest.raises(UnsupportedModel) as caught:
            adapter.check_base(base)
    for fragment in (str(path), *expected):
        assert fragment in str(caught.value)


def test_broken_copies_open_or_are_refused(tmp_path: Path) -> None:
    rng, sound, refused, slowest = random.Random(20250102), sound_adapter(), 0, 0.0
    path = tmp_path / "adapter.gguf"
    path.write_bytes(sound)
    open_adapter(path).close()
    header = sound[:1024]  # with all of the tensor table: what lies behind is data, which may be anything
    for _ in range(1000):
        path.write_bytes(mutate(header, rng) + sound[len(header) :])
        start = time.process_time()
        try:
            with open_adapter(path) as adapter:
                for pair in adapter.pairs.values():
                    assert pair.down.shape[0] == pair.up.shape[1] == pair.rank
                    assert len(bytes(adapter.file.tensor_data(pair.up.name))) == pair.up.num_bytes
                assert len(adapter.sha256) == 64
        except ModelFileError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            refused += 1
        slowest = max(slowest, time.process_time() - start)
    assert refused > 300
    assert slowest < 0.5
