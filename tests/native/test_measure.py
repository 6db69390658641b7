"""Measures of the machine: figures that can be true, arguments checked, memory looked at first."""

from __future__ import annotations

import math
from typing import Any

import pytest

from edge import device, native
from edge.errors import DoesNotFit, NativeError

SMALL: dict[str, Any] = {"size": 8 << 20, "seconds": 0.002}


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
        native.read_bandwidth(**({"threads": 1} | SMALL | arguments))
    if "size" not in arguments:
        with pytest.raises(NativeError, match=message):
            native.integer_peak(**({"threads": 1, "seconds": 0.002} | arguments))


def test_memory_that_is_not_there_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "memory", lambda: device.Memory(1 << 30, 1 << 20, None, None))
    with pytest.raises(DoesNotFit, match=f"{8 << 20} bytes of memory, {1 << 20} are available"):
        native.read_bandwidth(1, **SMALL)
