"""`edge plan MODEL`: what a model will take, item by item, and how fast it should be, before it is loaded; here, or on
a machine that a profile describes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from edge.cli.adapters import read_adapters
from edge.cli.options import (
    adapter_option,
    debug_option,
    json_option,
    memory_option,
    model_argument,
    option,
    prefill_option,
)

if TYPE_CHECKING:
    from edge.cli.planning import PlanOptions


@click.command("plan")
@model_argument()
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
@prefill_option
@option("--backend", default=None, help="Plan for native, llama (llama.cpp) or onnx, here. [default: as edge run]")
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
    prefill_backend: str | None,
    backend: str | None,
    as_json: bool,
) -> int:
    """Say what MODEL (default: the bundled one) will take: weights, KV, work space, the process; from its header alone.
    And how fast it should be, predicted from what was measured of the machine (edge doctor --save).

    Exit code 3 when it takes more than --memory, the cgroup's limit or what is available; then with what would fit.
    """
    from edge.cli.plan_lines import plan_lines
    from edge.cli.planning import PlanOptions, plan_report
    from edge.cli.remote import opened

    adapters = read_adapters(adapter)
    options = PlanOptions(
        memory, context, sequences, kv_tokens, kv_type, threads, prompt, device, adapters, prefill_backend
    )
    report = _on_another_backend(model, backend, options)
    if report is None:
        with opened(model) as (file, path):
            report = plan_report(file, options, path)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else plan_lines(report))
    return 3 if report["fits"] is False else 0


def _on_another_backend(model: str | None, backend: str | None, options: PlanOptions) -> dict[str, Any] | None:
    """The report of a backend that is not edge's own; None where the native one is meant."""
    from edge.cli.plan_llama import llama_report
    from edge.cli.plan_onnx import onnx_report
    from edge.hub import Http
    from edge.other_engines import choose_backend
    from edge.references import elsewhere, resolve

    if backend is None and elsewhere(model, Http.of().hub) is not None:
        return None  # only GGUF files are read where they are
    path = resolve(model)
    engine = choose_backend(backend, path)[0].name
    if engine == "native":
        return None
    options.check_other(engine)
    return onnx_report(path, options) if engine == "onnx" else llama_report(path, options)
