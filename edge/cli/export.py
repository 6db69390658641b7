"""`edge export SOURCE`: a Hugging Face folder, or a GGUF file, becomes a GGUF file, or a folder for ONNX Runtime or an
NPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.conversion import checked, making_options, recipe_of, settings, show
from edge.cli.export_adapter import export_adapter, is_peft_folder, show_adapter
from edge.cli.export_npu import export_to_npu, npu_options, refuse_npu_options
from edge.cli.export_onnx import export_folder, onnx_options, refuse_onnx_options, show_folder
from edge.cli.options import debug_option, json_option, option

if TYPE_CHECKING:
    from edge.convert import Opened


@click.command("export")
@click.argument("source")
@option(
    "--to",
    "form",
    type=click.Choice(["gguf", "packed", "onnx", "npu"]),
    default="gguf",
    show_default=True,
    help="A GGUF file; or that and its packed file, so that the first load is as fast as later ones; or a folder for "
    "ONNX Runtime's CPU kernels, which onnxruntime-genai runs too; or a folder of ONNX graphs for an NPU.",
)
@option("--quant", default=None, metavar="TYPE", help="As Q4_K_M: see edge quantize --help. [default: as stored]")
@option(
    "--base", default=None, metavar="FOLDER", help="Of an adapter: the model it was trained on, for its config.json."
)
@making_options
@onnx_options
@npu_options
@option(
    "--context",
    type=int,
    default=None,
    metavar="TOKENS",
    help="onnx: positions of a sequence at most. [default: the model's own] npu: slots for K and V. [default: 1024]",
)
@option(
    "--output", "-o", default=None, metavar="FILE",
    help="[default: NAME-TYPE.gguf in this folder; onnx: a folder NAME-onnx; npu: NAME-DEVICE]",
)  # fmt: skip
@json_option
@debug_option
def command(
    source: str,
    form: str,
    quant: str | None,
    base: str | None,
    output: str | None,
    context: int | None,
    making: dict[str, Any],
    onnx: dict[str, Any],
    npu: dict[str, Any],
    as_json: bool,
) -> None:
    """Write SOURCE, a folder as Hugging Face publishes them or a GGUF file, as a GGUF file, or for ONNX or an NPU.

    Reads config.json, safetensors and the tokenizer as data; nothing in the folder is run, and pickles are refused.
    One tensor is in memory at a time. The file or folder appears under its name when it is whole; then what a GGUF file
    lost beside SOURCE is measured and written into it.

    SOURCE may be a LoRA adapter's folder, as PEFT saves it: with --base it becomes a file for --adapter.
    """
    from edge.errors import RequestError

    if is_peft_folder(source):
        show_adapter(export_adapter(source, base, output, quant, force=making["force"]), as_json)
        return
    if base is not None:
        raise RequestError(f"--base belongs to an adapter's folder, and {source} holds no adapter_config.json")
    if form != "onnx":
        refuse_onnx_options(form, onnx)
    if form != "npu":
        refuse_npu_options(npu, form)
    if context is not None and form not in ("onnx", "npu"):
        raise RequestError(f"--context goes with --to onnx and --to npu, not with --to {form}")
    from edge.convert import convert, open_source

    if form == "onnx":
        with open_source(source) as opened:
            show_folder(export_folder(source, opened, quant, making, output, onnx | {"context": context}), as_json)
        return
    recipe = recipe_of(quant, making)
    if form == "npu":
        if recipe.changes_types or recipe.is_calibrated:
            raise RequestError("--to npu has types of its own: --weights, --kv-bits, --activation-bits")
        export_to_npu(source, output, npu | {"context": 1024 if context is None else context}, as_json)
        return
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
