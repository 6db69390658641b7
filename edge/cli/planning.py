"""What `edge plan` says and `edge pull` asks before it downloads: the plan of an open model file."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from edge.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from edge.formats.adapter import Adapter
    from edge.formats.gguf import GGUFFile
    from edge.memory import Budget, MemoryPlan
    from edge.profiles import Profile
    from edge.tuning import Asked, Choice


@dataclasses.dataclass(frozen=True, slots=True)
class PlanOptions:
    """memory: as 1.5GiB. prompt: tokens whose time is predicted. device: a shipped profile or a file; None: here.
    adapters: paths by name. prefill_backend: another engine that reads prompts, as of edge run."""

    memory: str | None = None
    context: int | None = None
    sequences: int = 1
    kv_tokens: int | None = None
    kv_type: str = "f16"
    threads: int | None = None
    prompt: int | None = None
    device: str | None = None
    adapters: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    prefill_backend: str | None = None

    @property
    def allowed_bytes(self) -> int | None:
        """RequestError: no size."""
        from edge.memory import parse_bytes

        return None if self.memory is None else parse_bytes(self.memory)

    def check_other(self, backend: str) -> None:
        """RequestError for an option that only plans of the native backend have."""
        for name, value in (
            ("--device", self.device),
            ("--kv-tokens", self.kv_tokens),
            ("--adapter", self.adapters or None),
            ("--prefill-backend", self.prefill_backend),
        ):
            if value is not None:
                raise RequestError(f"{name} is given; a plan for the {backend} backend has no such option")


def plan_report(file: GGUFFile, options: PlanOptions, path: str) -> dict[str, Any]:
    """The plan in JSON's terms, and whether it fits; what would, when it does not. path: what the file is called.

    BadModelFile, UnsupportedModel, RequestError (an option out of range), BadProfile.
    """
    from edge.adapters import opened_adapters

    with opened_adapters(options.adapters) as adapters:
        return _plan_report(file, options, path, tuple(adapters.values()))


def _plan_report(file: GGUFFile, options: PlanOptions, path: str, adapters: tuple[Adapter, ...]) -> dict[str, Any]:
    from edge.loading import cache_options, why_resident
    from edge.memory import Settings, compiled_for, fitting, plan_compiled, stream_to_fit
    from edge.predict import Question
    from edge.tuning import Asked

    allowed = options.allowed_bytes
    asked, device = Asked(threads=options.threads), options.device
    place = _here(file, asked, allowed) if device is None else _there(file, asked, allowed, device)
    chosen = place.choice
    settings = Settings(
        context=options.context,
        num_sequences=options.sequences,
        kv_type=options.kv_type,
        kv_tokens=options.kv_tokens,
        chunk=chosen.chunk,
        num_threads=max(chosen.prefill_threads, chosen.decode_threads),
        adapters=adapters,
        prefill_bytes=_prefill_bytes(options, path, chosen),
        no_cache=not cache_options(None, None, verify=False).enabled,
    )
    compiled, budget = compiled_for(file, settings), place.budget
    plan = plan_compiled(file, compiled, settings)
    if budget is not None and why_resident() is None:
        plan = stream_to_fit(file, compiled, plan, budget)
    question = Question.of(compiled, chosen, place.levels, kv_type=options.kv_type, prompt=options.prompt)
    plan = plan.predicted(place.profile, place.source, question)
    fits = None if budget is None else plan.total_bytes <= budget.num_bytes
    others = fitting(file, settings, budget, plan) if budget is not None and not fits else ()
    return {
        "path": path,
        "device": place.device,
        "fits": fits,
        "plan": plan.as_json(),
        "budget_bytes": None if budget is None else budget.num_bytes,
        "budget_source": None if budget is None else budget.source,
        "would_fit": [other.as_json() for other in others],
        "chosen": dataclasses.asdict(chosen) | {"isa": question.isa},
        "profile": place.source,
    }


def _prefill_bytes(options: PlanOptions, path: str, chosen: Choice) -> int:
    """Of another engine that reads prompts. RequestError, ModelFileError."""
    if options.prefill_backend is None or options.prefill_backend == "native":
        return 0
    from pathlib import Path

    from edge.loading import DEFAULT_CONTEXT, PREFILL_CHUNK
    from edge.memory import Settings
    from edge.prefill_engine import Asked, plan_prefill

    threads = max(chosen.prefill_threads, chosen.decode_threads)
    settings = Settings(options.context, DEFAULT_CONTEXT, chunk=PREFILL_CHUNK, num_threads=threads)
    return plan_prefill(Asked(options.prefill_backend), Path(path), settings).num_bytes


def other_report(
    path: Path, options: PlanOptions, plan: MemoryPlan, budget: Budget, others: Iterable[MemoryPlan], num_threads: int,
    *, engine: str, weights_note: str,
) -> dict[str, Any]:  # fmt: skip
    """The same of another engine, whose speed nothing predicts. others: what would fit, asked for where it does not."""
    fits = plan.total_bytes <= budget.num_bytes
    reason = "as asked" if options.threads is not None else "one per physical core allowed"
    return {
        "path": str(path),
        "device": None,
        "fits": fits,
        "plan": plan.as_json(),
        "budget_bytes": budget.num_bytes,
        "budget_source": budget.source,
        "would_fit": [other.as_json() for other in others],
        "chosen": {"threads": num_threads, "reasons": {"threads": reason}, "note": f"the backend is {engine}"},
        "weights_note": weights_note,
        "profile": f"the speed of {engine} is not foretold",
    }


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where the model is to run. device None: here. source: the profile, or why there is none. levels: lowest first."""

    device: str | None
    choice: Choice
    profile: Profile | None
    source: str
    levels: Sequence[str]
    budget: Budget | None


def _here(file: GGUFFile, asked: Asked, allowed: int | None) -> _Place:
    from edge import device, native
    from edge.loading import tuned
    from edge.memory import Budget
    from edge.tuning.find import find_profile

    choice, profile = tuned(file, asked, may_probe=False)
    source = choice.source
    if profile is None:  # a small model is loaded without one, and is as predictable
        found = find_profile(asked, os.environ, may_probe=False)
        profile, source = found.profile, found.source
    return _Place(None, choice, profile, source, native.isa_supported(), Budget.of(allowed, device.memory()))


def _there(file: GGUFFile, asked: Asked, allowed: int | None, reference: str) -> _Place:
    """RequestError: no such device, or one that does not say what is needed. BadProfile."""
    from edge.loading import workload
    from edge.memory import Budget
    from edge.tuning.board import Board

    board = Board.of(reference)
    budget = Budget.of_device(allowed, board.memory_bytes, board.name)
    choice = board.choose(asked, workload(file), 0 if budget is None else budget.num_bytes)
    return _Place(board.name, choice, board.profile, board.source, board.levels, budget)
