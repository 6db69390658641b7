"""`edge show FOLDER`: what is in an ONNX folder, in words."""

from __future__ import annotations

from typing import Any

from edge.cli.terminal import harmless


def folder_lines(description: dict[str, Any]) -> str:
    from edge.cli.report import size

    bits, config = description["bits_per_weight"], description["config"]
    template, hashes = description["template"], description["source_sha256"]
    opsets = ", ".join(f"{name or 'ONNX'} {version}" for name, version in description["opsets"].items())
    rows = [
        ("folder", description["path"]),
        ("name", description["name"]),
        ("architecture", description["architecture"]),
        ("runs here", "yes" if description["supported"] else f"no: {description['unsupported_because']}"),
        ("parameters", f"{description['num_parameters']:,}"),
        ("size", f"{size(description['file_bytes'])}" + (f", {bits:.2f} bits per weight" if bits else "")),
        ("types", ", ".join(f"{kind} x {count}" for kind, count in description["types"].items()) or None),
        ("activations", _activations(description["accuracy_levels"])),
        ("context", f"{description['context']} tokens" if description["context"] else None),
        ("layers", None if config is None else _layers(config)),
        ("KV", None if config is None else f"{config['kv_type']}, {config['kv_bytes_per_position']:,} bytes a token"),
        ("logits", None if config is None else f"of {config['logits_of']}"),
        ("tokenizer", f"{description['tokenizer']['vocab_size']} tokens" if description["tokenizer"] else None),
        ("template", "none in the folder" if template is None else f"{template['num_characters']} characters"),
        ("made from", None if hashes is None else f"a GGUF file with SHA-256 {hashes[0][:12]}"),
        ("operators", ", ".join(f"{name} x {count}" for name, count in description["operators"].items())),
        ("ONNX", f"IR {description['ir_version']}, opsets {opsets}, written by {description['producer'] or 'nobody'}"),
        ("files", ", ".join(f"{name} {size(length)}" for name, length in description["files"].items())),
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    return harmless("\n".join(f"{name:<{width}}  {value}" for name, value in rows if value is not None))


def _activations(levels: list[int]) -> str | None:
    """What quantised matrices are multiplied with."""
    if not levels:
        return None
    kinds = ["eight bits" if level == 4 else "floats" for level in levels]
    return f"{' and '.join(dict.fromkeys(kinds))} (accuracy level {', '.join(map(str, levels))})"


def _layers(config: dict[str, Any]) -> str:
    heads = f"{config['num_key_value_heads']} KV heads of {config['head_dim']}"
    return f"{config['num_hidden_layers']}, {heads}"
