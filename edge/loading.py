"""`edge.load`: a model file becomes a Model that answers."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from edge import device
from edge.backends.compiled import Compiled
from edge.backends.native import NativeBackend
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.types import type_name
from edge.memory import Budget, MemoryPlan, Settings, parse_bytes, plan_compiled, require_fit
from edge.model import Model
from edge.packed import CacheOptions
from edge.packed.options import flag_from
from edge.packed.places import user_cache_folder
from edge.references import resolve
from edge.sessions import SavedPlaces
from edge.tuning import Asked, Choice, Workload, tune

DEFAULT_CONTEXT = 4096  # tokens, when the model allows that many

LoadProgress = Callable[[int, int], None]  # (bytes of weights done, bytes of all weights)


def load(
    path: str | os.PathLike[str] | None = None,
    *,
    context: int | None = None,
    threads: int | None = None,
    isa: str | None = None,
    kv_type: str = "f16",
    chunk: int | None = None,
    sequences: int = 1,
    memory: str | int | None = None,
    no_cache: bool | None = None,
    residency: str | None = None,
    verify: bool = False,
    on_progress: LoadProgress | None = None,
) -> Model:
    """Loads a GGUF file, or the bundled model when path is None.

    context: tokens one sequence may hold (default: what the model was made for, at most 4096). threads: of prompt and
    answer. isa: forces an instruction-set level, as does EDGE_ISA; fails when the CPU lacks it. kv_type: what K and V
    are kept as: "f16", "q8" (int8: half the memory, a little less exact) or "f32". chunk: prompt tokens in one step.
    sequences: answers that run at the same time. memory: bytes that the whole process may take, or a text like
    "1.5GiB"; the cgroup's limit and what is available hold as well. `Model.plan` is made of the file's header before
    anything is loaded, and what does not fit is refused.
    What is left out of threads, isa, chunk and residency is chosen by what was measured on this machine: the profile of
    `edge doctor --save`, the file that EDGE_PROFILE names, or a probe that takes under a second when a model of 32 MiB
    or more is loaded for the first time. EDGE_PROFILE=off chooses one thread per physical core allowed, the highest
    level, 128 tokens and mapped. `Model.tuning` says what was chosen and why.
    no_cache: pack the weights in memory; neither read nor write a packed file (default: EDGE_NO_CACHE, or False).
    residency: "mapped" or "owned" weights of a packed file (default: EDGE_RESIDENCY, or as chosen). verify: check every
    byte of the packed file against its checksums. EDGE_CACHE_DIR is the place for packed files instead of beside the
    model. What became of all this is in `Model.weights`. EDGE_SESSIONS_DIR is the place for sessions and prepared
    prompts instead of the user's data folder.
    Raises ModelFileError (BadModelFile, UnsupportedModel), RequestError for an option out of range, DoesNotFit with
    the figures and what would fit, NativeError, BadProfile for a file that EDGE_PROFILE names.
    """
    started_at = time.perf_counter()
    file_path = resolve(path)
    residency = residency if residency is not None else os.environ.get("EDGE_RESIDENCY") or None
    isa = isa if isa is not None else os.environ.get("EDGE_ISA") or None
    cache = _cache_options(no_cache, residency, verify)
    allowed = None if memory is None else parse_bytes(memory)
    file = open_gguf(file_path)
    plans: list[MemoryPlan] = []
    try:
        file.get_strings("tokenizer.ggml.tokens")  # refused before the weights are read, not at the first prompt
        asked = Asked(threads=threads, chunk=chunk, residency=residency, isa=isa)
        tuning = tuned(file, asked, may_probe=cache.enabled)
        num_threads = max(tuning.prefill_threads, tuning.decode_threads)
        backend = NativeBackend(
            file,
            context=context,
            default_context=DEFAULT_CONTEXT,
            num_threads=num_threads,
            decode_threads=tuning.decode_threads,
            isa=tuning.isa,
            kv_type=kv_type,
            chunk=tuning.chunk,
            num_sequences=sequences,
            cache=dataclasses.replace(cache, residency=tuning.residency),
            admit=lambda compiled: plans.append(_admitted(file, compiled, kv_type, num_threads, allowed)),
            on_progress=on_progress,
        )
    except BaseException:
        file.close()
        raise
    return Model(
        file,
        backend,
        tuning,
        plans[0],
        saved=SavedPlaces.of(os.environ),
        hash_folder=cache.folder or cache.user_folder,
        load_seconds=time.perf_counter() - started_at,
    )


def _admitted(file: GGUFFile, compiled: Compiled, kv_type: str, num_threads: int, allowed: int | None) -> MemoryPlan:
    """The plan of a load. DoesNotFit when it is over the budget."""
    limits = compiled.limits
    settings = Settings(
        context=limits.context,
        num_sequences=limits.max_sequences,
        kv_type=kv_type,
        chunk=limits.max_tokens,
        num_threads=num_threads,
    )
    plan = plan_compiled(file, compiled, settings)
    require_fit(file, settings, Budget.of(allowed, device.memory()), plan)
    return plan


def tuned(file: GGUFFile, asked: Asked, *, may_probe: bool) -> Choice:
    """By what was measured of this machine, for the weights of this file. may_probe: whether it may be measured now."""
    weights: dict[str, int] = {}
    for info in file.tensors.values():
        if len(info.shape) == 2:
            weights[type_name(info.type)] = weights.get(type_name(info.type), 0) + math.prod(info.shape)
    return tune(asked, Workload(file.file_size, weights), os.environ, may_write=may_probe)


def _cache_options(no_cache: bool | None, residency: str | None, verify: bool) -> CacheOptions:
    """What the caller says, or else the environment."""
    folder = os.environ.get("EDGE_CACHE_DIR")
    return CacheOptions(
        enabled=not (flag_from(os.environ, "EDGE_NO_CACHE") if no_cache is None else no_cache),
        residency="mapped" if residency is None else residency,
        folder=Path(folder).expanduser() if folder else None,
        user_folder=user_cache_folder(os.environ),
        verify=verify,
    )
