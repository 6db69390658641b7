"""`edge plan MODEL`: what a model will take, item by item, and how fast it should be, before it is loaded; here, or on
a machine that a profile describes."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import TYPE_CHECKING, Any

import click

from edge.cli.adapters import read_adapters
from edge.cli.options import adapter_option, debug_option, json_option, memory_option, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.formats.gguf import GGUFFile
    from edge.memory import Budget
    from edge.profiles import Profile
    from edge.tuning import Asked, Choice


@click.command("plan")
@click.argument("model", required=False)
@adapter_option
@memory_option
@option("--context", type=int, default=None, help="Tokens of prompt and answer. [default: at most 4096]")
@option("--sequences", type=int, default=1, show_default=True, help="Answers that run at the same time.")
@option(
    "--kv-tokens", type=int, default=None, help="Tokens kept at a time, of all answers. [default: all they may have]"
)
@option("--kv-type", default="f16", show_default=True, help="K and V: f16, q8 (half), q4 (a quarter) or f32.")
@option("--threads", type=int, default=None, help="Threads. [default: see edge doctor]")
@option("--prompt", type=int, default=None, help="Tokens of the prompt whose time is predicted. [default: at most 512]")
@option(
    "--device", default=None, metavar="NAME", help="Plan for a machine that a shipped profile, or a file, describes."
)
@json_option
@debug_option
def command(
    model: str | None,
    adapter: tuple[str, ...],
    memory: str | None,
    context: int | None,
    sequences: int,
    kv_tokens: int | None,
    kv_type: str,
    threads: int | None,
    prompt: int | None,
    device: str | None,
    as_json: bool,
) -> int:
    """Say what MODEL (default: the bundled one) will take: weights, KV, work space, the process; from its header alone.
    And how fast it should be, predicted from what was measured of the machine (edge doctor --save).

    Exit code 3 when it takes more than --memory, the cgroup's limit or what is available; then with what would fit.
    """
    from edge.adapters import opened_adapters
    from edge.cli.plan_lines import plan_lines
    from edge.formats.gguf import open_gguf
    from edge.loading import why_resident
    from edge.memory import Settings, compiled_for, fitting, parse_bytes, plan_compiled, stream_to_fit
    from edge.predict import Question
    from edge.references import resolve
    from edge.tuning import Asked

    allowed = None if memory is None else parse_bytes(memory)
    with open_gguf(resolve(model)) as file, opened_adapters(read_adapters(adapter)) as opened:
        asked = Asked(threads=threads)
        here = _here(file, asked, allowed) if device is None else _there(file, asked, allowed, device)
        chosen = here.choice
        settings = Settings(
            context=context,
            num_sequences=sequences,
            kv_type=kv_type,
            kv_tokens=kv_tokens,
            chunk=chosen.chunk,
            num_threads=max(chosen.prefill_threads, chosen.decode_threads),
            adapters=tuple(opened.values()),
        )
        compiled, budget = compiled_for(file, settings), here.budget
        plan = plan_compiled(file, compiled, settings)
        if budget is not None and why_resident() is None:
            plan = stream_to_fit(file, compiled, plan, budget)
        question = Question.of(compiled, chosen, here.levels, kv_type=kv_type, prompt=prompt)
        plan = plan.predicted(here.profile, here.source, question)
        fits = None if budget is None else plan.total_bytes <= budget.num_bytes
        others = fitting(file, settings, budget, plan) if budget is not None and not fits else ()
        report: dict[str, Any] = {
            "path": str(file.path),
            "device": here.device,
            "fits": fits,
            "plan": plan.as_json(),
            "budget_bytes": None if budget is None else budget.num_bytes,
            "budget_source": None if budget is None else budget.source,
            "would_fit": [other.as_json() for other in others],
            "chosen": dataclasses.asdict(chosen) | {"isa": question.isa},
            "profile": here.source,
        }
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else plan_lines(report))
    return 3 if fits is False else 0


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
