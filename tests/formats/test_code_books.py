"""The code books: their sizes and levels, and the arrays of the gguf package."""

from __future__ import annotations

import numpy as np
import pytest

from edge.formats.code_books import CODE_BOOKS
from edge.formats.types import GGMLType

SHAPES = {
    GGMLType.IQ2_XXS: (256, 8),
    GGMLType.IQ2_XS: (512, 8),
    GGMLType.IQ2_S: (1024, 8),
    GGMLType.IQ3_XXS: (256, 4),
    GGMLType.IQ3_S: (512, 4),
    GGMLType.IQ1_S: (2048, 8),
    GGMLType.IQ1_M: (2048, 8),
}
VALUES = (GGMLType.IQ4_NL, GGMLType.IQ4_XS, GGMLType.MXFP4, GGMLType.NVFP4)


def test_every_code_book_is_known() -> None:
    assert set(CODE_BOOKS) == {*SHAPES, *VALUES}
    for kind, book in CODE_BOOKS.items():
        assert book.shape == SHAPES.get(kind, (16,)) and book.dtype == np.int8
        with pytest.raises(ValueError, match="read-only"):
            book[0] = 0


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.name)
def test_points_are_those_of_the_gguf_package(kind: GGMLType) -> None:
    quants = pytest.importorskip("gguf.quants", reason="the gguf package is not installed")
    theirs = getattr(quants, kind.name)
    theirs.init_grid()
    np.testing.assert_array_equal(CODE_BOOKS[kind], theirs.grid.reshape(SHAPES[kind]))
    assert len(np.unique(CODE_BOOKS[kind], axis=0)) == SHAPES[kind][0]


@pytest.mark.parametrize("kind", VALUES, ids=lambda kind: kind.name)
def test_values_are_those_of_the_gguf_package(kind: GGMLType) -> None:
    quants = pytest.importorskip("gguf.quants", reason="the gguf package is not installed")
    named = GGMLType.IQ4_NL if kind is GGMLType.IQ4_XS else kind  # which has no table of its own
    assert tuple(CODE_BOOKS[kind].tolist()) == tuple(getattr(quants, named.name).kvalues)
