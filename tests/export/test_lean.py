"""An export holds one tensor at a time, and imports nothing that could run a model's code."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from edge.export.export import export
from edge.export.hugging_face import HuggingFaceSource
from edge.export.source import SourceTensor
from edge.formats.types import GGMLType
from edge.quant import encode
from tests.export import folders

ROOT = Path(__file__).resolve().parents[2]


def test_peak_memory_is_that_of_the_largest_tensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HIDDEN": 512, "FF": 1024, "LAYERS": 8}.items():
        monkeypatch.setattr(folders, name, value)
    sizes = {"hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 8, "head_dim": 8}
    monkeypatch.setattr(folders, "CONFIG", {**folders.CONFIG, **sizes})
    folder = folders.write_model(tmp_path / "model", shards=3)
    largest = 512 * 1024 * 4
    assert sum(path.stat().st_size for path in folder.glob("*.safetensors")) > 20 * largest
    with HuggingFaceSource(folder) as source:
        types = {tensor.name: "Q8_0" if len(tensor.shape) == 2 else "F32" for tensor in source.tensors}

        def encoded(tensor: SourceTensor, values: object, kind: str) -> bytes:
            return encode(GGMLType[kind], values)  # type: ignore[arg-type]

        tracemalloc.start()
        export(source, tmp_path / "out.gguf", types=types, encode=encoded)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 4 * largest, f"{peak / largest:.1f} times the largest tensor"


def test_nothing_of_the_folder_is_run_and_torch_is_not_imported(tmp_path: Path) -> None:
    folder = folders.write_model(tmp_path / "model")
    ran = tmp_path / "ran"
    for name in ("modeling_llama.py", "configuration_llama.py", "tokenization_llama.py", "conftest.py", "__init__.py"):
        (folder / name).write_text(f"open({str(ran)!r}, 'w')")
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config[:-1] + ', "auto_map": {"AutoModel": "modeling_llama.Model"}}')
    script = (
        "import sys; from edge.cli import main; "
        f"assert main(['export', {str(folder)!r}, '-o', {str(tmp_path / 'out.gguf')!r}]) == 0; "
        "print(sorted({'torch', 'transformers', 'safetensors', 'pickle', 'sentencepiece', 'gguf'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], cwd=ROOT, text=True, capture_output=True, check=True)
    loaded = result.stdout.splitlines()[-1]
    assert loaded in ("[]", "['pickle']"), loaded  # NumPy imports pickle; nothing here calls it
    assert not ran.exists()
