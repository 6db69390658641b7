"""Rows of a tensor that several projections share are matrices of their own in a packed file, however it is held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.packed.models import answer


@pytest.mark.parametrize("options", [{}, {"residency": "owned"}, {"streamed": 1}], ids=["mapped", "owned", "streamed"])
def test_answers_are_the_same(options: dict[str, Any], tmp_path: Path) -> None:
    config = tiny_config("phi3")
    path = tmp_path / "phi3.gguf"
    write_gguf(path, config, random_tensors(tensor_shapes(config)))
    plain = answer(path, enabled=False)
    for _ in range(2):  # the second time from the file that the first load left
        found = answer(path, **options)
        assert (found.tokens, found.logits) == (plain.tokens, plain.logits)
    assert path.with_name("phi3.gguf.edge-packed").is_file()
