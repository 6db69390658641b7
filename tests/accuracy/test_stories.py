"""A public checkpoint continues a sentence as llama.cpp does, in F32 and, where margins allow, in Q8_0."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import edge
from edge.formats.types import GGMLType
from tests.accuracy import peer
from tests.accuracy.stories import write_stories
from tests.accuracy.truth import forward

PROMPT, LENGTH = "Once upon a time", 160
BEGINNING = ", there was a little girl named Lily. She loved to play outside in the park."


def _continue(path: Path, prompt: str, length: int) -> tuple[list[int], list[int], str]:
    """(prompt ids, new ids, new text), greedy."""
    with edge.load(path) as model:
        answer = model.generate(prompt, max_tokens=length, temperature=0.0)
        return model.tokenizer.encode(prompt), list(answer.tokens), answer.text


@pytest.mark.parametrize("kind", [GGMLType.F32, GGMLType.Q8_0])
def test_greedy_text_is_that_of_llama(kind: GGMLType, tmp_path: Path) -> None:
    path = write_stories(tmp_path / "stories.gguf", kind)
    prompt, answer, text = _continue(path, PROMPT, LENGTH)
    assert len(answer) == LENGTH
    assert text.startswith(BEGINNING)
    # llama.cpp's logits along our own path. Its own distance from the truth says how near two tokens must be
    # for rounding alone to make them change places.
    path_tokens = prompt + answer[:-1]
    logits = peer.logits(path, path_tokens)[len(prompt) - 1 :]
    truth = forward(path, path_tokens).logits[len(prompt) - 1 :]
    first, second = np.sort(truth, axis=1)[:, [-1, -2]].T
    clear = first - second > 2 * np.abs(logits - truth).max()
    assert clear.mean() > 0.7
    assert (logits.argmax(axis=1) == answer)[clear].all()
    if kind is GGMLType.F32:
        assert (logits.argmax(axis=1) == answer).all()
