"""`edge export SOURCE`: a Hugging Face folder, or another GGUF file, becomes a GGUF file."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import debug_option, json_option, option

if TYPE_CHECKING:
    from edge.export import TensorSource

_MIB = 2**20


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
@option("--output", "-o", default=None, metavar="FILE", help="[default: NAME-TYPE.gguf in this folder]")
@option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
@debug_option
def command(source: str, form: str, quant: str | None, output: str | None, force: bool, as_json: bool) -> None:
    """Write SOURCE, a folder as Hugging Face publishes them or a GGUF file, as a GGUF file.

    Reads config.json, safetensors and the tokenizer as data; nothing in the folder is run, and pickles are refused.
    One tensor is in memory at a time. The file appears under its name when it is whole.
    """
    from edge import device
    from edge.cli.progress import ProgressBar
    from edge.errors import RequestError
    from edge.export.export import export
    from edge.export.types import choose_types, main_type
    from edge.formats.types import GGMLType, tensor_num_bytes
    from edge.quant.encoder import Encoder

    if quant is None and not Path(source).is_dir():
        raise RequestError("--quant: say which type the matrices shall have; the file is GGUF already")
    with _open(source) as (model, name, notes):
        types, file_type = choose_types(model.tensors, model.metadata, quant)
        label = quant if quant is not None else main_type(model.tensors, types)
        target = Path(output if output is not None else f"{name}-{label}.gguf")
        if target.is_dir():
            raise RequestError(f"--output: {target} is a folder, wanted a file")
        if not target.parent.is_dir():
            raise RequestError(f"--output: there is no folder {target.parent}")
        if target.exists() and not force:
            raise RequestError(f"{target} is there already; --force replaces it")
        if form == "packed":
            _require_runnable(source, model)
        stated = {"general.quantization_version": 2} | ({} if file_type is None else {"general.file_type": file_type})
        with Encoder(device.cpus().default_threads) as encode, ProgressBar("writing", " MiB", _MIB) as bar:
            export(model, target, types=types, encode=encode, extra_metadata=stated, progress=bar)
        parameters = sum(math.prod(tensor.shape) for tensor in model.tensors)
        bits = 8 * sum(tensor_num_bytes(GGMLType[types[name]], shape) for name, shape, _ in model.tensors)
    report: dict[str, Any] = {
        "path": str(target),
        "bytes": target.stat().st_size,
        "bits_per_weight": bits / parameters,
        "types": {name: list(types.values()).count(name) for name in sorted(set(types.values()))},
        "packed": _pack(target) if form == "packed" else None,
        "notes": list(notes),
    }
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _lines(report))


@contextlib.contextmanager
def _open(source: str) -> Generator[tuple[TensorSource, str, tuple[str, ...]]]:
    """The source, what to call it, and what is to be said about it. A name that a file states is not used for files."""
    if Path(source).is_dir():
        from edge.export.hugging_face import HuggingFaceSource

        with HuggingFaceSource(source) as folder:
            yield folder, folder.name, folder.notes
    else:
        from edge.export.gguf_source import GGUFSource
        from edge.references import resolve

        path = resolve(source)
        with GGUFSource(path) as file:
            yield file, path.stem, ()


def _require_runnable(source: str, model: TensorSource) -> None:
    """Said before a long export, not after it."""
    from edge.errors import UnsupportedModel
    from edge.formats.config import ARCHITECTURES

    architecture = model.metadata["general.architecture"]
    if architecture not in ARCHITECTURES:
        raise UnsupportedModel(source, f"--to packed: this version does not run {architecture!r}; --to gguf writes it")


def _pack(target: Path) -> str:
    """Makes the packed file as a first load does, and says what became of it."""
    import edge
    from edge.cli.progress import ProgressBar

    with ProgressBar("packing", " MiB", _MIB) as bar, edge.load(target, context=64, on_progress=bar) as model:
        info = model.weights
    if info.path is not None:
        return info.path
    return info.note or "no file: so small a model is packed in milliseconds at every load"


def _lines(report: dict[str, Any]) -> str:
    from edge.cli.report import size
    from edge.cli.terminal import harmless

    types = ", ".join(f"{name} x {count}" for name, count in report["types"].items())
    lines = [f"{report['path']}: {size(report['bytes'])}, {report['bits_per_weight']:.2f} bits per weight, {types}"]
    if report["packed"] is not None:
        lines.append(f"packed: {report['packed']}")
    return harmless("\n".join([*lines, *(f"note: {note}" for note in report["notes"])]))
