"""Opens an ONNX folder on ONNX Runtime: check every file, plan, refuse what does not fit, load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from edge import device, npu_model
from edge.backends.handover import Geometry
from edge.backends.onnx.backend import OnnxBackend
from edge.backends.onnx.decoder import Decoder, read_decoder
from edge.backends.onnx.providers import provider_of, runtime
from edge.backends.protocol import LoadedBackend
from edge.errors import EdgeError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile
from edge.formats.onnx import CheckedFolder, open_onnx_folder
from edge.memory import Budget, MemoryPlan, Settings, fitting_onnx, plan_onnx, require_budget
from edge.npu.folder import is_npu_folder
from edge.onnx_source import OnnxSource
from edge.other_engines import Opening
from edge.sources import ModelSource

__all__ = ["OnnxReader", "open_model"]

SOURCE_KEY = "edge.source_sha256"  # of what was exported, a hash for each part


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
    source = OnnxSource(checked, decoder)
    try:
        source.tokenizer()  # refused before the weights are read, not at the first prompt
        backend = _load(checked, decoder, plan, _text(asked), strict=bool(strict), config=_config(source))
    except BaseException:
        source.close()
        raise
    if opening.on_progress is not None:
        opening.on_progress(checked.model.num_bytes, checked.model.num_bytes)
    return source, backend, plan


class OnnxReader:
    """A folder that reads prompts for another engine, checked and planned, not loaded yet. settings.context: as long as
    the folder allows at most. Errors of a folder, and RequestError."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.checked = open_onnx_folder(path)
        self.decoder = read_decoder(self.checked)
        length = settings.default_context if settings.context is None else settings.context
        context = min(length, self.decoder.longest)
        self.plan = plan_onnx(self.checked.model, self.decoder, replace(settings, context=context, num_sequences=1))

    @property
    def geometry(self) -> Geometry:
        decoder = self.decoder
        return Geometry(len(decoder.layers), decoder.num_kv_heads, decoder.head_dim, decoder.vocab_size)

    @property
    def source_hashes(self) -> tuple[str, ...] | None:
        """SHA-256 of each part of the GGUF file that the folder was made from; None where it does not say."""
        said = self.checked.model.model.metadata.get(SOURCE_KEY)
        return None if said is None else tuple(said.split(","))

    def differs(self, file: GGUFFile) -> str | None:
        """Why it is not of this model, by what its files say beside sizes: nothing."""
        return None

    def load(self, provider: str | None, *, strict: bool) -> OnnxBackend:
        return _load(self.checked, self.decoder, self.plan, provider, strict=strict, config=None)


def _load(
    checked: CheckedFolder,
    decoder: Decoder,
    plan: MemoryPlan,
    provider: str | None,
    *,
    strict: bool,
    config: ModelConfig | None,
) -> OnnxBackend:
    return OnnxBackend(
        checked.model,
        decoder,
        provider=provider_of(runtime(), provider),
        context=plan.context,
        num_threads=plan.num_threads,
        chunk=plan.chunk,
        num_sequences=plan.num_sequences,
        config=config,
        strict=strict,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _config(source: OnnxSource) -> ModelConfig | None:
    """None for a folder of another maker, or of an architecture that edge does not have."""
    try:
        return source.config()
    except EdgeError:
        return None
