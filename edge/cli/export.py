"""`edge export SOURCE`: a Hugging Face folder, or another GGUF file, becomes a GGUF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.conversion import checked, making_options, recipe_of, settings, show
from edge.cli.export_adapter import export_adapter, is_peft_folder, show_adapter
from edge.cli.options import debug_option, json_option, option

if TYPE_CHECKING:
    from edge.convert import Opened


@click.command("export")
@click.argument("source")
@option(
    "--to",
    "form",
    type=click.Choice(["gguf", "packed"]),
    default="gguf",
    show_default=True,
    help="A GGUF file; or that and its packed file, so that the first load is as fast as later ones.",
)
@option("--quant", default=None, metavar="TYPE", help="As Q4_K_M: see edge quantize --help. [default: as stored]")
@option(
    "--base", default=None, metavar="FOLDER", help="Of an adapter: the model it was trained on, for its config.json."
)
@making_options
@option("--output", "-o", default=None, metavar="FILE", help="[default: NAME-TYPE.gguf in this folder]")
@json_option
@debug_option
def command(
    source: str,
    form: str,
    quant: str | None,
    base: str | None,
    output: str | None,
    making: dict[str, Any],
    as_json: bool,
) -> None:
    """Write SOURCE, a folder as Hugging Face publishes them or a GGUF file, as a GGUF file.

    Reads config.json, safetensors and the tokenizer as data; nothing in the folder is run, and pickles are refused.
    One tensor is in memory at a time. The file appears under its name when it is whole; then what it lost beside SOURCE
    is measured and written into it.

    SOURCE may be a LoRA adapter's folder, as PEFT saves it: with --base it becomes a file for --adapter.
    """
    from edge.errors import RequestError

    if is_peft_folder(source):
        show_adapter(export_adapter(source, base, output, quant, force=making["force"]), as_json)
        return
    if base is not None:
        raise RequestError(f"--base belongs to an adapter's folder, and {source} holds no adapter_config.json")
    from edge.convert import convert, open_source

    recipe = recipe_of(quant, making)
    if not recipe.changes_types and not Path(source).is_dir():
        raise RequestError("the file is GGUF already: say with --quant, --size or --bpw what shall become of it")
    with open_source(source) as opened:
        target = Path(output) if output is not None else Path(f"{opened.name}-{_label(opened, quant, making)}.gguf")
        checked(target, making)
        if form == "packed":
            _require_runnable(source, opened)
        made = convert(opened, recipe, target, **settings(making))
    show(made, as_json, _pack(target) if form == "packed" else None)


def _label(opened: Opened, quant: str | None, making: dict[str, Any]) -> str:
    """What the default name ends in."""
    from edge.quant.names import as_stored, main_type

    if making["size"] is not None:
        return str(making["size"]).replace("/", "")
    if making["bits"] is not None:
        return f"{making['bits']:g}bpw"
    tensors = opened.source.tensors
    return quant if quant is not None else main_type(tensors, as_stored(tensors).types)


def _require_runnable(source: str, opened: Opened) -> None:
    """Said before a long export, not after it."""
    from edge.errors import UnsupportedModel
    from edge.formats.config import ARCHITECTURES

    architecture = opened.source.metadata["general.architecture"]
    if architecture not in ARCHITECTURES:
        raise UnsupportedModel(source, f"--to packed: this version does not run {architecture!r}; --to gguf writes it")


def _pack(target: Path) -> str:
    """Makes the packed file as a first load does, and says what became of it."""
    import edge
    from edge.cli.progress import ProgressBar

    with ProgressBar("packing", " MiB", 2**20) as bar, edge.load(target, context=64, on_progress=bar) as model:
        info = model.weights
    if info.path is not None:
        return info.path
    return info.note or "no file: so small a model is packed in milliseconds at every load"
