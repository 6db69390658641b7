"""Opens a folder for NPUs on ONNX Runtime: check every file, plan, refuse what does not fit, choose who computes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from edge import device
from edge.backends.handover import Geometry
from edge.backends.onnx.providers import CPU, QNN, Provider, device_of, provider_of, runtime
from edge.backends.protocol import LoadedBackend
from edge.errors import EdgeError, ModelFileError, RequestError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.header import TensorInfo
from edge.formats.types import GGMLType
from edge.memory import Budget, MemoryPlan, Settings, require_budget
from edge.memory.npu import fitting_npu, plan_npu, plan_npu_reader
from edge.native import BLOCK_SIZE
from edge.npu.backend import NpuBackend
from edge.npu.folder import Graphs, NpuFolder, open_npu_folder
from edge.npu.manifest import ENCODINGS, HOST_WEIGHTS, MANIFEST, TOKENIZER
from edge.npu.prompt_reader import PromptReader, rotated_dims
from edge.npu.target import refuse_unfinished
from edge.other_engines import Opening
from edge.sessions.fingerprint import KV_VERSION, Fingerprint
from edge.sources import GGUFSource, ModelSource

__all__ = ["NpuReader", "NpuSource", "open_model"]

_EMBEDDING, _HEAD = "token_embd.weight", "output.weight"
_TOKENS = "tokenizer.ggml.tokens"
_Backend = TypeVar("_Backend")


class NpuSource(GGUFSource):
    """The folder as a source: its tokenizer.gguf holds the metadata of the model that it was made from."""

    def __init__(self, folder: NpuFolder) -> None:
        folder.folder.map(TOKENIZER, folder.path).close()  # a plain file of this folder
        super().__init__(open_gguf(folder.path / TOKENIZER))
        self._folder = folder

    @property
    def path(self) -> Path:
        return self._folder.path

    def config(self) -> ModelConfig:
        """Errors as `ModelConfig.from_gguf`."""
        manifest = self._folder.manifest
        shape = manifest.vocab_size, manifest.hidden_size
        names = [_EMBEDDING] if manifest.tied else [_EMBEDDING, _HEAD]
        known = {name: TensorInfo(name, GGMLType.F32, shape, 0, 0, 0) for name in names}
        self.file.tensors = {**self.file.tensors, **known}  # the graphs have the weights; these shapes are asked for
        return ModelConfig.from_gguf(self.file)

    def fingerprint(self, backend: LoadedBackend, hash_folder: Path | None, adapter_sha256: str = "") -> Fingerprint:
        """Of sessions' messages: no K and V of this backend is kept."""
        manifest = self._folder.manifest
        parts = [part for phase in self._folder.graphs.values() for part in phase]
        files = {path for part in (*parts, self._folder.head) for path in part.files}
        files |= {self.path / name for name in (ENCODINGS, HOST_WEIGHTS, MANIFEST, TOKENIZER)}
        return Fingerprint(
            kv_type=f"{backend.kv_type} of an NPU folder",
            architecture=self.architecture,
            weights=manifest.weights,
            num_layers=len(manifest.kv),
            num_kv_heads=max(kv.kv_heads for kv in manifest.kv),
            head_dim=max(kv.head_dim for kv in manifest.kv),
            vocab_size=manifest.vocab_size,
            rope="as the folder has it",
            block_size=BLOCK_SIZE,
            block_bytes=backend.kv_bytes_per_position * BLOCK_SIZE,
            kv_version=KV_VERSION,
            model_sha256=tuple(_sha256(path) for path in sorted(files)),
        )


def open_model(opening: Opening) -> tuple[ModelSource, LoadedBackend, MemoryPlan]:
    """An `Opener` of edge.other_engines, for folders of `edge export --to npu`.

    Without a provider asked for, what the folder was made for computes, and where that is not here the CPU, which
    `Model.weights.note` says and strict refuses.
    """
    folder, settings = open_npu_folder(opening.path), opening.settings
    plan = plan_npu(folder, settings)
    budget = Budget.of(opening.allowed, device.memory())
    require_budget(folder.path, budget, plan, lambda: fitting_npu(folder, settings, budget, plan))
    asked, strict = opening.options.get("provider"), bool(opening.options.get("strict"))
    ort = runtime()
    provider, fallback, note = _provider(ort, folder, None if asked is None else str(asked), strict=strict)
    source = NpuSource(folder)

    def opened(graphs: Graphs, note: str | None) -> NpuBackend:
        return NpuBackend(
            ort,
            folder,
            graphs,
            provider=provider,
            context=plan.context,
            num_threads=settings.num_threads,
            chunk=plan.chunk,
            num_sequences=settings.num_sequences,
            config=_config(source),
            strict=strict,
            fallback=fallback,
            note=note,
        )

    try:
        source.tokenizer()  # refused before the weights are read, not at the first prompt
        backend = _with_graphs(folder, provider, note, opened)
    except BaseException:
        source.close()
        raise
    if opening.on_progress is not None:
        num_bytes = backend.weights.packed_bytes
        opening.on_progress(num_bytes, num_bytes)
    return source, backend, plan


class NpuReader:
    """A folder that reads prompts for another engine, checked and planned, not loaded yet. settings.context: as long as
    the folder allows at most. Errors of a folder, and RequestError for K and V that no other engine has."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.folder = open_npu_folder(path)
        manifest = self.folder.manifest
        shapes = {(slots.kv_heads, slots.head_dim) for slots in manifest.kv}
        if len(shapes) != 1 or [slots.layer for slots in manifest.kv] != list(range(len(manifest.kv))):
            raise RequestError(
                f"{path} cannot read prompts for another engine: its layers have K and V of several sizes"
            )
        rotated_dims(manifest)
        num_kv_heads, head_dim = shapes.pop()
        self.geometry = Geometry(len(manifest.kv), num_kv_heads, head_dim, manifest.vocab_size)
        length = settings.default_context if settings.context is None else settings.context
        context = min(length, manifest.context)
        self.plan = plan_npu_reader(self.folder, replace(settings, context=context, num_sequences=1))

    @property
    def source_hashes(self) -> tuple[str, ...] | None:
        """SHA-256 of each part of the GGUF file that the folder was made from; None where it does not say."""
        return self.folder.manifest.source_sha256 or None

    def differs(self, file: GGUFFile) -> str | None:
        """Why it is not of this model, by the metadata that the folder has of its own."""
        with NpuSource(self.folder).file as own:
            ours, theirs = file.get_str("general.architecture"), self.folder.manifest.architecture
            if ours != theirs:
                return f"it is of the architecture {theirs}, the model of {ours}"
            if list(own.get_strings(_TOKENS)) != list(file.get_strings(_TOKENS)):
                return "its vocabulary is another one: a token id does not mean the same"
        return None

    def load(self, provider: str | None, *, strict: bool) -> PromptReader:
        """provider None: what the folder was made for, or the CPU, which its `weights.note` says and strict refuses."""
        ort, folder, plan = runtime(), self.folder, self.plan
        chosen, fallback, note = _provider(ort, folder, provider, strict=strict)

        def opened(graphs: Graphs, note: str | None) -> PromptReader:
            return PromptReader(
                ort,
                folder,
                graphs,
                provider=chosen,
                context=plan.context,
                num_threads=plan.num_threads,
                chunk=plan.chunk,
                strict=strict,
                fallback=fallback,
                note=note,
            )

        return _with_graphs(folder, chosen, note, opened)


def _with_graphs(
    folder: NpuFolder, provider: Provider, note: str | None, opened: Callable[[Graphs, str | None], _Backend]
) -> _Backend:
    """On what was compiled for the provider, where it is there and loads; else on the graphs, compiled now, which the
    note that `opened` gets says."""
    if provider.name == folder.manifest.target.provider.name and folder.folder.has(folder.compiled_name):
        try:
            return opened(folder.compiled(folder.compiled_name), note)
        except ModelFileError as error:
            note = "; ".join(filter(None, (note, f"the graphs are compiled anew, as what was compiled fails: {error}")))
    refuse_unfinished(provider, folder.manifest.weights)
    return opened(folder.graphs, note)


def _provider(
    ort: Any, folder: NpuFolder, asked: str | None, *, strict: bool
) -> tuple[Provider, str | None, str | None]:
    """Who computes; why it is the CPU where another was meant; what else the user should know."""
    target = folder.manifest.target.provider
    if asked is not None:
        provider = provider_of(ort, asked)
        if provider.name == target.name:  # options of the flag beside those of the folder
            provider = Provider(target.name, {**target.options, **provider.options})
    else:
        provider = target
    if provider.name == CPU:
        return provider, None, "the graphs are computed by the CPU, as was asked for"
    try:
        found = device_of(ort, provider)
    except RequestError as error:
        if asked is not None:
            raise
        if strict:
            raise RequestError(f"strict: the folder is for {folder.manifest.device}, and {error}") from None
        return Provider(CPU), f"the CPU computes, not the NPU of {folder.manifest.device}: {error}", None
    simulated = provider.name == QNN and found.kind != "NPU"
    note = "no NPU is here: Qualcomm's simulator computes as one would, and far more slowly" if simulated else None
    return provider, None, note


def _config(source: NpuSource) -> ModelConfig | None:
    """None for an architecture that this edge does not have."""
    try:
        return source.config()
    except EdgeError:
        return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
