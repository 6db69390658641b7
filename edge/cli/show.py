"""`edge show MODEL`: what a model file is, without loading its weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from edge.cli.options import debug_option, json_option, model_argument
from edge.cli.terminal import harmless


@click.command("show")
@model_argument()
@json_option
@debug_option
def command(model: str | None, as_json: bool) -> None:
    """Describe MODEL (default: the bundled one): architecture, sizes, types, context, tokenizer, template, licence; of
    an ONNX folder its operators, too.

    Of OWNER/REPO[:QUANT] or a URL that is not on this machine nothing but the header is read, where it is.
    """
    if model is not None and Path(model).expanduser().is_dir():
        from edge.cli.show_onnx import folder_lines
        from edge.describe_onnx import describe_folder
        from edge.references import resolve

        description, lines = describe_folder(resolve(model)), folder_lines
    else:
        from edge.cli.remote import opened
        from edge.describe import describe_file

        with opened(model) as (file, path):
            description, lines = describe_file(file, path), _lines
    click.echo(json.dumps(description, ensure_ascii=False) if as_json else lines(description))


def _lines(description: dict[str, Any]) -> str:
    from edge.cli.report import size

    rows = [
        ("file", description["path"]),
        ("name", description["name"]),
        ("architecture", description["architecture"]),
        ("runs here", "yes" if description["supported"] else f"no: {description['unsupported_because']}"),
        ("parameters", f"{description['num_parameters']:,}"),
        ("size", f"{size(description['file_bytes'])}, {_bits(description['bits_per_weight'])}"),
        ("types", ", ".join(f"{kind} x {count}" for kind, count in description["types"].items()) or None),
        ("quantised", _section(description["quantisation"])),
        ("damage", _damage(description)),
        ("context", f"{description['context']} tokens" if description["context"] else None),
        ("layers", _layers(description["config"])),
        ("tokenizer", _tokenizer(description["tokenizer"])),
        ("template", _template(description["template"])),
        ("licence", description["license"] or "not stated in the file"),
        ("GGUF", f"version {description['gguf_version']}, {description['num_tensors']} tensors, "
                 f"{description['num_keys']} metadata keys, {description['num_parts']} part(s)"),
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value}" for name, value in rows if value is not None]
    return harmless("\n".join(lines))


def _damage(description: dict[str, Any]) -> str | None:
    if description["damage"] is None and description["quantisation"] is not None:
        return "not measured; edge eval --against the original with --record does it"
    return _section(description["damage"])


def _bits(bits: float | None) -> str:
    return "no weights" if bits is None else f"{bits:.2f} bits per weight"


def _section(values: dict[str, Any] | None) -> str | None:
    """What the file says of itself, as it says it: "perplexity 12.31, mean kld 0.0123, ..."."""
    if values is None:
        return None
    return ", ".join(f"{name.replace('_', ' ')} {_shortly(name, value)}" for name, value in values.items())


def _shortly(name: str, value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value[:12] if name.endswith("sha256") and isinstance(value, str) else value


def _layers(config: dict[str, Any] | None) -> str | None:
    if config is None:
        return None
    return (
        f"{config['num_hidden_layers']}, hidden {config['hidden_size']}, intermediate {config['intermediate_size']}, "
        f"heads {config['num_attention_heads']} ({config['num_key_value_heads']} KV) of {config['head_dim']}"
    )


def _tokenizer(tokenizer: dict[str, Any] | None) -> str:
    if tokenizer is None:
        return "none in the file"
    pre = f", pre {tokenizer['pre']}" if tokenizer["pre"] else ""
    return f"{tokenizer['model']}{pre}, {tokenizer['vocab_size']} tokens"


def _template(template: dict[str, Any] | None) -> str:
    if template is None:
        return "none in the file"
    return f"{template['num_characters']} characters, sha256 {template['sha256'][:12]}"
