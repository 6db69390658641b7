"""Imports go one way. Reads every import of the package and reports each arrow that ARCHITECTURE.md does not draw.

python scripts/check_layers.py        exit code 1 when an arrow is wrong
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each layer may import. A layer is a package or a module of edge; "edge" is edge/__init__.py itself.
BASE = {"errors", "formats"}
TEXT = {"tokenizer", "templates", "stops"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "assets": set(),
    "device_profiles": set(),
    "native": {"errors", "edge", "device"},  # edge.__path__ says where the library lies
    "device": {"errors"},
    "profiles": {"errors", "device", "device_profiles"},
    "formats": {"errors"},
    "stops": {"errors"},
    "templates": {"errors"},
    "tools": {"errors"},
    "tokenizer": BASE,
    "graph": BASE,
    "models": BASE | {"graph"},
    "packed": BASE | {"native"},
    "backends": BASE | {"graph", "models", "native", "device", "packed"},
    "probe": BASE | {"backends", "device", "edge", "graph", "models", "native", "profiles"},
    "tuning": BASE | {"device", "edge", "native", "packed", "probe", "profiles"},
    "predict": BASE | {"backends", "native", "packed", "profiles", "tuning"},
    "memory": BASE | {"backends", "device", "native", "npu", "packed", "predict", "profiles"},
    "engine": BASE | {"backends", "native"},
    "embeddings": BASE | {"backends", "tokenizer"},
    "results": {"errors", "engine", "tools"},
    "grammar": {"errors", "tokenizer"},
    "forms": {"engine", "generate_options", "grammar", "tokenizer"},
    "reasoning": set(),
    "answer": {"reasoning", "tools"},
    "forcing": {"reasoning", "tokenizer"},
    "after_thinking": {"engine", "errors", "reasoning", "tokenizer"},
    "call_grammar": {"grammar", "tokenizer", "tools"},
    "chat_prompt": TEXT
    | {"after_thinking", "answer", "call_grammar", "engine", "errors", "forcing", "generate_options", "grammar"}
    | {"reasoning", "tools"},
    "generate_options": {"grammar"},
    "sessions": BASE | {"engine", "generate_options", "packed", "results", "stream", "user_folders"},
    "user_folders": set(),
    "sensors": set(),
    "library": BASE | {"user_folders"},
    "hub": BASE | {"edge", "library"},
    "references": {"errors", "assets", "edge", "library"},
    "describe_onnx": BASE | {"backends", "npu", "onnx_source"},
    "describe": BASE | {"models", "references", "results"},
    "stream": {"answer", "errors", "engine", "results"} | TEXT,
    "model": BASE
    | TEXT
    | {
        "adapters",
        "memory",
        "tuning",
        "engine",
        "backends",
        "chat_prompt",
        "describe",
        "embeddings",
        "forms",
        "generate_options",
        "kept",
        "model_facts",
        "results",
        "sessions",
        "sources",
        "stream",
    },
    "model_facts": BASE | {"backends", "engine", "sources"},
    "sources": BASE | {"backends", "describe", "engine", "native", "sessions", "tokenizer"},
    "adapters": BASE | {"backends", "engine"},
    "kept": BASE | {"adapters", "backends", "chat_prompt", "engine", "sessions", "sources"},
    "llama_model": BASE | {"backends", "device", "edge", "memory", "other_engines", "packed", "references", "sources"},
    "onnx_source": BASE
    | {"backends", "describe", "native", "sessions", "tokenizer", "export"},  # its tokenizer's files
    "npu_model": BASE
    | {"backends", "device", "edge", "memory", "native", "npu", "other_engines", "sessions", "sources"},
    "onnx_model": BASE
    | {"backends", "device", "edge", "memory", "npu", "npu_model", "onnx_source", "other_engines", "sources"},
    "other_engines": BASE | {"backends", "device", "edge", "memory", "sources", "tuning"},
    "prefill_engine": BASE
    | {"backends", "engine", "memory", "model_facts", "npu", "npu_model", "onnx_model", "profiles"},
    "loading": BASE
    | {
        "adapters",
        "model_facts",
        "prefill_engine",
        "backends",
        "device",
        "edge",
        "engine",
        "memory",
        "model",
        "native",
        "other_engines",
        "packed",
        "predict",
        "profiles",
        "references",
        "sessions",
        "sources",
        "tuning",
    },
    "calibration": BASE
    | {"assets", "backends", "device", "edge", "export", "graph", "models", "native", "packed", "quant", "tokenizer"},
    "serve": {"edge", "engine", "errors", "generate_options", "model", "results", "stream", "tokenizer", "tools"},
    "conform": {"errors"},
    "assistant": {"edge", "serve", "sensors", "user_folders"},  # their public names only: scripts/check_public.py
    "bench": BASE
    | {"backends", "graph", "models", "native", "device", "references", "describe", "loading", "model", "edge"}
    | {"describe_onnx", "sensors"},
    "damage": BASE | {"backends", "edge", "loading", "model", "references", "tokenizer"},
    "verify": BASE | {"backends", "damage", "edge", "loading", "model", "references", "templates", "tokenizer"},
    "npu": BASE | {"backends", "graph"},
    "convert": BASE
    | {
        "calibration",
        "damage",
        "device",
        "export",
        "models",
        "npu",
        "packed",
        "quant",
        "references",
        "tokenizer",
        "edge",
    },
    "edge": {"errors", "loading", "model", "engine", "formats", "results", "sessions", "stream"},
    "quant": BASE | {"backends", "graph", "models", "native", "edge", "damage", "loading"},
    "export": BASE | {"npu", "quant", "graph", "models", "tokenizer", "edge", "damage"},
}
FREE = {"cli", "__main__"}  # the command line may import anything, lazily


def _modules() -> Iterator[tuple[str, Path]]:
    """(layer, file) for every Python file that is installed."""
    links = ("export", "quant", "device_profiles", "assistant")  # in edge: visited where they really are
    for folder in (ROOT / "edge", ROOT / "export", ROOT / "quant", ROOT / "device_profiles", ROOT / "apps/assistant"):
        for path in sorted(folder.rglob("*.py")):
            inside = path.relative_to(folder)
            if folder.name == "edge":
                if inside.parts[0] in links:
                    continue
                yield "edge" if inside.name == "__init__.py" and len(inside.parts) == 1 else inside.parts[0], path
            else:
                yield folder.name, path


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "edge":
                for alias in node.names:
                    yield node.lineno, f"edge.{alias.name}"
            else:
                yield node.lineno, node.module


def main() -> int:
    wrong: list[str] = []
    for name, path in _modules():
        layer = name.removesuffix(".py")
        where = path.relative_to(ROOT)
        if layer in FREE:
            continue
        if layer not in ALLOWED:
            wrong.append(f"{where}: layer {layer!r} is not in ALLOWED: draw its arrows in scripts/check_layers.py")
            continue
        for line, module in _imports(ast.parse(path.read_text())):
            top, _, rest = module.partition(".")
            if top == "apps" or (top == "edge" and rest.split(".")[0] in FREE):
                wrong.append(f"{where}:{line}: {layer} imports {module}")
            elif top == "edge":
                target = rest.split(".")[0] or "edge"
                if (ROOT / "edge" / target).is_dir() or (ROOT / "edge" / f"{target}.py").is_file() or target == "edge":
                    if target != layer and target not in ALLOWED[layer]:
                        wrong.append(f"{where}:{line}: {layer} may not import {target}")
                elif "edge" not in ALLOWED[layer] and layer != "edge":
                    wrong.append(f"{where}:{line}: {layer} may not import names of edge itself ({module})")
    print("\n".join(wrong) or "layers: every import follows the arrows")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
