"""`edge export ADAPTER --base FOLDER`: an adapter as PEFT saves it becomes one that `--adapter` takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edge.errors import RequestError


def is_peft_folder(source: str) -> bool:
    return (Path(source) / "adapter_config.json").is_file()


def export_adapter(source: str, base: str | None, output: str | None, quant: str | None, *, force: bool) -> Path:
    """RequestError: no base, a type that adapters are not kept as, or a file that is there."""
    from edge.export.export import export
    from edge.export.peft import PeftSource
    from edge.export.source import SourceTensor
    from edge.quant.encode import encode

    if base is None:
        raise RequestError("--base: name the folder of the model that the adapter was trained on, for its config.json")
    if quant not in (None, "F32", "F16", "BF16"):
        raise RequestError(f"--quant is {quant!r}; an adapter is small and kept as F32, F16 or BF16")

    def encoded(tensor: SourceTensor, values: Any, kind: str) -> Any:
        return encode(kind, values, tensor=tensor.name)

    with PeftSource(source, base) as opened:
        target = Path(output) if output is not None else Path(f"{opened.name}-lora.gguf")
        if target.exists() and not force:
            raise RequestError(f"{target} is there already; --force replaces it")
        types = {tensor.name: quant or tensor.type_name for tensor in opened.tensors}
        return export(opened, target, types=types, encode=encoded)


def show_adapter(path: Path, as_json: bool) -> None:
    """What was written."""
    from edge.formats.adapter import open_adapter

    with open_adapter(path) as adapter:
        ranks = sorted({pair.rank for pair in adapter.pairs.values()})
        report: dict[str, Any] = {
            "path": str(path),
            "architecture": adapter.architecture,
            "num_matrices": len(adapter.pairs),
            "ranks": ranks,
            "invocation_tokens": list(adapter.invocation),
            "file_bytes": adapter.file.file_size,
        }
    if as_json:
        click.echo(json.dumps(report))
        return
    invoked = f", invoked by tokens {report['invocation_tokens']}" if report["invocation_tokens"] else ""
    click.echo(
        f"{path}: adapter for {report['architecture']}, {report['num_matrices']} matrices of rank "
        f"{', '.join(map(str, ranks))}{invoked}, {report['file_bytes']:,} bytes"
    )
