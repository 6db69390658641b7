"""`edge.load`: a model file becomes a Model that answers."""

from __future__ import annotations

import dataclasses
import math
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge import device, native
from edge.adapters import opened_adapters
from edge.backends.compiled import Compiled
from edge.backends.native import CAPABILITIES, NativeBackend
from edge.engine import Policy
from edge.formats.adapter import Adapter
from edge.formats.config import architecture_of
from edge.formats.gguf import GGUFFile, open_gguf
from edge.formats.types import type_name
from edge.memory import Budget, MemoryPlan, Settings, parse_bytes, plan_compiled, require_fit, stream_to_fit
from edge.model import Model
from edge.other_engines import Asked as OtherAsked
from edge.other_engines import choose_backend, open_other
from edge.packed import CacheOptions
from edge.packed.options import flag_from
from edge.packed.places import user_cache_folder
from edge.references import resolve
from edge.sessions import SavedPlaces
from edge.sessions.content_hash import content_hashes
from edge.sources import GGUFSource
from edge.tuning import Asked, Choice, Workload, tune_by_profile

if TYPE_CHECKING:
    from edge.model_facts import OtherPrefill
    from edge.prefill_engine import PlannedPrefill
    from edge.profiles import Profile

DEFAULT_CONTEXT = 4096  # tokens, when the model allows that many
PREFILL_CHUNK = 256  # tokens that another engine reads at a time: it can be told to stop between two

LoadProgress = Callable[[int, int], None]  # (bytes of weights done, bytes of all weights)


def load(
    path: str | os.PathLike[str] | None = None,
    *,
    backend: str | None = None,
    context: int | None = None,
    threads: int | None = None,
    isa: str | None = None,
    kv_type: str | None = None,
    chunk: int | None = None,
    sequences: int = 1,
    kv_tokens: int | None = None,
    schedule: str = "latency",
    memory: str | int | None = None,
    no_cache: bool | None = None,
    residency: str | None = None,
    verify: bool = False,
    provider: str | None = None,
    strict: bool = False,
    prefill_backend: str | None = None,
    on_progress: LoadProgress | None = None,
    adapters: Mapping[str, str | os.PathLike[str]] | None = None,
) -> Model:
    """Loads a GGUF file, an ONNX folder, or the bundled model when path is None.

    backend: what computes: "native", edge's own engine; "llama", llama.cpp through llama-cpp-python, for any GGUF file
    (docs/backends.md); "onnx", ONNX Runtime, for folders (docs/onnx.md, docs/npu.md); "auto", the first of them that
    can run the file, which `Model.tuning.note` tells when it is not the native one; None: native, or onnx for a folder.
    An option that a backend does not have is refused by name.
    context: tokens one sequence may hold (default: what the model was made for, at most 4096). threads: of prompt and
    answer. isa: forces an instruction-set level, as does EDGE_ISA; fails when the CPU lacks it. kv_type: what K and V
    are kept as: "f16" (default), "q8" (int8: half the memory, a little less exact), "q4" (four bits: a quarter, less
    exact still) or "f32". chunk: prompt tokens in one step. sequences: answers that run at the same time. kv_tokens:
    tokens that all of them together keep in memory (default: a full context each); when there are more, the last to
    come is set aside until there is room, on the disk where that is faster than computing it again. schedule: "latency"
    reads prompts in small shares while an interactive answer is made, so that its tokens keep coming; "throughput"
    fills every step. memory: bytes that the whole process may take, or a text like "1.5GiB"; the cgroup's limit and
    what is available hold as well. `Model.plan` is made of the file's header before anything is loaded;
    `Model.plan.prediction` says how fast it should be. Weights that do not fit are streamed: the last layers are read
    from the packed file for every step, unless residency is given or no_cache is set. What does not fit even so is
    refused.
    What is left out of threads, isa, chunk and residency is chosen by what was measured on this machine: the profile of
    `edge doctor --save`, the file that EDGE_PROFILE names, or a probe that takes under a second when a model of 32 MiB
    or more is loaded for the first time. EDGE_PROFILE=off chooses one thread per physical core allowed, the highest
    level, 128 tokens and mapped. `Model.tuning` says what was chosen and why.
    no_cache: pack the weights in memory; neither read nor write a packed file (default: EDGE_NO_CACHE, or False).
    residency: "mapped" or "owned" weights of a packed file (default: EDGE_RESIDENCY, or as chosen). verify: check every
    byte of the packed file against its checksums. EDGE_CACHE_DIR is the place for packed files instead of beside the
    model. What became of all this is in `Model.weights`. EDGE_SESSIONS_DIR is the place for sessions and prepared
    prompts instead of the user's data folder.
    adapters: LoRA adapters in GGUF files, by the names that answers ask for them with (`adapter="name"`); see
    docs/adapters.md. Weights are shared, and one step computes answers with any of them and without.
    provider: of an ONNX model, "cpu" or another that `edge doctor` lists, with options behind a colon:
    "openvino:device_type=NPU" (default: "cpu", or what a folder for an NPU was made for). What it cannot compute runs
    on the CPU, which `Model.weights.note` says; strict refuses such a model.
    prefill_backend: what reads prompts of 65 tokens and more for the native engine, which goes on from their K and V
    (docs/backends.md): "onnx", the folder MODEL-onnx that `edge export --to onnx` made of the same file, on `provider`;
    "npu", the folder MODEL-DEVICE that `--to npu` made, on the provider that it is for, or on `provider`; "onnx:FOLDER"
    and "npu:FOLDER", another one; "native", itself; None: what the profile has measured to be faster, or itself.
    `Model.prefill` tells what it is. Answers are then those of native prompts up to rounding, not to the last bit.
    Raises ModelFileError (BadModelFile, UnsupportedModel), RequestError for an option out of range, DoesNotFit with
    the figures and what would fit, NativeError, BadProfile for a file that EDGE_PROFILE names.
    """
    started_at = time.perf_counter()
    file_path = resolve(path)
    wanted, because = choose_backend(backend, file_path)
    if wanted.name != "native":
        opened = open_other(
            wanted,
            file_path,
            OtherAsked(context, DEFAULT_CONTEXT, threads, kv_type, chunk, sequences, memory, residency, because),
            on_progress,
            isa=isa,
            kv_tokens=kv_tokens,
            no_cache=no_cache,
            verify=verify,
            adapters=dict(adapters) if adapters else None,
            provider=provider,
            strict=strict,
            prefill_backend=prefill_backend,
        )
        return Model(
            opened.source,
            opened.backend,
            opened.tuning,
            lambda: opened.plan,
            policy=Policy(schedule),
            saved=SavedPlaces.of(os.environ),
            hash_folder=user_cache_folder(os.environ),
            memory=opened.allowed,
            load_seconds=time.perf_counter() - started_at,
        )
    if prefill_backend in (None, "native"):
        CAPABILITIES.check_options(provider=provider, strict=strict)
    kv_type = CAPABILITIES.kv_types[0] if kv_type is None else kv_type
    residency = residency if residency is not None else os.environ.get("EDGE_RESIDENCY") or None
    isa = isa if isa is not None else os.environ.get("EDGE_ISA") or None
    cache = cache_options(no_cache, residency, verify)
    allowed = None if memory is None else parse_bytes(memory)
    policy = Policy(schedule, swap_folders=_swap_folders(cache))
    file = open_gguf(file_path)
    plans: list[Callable[[], MemoryPlan]] = []
    resident_because = why_resident(residency, no_cache)

    def admit(compiled: Compiled) -> int:
        prefill_bytes = 0
        if reader is not None:
            reader.check(file, compiled, lambda: content_hashes(file, cache.folder or cache.user_folder))
            prefill_bytes = reader.num_bytes
        plan = _admitted(
            file, compiled, kv_type, num_threads, kv_tokens, allowed, resident_because, opened_files, prefill_bytes,
            no_cache=not cache.enabled,
        )  # fmt: skip
        plans.append(partial(_predicted, plan, compiled, tuning, profile, cache.enabled))
        return plan.streamed_groups

    stack = ExitStack()
    try:
        opened_files = stack.enter_context(opened_adapters(adapters or {}))
        architecture_of(file)
        file.get_strings("tokenizer.ggml.tokens")  # refused before the weights are read, not at the first prompt
        asked = Asked(threads=threads, chunk=chunk, residency=residency, isa=isa)
        tuning, profile = tuned(file, asked, may_probe=cache.enabled)
        num_threads = max(tuning.prefill_threads, tuning.decode_threads)
        wanted_prefill = None if prefill_backend is None else (prefill_backend, provider, strict)
        settings = Settings(context, DEFAULT_CONTEXT, chunk=PREFILL_CHUNK, num_threads=num_threads)
        reader, note = _prefill_reader(file, wanted_prefill, profile, tuning.source, settings)
        if note is not None:
            tuning = dataclasses.replace(tuning, note="; ".join(filter(None, (tuning.note, note))))
        native_backend = NativeBackend(
            file,
            context=context,
            default_context=DEFAULT_CONTEXT,
            num_threads=num_threads,
            decode_threads=tuning.decode_threads,
            isa=tuning.isa,
            kv_type=kv_type,
            chunk=tuning.chunk,
            num_sequences=sequences,
            kv_tokens=kv_tokens,
            cache=dataclasses.replace(cache, residency=tuning.residency),
            admit=admit,
            on_progress=on_progress,
            adapters=opened_files,
        )
        prefill = None if reader is None else _opened(reader, native_backend)
    except BaseException:
        file.close()
        raise
    finally:
        stack.close()  # the adapters are in memory
    return Model(
        GGUFSource(file),
        native_backend,
        tuning,
        plans[0],
        policy=dataclasses.replace(policy, step_seconds=tuning.step_seconds, disk_bytes_s=tuning.disk_bytes_s),
        saved=SavedPlaces.of(os.environ),
        hash_folder=cache.folder or cache.user_folder,
        memory=allowed,
        load_seconds=time.perf_counter() - started_at,
        prefill=prefill,
    )


def _prefill_reader(
    file: GGUFFile,
    asked: tuple[str, str | None, bool] | None,
    profile: Profile | None,
    source: str,
    settings: Settings,
) -> tuple[PlannedPrefill | None, str | None]:
    """Another engine for prompts, checked, and what the user should read about it. asked: backend, provider, strict;
    None: what the profile says."""
    if asked is None and (profile is None or not profile.prefills) or asked is not None and asked[0] == "native":
        return None, None
    from edge import prefill_engine  # nobody else pays for it

    if asked is None:
        name = file.get_str("general.name", default="")
        wanted, note = prefill_engine.by_profile(profile, source, name, file.path)
    else:
        wanted, note = prefill_engine.Asked(*asked), None
    if wanted is None:
        return None, note
    return prefill_engine.plan_prefill(wanted, file.path, settings), wanted.because


def _opened(reader: PlannedPrefill, backend: NativeBackend) -> OtherPrefill:
    try:
        return reader.open(backend)
    except BaseException:
        backend.close()
        raise


def _admitted(
    file: GGUFFile,
    compiled: Compiled,
    kv_type: str,
    num_threads: int,
    kv_tokens: int | None,
    allowed: int | None,
    resident_because: str | None,
    adapters: Mapping[str, Adapter],
    prefill_bytes: int,
    *,
    no_cache: bool,
) -> MemoryPlan:
    """The plan of a load: with streamed layers if it must be and nothing speaks against it. DoesNotFit when it is over
    the budget."""
    limits = compiled.limits
    settings = Settings(
        context=limits.context,
        num_sequences=limits.max_sequences,
        kv_type=kv_type,
        chunk=limits.max_tokens,
        num_threads=num_threads,
        kv_tokens=kv_tokens,
        adapters=tuple(adapters.values()),
        prefill_bytes=prefill_bytes,
        no_cache=no_cache,
    )
    plan, budget = plan_compiled(file, compiled, settings), Budget.of(allowed, device.memory())
    if resident_because is None:
        plan = stream_to_fit(file, compiled, plan, budget)
    require_fit(file, settings, budget, plan, resident_because=resident_because)
    return plan


def _predicted(
    plan: MemoryPlan, compiled: Compiled, tuning: Choice, profile: Profile | None, has_packed_file: bool
) -> MemoryPlan:
    if profile is None:
        return plan
    from edge.predict import Question  # a small model pays for none of it

    levels = native.isa_supported()
    question = Question.of(compiled, tuning, levels, kv_type=plan.kv_type, has_packed_file=has_packed_file)
    return plan.predicted(profile, tuning.source, question)


def why_resident(residency: str | None = None, no_cache: bool | None = None) -> str | None:
    """Why weights that do not fit may not be streamed, None when they may. None: as the environment says."""
    if flag_from(os.environ, "EDGE_NO_CACHE") if no_cache is None else no_cache:
        return "no_cache forbids packed files"
    return "residency was given" if residency or os.environ.get("EDGE_RESIDENCY") else None


def workload(file: GGUFFile) -> Workload:
    """What a choice depends on in a model."""
    weights: dict[str, int] = {}
    for info in file.tensors.values():
        if len(info.shape) == 2:
            weights[type_name(info.type)] = weights.get(type_name(info.type), 0) + math.prod(info.shape)
    return Workload(file.file_size, weights)


def tuned(file: GGUFFile, asked: Asked, *, may_probe: bool) -> tuple[Choice, Profile | None]:
    """By what was measured of this machine, for the weights of this file, and that profile. may_probe: whether it may
    be measured now."""
    return tune_by_profile(asked, workload(file), os.environ, may_write=may_probe)


def cache_options(no_cache: bool | None, residency: str | None, verify: bool) -> CacheOptions:
    """What the caller says, or else the environment."""
    folder = os.environ.get("EDGE_CACHE_DIR")
    return CacheOptions(
        enabled=not (flag_from(os.environ, "EDGE_NO_CACHE") if no_cache is None else no_cache),
        residency="mapped" if residency is None else residency,
        folder=Path(folder).expanduser() if folder else None,
        user_folder=user_cache_folder(os.environ),
        verify=verify,
    )


def _swap_folders(cache: CacheOptions) -> tuple[Path, ...]:
    """Where KV may be set aside: on a disk, not in memory that looks like one."""
    folders = (cache.folder, cache.user_folder, Path(tempfile.gettempdir()))
    return tuple(folder for folder in folders if folder is not None and not device.is_in_memory(folder))
