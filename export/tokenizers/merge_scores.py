"""Ranked merges as the scores of SentencePiece: a higher score merges first.

A list of merges can say more than scores can. It says the same when all merges into one token stand together, and every
pair of tokens whose join is a token is a merge; then a token's score is minus its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import UnsupportedModel
from edge.formats.cursor import quoted

__all__ = ["scores_of"]

_NO_SCORE = -1e9  # tokens that nothing merges into: single characters and bytes


def scores_of(path: Path, ids: Mapping[str, int], merges: Sequence[tuple[str, str]]) -> dict[int, float]:
    """id -> score, for the tokens of plain text. UnsupportedModel: scores cannot say what these merges do."""
    place: dict[str, int] = {}
    last = ""
    for left, right in merges:
        text = left + right
        if text != last and text in place:
            raise UnsupportedModel(
                path, f"merges into {quoted(text)} stand apart in the list, which GGUF's scores cannot say"
            )
        place.setdefault(text, len(place))
        last = text
    pairs = set(merges)
    for text in ids:
        for cut in range(1, len(text)):
            left, right = text[:cut], text[cut:]
            if left in ids and right in ids and (left, right) not in pairs:
                raise UnsupportedModel(
                    path,
                    f"{quoted(left)} and {quoted(right)} do not merge though {quoted(text)} is a token, which GGUF's "
                    "scores cannot say",
                )
    return {index: -float(place[text]) if text in place else _NO_SCORE for text, index in ids.items()}
