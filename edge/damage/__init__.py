"""What a model lost: perplexity, and how far its distributions are from another model's, through the engine that runs
it."""

from edge.damage.measure import LoadOptions, measure
from edge.damage.record import damage_metadata, quantisation_metadata, record
from edge.damage.result import Damage
from edge.damage.stamp import stamp

__all__ = ["Damage", "LoadOptions", "damage_metadata", "measure", "quantisation_metadata", "record", "stamp"]
