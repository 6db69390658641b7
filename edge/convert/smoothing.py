"""SmoothQuant+ of a whole model: every strength is tried on the file that it would give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from edge.calibration import Calibration
from edge.convert.stages import Running
from edge.damage import LoadOptions, measure
from edge.errors import RequestError
from edge.export import TensorSource
from edge.export.export import export
from edge.formats.atomic import scratch_folder
from edge.formats.config import ModelConfig
from edge.formats.gguf import open_gguf
from edge.models import build
from edge.quant.encoder import Encoder
from edge.quant.methods import smoothquant_plus
from edge.quant.methods.smoothquant import ALPHAS

__all__ = ["smoothed"]

SEARCH_TOKENS = 1024  # of the text, that each strength is judged by


def smoothed(
    path: Path,
    source: TensorSource,
    types: Mapping[str, str],
    calibration: Calibration,
    text: str | None,
    target: Path,
    encode: Encoder,
    running: Running,
) -> TensorSource:
    """The model at `path`, whose tensors `source` reads, smoothed with the strength with which it loses least as
    `types`, rounded plainly, on the calibration text. Files to try are made beside `target`.

    Raises RequestError without a text: an importance matrix does not know the largest inputs.
    """
    if text is None:
        raise RequestError("smoothquant+ needs a calibration text; an importance matrix does not say enough")
    with open_gguf(path) as file:
        graph = build(ModelConfig.from_gguf(file), {name: info.shape for name, info in file.tensors.items()})
    loading, tried = LoadOptions(threads=running.threads, no_cache=True), 0
    with scratch_folder(target) as folder, running.stages("smoothing") as progress:
        passage = folder / "calibration text"
        passage.write_text(text, encoding="utf-8")

        def loss(candidate: TensorSource) -> float:
            nonlocal tried
            file = export(candidate, folder / "tried.gguf", types=types, encode=encode)
            found = measure(
                file, path, text=passage, max_tokens=SEARCH_TOKENS, loading=loading, guard=running.guard
            )  # fmt: skip
            tried += 1
            if progress is not None:
                progress(tried, len(ALPHAS) + 1)
            return math.inf if found.mean_kld is None else found.mean_kld

        return smoothquant_plus(source, graph, calibration.maxima, loss)[0]
