"""Measures a loaded model: prefill, decode and step cost beside the read bandwidth of the same run.

What runs are steps of the backend, as an answer makes them, without tokenizer and sampling. The command `edge bench`
and the scripts that compare with other programs are built on this.
"""

from __future__ import annotations

from edge.bench.bench import LoadOptions, bench
from edge.bench.options import BenchOptions
from edge.bench.report import BenchReport
from edge.bench.step_bytes import StepBytes, step_matrix_bytes
from edge.bench.steps import Steps

__all__ = ["BenchOptions", "BenchReport", "LoadOptions", "StepBytes", "Steps", "bench", "step_matrix_bytes"]
