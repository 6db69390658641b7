"""Calibration: statistics of what a model's matrices are multiplied with, gathered by the engine that will run it."""

from __future__ import annotations

from edge.calibration.calibration import Calibration
from edge.calibration.collect import collect
from edge.calibration.grams import Grams
from edge.calibration.imatrix_file import read_imatrix, write_imatrix
from edge.calibration.text import shipped_text

__all__ = ["Calibration", "Grams", "collect", "read_imatrix", "shipped_text", "write_imatrix"]
