"""`edge export SOURCE --to onnx`: its options, the export, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import option

if TYPE_CHECKING:
    from edge.convert import Opened
    from edge.export.onnx.export import ExportedOnnx

_OPTIONS = ("weight_bits", "block_size", "accuracy_level", "all_logits")
# What says how a GGUF file is made, and the names that users know it by.
_OTHERS = {
    "size": "--size",
    "bits": "--bpw",
    "method": "--method",
    "calibration": "--calibration",
    "damage_text": "--damage-text",
}


def onnx_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How an ONNX folder is made: `onnx` of the command, which `export_folder` takes."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        onnx = {name: values.pop(name) for name in _OPTIONS}
        return command(onnx=onnx, **values)

    function: Callable[..., Any] = gathered
    for decorate in (
        option("--all-logits", is_flag=True, help="onnx: logits of every token, not of the last one alone."),
        option("--accuracy-level", type=int, default=None, metavar="LEVEL",
               help="onnx: 4 multiplies with activations of eight bits, 0 with floats. [default: 4]"),
        option("--block-size", type=int, default=None, metavar="WEIGHTS",
               help="onnx: weights that share a scale, where they are rounded: 16, 32, 64, 128, 256. "
               "[default: 32]"),
        option("--bits", "weight_bits", type=int, default=None, metavar="BITS",
               help="onnx: 2, 4 or 8 of each weight. [default: 4; codes of GGUF types that fit stay as they are]"),
    ):  # fmt: skip
        function = decorate(function)
    return function


def refuse_onnx_options(form: str, onnx: dict[str, Any]) -> None:
    """RequestError for options that say nothing about another form."""
    from edge.errors import RequestError

    for name, value in onnx.items():
        if value not in (None, False):
            shown = "--bits" if name == "weight_bits" else f"--{name.replace('_', '-')}"
            raise RequestError(f"{shown} goes with --to onnx, not with --to {form}")


def export_folder(
    source: str, opened: Opened, quant: str | None, making: dict[str, Any], output: str | None, onnx: dict[str, Any]
) -> ExportedOnnx:
    """RequestError for options of other forms, and what `export_onnx` raises."""
    from edge.cli.progress import ProgressBar
    from edge.errors import RequestError
    from edge.export.onnx import OnnxOptions, Rounding
    from edge.export.onnx.export import export_onnx

    given = ["--quant"] if quant is not None else []
    given += [shown for name, shown in _OTHERS.items() if making[name] is not None]
    if given:
        raise RequestError(f"{given[0]} does not go with --to onnx: make a GGUF file with it, and export that")
    level, block = onnx["accuracy_level"], onnx["block_size"]
    options = OnnxOptions(
        Rounding(onnx["weight_bits"], 32 if block is None else block),
        4 if level is None else level,
        onnx["all_logits"],
        onnx["context"],
    )
    target = Path(output) if output is not None else Path(f"{opened.name}-onnx")
    if target.is_dir() and any(target.iterdir()) and not making["force"]:
        raise RequestError(f"{target} is there already; --force replaces it")
    folder = Path(source) if opened.path is None else None
    with ProgressBar("writing", " MiB", 2**20) as bar:
        made = export_onnx(opened.source, target, options, folder=folder, progress=bar)
    rounded = any(not form.endswith("as stored") for form in made.forms)
    return made._replace(notes=(*(opened.notes if rounded or folder is not None else ()), *made.notes))


def show_folder(made: ExportedOnnx, as_json: bool) -> None:
    """Prints the report."""
    from edge.cli.report import size
    from edge.cli.terminal import harmless

    total = max(1, sum(made.forms.values()))
    if as_json:
        report = {
            "path": str(made.path),
            "bytes": made.num_bytes,
            "context": made.context,
            "weights": dict(made.forms),
            "notes": list(made.notes),
        }
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    forms = "; ".join(f"{form}: {count / total:.0%}" for form, count in made.forms.items())
    lines = [f"{made.path}: {size(made.num_bytes)}, context {made.context}, weights of {forms}"]
    click.echo(harmless("\n".join([*lines, *(f"note: {note}" for note in made.notes)])))
