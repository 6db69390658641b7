"""`edge eval MODEL`: what a model file lost, measured by the engine that will run it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.options import debug_option, json_option, model_argument, option, weight_options
from edge.cli.terminal import harmless

if TYPE_CHECKING:
    from edge.damage import Damage


@click.command("eval")
@model_argument()
@option("--against", default=None, metavar="REF", help="The model that MODEL was made from, or any of its vocabulary.")
@option("--text", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
        help="UTF-8 text to measure on. [default: a small varied one that is shipped]")  # fmt: skip
@option("--own-text", is_flag=True, help="Measure on texts that REF (or else MODEL) samples itself: for a model of "
        "one task, whose kind of text nothing else is.")  # fmt: skip
@option("--tokens", type=int, default=20_000, show_default=True, help="Tokens of the text that count, from its start.")
@option("--window", type=int, default=512, show_default=True, help="Tokens that are read together.")
@option("--record", is_flag=True, help="Write the figures into MODEL, beside what it says of itself, as edge quantize "
        "does. Goes with --against, the model that it was made from.")  # fmt: skip
@option("--kv-type", default="f16", show_default=True, help="K and V of MODEL; REF keeps them as f32.")
@option("--threads", type=int, default=None, help="Threads. [default: see edge doctor]")
@weight_options
@json_option
@debug_option
def command(
    model: str | None,
    against: str | None,
    text: Path | None,
    own_text: bool,
    tokens: int,
    window: int,
    record: bool,
    kv_type: str,
    threads: int | None,
    isa: str | None,
    no_cache: bool,
    residency: str | None,
    as_json: bool,
) -> int:
    """Measure MODEL (default: the bundled one) on a text: perplexity, and with --against the Kullback-Leibler
    divergence of its next-token probabilities from those of REF and how often both have the same likeliest token.

    \b
    edge eval small.gguf --against original.gguf
    edge eval model.gguf --against model.gguf --kv-type q8    what int8 K and V cost

    Every figure has its standard error. Differences to REF are far more exact than the perplexity itself, because
    both read the same text. Nothing is compared across vocabularies.
    """
    from edge.cli.interrupt import cancelling
    from edge.cli.progress import ProgressBar
    from edge.damage import LoadOptions, damage_metadata, measure, stamp
    from edge.errors import Cancelled

    if record and (model is None or against is None or kv_type != "f16"):
        raise click.UsageError("--record goes with MODEL, with --against, and with K and V as f16")
    try:
        with ProgressBar("loading", " MiB", 2**20) as loading, ProgressBar("measuring", " tokens") as measuring:
            damage = measure(
                model,
                against,
                text=text,
                own_text=own_text,
                window=window,
                max_tokens=tokens,
                loading=LoadOptions(kv_type, threads, isa, no_cache or None, residency),
                guard=cancelling,
                on_load=loading,
                on_progress=measuring,
            )
    except Cancelled:
        return 130
    if record:
        stamp(damage.model, damage_metadata(damage))
    click.echo(json.dumps(damage.as_json(), ensure_ascii=False) if as_json else _lines(damage))
    if record and not as_json:
        click.echo(harmless(f"recorded in {damage.model}"))
    return 0


def _lines(damage: Damage) -> str:
    from edge.cli.report import size

    rows = [
        ("model", damage.model),
        ("size", f"{size(damage.file_bytes)}, {damage.bits_per_weight:.2f} bits per weight, K and V {damage.kv_type}"),
        ("text", f"{damage.text}, sha256 {damage.text_sha256[:12]}, {damage.num_positions} tokens in "
                 f"{damage.num_windows} windows of at most {damage.window}"),
        ("perplexity", _figure(damage.perplexity, damage.perplexity_error)),
    ]  # fmt: skip
    if damage.reference is not None:
        rows += [
            ("against", f"{damage.reference}, perplexity {damage.reference_perplexity:.4g}"),
            ("ratio", _figure(damage.perplexity_ratio, damage.perplexity_ratio_error, digits=5)),
            ("mean KLD", _figure(damage.mean_kld, damage.mean_kld_error)),
            ("99 % KLD", f"{damage.p99_kld:.3g} (largest {damage.max_kld:.3g})"),
            ("same top token", _percent(damage.top1, damage.top1_error)),
        ]
    width = max(len(name) for name, _ in rows)
    return harmless("\n".join(f"{name:<{width}}  {value}" for name, value in rows))


def _figure(value: float | None, error: float | None, digits: int = 4) -> str:
    if value is None or error is None:
        return "not measured"
    return f"{value:.{digits}g}" + ("" if math.isnan(error) else f" ± {error:.2g}")


def _percent(value: float | None, error: float | None) -> str:
    if value is None or error is None:
        return "not measured"
    return f"{value:.2%}" + ("" if math.isnan(error) else f" ± {100 * error:.2g} %")
