"""Measures of the machine: figures that can be true, arguments checked, memory looked at first."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import pytest

from edge import device, native
from edge.errors import DoesNotFit, NativeError
from edge.formats.types import GGMLType

SMALL: dict[str, Any] = {"size": 8 << 20, "seconds": 0.002}


def _all(*parts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for part in parts for name, value in part.items()}


@pytest.mark.parametrize("isa", native.isa_supported())
@pytest.mark.parametrize("huge_pages", [True, False])
def test_reads_are_positive_and_finite(isa: str, huge_pages: bool) -> None:
    figure = native.read_bandwidth(2, huge_pages=huge_pages, isa=isa, **SMALL)
    assert math.isfinite(figure)
    assert figure > 1e6  # a machine slower than that runs no test


@pytest.mark.parametrize("isa", native.isa_supported())
def test_the_integer_peak_is_positive_and_finite(isa: str) -> None:
    figure = native.integer_peak(1, seconds=0.002, isa=isa)
    assert math.isfinite(figure)
    assert figure > 1e6


def test_wider_instructions_multiply_faster() -> None:
    """A peak that some compiler folded away, or that measures overhead, would not order the levels."""
    levels = native.isa_supported()
    if len(levels) < 2:
        pytest.skip("only the scalar level")
    assert native.integer_peak(1, isa=levels[-1]) > native.integer_peak(1, isa="scalar")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"threads": 0}, "num_threads"),
        ({"threads": 257}, "num_threads"),
        ({"size": 65535}, "size is 65535"),
        ({"size": 1.5}, "size"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seconds": math.nan}, "seconds is nan"),
        ({"seconds": math.inf}, "seconds is inf"),
        ({"seconds": 61}, "seconds is 61"),
        ({"seconds": "long"}, "seconds is 'long'"),
        ({"seconds": True}, "seconds is True"),
        ({"isa": "mmx"}, "mmx"),
    ],
)
def test_arguments_are_checked(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(NativeError, match=message):
        native.read_bandwidth(**_all({"threads": 1}, SMALL, arguments))
    if "size" not in arguments:
        with pytest.raises(NativeError, match=message):
            native.integer_peak(**_all({"threads": 1, "seconds": 0.002}, arguments))


def test_regions() -> None:
    with native.Threads(2) as pool, native.Region.allocate(1 << 20) as region:
        figure = native.region_bandwidth(pool, region, seconds=0.001)
        assert math.isfinite(figure)
        assert figure > 1e6
        with pytest.raises(NativeError, match="seconds is 0"):
            native.region_bandwidth(pool, region, seconds=0)
    with native.Threads(1) as pool, native.Region.allocate(4096) as small, pytest.raises(NativeError, match="4096"):
        native.region_bandwidth(pool, small)
    with native.Threads(1) as pool, pytest.raises(NativeError, match="closed"):
        native.region_bandwidth(pool, region)


def test_a_mapped_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(1, 129)) * (1 << 13))
    with path.open("rb") as file, native.Threads(2) as pool, native.Region.map_file(file.fileno(), 1 << 20) as region:
        assert native.region_bandwidth(pool, region, seconds=0.001) > 0
        os.truncate(path, 1 << 19)
        with pytest.raises(NativeError, match="became shorter"):
            native.region_bandwidth(pool, region, seconds=0.001)


@pytest.mark.parametrize("isa", native.isa_supported())
def test_matrices(isa: str) -> None:
    with native.Threads(2) as pool:
        weights = native.Weights.matrix(GGMLType.Q8_0, 40, 64, bytes(40 * 2 * 34), pool)
        for tokens in (1, 8, 9, 64):
            figure = native.matmul_speed(pool, weights, tokens, seconds=1e-4, isa=isa)
            assert math.isfinite(figure)
            assert figure > 1e3
        for tokens in (0, 65):
            with pytest.raises(NativeError, match=f"tokens is {tokens}"):
                native.matmul_speed(pool, weights, tokens)
        with pytest.raises(NativeError, match="1 x 2 with 1 tokens: invalid"):
            native.matmul_speed(pool, native.Weights.vector(GGMLType.F32, 2, bytes(8)), 1)


def test_memory_that_is_not_there_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 30, 1 << 20, None, None))
    with pytest.raises(DoesNotFit, match=f"{8 << 20} bytes of memory, {1 << 20} are available"):
        native.read_bandwidth(1, **SMALL)
