"""apps/ and examples/ import public names of edge only, and docs/library.md has all of these."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from scripts.check_public import DOCUMENT, PUBLIC, names_of, not_public, undocumented, wrong_imports


def test_apps_and_examples_use_public_names_only() -> None:
    assert list(wrong_imports()) == []


def test_every_public_name_is_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert list(undocumented(text)) == []
    assert "edge.serve.Guard" in undocumented(text.replace("`Guard`", "Guard"))


@pytest.mark.parametrize("module", PUBLIC)
def test_the_names_read_are_those_a_program_sees(module: str) -> None:
    if module == "edge.serve":
        pytest.importorskip("starlette", reason="the extra serve")
        pytest.importorskip("uvicorn", reason="the extra serve")
    imported = importlib.import_module(module)
    assert names_of(module) == frozenset(imported.__all__)
    assert imported.__doc__
    for name in names_of(module):
        assert getattr(imported, name).__doc__, f"{module}.{name} has no docstring"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from edge.serve.guard import Guard", "edge.serve.guard.Guard"),
        ("from edge.serve import Guard, make_app", "edge.serve.make_app"),
        ("from edge.engine import Engine", "edge.engine.Engine"),
        ("from edge import engine", "edge.engine"),
        ("import edge.serve", "import edge.serve: write from edge.serve import ..."),
        ("import edge\nedge.engine.Engine", "edge.engine"),
        ("import edge as e", "import edge as e: write import edge"),
        ("def f():\n    from edge.bench import bench", "edge.bench.bench"),
        ("from edge.assistant.store import Store", "edge.assistant.store.Store"),
    ],
)
def test_what_is_not_public_is_found(source: str, found: str) -> None:
    assert [name for _, name in not_public(ast.parse(source), None)] == [found]


def test_what_is_public_or_its_own_is_not() -> None:
    lines = ("import edge", "import edgeless", "from edge.serve import Guard", "edge.load()")
    source = "\n".join((*lines, "from edge.assistant.store import Store"))
    assert list(not_public(ast.parse(source), "edge.assistant")) == []


def test_a_file_is_read_where_it_lies(tmp_path: Path) -> None:
    for name in ("apps/assistant/one.py", "examples/two.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("from edge.assistant.store import Store\n")
    assert list(wrong_imports(tmp_path)) == ["examples/two.py:1: edge.assistant.store.Store is not public"]
