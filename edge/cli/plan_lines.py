"""The report of `edge plan` in words."""

from __future__ import annotations

from typing import Any

from edge.cli.terminal import harmless


def plan_lines(report: dict[str, Any]) -> str:
    plan = report["plan"]
    rows = [
        *_weights(plan, report.get("weights_note", "packed; pages of a mapped file count when they are touched")),
        *([("adapters", plan["adapters_bytes"], "their matrices, as floats")] if plan["adapters_bytes"] else []),
        *([("prompts", plan["prefill_bytes"], "another engine that reads them")] if plan["prefill_bytes"] else []),
        ("KV", plan["kv_bytes"], f"{_sequences(plan)} of {plan['context']} tokens, {plan['kv_type']}"),
        ("work space", plan["program_bytes"], f"steps of {plan['chunk']} tokens, {plan['num_threads']} thread(s)"),
        ("tokenizer", plan["tokenizer_bytes"], "estimated from the size of the vocabulary"),
        ("process", plan["process_bytes"], "Python and libraries, as measured"),
    ]
    if plan["embeddings_bytes"]:
        rows.append(("embeddings", plan["embeddings_bytes"], "NumPy, which pools states"))
    if plan["total_bytes"] > sum(num_bytes for _, num_bytes, _ in rows):
        rows.append(
            ("first load", plan["packing_bytes"], "while weights are packed, with nothing of the rest but the process")
        )
    lines = [report["path"] + ("" if report["device"] is None else f" on {report['device']}")]
    lines += [f"{name:<11}{_mib(num_bytes):>10}  {note}" for name, num_bytes, note in rows]
    lines.append(f"{'in all':<11}{_mib(plan['total_bytes']):>10}  {_verdict(report)}")
    if plan["streamed_layers"]:
        lines.append(f"{'streamed':<11}{_mib(plan['streamed_bytes']):>10}  {_streaming(plan)}")
    lines += [f"would fit: {_settings(other)} ({_mib(other['total_bytes'])})" for other in report["would_fit"]]
    if report["fits"] is False and not report["would_fit"]:
        lines.append("no context would fit; a smaller model or fewer bits would")
    lines += _choice_lines(report["chosen"])
    lines += _speed_lines(plan["prediction"], report["profile"])
    if (
        "isa" in report["chosen"]
        and report["device"] is None
        and (plan["prediction"] is None or plan["prediction"]["missing"])
    ):
        lines.append("edge doctor --save measures what a prediction needs here")
    return harmless("\n".join(lines))


def verdict_lines(report: dict[str, Any]) -> list[str]:
    """What somebody wants to know before a download: whether it fits, and how fast it should be, or what would fit."""
    plan = report["plan"]
    lines = [f"needs {_mib(plan['total_bytes'])} with {_settings(plan)}: {_verdict(report)}"]
    lines += [f"would fit: {_settings(other)} ({_mib(other['total_bytes'])})" for other in report["would_fit"]]
    return lines if report["fits"] is False else lines + _speed_lines(plan["prediction"], report["profile"])[:2]


def _weights(plan: dict[str, Any], note: str) -> list[tuple[str, int, str]]:
    if not plan["streamed_layers"]:
        return [("weights", plan["weights_bytes"], note)]
    return [
        ("resident", plan["weights_bytes"], "weights that stay: the first layers and the head"),
        ("buffers", plan["ring_bytes"], "for the layers that are streamed"),
    ]


def _streaming(plan: dict[str, Any]) -> str:
    return f"weights in {plan['streamed_layers']} layers that every step reads from the disk, which sets its speed"


def _verdict(report: dict[str, Any]) -> str:
    if report["fits"] is None:
        return "whether that fits is not known: the profile has no memory size, --memory gives one"
    verdict = "fits" if report["fits"] else "does not fit"
    return f"{verdict}: {report['budget_source']} allows {_mib(report['budget_bytes'])}"


def _settings(plan: dict[str, Any]) -> str:
    layers = f", {plan['streamed_layers']} layers streamed" if plan["streamed_layers"] else ""
    return f"{_sequences(plan)} of {plan['context']} tokens, KV as {plan['kv_type']}{layers}"


def _sequences(plan: dict[str, Any]) -> str:
    return f"{plan['num_sequences']} sequence{'' if plan['num_sequences'] == 1 else 's'}"


def _choice_lines(chosen: dict[str, Any]) -> list[str]:
    """Each setting, and why."""
    values = {name: chosen[name] for name in chosen["reasons"]}
    lines = [
        f"{name.replace('_', ' '):<17}{'not known' if value is None else value}: {chosen['reasons'][name]}"
        for name, value in values.items()
    ]
    return [*lines, *([] if chosen["note"] is None else [f"note: {chosen['note']}"])]


def _speed_lines(prediction: dict[str, Any] | None, source: str) -> list[str]:
    if prediction is None:
        return [f"predicted: nothing ({source})"]
    lines = [
        f"predicted: {_speed(prediction, 'decode')} behind {prediction['decode_depth']} tokens, "
        f"{_speed(prediction, 'deep_decode')} behind {prediction['deep_decode_depth']}"
    ]
    seconds = prediction["ttft_seconds"]
    if seconds is None:
        lines.append("predicted: nothing about prompts")
    else:
        least = "at least " if prediction["prefill_at_most"] else ""
        lines.append(
            f"predicted: {least}{seconds:.3g} s to the first token of a prompt of {prediction['prompt_tokens']} "
            f"tokens, {_speed(prediction, 'prefill')}"
        )
    lines.append(f"from: {source}")
    lines += [f"from: {item}" for item in prediction["basis"]]
    return lines + [f"missing there: {item}" for item in prediction["missing"]]


def _speed(prediction: dict[str, Any], name: str) -> str:
    speed = prediction[f"{name}_tok_s"]
    if speed is None:
        return "nothing"
    return f"{'at most ' if prediction[f'{name}_at_most'] else ''}{speed:.3g} tok/s"


def _mib(num_bytes: int) -> str:
    return f"{num_bytes / 2**20:,.0f} MiB" if num_bytes >= 10 * 2**20 else f"{num_bytes / 2**20:.1f} MiB"
