"""What a load pays for its choice: nothing for small models, one probe for the first large one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import edge
from edge.errors import BadProfile
from edge.packed.options import SMALLEST_BYTES
from edge.profiles import Machine, Profile
from edge.tuning import Asked, Workload, tune
from edge.tuning import find as finding

SMALL, LARGE = Workload(SMALLEST_BYTES - 1), Workload(SMALLEST_BYTES)


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that the quick probe was asked for; the machine is idle."""
    folders: list[Path] = []

    def probe(machine: Machine, folder: Path) -> Profile:
        folders.append(folder)
        return Profile(device=machine.device, cores=machine.cores)

    monkeypatch.setattr(finding, "_quick_probe", probe)
    monkeypatch.setattr("os.getloadavg", lambda: (0.0, 0.0, 0.0))
    return folders


def test_small_models_ask_nobody(probed: list[Path], tmp_path: Path) -> None:
    choice = tune(Asked(), SMALL, {"EDGE_CACHE_DIR": str(tmp_path)})
    assert "small" in choice.source
    assert list(tmp_path.iterdir()) == probed == []


def test_the_first_large_model_asks_the_machine(probed: list[Path], tmp_path: Path) -> None:
    environment = {"EDGE_CACHE_DIR": str(tmp_path)}
    assert "just now" in tune(Asked(), LARGE, environment).source
    assert "just now" not in tune(Asked(), LARGE, environment).source
    assert probed == [tmp_path / "profiles"]


def test_nobody_is_asked_who_may_not_write_or_only_looks(probed: list[Path], tmp_path: Path) -> None:
    environment = {"EDGE_CACHE_DIR": str(tmp_path)}
    tune(Asked(), LARGE, environment, may_write=False)
    tune(Asked(), None, environment)
    tune(Asked(), LARGE, {"EDGE_PROFILE": "off"} | environment)
    assert probed == []


def test_a_named_profile_counts_for_small_models_too(tmp_path: Path) -> None:
    with pytest.raises(BadProfile, match="no such file"):
        tune(Asked(), SMALL, {"EDGE_PROFILE": str(tmp_path / "none.toml")})


def test_a_model_says_what_was_chosen(tiny_model: Path) -> None:
    with edge.load(tiny_model, threads=2, chunk=16) as model:
        assert (model.num_threads, model.decode_threads) == (2, 2)
        assert model.tuning.reasons["chunk"] == "as asked"
    with pytest.raises(edge.RequestError, match="threads is 0"):
        edge.load(tiny_model, threads=0)
    with pytest.raises(edge.RequestError, match="chunk is 0"):
        edge.load(tiny_model, chunk=0)


def test_a_small_model_imports_no_probe(tiny_model: Path) -> None:
    code = (
        f"import edge, sys\nedge.load({str(tiny_model)!r}).close()\n"
        "print([n for n in sys.modules if n.startswith(('edge.probe', 'edge.profiles')) or n == 'tomllib'])"
    )
    environment = {"PATH": "", "PYTHONPATH": str(Path(__file__).parents[2])}
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment)
    assert result.stdout.strip() == "[]"
