"""Opens a GGUF file on llama.cpp: plan, refuse what does not fit, try it in a child process, load."""

from __future__ import annotations

import os

from edge import device
from edge.backends.llama import LlamaBackend, llama_settings
from edge.backends.llama_sizes import llama_sizes
from edge.backends.llama_trial import try_model
from edge.backends.protocol import LoadedBackend
from edge.errors import RequestError
from edge.formats.gguf import open_gguf
from edge.memory import Budget, MemoryPlan, fitting_llama, plan_llama, require_budget
from edge.other_engines import Opening
from edge.packed.places import user_cache_folder
from edge.references import resolve
from edge.sources import GGUFSource, ModelSource

RESIDENCIES = ("owned", "mapped")


def open_model(opening: Opening) -> tuple[ModelSource, LoadedBackend, MemoryPlan]:
    """An `Opener` of edge.other_engines."""
    path, settings = opening.path, opening.settings
    residency = RESIDENCIES[0] if opening.residency is None else opening.residency
    if residency not in RESIDENCIES:
        raise RequestError(f"residency is {residency!r}; the llama backend has {' and '.join(RESIDENCIES)}")
    file = open_gguf(path)
    try:
        plan = plan_llama(file, settings)
        budget = Budget.of(opening.allowed, device.memory())
        require_budget(path, budget, plan, lambda: fitting_llama(file, settings, budget, plan))
        sizes = llama_sizes(
            file,
            context=settings.context,
            default_context=settings.default_context,
            num_sequences=settings.num_sequences,
            chunk=settings.chunk,
            kv_type=settings.kv_type,
        )
        how = llama_settings(sizes, settings.kv_type, settings.num_threads, residency)
        try_model(path, how, resolve(None), user_cache_folder(os.environ))
        backend = LlamaBackend(
            file,
            sizes,
            num_threads=settings.num_threads,
            kv_type=settings.kv_type,
            residency=residency,
            on_progress=opening.on_progress,
        )
    except BaseException:
        file.close()
        raise
    return GGUFSource(file), backend, plan
