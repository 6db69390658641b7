"""`edge bench [MODEL]`: how fast a model runs here, and how near that is to what memory allows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.options import (
    backend_option,
    debug_option,
    json_option,
    model_argument,
    numbers_option,
    option,
    prefill_option,
    provider_options,
    weight_options,
)

if TYPE_CHECKING:
    from edge.bench import BenchReport


@click.command("bench")
@model_argument()
@numbers_option("--prompt", default=["512"], show_default=True, help="Tokens of a prompt; 0: no prefill.")
@numbers_option("--decode", default=["64"], show_default=True, help="Tokens decoded; 0: none.")
@numbers_option("--depth", help="Tokens in front of them. [default: 0, and 1024 if the model has room]")
@numbers_option("--threads", help="Numbers of threads. [default: see edge doctor]")
@numbers_option("--batch", help="Also the cost of a single step of so many tokens, against a step of one.")
@option("--rounds", type=int, default=3, show_default=True, help="Rounds that the medians are over.")
@weight_options
@backend_option
@provider_options
@prefill_option
@option("--save", "saves", is_flag=True, help="Write the speed of --prefill-backend beside the engine's own into this "
        "machine's profile, by which edge run chooses.")  # fmt: skip
@json_option
@option("--csv", "as_csv", is_flag=True, help="Print comma-separated values, a line for each result.")
@option("--output", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
        help="Write to a file instead; .json and .csv choose the form.")  # fmt: skip
@debug_option
def command(
    model: str | None,
    prompt: tuple[int, ...],
    decode: tuple[int, ...],
    depth: tuple[int, ...],
    threads: tuple[int, ...],
    batch: tuple[int, ...],
    rounds: int,
    isa: str | None,
    no_cache: bool,
    residency: str | None,
    backend: str | None,
    provider: str | None,
    strict: bool,
    prefill_backend: str | None,
    saves: bool,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
) -> int:
    """Measure MODEL (default: the bundled one): load time, prefill, decode, and the share of the memory bandwidth
    measured in the same run that decode uses.

    Lists have commas, or the option is repeated: --threads 1,2 --depth 0 --depth 4096. Speeds are medians over the
    rounds, of the engine's steps, without tokenizer and sampling.
    """
    form = _form(as_json, as_csv, output)
    if saves and prefill_backend in (None, "native"):
        raise click.UsageError("--save keeps the speed of --prefill-backend: name one")
    if output is not None and not os.access(output if output.exists() else output.absolute().parent, os.W_OK):
        raise click.UsageError(f"--output {output} cannot be written")  # said now, not after minutes of measuring

    from edge.bench import BenchOptions, LoadOptions, bench
    from edge.cli.bench_save import save_prefill
    from edge.cli.interrupt import cancelling
    from edge.cli.progress import ProgressBar
    from edge.errors import Cancelled

    options = BenchOptions(
        prompt=prompt,
        decode=decode,
        depth=depth or None,
        threads=tuple(dict.fromkeys(threads)) or None,
        batch=batch,
        rounds=rounds,
    )
    try:
        with ProgressBar("loading", " MiB", 2**20) as loading, ProgressBar("measuring", " tokens") as measuring:
            report = bench(
                model,
                options,
                LoadOptions(isa, no_cache or None, residency, backend, provider, strict, prefill_backend),
                guard=cancelling,
                on_load=loading,
                on_progress=measuring,
            )
    except Cancelled:
        return 130
    text = _render(report, form)
    if saves:
        save_prefill(report, prefill_backend or "", provider)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise click.FileError(str(output), error.strerror or str(error)) from None
        click.echo(f"edge: written to {output}", err=True)
    return 0


def _form(as_json: bool, as_csv: bool, output: Path | None) -> str:
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one report: choose one")
    if as_json or as_csv:
        return "json" if as_json else "csv"
    suffix = "" if output is None else output.suffix.lower()
    return suffix[1:] if suffix in (".json", ".csv") else "table"


def _render(report: BenchReport, form: str) -> str:
    from edge.cli.bench_report import csv_lines, table

    if form == "json":
        return json.dumps(report.as_json(), ensure_ascii=False) + "\n"
    return csv_lines(report) if form == "csv" else table(report)
