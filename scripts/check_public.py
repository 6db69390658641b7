"""What programs outside of edge may import of it, in one place; apps/ and examples/ are held to it.

python scripts/check_public.py    exit code 1 when a file there imports anything else, or docs/library.md lacks a name

The names of a public module are its `__all__`, which tests/test_exports.py pins; docs/library.md says what for.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = (
    "edge", "edge.assistant", "edge.export", "edge.formats", "edge.quant", "edge.sensors", "edge.serve",
    "edge.user_folders",
)  # fmt: skip
OUTSIDE = ("apps", "examples")
OWN = {"apps/assistant": "edge.assistant"}  # what a folder is itself
DOCUMENT = ROOT / "docs" / "library.md"


def names_of(module: str) -> frozenset[str]:
    """`__all__` of a public module, read without importing it. ValueError: it has none."""
    path = ROOT.joinpath(*module.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["__all__"]:
            return frozenset(ast.literal_eval(node.value))
    raise ValueError(f"{file} has no __all__")


def not_public(tree: ast.AST, own: str | None) -> Iterator[tuple[int, str]]:
    """(line, name) of everything of edge that a program uses and that is not public; `own`: a package that is its."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if _is_edge(alias.name, own) and alias.name != "edge":
                    # Its names would be reached by attributes, past this check.
                    yield node.lineno, f"import {alias.name}: write from {alias.name} import ..."
                elif alias.name == "edge" and alias.asname is not None:
                    yield node.lineno, f"import edge as {alias.asname}: write import edge"
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level and _is_edge(node.module, own):
            known = names_of(node.module) if node.module in PUBLIC else frozenset[str]()
            for alias in node.names:
                if alias.name not in known:
                    yield node.lineno, f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "edge":
            if node.attr not in names_of("edge"):
                yield node.lineno, f"edge.{node.attr}"


def _is_edge(module: str, own: str | None) -> bool:
    inside = own is not None and (module == own or module.startswith(f"{own}."))
    return not inside and (module == "edge" or module.startswith("edge."))


def wrong_imports(root: Path = ROOT) -> Iterator[str]:
    for folder in OUTSIDE:
        for path in sorted((root / folder).rglob("*.py")):
            where = path.relative_to(root).as_posix()
            own = next((package for start, package in OWN.items() if where.startswith(f"{start}/")), None)
            for line, name in not_public(ast.parse(path.read_text(encoding="utf-8")), own):
                yield f"{where}:{line}: {name} is not public"


def undocumented(text: str) -> Iterator[str]:
    """Public modules and names that the document does not have in backticks."""
    for module in PUBLIC:
        if f"`{module}`" not in text:
            yield module
        yield from (f"{module}.{name}" for name in sorted(names_of(module)) if f"`{name}`" not in text)


def main() -> int:
    wrong = [*wrong_imports()]
    wrong += [f"docs/library.md lacks {name}" for name in undocumented(DOCUMENT.read_text(encoding="utf-8"))]
    print("\n".join(wrong) or "public: apps and examples use public names only, and all of them are documented")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
