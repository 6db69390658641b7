"""What a finished file says about its damage: written into it without touching its tensors, and shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.cli.app import run
from edge.damage import LoadOptions, damage_metadata, measure, quantisation_metadata, stamp
from edge.describe import describe
from edge.errors import DoesNotFit, NumericalError
from edge.export.gguf_source import GGUFSource
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType

EXACT = LoadOptions(no_cache=True)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("text") / "held_out.txt"
    path.write_text("It rained for a week, and then it rained some more. " * 8)
    return path


def _content(path: Path) -> tuple[dict[str, bytes], set[str]]:
    with open_gguf(path) as file:
        return {name: bytes(file.tensor_data(name)) for name in file.tensors}, set(file.keys())


def test_a_record_is_measured_stamped_and_shown(
    tmp_path: Path, write_model: Callable[..., Path], text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_model(tmp_path / "source.gguf", kind=GGMLType.F32)
    small = write_model(tmp_path / "small.gguf", kind=GGMLType.Q4_0)
    tensors, keys = _content(small)
    found = measure(small, source, text=text, loading=EXACT)
    assert found.mean_kld is not None and found.mean_kld > 0
    values = quantisation_metadata(found.bits_per_weight, "Q4_0", "ab" * 32) | damage_metadata(found)
    assert values["edge.damage.mean_kld"] == found.mean_kld
    stamp(small, values)
    after, keys_after = _content(small)
    assert after == tensors
    assert keys_after == keys | set(values)
    with open_gguf(small) as file:
        assert file.get_float("edge.damage.top1") == pytest.approx(found.top1)
        assert file.get_float("edge.quantisation.bits_per_weight") == pytest.approx(found.bits_per_weight)
    assert measure(small, source, text=text, loading=EXACT) == found._replace(file_bytes=small.stat().st_size)

    assert run(["show", str(small)]) == 0
    shown = capsys.readouterr().out
    assert "quantised     bits per weight" in shown and "method Q4_0" in shown
    assert f"mean kld {found.mean_kld:.4g}" in shown and "held_out.txt" in shown
    report = describe(small)
    assert report["damage"]["text_sha256"] == found.text_sha256
    assert report["quantisation"]["calibration_sha256"] == "ab" * 32
    with GGUFSource(small) as made_from_it:  # another file's damage is its own
        assert not set(made_from_it.metadata) & set(values)


def test_a_second_stamp_replaces_the_first(tmp_path: Path, write_model: Callable[..., Path]) -> None:
    path = write_model(tmp_path / "model.gguf")
    tensors, keys = _content(path)
    for value in (1.5, 2.5):
        stamp(path, {"edge.damage.perplexity": value, "general.name": "other"})
    with open_gguf(path) as file:
        assert file.get_float("edge.damage.perplexity") == 2.5
        assert file.get_str("general.name") == "other"
    assert _content(path) == (tensors, keys | {"edge.damage.perplexity"})


def test_a_stamp_that_fails_leaves_the_file(
    tmp_path: Path, write_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_model(tmp_path / "model.gguf")
    before = path.read_bytes()

    def full(folder: Path) -> SimpleNamespace:
        return SimpleNamespace(f_bavail=0, f_frsize=4096)

    monkeypatch.setattr("os.statvfs", full)
    with pytest.raises(DoesNotFit, match="has 0 free"):
        stamp(path, {"edge.damage.perplexity": 1.0})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_figures_that_are_not_finite_are_no_record(
    tmp_path: Path, write_model: Callable[..., Path], text: Path
) -> None:
    path = write_model(tmp_path / "model.gguf")
    found = measure(path, path, text=text, loading=EXACT)
    with pytest.raises(NumericalError, match="p99_kld is nan"):
        damage_metadata(found._replace(p99_kld=float("nan")))
    with pytest.raises(ValueError, match="no reference"):
        damage_metadata(measure(path, text=text, loading=EXACT))
