"""`edge plan MODEL`: what a model will take here, item by item, before it is loaded; and whether that fits."""

from __future__ import annotations

import json
from typing import Any

import click

from edge.cli.options import debug_option, json_option, memory_option, option
from edge.cli.terminal import harmless


@click.command("plan")
@click.argument("model", required=False)
@memory_option
@option("--context", type=int, default=None, help="Tokens of prompt and answer. [default: at most 4096]")
@option("--sequences", type=int, default=1, show_default=True, help="Answers that run at the same time.")
@option("--kv-type", default="f16", show_default=True, help="K and V: f16, q8 (half), q4 (a quarter) or f32.")
@option("--threads", type=int, default=None, help="Threads. [default: see edge doctor]")
@json_option
@debug_option
def command(
    model: str | None,
    memory: str | None,
    context: int | None,
    sequences: int,
    kv_type: str,
    threads: int | None,
    as_json: bool,
) -> int:
    """Say what MODEL (default: the bundled one) will take: weights, KV, work space, the process; from its header alone.

    Exit code 3 when that is more than --memory, the cgroup's limit or what is available; then with what would fit.
    """
    from edge import device
    from edge.formats.gguf import open_gguf
    from edge.loading import tuned, why_resident
    from edge.memory import Budget, Settings, compiled_for, fitting, parse_bytes, plan_compiled, stream_to_fit
    from edge.references import resolve
    from edge.tuning import Asked

    allowed = None if memory is None else parse_bytes(memory)
    with open_gguf(resolve(model)) as file:
        tuning = tuned(file, Asked(threads=threads), may_probe=False)
        settings = Settings(
            context=context,
            num_sequences=sequences,
            kv_type=kv_type,
            chunk=tuning.chunk,
            num_threads=max(tuning.prefill_threads, tuning.decode_threads),
        )
        compiled, budget = compiled_for(file, settings), Budget.of(allowed, device.memory())
        plan = plan_compiled(file, compiled, settings)
        if why_resident() is None:
            plan = stream_to_fit(file, compiled, plan, budget)
        fits = plan.total_bytes <= budget.num_bytes
        others = () if fits else fitting(file, settings, budget, plan)
        report: dict[str, Any] = {
            "path": str(file.path),
            "fits": fits,
            "plan": plan.as_json(),
            "budget_bytes": budget.num_bytes,
            "budget_source": budget.source,
            "would_fit": [other.as_json() for other in others],
        }
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _lines(report))
    return 0 if fits else 3


def _lines(report: dict[str, Any]) -> str:
    plan = report["plan"]
    rows = [
        *_weights(plan),
        ("KV", plan["kv_bytes"], f"{_sequences(plan)} of {plan['context']} tokens, {plan['kv_type']}"),
        ("work space", plan["program_bytes"], f"steps of {plan['chunk']} tokens, {plan['num_threads']} thread(s)"),
        ("tokenizer", plan["tokenizer_bytes"], "estimated from the size of the vocabulary"),
        ("process", plan["process_bytes"], "Python and libraries, as measured"),
    ]
    if plan["total_bytes"] > sum(num_bytes for _, num_bytes, _ in rows):
        rows.append(
            ("first load", plan["packing_bytes"], "while weights are packed, with nothing of the rest but the process")
        )
    lines = [report["path"], *(f"{name:<11}{_mib(num_bytes):>10}  {note}" for name, num_bytes, note in rows)]
    lines.append(f"{'in all':<11}{_mib(plan['total_bytes']):>10}  {_verdict(report)}")
    if plan["streamed_layers"]:
        lines.append(f"{'streamed':<11}{_mib(plan['streamed_bytes']):>10}  {_streaming(plan)}")
    lines += [f"would fit: {_settings(other)} ({_mib(other['total_bytes'])})" for other in report["would_fit"]]
    if not report["fits"] and not report["would_fit"]:
        lines.append("no context would fit; a smaller model or fewer bits would")
    return harmless("\n".join(lines))


def _weights(plan: dict[str, Any]) -> list[tuple[str, int, str]]:
    if not plan["streamed_layers"]:
        return [("weights", plan["weights_bytes"], "packed; pages of a mapped file count when they are touched")]
    return [
        ("resident", plan["weights_bytes"], "weights that stay: the first layers, head and embedding"),
        ("buffers", plan["ring_bytes"], "for the layers that are streamed"),
    ]


def _streaming(plan: dict[str, Any]) -> str:
    return f"weights of {plan['streamed_layers']} layers that every step reads from the disk, which sets its speed"


def _verdict(report: dict[str, Any]) -> str:
    verdict = "fits" if report["fits"] else "does not fit"
    return f"{verdict}: {report['budget_source']} allows {_mib(report['budget_bytes'])}"


def _settings(plan: dict[str, Any]) -> str:
    layers = f", {plan['streamed_layers']} layers streamed" if plan["streamed_layers"] else ""
    return f"{_sequences(plan)} of {plan['context']} tokens, KV as {plan['kv_type']}{layers}"


def _sequences(plan: dict[str, Any]) -> str:
    return f"{plan['num_sequences']} sequence{'' if plan['num_sequences'] == 1 else 's'}"


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:,.0f} MiB" if num_bytes >= 10 * 2**20 else f"{num_bytes / 2**20:.1f} MiB"
