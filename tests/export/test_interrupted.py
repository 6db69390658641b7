"""Killed, out of space or refused half-way: the name holds the old file or the new one, and nothing is left behind."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.errors import DoesNotFit, NumericalError
from tests.export import folders
from tests.export.killed_export import ROOT, kill_once, write_version


def test_kill_9_leaves_no_half_written_file(tmp_path: Path) -> None:
    folder, target = folders.write_model(tmp_path / "model"), tmp_path / "out.gguf"
    taken = 0.0
    for number in range(4):
        _, taken = kill_once(folder, target, random.Random(number), taken)
    names = {path.name for path in tmp_path.iterdir()}
    assert {name for name in names if not name.endswith(".part")} == {"model", "out.gguf", "again.gguf"}


def test_a_file_size_limit_is_a_clear_error(tmp_path: Path) -> None:
    """What RLIMIT_FSIZE does, a full disk does too: writing fails half-way."""
    folder, target = folders.write_model(tmp_path / "model"), tmp_path / "out.gguf"
    limit = 50_000
    result = subprocess.run(
        [sys.executable, "-m", "edge", "export", str(folder), "-o", str(target)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert result.returncode == 3
    assert result.stderr == f"edge: {target}: File too large; nothing of it was kept\n"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_too_small_a_disk_is_known_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folders.write_model(tmp_path / "model")
    real = os.statvfs(tmp_path)
    small = os.statvfs_result((*real[:3], 10, 10, *real[5:10]))

    def nearly_full(path: Path) -> os.statvfs_result:
        return small

    monkeypatch.setattr(os, "statvfs", nearly_full)
    free = 10 * real.f_frsize
    with pytest.raises(DoesNotFit, match=f"writing takes [0-9]+ bytes, the file system has {free} free"):
        write_version(folder, tmp_path / "out.gguf", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_weight_that_is_no_number_names_its_tensor_and_keeps_the_old_file(tmp_path: Path) -> None:
    folder, target = folders.write_model(tmp_path / "model"), tmp_path / "out.gguf"
    write_version(folder, target, 1)
    before = target.read_bytes()
    arrays = folders.tensors()
    arrays["model.layers.1.mlp.up_proj.weight"][3, 7] = np.nan
    folders.write_weights(folder / "model.safetensors", arrays)
    with pytest.raises(NumericalError, match=r"tensor 'blk.1.ffn_up.weight': element \[3, 7\] is nan"):
        write_version(folder, target, 2)
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "out.gguf"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["-o", "out.gguf"], 2, "out.gguf is there already; --force replaces it"),
        (["-o", "."], 2, ". is a folder, wanted a file"),
        (["-o", "gone/out.gguf"], 2, "there is no folder gone"),
        (["--quant", "Q9_0", "-o", "x.gguf"], 2, "'Q9_0' is no type or mixture; there are"),
        (["--to", "pickle"], 2, "'pickle' is not one of 'gguf', 'packed', 'onnx', 'npu'"),
    ],
)
def test_what_the_command_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], code: int,
    message: str,
) -> None:  # fmt: skip
    folders.write_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    assert main(["export", "model", "-o", "out.gguf"]) == 0
    assert main(["export", "model", *options]) == code
    assert message in capsys.readouterr().err


def test_a_gguf_file_needs_a_type(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, target = folders.write_model(tmp_path / "model"), tmp_path / "out.gguf"
    write_version(folder, target, 1)
    assert main(["export", str(target), "-o", str(tmp_path / "again.gguf")]) == 2
    assert "say with --quant, --size or --bpw what shall become of it" in capsys.readouterr().err


def test_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A small model says that it has no packed file; an architecture that does not run here is refused at once."""
    folder = folders.write_model(tmp_path / "model")
    monkeypatch.setenv("EDGE_PROFILE", "off")
    assert main(["export", str(folder), "--to", "packed", "-o", str(tmp_path / "a.gguf")]) == 0
    assert "packed: no file: so small a model is packed in milliseconds at every load" in capsys.readouterr().out
    monkeypatch.setattr("edge.formats.config.ARCHITECTURES", ("qwen2",))
    assert main(["export", str(folder), "--to", "packed", "-o", str(tmp_path / "b.gguf")]) == 4
    assert "--to packed: this version does not run 'llama'; --to gguf writes it" in capsys.readouterr().err
    assert not (tmp_path / "b.gguf").exists()
