"""Exported folders, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.npu.models import BUNDLED, written


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled model: chunks of 32 tokens, 128 slots, int8 weights, 8 bits of KV, 16 of activations."""
    pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
    pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")
    folder = tmp_path_factory.mktemp("npu") / "bundled"
    written(BUNDLED, folder, chunk=32, context=128)
    return folder
