"""Opens an ONNX folder on ONNX Runtime: check every file, plan, refuse what does not fit, load."""

from __future__ import annotations

from edge import device, npu_model
from edge.backends.onnx.backend import OnnxBackend
from edge.backends.onnx.decoder import read_decoder
from edge.backends.onnx.providers import provider_of, runtime
from edge.backends.protocol import LoadedBackend
from edge.errors import EdgeError
from edge.formats.config import ModelConfig
from edge.formats.onnx import open_onnx_folder
from edge.memory import Budget, MemoryPlan, fitting_onnx, plan_onnx, require_budget
from edge.npu.folder import is_npu_folder
from edge.onnx_source import OnnxSource
from edge.other_engines import Opening
from edge.sources import ModelSource


def open_model(opening: Opening) -> tuple[ModelSource, LoadedBackend, MemoryPlan]:
    """An `Opener` of edge.other_engines. A fallback to the CPU is `Model.weights.note`; strict refuses it."""
    if is_npu_folder(opening.path):
        return npu_model.open_model(opening)
    checked = open_onnx_folder(opening.path)
    decoder = read_decoder(checked)
    settings = opening.settings
    plan = plan_onnx(checked.model, decoder, settings)
    budget = Budget.of(opening.allowed, device.memory())
    require_budget(
        checked.model.path, budget, plan, lambda: fitting_onnx(checked.model, decoder, settings, budget, plan)
    )
    asked, strict = opening.options.get("provider"), opening.options.get("strict")
    provider = provider_of(runtime(), None if asked is None else str(asked))
    source = OnnxSource(checked, decoder)
    try:
        source.tokenizer()  # refused before the weights are read, not at the first prompt
        backend = OnnxBackend(
            checked.model,
            decoder,
            provider=provider,
            context=plan.context,
            num_threads=settings.num_threads,
            chunk=plan.chunk,
            num_sequences=settings.num_sequences,
            config=_config(source),
            strict=bool(strict),
        )
    except BaseException:
        source.close()
        raise
    if opening.on_progress is not None:
        opening.on_progress(checked.model.num_bytes, checked.model.num_bytes)
    return source, backend, plan


def _config(source: OnnxSource) -> ModelConfig | None:
    """None for a folder of another maker, or of an architecture that edge does not have."""
    try:
        return source.config()
    except EdgeError:
        return None
