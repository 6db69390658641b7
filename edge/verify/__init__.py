"""One model on several backends: do they read, compute and answer the same? And is a result that of a trusted run?"""

from __future__ import annotations

from edge.verify.compare import THRESHOLDS, Comparison, compare
from edge.verify.observe import Observation, VerifyOptions, observe
from edge.verify.reference import MEAN_MARGIN, Judgement, Recorded, judge, read_recorded, record, write_recorded

__all__ = [
    "MEAN_MARGIN",
    "THRESHOLDS",
    "Comparison",
    "Judgement",
    "Observation",
    "Recorded",
    "VerifyOptions",
    "compare",
    "judge",
    "observe",
    "read_recorded",
    "record",
    "write_recorded",
]
