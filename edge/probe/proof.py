"""How a figure came to be, as every record that edge measures says it."""

from __future__ import annotations

from edge import __version__
from edge.profiles.records import Evidence


def proof(method: str) -> Evidence:
    return Evidence(measured=True, method=f"edge {__version__}: {method}")


def rounded(value: float) -> float:
    """Four significant figures: more would only be noise."""
    return float(f"{value:.4g}")
