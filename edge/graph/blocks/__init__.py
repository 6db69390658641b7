"""GGUF blocks as the integers and scales that the engine multiplies, for the reference's engine mode.

Written apart from edge.quant, which decodes to floats, so that each can be tested by the other: here every field of an
element is found by the element's number, as the tables of the format are written.
"""

from __future__ import annotations

from edge.graph.blocks.layout import Blocks
from edge.graph.blocks.split import split_blocks

__all__ = ["Blocks", "split_blocks"]
