"""Texts as vectors: states of a model pooled over a text, by an encoder such as BERT or by a decoder."""

from __future__ import annotations

from edge.embeddings.embeddings import Embeddings

__all__ = ["Embeddings"]
