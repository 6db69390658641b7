"""What `edge export` and `edge quantize` share: the options that say how a file is made, and the report."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import option

if TYPE_CHECKING:
    from edge.cli.progress import ProgressBar
    from edge.convert import Converted, Recipe
    from edge.convert.stages import Stage
    from edge.damage import Damage

_MAKING = ("size", "bits", "sensitivity", "method", "calibration", "damage_text", "no_measure", "threads", "force")
_UNITS: dict[Stage, tuple[str, float]] = {
    "reading": (" MiB", 2**20),
    "calibrating": (" tokens", 1),
    "calibrating operations": ("", 1),
    "probing": (" probes", 1),
    "choosing": (" matrices", 1),
    "smoothing": (" strengths", 1),
    "writing": (" MiB", 2**20),
    "loading": (" MiB", 2**20),
    "measuring": (" tokens", 1),
}


def making_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a file is made: `making` of the command, which `recipe_of` and keywords of `checked` take."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        making = {name: values.pop(name) for name in _MAKING}
        return command(making=making, **values)

    function: Callable[..., Any] = gathered
    for decorate in (
        option("--force", is_flag=True, help="Replace a file that is there."),
        option("--threads", type=int, default=None, help="Threads. [default: one per core]"),
        option("--no-measure", is_flag=True, help="Do not measure what was lost, nor write it into the file."),
        option("--damage-text", type=click.Path(dir_okay=False, path_type=Path), default=None, metavar="FILE",
               help="UTF-8 text that it is measured on. [default: a small varied one that is shipped]"),
        option("--calibration", default=None, metavar="FILE",
               help="Round for this text, or by an importance matrix of edge imatrix or llama.cpp. "
               "[default: with --method, a text that is shipped]"),
        option("--method", default=None, metavar="METHOD",
               help="rounding by importance, awq, smoothquant+ or gptq (Q4_0 and Q4_K); all calibrate. [default: plain "
               "rounding; with --calibration, rounding by importance]"),
        option("--sensitivity/--no-sensitivity", default=None,
               help="With --size and --bpw: measure how much the model minds an error in its matrices, by reading a "
               "text with some of them rounded; or take types between those of two named mixtures. [default: measured, "
               "for up to 8 billion weights]"),
        option("--bpw", "bits", type=float, default=None, metavar="BITS",
               help="Choose each matrix's type for at most so many bits per weight."),
        option("--size", default=None, metavar="BYTES",
               help="Choose each matrix's type for a file of at most this size, as 700MB."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def recipe_of(quant: str | None, making: dict[str, Any]) -> Recipe:
    """RequestError for what contradicts itself."""
    from edge.convert import Recipe
    from edge.memory import parse_bytes

    size = making["size"]
    return Recipe(
        quant=quant,
        size_bytes=None if size is None else parse_bytes(size, "--size"),
        bits_per_weight=making["bits"],
        method=making["method"],
        calibration=making["calibration"],
        sensitivity=making["sensitivity"],
    )


def checked(target: Path, making: dict[str, Any]) -> Path:
    """A name that a file may be written to, said before any work."""
    from edge.errors import RequestError

    if target.is_dir():
        raise RequestError(f"{target} is a folder, wanted a file")
    if not target.parent.is_dir():
        raise RequestError(f"there is no folder {target.parent}")
    if target.exists() and not making["force"]:
        raise RequestError(f"{target} is there already; --force replaces it")
    return target


def settings(making: dict[str, Any]) -> dict[str, Any]:
    """Keywords of `edge.convert.convert`."""
    from edge.cli.interrupt import cancelling

    return {
        "threads": making["threads"],
        "text": making["damage_text"],
        "measured": not making["no_measure"],
        "stages": stage_bar,
        "guard": cancelling,
    }


def stage_bar(stage: Stage) -> ProgressBar:
    from edge.cli.progress import ProgressBar

    return ProgressBar(stage, *_UNITS[stage])


def show(made: Converted, as_json: bool, packed: str | None = None) -> None:
    """Prints the report. packed: what became of the packed file, None where none was asked for."""
    from edge.cli.terminal import harmless

    counts = {name: list(made.types.values()).count(name) for name in sorted(set(made.types.values()))}
    if not as_json:
        click.echo(harmless("\n".join(_lines(made, counts, packed))))
        return
    report = {
        "path": str(made.path),
        "bytes": made.path.stat().st_size,
        "bits_per_weight": made.bits_per_weight,
        "types": counts,
        "chosen": made.how,
        "damage": None if made.damage is None else made.damage.as_json(),
        "packed": packed,
        "notes": list(made.notes),
    }
    click.echo(json.dumps(report, ensure_ascii=False))


def _lines(made: Converted, counts: dict[str, int], packed: str | None) -> list[str]:
    from edge.cli.report import size

    types = ", ".join(f"{name} x {count}" for name, count in counts.items())
    lines = [f"{made.path}: {size(made.path.stat().st_size)}, {made.bits_per_weight:.2f} bits per weight, {types}"]
    if made.how is not None:
        lines.append(f"types chosen {made.how}")
    if made.damage is not None:
        lines.append(_lost(made.damage))
    if packed is not None:
        lines.append(f"packed: {packed}")
    return [*lines, *(f"note: {note}" for note in made.notes)]


def _lost(damage: Damage) -> str:
    assert damage.perplexity_ratio is not None and damage.top1 is not None
    return (
        f"lost: perplexity {damage.perplexity_ratio - 1:+.2%}, mean KLD {damage.mean_kld:.3g}, same top token "
        f"{damage.top1:.2%} of {damage.num_positions:,}, on {damage.text}"
    )
