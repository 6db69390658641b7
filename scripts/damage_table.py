"""Prints the table of size against damage of a model: every type and method that edge has, as Markdown.

python -m scripts.damage_table MODEL [--text FILE | --own-text] [--calibration FILE] [--groups NAME,...]

MODEL: a GGUF file with weights as exact as there are; every row is a file made from it and measured against it by the
engine. docs/quantisation-table.md holds what it printed, and with which arguments.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.calibration import Calibration, collect, shipped_text
from edge.calibration.text import SHIPPED_NAME
from edge.damage import Damage, LoadOptions, Passage, measure, sample_passage
from edge.export.export import export
from edge.export.gguf_source import GGUFSource
from edge.export.source import SourceTensor, TensorSource
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.graph import Graph
from edge.models import build
from edge.quant.between import between_mixtures
from edge.quant.encode import encode
from edge.quant.methods import awq, gptq, smoothquant_plus
from edge.quant.methods.gptq import GRIDS
from edge.quant.methods.scaled import ScaledSource
from edge.quant.mixed import mixed_types
from edge.quant.mixtures import MIXTURES, ModelFacts, types_of
from edge.quant.sensitivity import measure_sensitivity, plan_probes
from edge.references import resolve

Floats = NDArray[np.float32]
FLOATS = ("F32", "F16", "BF16")
MIXED_AT = ("Q2_K", "Q3_K_M", "IQ4_XS", "Q4_K_M", "Q5_K_M", "Q4_0")  # sizes at which mixed precision is compared
METHODS_AT = ("Q4_0", "Q4_K_S", "Q3_K_S", "Q2_K")
SEARCH_TOKENS = 1024  # of the calibration text: what smoothing is searched on
CALIBRATION_TOKENS = 16_384


class Row(NamedTuple):
    name: str
    file_bytes: int
    damage: Damage


class Bench:
    """One model, and everything that rows are made of."""

    def __init__(
        self, path: Path, text: Path | Passage | None, calibration_text: str, tokens: int, folder: Path
    ) -> None:
        self.path, self.folder = path, folder
        self._text, self._tokens = text, tokens
        self._calibration_text = calibration_text
        self.source = GGUFSource(path)
        self.facts = ModelFacts.of(self.source.metadata)

    @cached_property
    def calibration(self) -> Calibration:
        return collect(self.path, self._calibration_text, grams=True, max_tokens=CALIBRATION_TOKENS)

    @cached_property
    def graph(self) -> Graph:
        with open_gguf(self.path) as file:
            return build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})

    def sensitivity(self, importance: Mapping[str, Floats] | None) -> dict[str, float]:
        with open_gguf(self.path) as file:
            probes = plan_probes(file)
        text = SHIPPED_NAME, self._calibration_text, self._calibration_text.encode()
        return measure_sensitivity(self.path, encode, probes, text=text, importance=importance)

    def types(self, mixture: str, has_importance: bool = False) -> dict[str, str]:
        return types_of(mixture, self.source.tensors, self.facts, has_importance=has_importance)

    def row(
        self,
        name: str,
        types: Mapping[str, str],
        source: TensorSource | None = None,
        encoder: Callable[[SourceTensor, Floats, str], memoryview] | None = None,
    ) -> Row:
        """The row of the file that is made so."""
        target = self.folder / "row.gguf"
        export(source or self.source, target, types=types, encode=encoder or plain)
        damage = measure(
            target, self.path, text=self._text, max_tokens=self._tokens, loading=LoadOptions(no_cache=True)
        )
        return Row(name, target.stat().st_size, damage)

    def weighted(self, tensor: SourceTensor, values: Floats, kind: str) -> memoryview:
        return with_importance(self.calibration.squares, tensor, values, kind)

    def with_gptq(self, tensor: SourceTensor, values: Floats, kind: str) -> memoryview:
        gram = self.calibration.grams.get(tensor.name)
        if kind not in GRIDS or gram is None:
            return self.weighted(tensor, values, kind)
        return gptq(kind, values, gram, encode).data


def plain(tensor: SourceTensor, values: Floats, kind: str) -> memoryview:
    rows = values if values.ndim == 2 else values[None]
    return encode(kind, rows, None).data


def with_importance(squares: Mapping[str, Floats], tensor: SourceTensor, values: Floats, kind: str) -> memoryview:
    if values.ndim != 2:
        return plain(tensor, values, kind)
    return encode(kind, values, squares.get(tensor.name)).data


def roundings(bench: Bench) -> Iterator[Row]:
    for mixture in MIXTURES:
        yield bench.row(mixture, bench.types(mixture))


def importances(bench: Bench) -> Iterator[Row]:
    for mixture, base in MIXTURES.items():
        if mixture not in FLOATS and base.name not in ("Q8_0", "Q6_K", "TQ1_0", "TQ2_0", "MXFP4"):
            yield bench.row(f"{mixture}, importance", bench.types(mixture, True), encoder=bench.weighted)


def gptqs(bench: Bench) -> Iterator[Row]:
    for mixture in ("Q4_0", "Q4_K_S", "Q4_K_M"):
        yield bench.row(f"{mixture}, GPTQ", bench.types(mixture, True), encoder=bench.with_gptq)


def awqs(bench: Bench) -> Iterator[Row]:
    for mixture in METHODS_AT:
        types = bench.types(mixture, True)
        folded = awq(bench.source, bench.graph, bench.calibration.squares, types, encode, grams=bench.calibration.grams)
        yield bench.row(f"{mixture}, AWQ", types, folded, _folded_importance(bench, folded))


def smoothings(bench: Bench) -> Iterator[Row]:
    text = bench.folder / "search.txt"
    text.write_text(shipped_text())
    for mixture in METHODS_AT:
        types = bench.types(mixture, True)

        def loss(source: TensorSource, types: Mapping[str, str] = types) -> float:
            target = bench.folder / "search.gguf"
            export(source, target, types=types, encode=plain)
            found = measure(target, bench.path, text=text, max_tokens=SEARCH_TOKENS, loading=LoadOptions(no_cache=True))
            return math.inf if found.mean_kld is None else found.mean_kld

        folded, _ = smoothquant_plus(bench.source, bench.graph, bench.calibration.maxima, loss)
        yield bench.row(f"{mixture}, SmoothQuant+", types, folded)


def mixeds(bench: Bench) -> Iterator[Row]:
    """As --size chooses types: by sensitivity, with --calibration too, and with --no-sensitivity."""
    squares = bench.calibration.squares
    plainly, weighted = bench.sensitivity(None), bench.sensitivity(squares)
    for mixture in MIXED_AT:
        named = export(bench.source, bench.folder / "named.gguf", types=bench.types(mixture), encode=plain)
        size, source = named.stat().st_size, bench.source
        types = mixed_types(source, encode, size_bytes=size, sensitivity=plainly)
        yield bench.row(f"mixed at the size of {mixture}", types)
        types = mixed_types(source, encode, size_bytes=size, importance=squares, sensitivity=weighted)
        yield bench.row(f"mixed at the size of {mixture}, importance", types, encoder=bench.weighted)
        between = between_mixtures(source, encode, size_bytes=size)
        yield bench.row(f"mixed at the size of {mixture}, no sensitivity ({between.said})", between.types)


def _folded_importance(
    bench: Bench, folded: ScaledSource[SourceTensor]
) -> Callable[[SourceTensor, Floats, str], memoryview]:
    """Importance of the columns as the folded model has them."""

    def encoder(tensor: SourceTensor, values: Floats, kind: str) -> memoryview:
        squares = bench.calibration.squares.get(tensor.name)
        if squares is None or values.ndim != 2:
            return plain(tensor, values, kind)
        return encode(kind, values, folded.squares(tensor.name, squares)).data

    return encoder


GROUPS = {
    "rounding": roundings, "importance": importances, "gptq": gptqs, "awq": awqs, "smoothquant": smoothings,
    "mixed": mixeds,
}  # fmt: skip


def _at_most(tokens: int, passage: Passage) -> Passage:
    """Whole windows of it, one at least."""
    ends = itertools.accumulate(map(len, passage.windows))
    kept = max(1, sum(end <= tokens for end in ends))
    return passage._replace(name=f"{passage.name}, the first {kept}", windows=passage.windows[:kept])


def title(path: Path, damage: Damage) -> str:
    return (
        f"{path.name}, perplexity {damage.reference_perplexity:.4g} on {damage.text} "
        f"(sha256 {damage.text_sha256[:12]}, {damage.num_positions} tokens).\n\n"
        "| type | MB | bits per weight | perplexity | mean KLD | 99 % KLD | same top token |\n"
        "|---|---|---|---|---|---|---|"
    )


def line(row: Row) -> str:
    ratio, kld, error = row.damage.perplexity_ratio, row.damage.mean_kld, row.damage.mean_kld_error
    assert ratio is not None
    return (
        f"| {row.name} | {row.file_bytes / 1e6:.2f} | {row.damage.bits_per_weight:.2f} | {ratio - 1:+.2%} "
        f"| {kld:.2e} ± {error:.0e} | {row.damage.p99_kld:.2e} | {row.damage.top1:.2%} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a GGUF file (default: the bundled model)")
    parser.add_argument("--text", type=Path, help="what is measured on (default: the shipped text)")
    parser.add_argument("--own-text", action="store_true", help="measure on texts that the model itself writes")
    parser.add_argument("--tokens", type=int, default=6000, help="that are measured on, at most")
    parser.add_argument("--calibration", type=Path, help="calibration text (default: the shipped one)")
    parser.add_argument("--groups", default=",".join(GROUPS), help="of rows, with commas (default: all)")
    args = parser.parse_args()
    path = resolve(args.model)
    calibration_text = shipped_text() if args.calibration is None else args.calibration.read_text()
    with tempfile.TemporaryDirectory() as folder:
        text = _at_most(args.tokens, sample_passage(path)) if args.own_text else args.text
        bench = Bench(path, text, calibration_text, args.tokens, Path(folder))
        titled = False
        for group in args.groups.split(","):
            for row in GROUPS[group](bench):
                if not titled:
                    print(title(path, row.damage))
                    titled = True
                print(line(row), flush=True)


if __name__ == "__main__":
    main()
