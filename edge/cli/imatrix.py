"""`edge imatrix MODEL -o FILE`: an importance matrix, from a calibration text read by the engine itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from edge.cli.options import debug_option, json_option, model_argument, option, weight_options


@click.command("imatrix")
@model_argument()
@option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), required=True, metavar="FILE",
        help="The importance matrix to write, in llama.cpp's GGUF form.")  # fmt: skip
@option("--text", default=None, metavar="FILE", help="The text to read, in UTF-8. [default: one that ships with edge]")
@option("--window", type=int, default=512, show_default=True, help="Tokens of a sequence; at most the model's context.")
@option("--tokens", type=int, default=None, help="Read no more of the text. [default: all of it]")
@option("--threads", type=int, default=None, help="Threads. [default: one for each physical core]")
@weight_options
@json_option
@debug_option
def command(
    model: str | None,
    output: Path,
    text: str | None,
    window: int,
    tokens: int | None,
    threads: int | None,
    isa: str | None,
    no_cache: bool,
    residency: str | None,
    as_json: bool,
) -> None:
    """Read a calibration text with MODEL (default: the bundled one) and write the mean squares of what its matrices are
    multiplied with.

    Quantisation keeps columns more exact whose inputs are large. Take the least quantised file there is, and a text
    like those that the model will read; the one that ships has prose, dialogue, code, lists and numbers in several
    languages. Files of llama.cpp's own tool have the same form.
    """
    if tokens is not None and tokens < 1:
        raise click.BadParameter(f"{tokens} is not at least 1", param_hint="--tokens")
    if not os.access(output if output.exists() else output.absolute().parent, os.W_OK):
        raise click.UsageError(f"--output {output} cannot be written")  # said now, not after minutes of reading

    from edge.calibration import collect, shipped_text, write_imatrix
    from edge.calibration.text import SHIPPED_NAME
    from edge.cli.progress import ProgressBar
    from edge.damage.text import read_text
    from edge.loading import cache_options
    from edge.references import resolve

    content = shipped_text() if text is None else read_text(text)[1]
    with ProgressBar("loading", " MiB", 2**20) as loading, ProgressBar("reading", " tokens") as reading:
        found = collect(
            resolve(model),
            content,
            window=window,
            max_tokens=tokens,
            num_threads=threads,
            isa=isa or os.environ.get("EDGE_ISA") or None,
            cache=cache_options(no_cache or None, residency or os.environ.get("EDGE_RESIDENCY") or None, verify=False),
            on_load=loading,
            on_progress=reading,
        )
    dataset = SHIPPED_NAME if text is None else Path(text).name
    write_imatrix(found, output, dataset=dataset)
    if as_json:
        facts = {
            "path": str(output),
            "num_matrices": len(found.squares),
            "num_tokens": found.num_tokens,
            "window": found.window,
            "text": dataset,
            "text_sha256": found.text_hash,
        }
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        click.echo(f"{output}: {len(found.squares)} matrices over {found.num_tokens:,} tokens of {dataset}")
