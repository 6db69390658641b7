"""`edge export SOURCE --to npu`: a folder of graphs for a device's NPU, and what a compiler made of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from edge.cli.conversion import stage_bar
from edge.cli.options import option

if TYPE_CHECKING:
    from edge.export.npu.codes import WeightType
    from edge.npu.compile import Compiled
    from edge.npu.manifest import Manifest
    from edge.npu.target import Target
    from edge.profiles.records import Npu

_NAMES = ("device", "chunk", "npu_weights", "kv_bits", "activation_bits", "shadows", "compile_for")
_OUTLIERS = 8  # places, where a profile leaves outliers on the CPU


def npu_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of --to npu: `npu` of the command, which `export_to_npu` takes."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        npu = {name: values.pop(name) for name in _NAMES}
        return command(npu=npu, **values)

    function: Callable[..., Any] = gathered
    for decorate in (
        option("--compile", "compile_for", is_flag=True,
               help="npu: compile the graphs for the device here; needs its provider's package."),
        option("--shadows", type=int, default=None, metavar="N",
               help="npu: in at most N places, multiply the most outlying channels on the CPU. [default: 0]"),
        option("--activation-bits", type=click.Choice(["8", "16"]), default="16", show_default=True,
               help="npu: of what matrices are multiplied with."),
        option("--kv-bits", type=click.Choice(["8", "16"]), default="8", show_default=True, help="npu: of K and V."),
        option("--weights", "npu_weights", type=click.Choice(["int8", "int4", "int8x32", "int4x32"]), default=None,
               help="npu: bits, with a scale per output channel or per block of 32. [default: the device's, or int8]"),
        option("--chunk", type=int, default=None, metavar="TOKENS",
               help="npu: tokens of a prefill step. [default: the device's, or 64]"),
        option("--device", default=None, metavar="NAME",
               help="npu: a device profile that has an NPU, or a TOML file."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def refuse_npu_options(npu: dict[str, Any], form: str) -> None:
    """RequestError: one was given for another form."""
    from edge.errors import RequestError

    given = [name for name in ("device", "chunk", "npu_weights", "shadows", "compile_for") if npu[name]]
    if given:
        name = given[0].removeprefix("npu_").removesuffix("_for")
        raise RequestError(f"--{name} goes with --to npu, not with --to {form}")


def export_to_npu(source: str, output: str | None, npu: dict[str, Any], as_json: bool) -> None:
    """Writes the folder, compiles where asked for, and reports."""
    from edge.backends.onnx.providers import device_of, runtime
    from edge.convert import open_source
    from edge.convert.npu import export_npu
    from edge.errors import RequestError
    from edge.export.npu.options import NpuOptions
    from edge.npu.compile import compile_folder
    from edge.npu.target import refuse_unfinished

    if npu["device"] is None:
        raise RequestError(f"--to npu needs --device: {', '.join(_devices())}, or a TOML file with an [npu]")
    device, record = _npu_of(npu["device"])
    shadows = npu["shadows"]
    if shadows is None:
        shadows = _OUTLIERS if "outliers" in record.on_cpu else 0
    weights = cast("WeightType", npu["npu_weights"] or record.weights or "int8")
    target = _target(record)
    options = NpuOptions(
        target=target,
        chunk=npu["chunk"] or min(record.chunk or 64, npu["context"]),
        context=npu["context"],
        weights=weights,
        kv_bits=int(npu["kv_bits"]),
        activation_bits=int(npu["activation_bits"]),
        shadows=shadows,
    )
    if npu["compile_for"]:
        refuse_unfinished(target.provider, weights)  # said before a long export, not after it
        device_of(runtime(), target.provider)
    with open_source(source) as opened:
        folder = Path(output) if output is not None else Path(f"{opened.name}-{device}")
        manifest = export_npu(opened, folder, options, device=device, stages=stage_bar)
    compiled = compile_folder(folder, target.provider, name=f"compiled-{device}") if npu["compile_for"] else None
    _show(folder, manifest, compiled, as_json)


def _devices() -> list[str]:
    from edge.profiles import load_shipped, shipped

    return [name for name in shipped() if load_shipped(name).npu is not None]


def _npu_of(device: str) -> tuple[str, Npu]:
    """The name that the folder is for, and its profile's NPU."""
    from edge.errors import RequestError
    from edge.profiles import load_profile, load_shipped

    is_file = device.endswith(".toml")
    profile = load_profile(device) if is_file else load_shipped(device)
    if profile.npu is None:
        raise RequestError(f"the profile {device} has no [npu]; these have: {', '.join(_devices())}")
    return (Path(device).stem if is_file else device), profile.npu


def _target(npu: Npu) -> Target:
    from edge.npu.target import Target

    return Target.of(npu.provider, dict(item.split("=", 1) for item in npu.options))


def _show(folder: Path, manifest: Manifest, compiled: Compiled | None, as_json: bool) -> None:
    from edge.cli.report import size
    from edge.cli.terminal import harmless

    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir()) if path.is_file()}
    if as_json:
        report = {
            "path": str(folder), "device": manifest.device, "files": sizes, "bytes": sum(sizes.values()),
            "chunk": manifest.chunk, "context": manifest.context, "weights": manifest.weights,
            "kv_bits": manifest.kv_bits, "activation_bits": manifest.activation_bits,
            "shadows": len(manifest.shadows), "graphs": manifest.num_graphs,
            "compiled": None if compiled is None else {
                "path": str(compiled.folder), "files": dict(compiled.files),
                "assignment": {graph: {ep: sum(n.values()) for ep, n in found.nodes.items()}
                               for graph, found in compiled.placements.items()},
            },
        }  # fmt: skip
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    lines = [
        f"{folder}: {size(sum(sizes.values()))} for {manifest.device}, weights {manifest.weights}, "
        f"KV {manifest.kv_bits} bits, chunks of {manifest.chunk} tokens, {manifest.context} slots",
    ]
    if manifest.shadows:
        lines.append(f"outliers: {len(manifest.shadows)} products on the CPU, {manifest.num_graphs} graphs a step")
    if compiled is not None:
        nodes = sum(found.num_nodes for found in compiled.placements.values())
        lines.append(f"{compiled.folder}: {size(compiled.num_bytes)}, all {nodes} nodes on the provider")
    click.echo(harmless("\n".join(lines)))
