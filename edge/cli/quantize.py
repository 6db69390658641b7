"""`edge quantize SOURCE TARGET TYPE`: a model with fewer bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edge.cli.conversion import checked, making_options, recipe_of, settings, show
from edge.cli.options import debug_option, json_option


class _Command(click.Command):
    """Lists the types in --help; they are imported only then."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from edge.quant.mixtures import MIXTURES
        from edge.quant.names import USES

        with formatter.section("Types"):
            formatter.write_dl([(name, USES.get(name, "")) for name in MIXTURES])
            formatter.write_paragraph()
            formatter.write_text(
                "Some matrices of a mixture get more bits; pure-TYPE, as pure-Q4_K, gives all of them that type. "
                "docs/quantisation.md says which to choose."
            )
        super().format_epilog(ctx, formatter)


@click.command("quantize", cls=_Command)
@click.argument("source")
@click.argument("target")
@click.argument("type_name", metavar="[TYPE]", required=False)
@making_options
@json_option
@debug_option
def command(source: str, target: str, type_name: str | None, making: dict[str, Any], as_json: bool) -> None:
    """Write SOURCE as the GGUF file TARGET with its matrices as TYPE: a mixture as llama.cpp names them, or one type.
    Without TYPE, --size or --bpw choose a type for each.

    \b
    edge quantize model-f16.gguf model.gguf Q4_K_M --calibration text.txt
    edge quantize model-f16.gguf model.gguf --size 700MB

    Best from a file of F32, F16 or BF16: errors of a quantised one add up. One tensor is in memory at a time, and the
    file appears under its name when it is whole; then what it lost is measured by the engine and written into it.
    """
    from edge.convert import convert, open_source
    from edge.errors import RequestError

    recipe = recipe_of(type_name, making)
    if not recipe.changes_types:
        raise RequestError("say what shall become of the matrices: a TYPE, --size or --bpw")
    path = checked(Path(target), making)
    with open_source(source) as opened:
        made = convert(opened, recipe, path, **settings(making))
    show(made, as_json)
