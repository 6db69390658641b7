"""Measures the machine: a device profile whose every figure says how it was measured."""

from __future__ import annotations

from edge.probe.full import Finding, full_probe
from edge.probe.quick import quick_probe
from edge.probe.sample import Sample

__all__ = ["Finding", "Sample", "full_probe", "quick_probe"]
