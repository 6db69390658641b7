"""What adapters add, on the native engine: the reference's very bits, whatever its neighbours in a step use."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from edge.formats.adapter import open_adapter
from edge.formats.types import GGMLType
from edge.graph.reference import KVType, Reference
from edge.models import build
from edge.native import isa_supported
from tests.adapters.made import adaptable, as_stored, random_pairs, write_adapter
from tests.graph.native_model import NativeModel, Tensor, as_tensors, relative_error
from tests.graph.test_native_against_reference import MIXED, wide_config
from tests.models.tiny import MODEL_TYPES, random_tensors, tensor_shapes

TOKENS = [(37 * i + 11) % 96 for i in range(90)]
MIXTURE = [(i // 3) % 3 - 1 for i in range(90)]  # runs of three rows: none, the first, the second


def write_two(folder: Path, arch: str, shapes: dict[str, tuple[int, ...]]) -> tuple[Path, Path]:
    """All matrices in ranks that are no whole tiles, and some matrices in one rank and other types."""
    adapted = adaptable(shapes)
    some = {name: shape for i, (name, shape) in enumerate(adapted.items()) if i % 3 != 1}
    return (
        write_adapter(
            folder / "a.gguf", random_pairs(adapted, (1, 5, 16, 33), seed=2), architecture=arch, kinds=(GGMLType.F32,)
        ),
        write_adapter(
            folder / "b.gguf",
            random_pairs(some, (32,), seed=3),
            architecture=arch,
            kinds=(GGMLType.F16, GGMLType.Q8_0, GGMLType.BF16),
            alpha=3.0,
        ),
    )


class Adapted:
    """A model with two adapters, and its reference."""

    def __init__(self, folder: Path, arch: str, kinds: tuple[GGMLType, ...], kv_type: KVType = "f16") -> None:
        config = wide_config(arch)
        shapes = tensor_shapes(config)
        self.graph = build(config, shapes)
        self.kv_type: KVType = kv_type
        self.tensors: dict[str, Tensor] = as_tensors(random_tensors(shapes, seed=5), kinds)
        self.paths = write_two(folder, arch, shapes)

    def reference(self) -> Reference:
        adapters = [as_stored(path) for path in self.paths]
        return Reference(
            self.graph,
            lambda name: self.tensors[name].weight(),
            mode="engine",
            kv_type=self.kv_type,
            adapters=adapters,
        )

    def native(self, stack: ExitStack, isa: str | None = None, num_threads: int = 1) -> NativeModel:
        adapters = [stack.enter_context(open_adapter(path)) for path in self.paths]
        return stack.enter_context(
            NativeModel(
                self.graph, self.tensors, kv_type=self.kv_type, isa=isa, num_threads=num_threads, max_tokens=90,
                adapters=adapters,
            )
        )  # fmt: skip


@pytest.mark.parametrize(
    ("arch", "kinds"),
    [*((arch, MIXED) for arch in MODEL_TYPES), ("llama", (GGMLType.F32,)), ("qwen2", (GGMLType.Q4_K,))],
)
def test_the_bits_of_the_reference(tmp_path: Path, arch: str, kinds: tuple[GGMLType, ...]) -> None:
    """Every value that the engine keeps, of a long step, of one of few rows and of single rows."""
    adapted = Adapted(tmp_path, arch, kinds)
    wanted = adapted.reference()
    with ExitStack() as stack:
        engine = adapted.native(stack)
        for start, end in ((0, 80), (80, 87), (87, 88), (88, 89), (89, 90)):
            rows = np.s_[start:end]
            expected = wanted.step(TOKENS[rows], range(start, end), adapters=MIXTURE[rows], keep=True)
            found = engine.step(TOKENS[rows], start, adapters=MIXTURE[rows])
            for name, value in engine.values().items():
                np.testing.assert_array_equal(value, wanted.values[name], err_msg=name)
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("isa", isa_supported())
def test_levels_threads_and_chunks(tmp_path: Path, isa: str) -> None:
    adapted = Adapted(tmp_path, "llama", (GGMLType.Q4_0,))
    wanted = adapted.reference().step(TOKENS, adapters=MIXTURE)
    for num_threads, chunk in ((1, 90), (2, 90), (3, 7), (2, 1), (1, 64)):
        with ExitStack() as stack:
            engine = adapted.native(stack, isa, num_threads)
            for start in range(0, 90, chunk):
                rows = np.s_[start : start + chunk]
                found = engine.step(TOKENS[rows], start, adapters=MIXTURE[rows])
                np.testing.assert_array_equal(found, wanted[rows])


def test_logits_of_some_rows(tmp_path: Path) -> None:
    """The head is adapted too: a row of logits has the adapter of its token."""
    adapted, rows = Adapted(tmp_path, "qwen3", (GGMLType.Q8_0,)), [0, 3, 7, 8, 88]
    wanted = adapted.reference().step(TOKENS, logit_rows=rows, adapters=MIXTURE)
    with ExitStack() as stack:
        found = adapted.native(stack).step(TOKENS, logit_rows=rows, adapters=MIXTURE)
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("count", [1, 8, 90])
def test_rows_without_adapter_are_as_without_adapters(tmp_path: Path, count: int) -> None:
    """Also between rows that use one; and those are noticeably others."""
    adapted = Adapted(tmp_path, "llama", (GGMLType.Q4_0,))
    tokens, none = TOKENS[:count], [-1] * count
    with ExitStack() as stack:
        plain = stack.enter_context(NativeModel(adapted.graph, adapted.tensors, kv_type="f16", max_tokens=90))
        wanted, engine = plain.step(tokens), adapted.native(stack)
        np.testing.assert_array_equal(engine.step(tokens), wanted)
        np.testing.assert_array_equal(engine.step(tokens, adapters=none), wanted)
        last = engine.step(tokens, adapters=[*none[1:], 0])
        np.testing.assert_array_equal(last[:-1], wanted[:-1])
        assert relative_error(last[-1], wanted[-1]) > 0.05
        first, second = (engine.step(tokens, adapters=[number] * count) for number in (0, 1))
        assert relative_error(first, wanted) > 0.05 < relative_error(first, second)
