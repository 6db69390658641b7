"""`edge quantize SOURCE TARGET TYPE`: a GGUF file with fewer bits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import debug_option, json_option, option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.export import SourceTensor

_MIB = 2**20
_FLOATS = ("F32", "F16", "BF16")


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


@click.command("quantize", cls=_Command)
@click.argument("source")
@click.argument("target")
@click.argument("type_name", metavar="TYPE")
@option("--threads", type=int, default=None, help="Threads. [default: one per core]")
@option("--force", is_flag=True, help="Replace a file that is there.")
@json_option
@debug_option
def command(source: str, target: str, type_name: str, threads: int | None, force: bool, as_json: bool) -> None:
    """Write the GGUF file SOURCE as TARGET with its matrices as TYPE: a mixture as llama.cpp names them, or one type.

    Best from a file of F32, F16 or BF16: errors of a quantised one add up. One tensor is in memory at a time, and the
    file appears under its name when it is whole.
    """
    from edge import device
    from edge.cli.progress import ProgressBar
    from edge.errors import RequestError
    from edge.export.export import export
    from edge.export.gguf_source import GGUFSource
    from edge.quant.encoder import Encoder
    from edge.quant.names import choose
    from edge.references import resolve

    path = Path(target)
    if path.is_dir():
        raise RequestError(f"{path} is a folder, wanted a file")
    if not path.parent.is_dir():
        raise RequestError(f"there is no folder {path.parent}")
    if path.exists() and not force:
        raise RequestError(f"{path} is there already; --force replaces it")
    with (
        GGUFSource(resolve(source)) as model,
        Encoder(threads if threads is not None else device.cpus().default_threads) as encode,
        ProgressBar("quantising", " MiB", _MIB) as bar,
    ):
        types, file_type = choose(type_name, model.tensors, model.metadata)
        extra = {"general.quantization_version": 2} | ({} if file_type is None else {"general.file_type": file_type})
        export(model, path, types=types, encode=encode, extra_metadata=extra, progress=bar)
        weights = sum(_size(tensor.shape) for tensor in model.tensors)
        notes = _notes(model.tensors)
    report: dict[str, Any] = {
        "path": str(path),
        "bytes": path.stat().st_size,
        "bits_per_weight": 8 * path.stat().st_size / weights,
        "types": {name: list(types.values()).count(name) for name in sorted(set(types.values()))},
        "notes": notes,
    }
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _lines(report))


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _notes(tensors: Sequence[SourceTensor]) -> list[str]:
    """What the user should know about the source."""
    stored = sorted({tensor.type_name for tensor in tensors} - set(_FLOATS))
    if not stored:
        return []
    return [f"the source is quantised already ({', '.join(stored)}): its errors stay, and new ones are added"]


def _lines(report: dict[str, Any]) -> str:
    from edge.cli.report import size
    from edge.cli.terminal import harmless

    types = ", ".join(f"{name} x {count}" for name, count in report["types"].items())
    lines = [f"{report['path']}: {size(report['bytes'])}, {report['bits_per_weight']:.2f} bits per weight, {types}"]
    lines += [f"note: {note}" for note in report["notes"]]
    return harmless("\n".join(lines))
