"""Methods that make low-bit weights better by a calibration text, before or while they are encoded."""

from __future__ import annotations

from edge.quant.methods.awq import awq
from edge.quant.methods.folds import Fold, find_folds
from edge.quant.methods.gptq import gptq
from edge.quant.methods.scaled import ScaledSource
from edge.quant.methods.smoothquant import smoothquant_plus
from edge.quant.methods.source import TensorSource
from edge.quant.methods.ternary import absmean

__all__ = ["Fold", "ScaledSource", "TensorSource", "absmean", "awq", "find_folds", "gptq", "smoothquant_plus"]
