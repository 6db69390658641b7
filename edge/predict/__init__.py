"""How fast a model will run on a machine, from the figures of its profile, before anything is loaded."""

from __future__ import annotations

from edge.predict.speed import Estimate, Prediction, Question, predict_speed

__all__ = ["Estimate", "Prediction", "Question", "predict_speed"]
