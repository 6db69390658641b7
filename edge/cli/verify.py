"""`edge verify [MODEL]`: one model on every backend, and against a trusted run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import debug_option, json_option, option
from edge.cli.terminal import harmless
from edge.errors import RequestError, UnsupportedModel
from edge.references import resolve

if TYPE_CHECKING:
    from edge.verify import Comparison, Judgement, Observation, VerifyOptions


@click.command("verify")
@click.argument("model", required=False)
@option("--backends", default=None, metavar="NAME,...", help="The first is what others are compared with. [default: "
        "all that are installed and run such files]")  # fmt: skip
@option("--with", "others", multiple=True, metavar="PATH", help="Another file or folder of the same model, on the "
        "backend for its kind; may be repeated.")  # fmt: skip
@option("--tokens", type=click.IntRange(8, 4096), default=128, show_default=True,
        help="Tokens of a text whose logits are compared.")  # fmt: skip
@option("--record", "record_to", default=None, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
        help="Write a run of the first backend, for --reference, and compare nothing.")  # fmt: skip
@option("--reference", default=None, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
        help="Compare the backends with a run that --record wrote, here or on another machine.")  # fmt: skip
@option("--threads", type=int, default=None, help="Threads. [default: see edge doctor]")
@json_option
@debug_option
def command(
    model: str | None,
    backends: str | None,
    others: tuple[str, ...],
    tokens: int,
    record_to: Path | None,
    reference: Path | None,
    threads: int | None,
    as_json: bool,
) -> int:
    """Run MODEL (default: the bundled one) on several backends and compare: token ids, the prompt that the template
    makes, logits, the greedy answer, speed. Exit code 1 when they disagree by more than rounding.

    \b
    edge verify model.gguf                             edge's own engine and llama.cpp
    edge verify model.gguf --record run.json           on a machine that is trusted
    edge verify model.gguf --reference run.json        is this one like it? If not: at which token, and by how much

    docs/backends.md says what the figures mean.
    """
    from edge.verify import VerifyOptions

    if record_to is not None and reference is not None:
        raise RequestError("--record writes a run and --reference reads one: leave one of them out")
    path = resolve(model)
    names = _names(path, backends)
    options = VerifyOptions(num_tokens=tokens, threads=threads)
    if record_to is not None:
        return _record(path, names[0], threads, record_to, as_json)
    if reference is not None:
        return _judge(path, names, threads, reference, as_json)
    return _compare(path, names, others, options, as_json, is_given=backends is not None)


def _names(path: Path, backends: str | None) -> list[str]:
    from edge.backends.registry import BACKENDS, backend_for

    if backends is None:
        reads = backend_for(None, path).reads
        return [info.name for info in BACKENDS.values() if info.reads == reads and info.missing is None]
    names = [name.strip() for name in backends.split(",")]
    for name in names:
        backend_for(name, path)  # refused before anything is loaded
    return names


def _record(path: Path, name: str, threads: int | None, target: Path, as_json: bool) -> int:
    from edge.cli.answer import load_with_progress
    from edge.verify import record, write_recorded

    with load_with_progress(str(path), backend=name, context=None, threads=threads) as model:
        run = record(model)
    try:
        write_recorded(target, run)
    except OSError as error:
        raise RequestError(f"--record {target}: {error.strerror or error}") from None
    report = {"path": str(target), "backend": run.backend, "num_tokens": len(run.tokens)}
    click.echo(json.dumps(report) if as_json else f"recorded: {len(run.tokens)} tokens of {run.backend} in {target}")
    return 0


def _judge(path: Path, names: list[str], threads: int | None, reference: Path, as_json: bool) -> int:
    from edge.cli.answer import load_with_progress
    from edge.verify import judge, read_recorded

    run = read_recorded(reference)
    found: list[Judgement] = []
    for name in names:
        with load_with_progress(str(path), backend=name, context=None, threads=threads) as model:
            found.append(judge(model, run))
    if as_json:
        click.echo(json.dumps({"model": str(path), "runs": [item.as_json() for item in found]}, ensure_ascii=False))
    else:
        click.echo(harmless("\n".join(_judgement(item, run.model) for item in found)))
    return 0 if all(item.agrees for item in found) else 1


def _judgement(found: Judgement, model: str) -> str:
    from edge.verify import MEAN_MARGIN

    lines = [f"{found.backend} against {found.reference}, {model}: "
             f"{found.num_equal} of {found.num_tokens} tokens are the same"]  # fmt: skip
    if found.exact:
        lines.append("  all recorded probabilities are equal, bit for bit")
    else:
        lines.append(
            f"  probabilities differ by at most {found.max_logprob_error:.3g} nats, at token {found.max_error_at}"
        )
    if found.first is not None:
        lines.append(
            f"  first other token: {found.first}, {found.chosen!r} instead of {found.recorded!r}, by "
            f"{found.margin:.3g} of a logit"
        )
    verdict = "agrees" if found.agrees else "DISAGREES"
    lines.append(f"  mean margin {found.mean_margin:.3g} of a logit, at most {MEAN_MARGIN:g} is rounding: {verdict}")
    return "\n".join(lines)


def _compare(
    path: Path, names: list[str], others: tuple[str, ...], options: VerifyOptions, as_json: bool, *, is_given: bool
) -> int:
    from edge.cli.progress import ProgressBar
    from edge.verify import THRESHOLDS, compare, observe

    runs = [(path, name) for name in names] + [(resolve(other), None) for other in others]
    observations: list[Observation] = []
    left_out: list[str] = []
    for where, name in runs:
        try:
            with ProgressBar(f"loading on {name or 'its backend'}", " MiB", 2**20) as bar:
                observations.append(observe(where, name, options, bar))
        except UnsupportedModel as error:
            if is_given or name is None:
                raise
            left_out.append(f"{name}: {str(error).removeprefix(f'{where}: ')}")
    if len(observations) < 2:
        reason = "; ".join(left_out) or _what_is_missing()
        raise RequestError(f"there is nothing to compare {path} with: {reason}")
    first = observations[0]
    found = [compare(first, other) for other in observations[1:]]
    if as_json:
        report: dict[str, Any] = {
            "model": str(path),
            "reference": _speed(first),
            "backends": [_speed(seen) | item.as_json() for seen, item in zip(observations[1:], found, strict=True)],
            "left_out": left_out,
            "thresholds": {"mean_kld": THRESHOLDS.mean_kld, "margin": THRESHOLDS.margin,
                           "qualifying": THRESHOLDS.qualifying},
            "agrees": all(item.agrees for item in found),
        }  # fmt: skip
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        click.echo(harmless(_table(observations, found, left_out)))
    return 0 if all(item.agrees for item in found) else 1


def _what_is_missing() -> str:
    from edge.backends.registry import BACKENDS

    missing = [info.missing for info in BACKENDS.values() if info.missing is not None]
    return "; ".join(missing) or "name other backends with --backends, or another file of it with --with"


def _speed(seen: Observation) -> dict[str, Any]:
    return {
        "backend": seen.backend,
        "path": seen.path,
        "prefill_tok_s": seen.prefill_tok_s,
        "decode_tok_s": seen.decode_tok_s,
    }


def _table(observations: list[Observation], found: list[Comparison], left_out: list[str]) -> str:
    from edge.cli.report import rate

    first = observations[0]
    head = ["", first.backend, *(item.backend for item in found)]
    rows = [
        head,
        ["token ids", "edge's", *("no tokenizer" if item.token_ids is None else "{} of {} texts".format(*item.token_ids)
                                  for item in found)],
        ["prompt", "edge's", *("not compared" if item.prompt is None else "equal" if item.prompt else "DIFFERENT"
                               for item in found)],
        ["mean KLD", "", *(f"{item.mean_kld:.2e} (max {item.max_kld:.2e})" for item in found)],
        ["same top token", "", *(f"{item.top1:.1%} of {item.num_positions}" for item in found)],
        ["logit error", "", *(f"{item.logit_error:.3g}, {item.qualifying:.0%} certain" for item in found)],
        ["greedy answer", "", *(f"{item.greedy_equal} of {item.num_greedy} tokens" for item in found)],
        ["prefill", *(rate(seen.prefill_tok_s) for seen in observations)],
        ["decode", *("-" if seen.decode_tok_s is None else rate(seen.decode_tok_s) for seen in observations)],
        ["verdict", "", *("agrees" if item.agrees else "DISAGREES" for item in found)],
    ]  # fmt: skip
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for item in found:
        lines += [f"{item.backend}: {reason}" for reason in item.disagreements]
    return "\n".join([first.path, *lines, *(f"left out: {reason}" for reason in left_out)])
