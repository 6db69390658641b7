"""`edge quantize` with a calibration text: files that lose less than plain rounding, and say how they were made."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edge.calibration import shipped_text
from edge.formats import open_gguf
from edge.formats.types import type_name
from edge.quant import decode
from edge.tokenizer import Tokenizer
from tests.calibration.models import TEXT, config, graph_of, outlier_tensors, write_floats
from tests.cli.conftest import RunEdge
from tests.quant.methods.plain import MemorySource, logits, loss


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With outlier channels, in F32."""
    return write_floats(tmp_path_factory.mktemp("quantize") / "m.gguf", config(), outlier_tensors(config()))


def source_of(path: Path) -> MemorySource:
    with open_gguf(path) as file:
        return MemorySource(
            {name: decode(info.type, file.tensor_data(name), info.shape) for name, info in file.tensors.items()}
        )


def lost(model: Path, quantised: Path) -> float:
    """KL divergence on a text that no calibration saw."""
    with open_gguf(model) as file:
        tokens = Tokenizer.from_gguf(file).encode("Another text, with 12 other words: été, λ, «да» — and 漢字!")
    graph = graph_of(config())
    return loss(logits(graph, source_of(model), tokens), logits(graph, source_of(quantised), tokens))


@pytest.mark.parametrize("kind", ["Q4_0", "Q4_K"])
def test_every_method_loses_less(run_edge: RunEdge, model: Path, tmp_path: Path, kind: str) -> None:
    text, words = tmp_path / "text.txt", 2 * TEXT
    text.write_text(words)
    imatrix = tmp_path / "importance.gguf"
    assert run_edge("imatrix", str(model), "--text", str(text), "-o", str(imatrix)).returncode == 0
    digest = hashlib.sha256(words.encode()).hexdigest()
    losses: dict[str, float] = {}
    # a search over 22 files: once is enough
    smoothed = {"smoothquant+": ("--method", "smoothquant+", "--calibration", str(text))} if kind == "Q4_0" else {}
    for name, arguments in {
        "plain": (),
        "imatrix": ("--calibration", str(imatrix)),
        "rounding": ("--calibration", str(text)),
        "awq": ("--method", "awq", "--calibration", str(text)),
        "gptq": ("--method", "gptq", "--calibration", str(text)),
        **smoothed,
    }.items():
        target = tmp_path / f"{name}.gguf"
        result = run_edge("quantize", str(model), str(target), f"pure-{kind}", *arguments)
        assert result.returncode == 0, result.stderr
        losses[name] = lost(model, target)
        with open_gguf(target) as file:
            assert type_name(file.tensors["blk.0.attn_q.weight"].type) == kind
            said = (
                file.get_str("edge.quantisation.method", ""),
                file.get_str("edge.quantisation.calibration_sha256", ""),
            )
        pure = f"pure-{kind}"
        wanted = {
            "smoothquant+": (f"{pure}, SmoothQuant+", digest),
            "plain": (pure, ""),
            "awq": (f"{pure}, AWQ", digest),
            "gptq": (f"{pure}, GPTQ", digest),
        }
        assert said == wanted.get(name, (f"{pure}, importance", digest))
    # by the same importance, rounded once more on its way through the file
    assert losses["imatrix"] == pytest.approx(losses["rounding"], rel=0.1), losses
    assert losses["rounding"] < losses["plain"], losses
    assert not smoothed or losses["smoothquant+"] < losses["plain"], losses
    assert losses["gptq"] < losses["rounding"] and losses["awq"] < losses["rounding"], losses
    assert not list(model.parent.glob("*edge-packed*"))


def test_the_shipped_text(run_edge: RunEdge, tiny_model: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.gguf"
    assert run_edge("quantize", str(tiny_model), str(target), "Q4_0", "--method", "rounding").returncode == 0
    with open_gguf(target) as file:
        said = file.get_str("edge.quantisation.calibration_sha256")
    assert said == hashlib.sha256(shipped_text().encode()).hexdigest()


def test_refusals(run_edge: RunEdge, model: Path, tiny_model: Path, tmp_path: Path) -> None:
    text, foreign, target = tmp_path / "text.txt", tmp_path / "foreign.gguf", tmp_path / "t.gguf"
    text.write_text(TEXT)
    assert run_edge("imatrix", str(tiny_model), "--text", str(text), "-o", str(foreign)).returncode == 0
    own = tmp_path / "own.gguf"
    assert run_edge("imatrix", str(model), "--text", str(text), "-o", str(own)).returncode == 0
    for arguments, code, message in (
        (("--method", "magic"), 2, "method is 'magic'; it must be one of rounding, gptq, awq, smoothquant+"),
        (("--calibration", str(foreign), "--method", "gptq"), 2, "the calibration has 64 columns"),
        (("--calibration", str(own), "--method", "gptq"), 2, "gptq needs a calibration text"),
        (("--calibration", str(own), "--method", "smoothquant+"), 2, "smoothquant+ needs a calibration text"),
        (("--calibration", str(foreign)), 2, "has 64 columns for blk.0.attn_q.weight, the matrix has 256"),
        (("--calibration", str(model)), 4, "an importance matrix has 'imatrix'"),
        (("--method", "gptq", "--calibration", str(tmp_path / "no.txt")), 2, "No such file or directory"),
        (("--size", "1MB"), 2, "give one of a type, a size and bits per weight"),
    ):
        result = run_edge("quantize", str(model), str(target), "Q4_0", *arguments)
        assert (result.returncode, result.stdout) == (code, ""), (arguments, result.stderr)
        assert message in result.stderr, result.stderr
        assert not target.exists()
