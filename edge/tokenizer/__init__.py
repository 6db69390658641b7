"""Text to token ids and back. Importing this package does not load the `tokenizers` library; building may."""

from __future__ import annotations

from edge.tokenizer.stream import StreamDecoder
from edge.tokenizer.tokenizer import Tokenizer
from edge.tokenizer.vocabulary import TokenType, Vocabulary

__all__ = ["StreamDecoder", "TokenType", "Tokenizer", "Vocabulary"]
