"""From a model to a smaller file: types chosen, statistics gathered, weights encoded, and what was lost measured."""

from __future__ import annotations

from edge.convert.convert import Converted, convert
from edge.convert.opened import Opened, open_source
from edge.convert.recipe import Recipe

__all__ = ["Converted", "Opened", "Recipe", "convert", "open_source"]
