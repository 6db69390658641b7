"""`edge ls`: the models that have a name here."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from edge.cli.options import debug_option, json_option
from edge.cli.terminal import harmless


@click.command("ls")
@json_option
@debug_option
def command(as_json: bool) -> None:
    """List the models on this machine: the bundled one, those of `edge pull`, and those that other tools have.

    The name in the first column is what every command takes as MODEL. Found where they lie, and never copied: Hugging
    Face's cache, LM Studio, llama.cpp, Ollama. EDGE_OTHER_MODELS=off leaves them out.
    """
    from edge.library import Library
    from edge.library.found import Found
    from edge.references import DEFAULT_MODEL, resolve

    library = Library.of(os.environ)
    bundled = resolve(DEFAULT_MODEL) if not os.path.exists(DEFAULT_MODEL) else None
    models = list(library.models())
    if bundled is not None:
        models.insert(0, Found(DEFAULT_MODEL, (), "bundled", bundled, bundled.stat().st_size))
    unfinished = list(library.unfinished())
    if as_json:
        report: dict[str, Any] = {
            "models": [
                {
                    "name": model.name,
                    "tool": model.tool,
                    "path": str(model.path),
                    "bytes": model.num_bytes,
                    "num_parts": model.num_parts,
                    "quant": model.quant,
                }
                for model in models
            ],
            "unfinished": [
                {"name": one.name, "path": str(one.path), "bytes": one.num_bytes, "of_bytes": one.size}
                for one in unfinished
            ],
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(harmless(_table(models)))
    for one in unfinished:
        percent = 100 * one.num_bytes // max(one.size, 1)
        click.echo(harmless(f"unfinished: {one.name} ({percent} % of {one.path.name.removesuffix('.part')})"))


def _table(models: list[Any]) -> str:
    from edge.cli.report import size

    cells = [("NAME", "SIZE", "FROM")]
    cells += [(model.name, size(model.num_bytes), model.tool) for model in models]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
