"""What a model lost: perplexity, and how far its distributions are from another model's, through the engine that runs
it."""

from edge.damage.measure import LoadOptions, measure, sample_passage
from edge.damage.record import damage_metadata, quantisation_metadata
from edge.damage.result import Damage
from edge.damage.stamp import stamp
from edge.damage.text import Passage

__all__ = [
    "Damage",
    "LoadOptions",
    "Passage",
    "damage_metadata",
    "measure",
    "quantisation_metadata",
    "sample_passage",
    "stamp",
]
