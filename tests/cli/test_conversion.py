"""`edge export` and `edge quantize` from end to end: a folder or a file, a size, a calibration, and what was lost."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import main
from edge.convert import Recipe
from edge.damage import LoadOptions, measure
from edge.errors import Cancelled, RequestError
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from tests.conftest import WriteModel
from tests.export import folders


@pytest.fixture
def floats(write_model: WriteModel, tmp_path: Path) -> Path:
    return write_model(tmp_path / "f32.gguf", kind=GGMLType.F32)


def facts(path: Path) -> dict[str, str | int | float]:
    with open_gguf(path) as file:
        return {
            key: file.get_str(key) if file.value_type(key) == "string"
            else file.get_float(key) if file.value_type(key).startswith("float") else file.get_int(key)
            for key in file.keys() if key.startswith(("edge.", "general.file_type"))
        }  # fmt: skip


def test_a_file_says_what_it_lost(floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The figures of edge eval, and edge show prints them."""
    target = tmp_path / "small.gguf"
    assert main(["quantize", str(floats), str(target), "Q4_0", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    found = measure(target, floats, loading=LoadOptions(no_cache=True))
    said = facts(target)
    assert said["edge.damage.mean_kld"] == pytest.approx(found.mean_kld) and report["damage"]["mean_kld"] > 0
    assert said["edge.damage.text_sha256"] == found.text_sha256
    assert said["edge.quantisation.method"] == "Q4_0"
    assert said["edge.quantisation.bits_per_weight"] == pytest.approx(found.bits_per_weight)
    assert main(["show", str(target)]) == 0
    assert f"mean kld {found.mean_kld:.4g}" in capsys.readouterr().out


def test_a_size_is_kept_and_used(floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A larger one loses less; what is too small is refused with what would fit."""
    losses: list[float] = []
    for share in (0.3, 0.5):
        size, target = int(share * floats.stat().st_size), tmp_path / f"{share}.gguf"
        assert main(["quantize", str(floats), str(target), "--size", str(size)]) == 0
        assert 0.7 * size < target.stat().st_size <= size
        said = facts(target)
        assert str(said["edge.quantisation.method"]).startswith("mixed by sensitivity, ")
        assert "general.file_type" not in said
        losses.append(float(said["edge.damage.mean_kld"]))
    assert losses[1] < losses[0]
    assert main(["quantize", str(floats), str(tmp_path / "x.gguf"), "--bpw", "1"]) == 3
    assert "the smallest mixture of these types has" in capsys.readouterr().err
    assert not (tmp_path / "x.gguf").exists()


def test_how_types_are_chosen_for_a_size_is_said(
    floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By sensitivity, unless nobody wants that, or it cannot be had: then between two mixtures, and why."""
    types: dict[str, dict[str, int]] = {}

    def made(name: str, *options: str) -> str:
        target = tmp_path / f"{name}.gguf"
        assert main(["quantize", str(floats), str(target), "--bpw", "7.5", "--no-measure", *options]) == 0
        with open_gguf(target) as file:
            types[name] = {tensor: info.type for tensor, info in file.tensors.items()}
        out = capsys.readouterr().out
        line = next(line for line in out.splitlines() if line.startswith("types chosen "))
        assert facts(target)["edge.quantisation.method"] == f"mixed {line.removeprefix('types chosen ')}"
        return out

    out = made("minded")
    assert "types chosen by sensitivity, " in out and " probes of 600 tokens" in out and "note:" not in out
    out = made("between", "--no-sensitivity")
    assert "types chosen between Q5_K_M and Q6_K" in out and "note:" not in out
    monkeypatch.setattr("edge.quant.sensitivity.GOOD_WORK", 1)
    monkeypatch.setattr("edge.quant.sensitivity.MOST_WORK", 1)
    out = made("large")
    assert "note: how much the model minds errors is not measured: the model is so large" in out
    assert types["large"] == types["between"]
    assert " probes of 300 tokens" in made("forced", "--sensitivity")
    report = tmp_path / "j.gguf"
    assert (
        main(["quantize", str(floats), str(report), "--bpw", "7.5", "--no-measure", "--no-sensitivity", "--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["chosen"] == "between Q5_K_M and Q6_K"


def test_what_cannot_be_probed_is_said_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], floats: Path
) -> None:
    short = tmp_path / "short.txt"
    short.write_text("too short to read")
    asked = [
        "quantize",
        str(floats),
        str(tmp_path / "t.gguf"),
        "--bpw",
        "7.5",
        "--no-measure",
        "--calibration",
        str(short),
    ]
    assert main([*asked, "--sensitivity"]) == 2
    assert "give a longer text" in capsys.readouterr().err and not (tmp_path / "t.gguf").exists()
    assert main(asked) == 0
    out = capsys.readouterr().out
    assert "types chosen between " in out and "is not measured: text 'short.txt' has " in out


def test_a_size_asks_for_statistics_of_this_model(
    floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, statistics = folders.write_model(tmp_path / "other"), tmp_path / "statistics.gguf"
    assert main(["export", str(other), "-o", str(tmp_path / "other.gguf")]) == 0
    assert main(["imatrix", str(tmp_path / "other.gguf"), "-o", str(statistics), "--tokens", "300"]) == 0
    target = tmp_path / "x.gguf"
    assert main(["quantize", str(floats), str(target), "--bpw", "6", "--calibration", str(statistics)]) == 2
    assert "the matrix has" in capsys.readouterr().err
    assert not target.exists()


def test_a_folder_is_calibrated_and_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a copy that is gone afterwards; a file of the same weights gives the same file."""
    folder = folders.write_model(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "text.txt"
    text.write_text("Some words to calibrate with, and 12 numbers. " * 40)
    options = ["--bpw", "9", "--method", "awq", "--calibration", str(text)]
    assert main(["export", str(folder), *options]) == 0
    assert main(["export", str(folder), "-o", "stored.gguf"]) == 0
    assert main(["export", "stored.gguf", "-o", "again.gguf", *options]) == 0
    assert Path("model-9bpw.gguf").read_bytes() == Path("again.gguf").read_bytes()
    method = str(facts(Path("again.gguf"))["edge.quantisation.method"])
    assert method.startswith("mixed by sensitivity, ") and method.endswith(", AWQ")
    assert not facts(Path("stored.gguf")).keys() - {"general.file_type"}  # nothing was rounded
    assert not list(tmp_path.glob(".*"))


def test_nothing_is_measured_on_request_and_what_cannot_be_is_said(
    floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, short = tmp_path / "q.gguf", tmp_path / "short.txt"
    assert main(["quantize", str(floats), str(target), "Q4_0", "--no-measure"]) == 0
    assert "lost:" not in capsys.readouterr().out
    short.write_text("too short")
    assert main(["quantize", str(floats), str(target), "Q4_0", "--force", "--damage-text", str(short)]) == 0
    assert "note: what was lost is not measured: " in capsys.readouterr().out
    assert not [key for key in facts(target) if key.startswith("edge.damage.")]


def test_a_file_does_not_replace_its_source(floats: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = floats.read_bytes()
    assert main(["quantize", str(floats), str(floats), "Q4_0", "--force"]) == 2
    assert "is the source: give the new file another name" in capsys.readouterr().err
    assert floats.read_bytes() == before


def test_recipes_that_contradict_themselves() -> None:
    wrongs: tuple[tuple[Callable[[], Recipe], str], ...] = (
        (lambda: Recipe(quant="Q4_0", size_bytes=1), "give one of a type, a size and bits per weight"),
        (lambda: Recipe(quant="Q9"), "'Q9' is no type or mixture"),
        (lambda: Recipe(bits_per_weight=float("nan")), "bits per weight is nan"),
        (lambda: Recipe(method="awq"), "nothing is rounded: calibration goes with"),
        (lambda: Recipe(quant="Q4_K", sensitivity=True), "it goes with a size or bits per weight"),
        (lambda: Recipe(quant="Q4_K", sensitivity=False), "it goes with a size or bits per weight"),
        (lambda: Recipe(quant="Q4_0", method="magic"), r"it must be one of rounding, gptq, awq, smoothquant\+"),
    )
    for wrong, message in wrongs:
        with pytest.raises(RequestError, match=message):
            wrong()


def test_a_stop_while_measuring_leaves_a_whole_file_and_says_so(
    floats: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C inside the engine's steps and outside of them; edge eval writes down what was not measured."""
    target = tmp_path / "q.gguf"
    for stop in (Cancelled("cancelled"), KeyboardInterrupt()):

        def stopped(*_: object, error: BaseException = stop, **__: object) -> None:
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(importlib.import_module("edge.convert.convert"), "measure", stopped)
            assert main(["quantize", str(floats), str(target), "Q4_0", "--force"]) == 130
        said = " ".join(capsys.readouterr().err.split())
        assert said == (
            f"edge: stopped before it was measured what was lost: {target} is whole, and does not say it; "
            f"edge eval {target} --against ORIGINAL.gguf --record adds it"
        )
        assert not [key for key in facts(target) if key.startswith("edge.damage.")]
    assert main(["show", str(target)]) == 0
    assert (
        "damage        not measured; edge eval --against the original with --record does it" in capsys.readouterr().out
    )
    assert main(["eval", str(target), "--record"]) == 2
    assert "--record goes with MODEL, with --against" in capsys.readouterr().err
    assert main(["eval", str(target), "--against", str(floats), "--record"]) == 0
    assert f"recorded in {target}" in capsys.readouterr().out
    recorded = facts(target)
    whole = tmp_path / "whole.gguf"
    assert main(["quantize", str(floats), str(whole), "Q4_0"]) == 0
    assert facts(whole) == recorded
