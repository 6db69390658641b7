"""A tiny model whose answers are text that is read again as the tokens it was made of, and a folder for sessions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# Only the beginning of the alphabet: the tokens of an answer are then those of its text.
TEMPLATE = (
    "{% for t in tools or [] %}{{ t.function.name }}\n{% endfor %}"
    "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant: "
)
SAYABLE = frozenset(range(97, 104))
LOGIT_BIAS = {token: -1e9 for token in range(259) if token not in SAYABLE}


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Path:
    """Context 512."""
    return write_model(tmp_path_factory.mktemp("model") / "tiny.gguf", template=TEMPLATE, context=512)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where sessions lie."""
    path = tmp_path / "saved"
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(path))
    return path
