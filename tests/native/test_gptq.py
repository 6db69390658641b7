"""The binding of rounding with feedback: what it returns, and what it refuses."""

from __future__ import annotations

from array import array
from typing import Any

import pytest

from edge import native
from edge.errors import NativeError


def arguments(**changes: Any) -> dict[str, Any]:
    """Two rows of two columns; half of the first column's error is taken from the second."""
    whole: dict[str, Any] = {
        "weights": array("f", [0.4, 0.0, 2.0, 3.3]),
        "scales": array("f", [1.0] * 4),
        "minima": array("f", [2.0] * 4),
        "factor": array("f", [1.0, 0.5, 0.0, 2.0]),
        "codes": bytearray(4),
        "errors": array("f", [0.0] * 4),
        "rows": 2,
        "cols": 2,
        "levels": 8,
    }
    return whole | changes


def test_codes_and_errors() -> None:
    values = arguments()
    native.gptq_round(**values)
    # 0.4 -> 0, error 0.4; 0 - 0.2 -> 0, error -0.2 / 2; 2 -> 2; 3.3 -> 3, error 0.3 / 2
    assert values["codes"] == bytes([2, 2, 4, 5])
    assert list(values["errors"]) == pytest.approx([0.4, -0.1, 0.0, 0.15])


def test_nothing_to_do() -> None:
    empty = array("f")
    native.gptq_round(
        **arguments(weights=empty, scales=empty, minima=empty, codes=bytearray(), errors=array("f"), rows=0)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": array("f", [0.0] * 3)}, "weights has 12 bytes, wanted 16"),
        ({"factor": array("f", [1.0] * 3)}, "factor has 12 bytes, wanted 16"),
        ({"codes": bytes(4)}, "codes is read-only"),
        ({"errors": bytes(16)}, "errors is read-only"),
        ({"rows": -1}, "rows is -1"),
        ({"cols": 0}, "cols is 0"),
        ({"cols": 2000}, "cols is 2000"),
        ({"levels": 1}, "levels is 1"),
        ({"factor": array("f", [1.0, 0.5, 0.0, 0.0])}, r"factor \[1, 1\] is 0"),
    ],
)
def test_refusals(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(NativeError, match=message):
        native.gptq_round(**arguments(**changes))
