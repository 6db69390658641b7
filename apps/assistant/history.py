"""Finds words in what was asked, said and found."""

from __future__ import annotations

from typing import Any

from edge.assistant.store import Store

__all__ = ["search"]

_AROUND = 60  # characters on both sides of a match
_TEXTS = """
    SELECT id AS turn, 'request' AS place, request AS text, created_at FROM turns
    UNION ALL SELECT id, 'answer', answer, created_at FROM turns WHERE answer != ''
    UNION ALL SELECT turn, 'result', text, (SELECT created_at FROM turns WHERE id = calls.turn) FROM calls
        WHERE text != ''
"""


def search(store: Store, words: str, limit: int) -> list[dict[str, Any]]:
    """Texts that hold all words, whatever their case, newest first."""
    folded = [word.casefold() for word in words.split()][:16]
    if not folded:
        return []
    holds = " AND ".join("instr(fold(text), ?) > 0" for _ in folded)
    rows = store.rows(
        f"SELECT * FROM ({_TEXTS}) WHERE {holds} ORDER BY created_at DESC, turn DESC LIMIT ?", [*folded, limit]
    )
    hits: list[dict[str, Any]] = []
    for row in rows:
        shown = _shown_in(store, row["turn"])
        if shown is not None:
            hits.append({"turn": row["turn"], "where": row["place"], "created_at": row["created_at"],
                         "conversation": shown[0], "title": shown[1], **_cut(row["text"], folded[0])})  # fmt: skip
    return hits


def _shown_in(store: Store, turn: int) -> tuple[int, str] | None:
    """The conversation that it was made in, or a fork that holds it still."""
    row = store.row(
        """WITH RECURSIVE below (id, conversation) AS (
            SELECT id, conversation FROM turns WHERE id = ?
            UNION SELECT turns.id, turns.conversation FROM turns JOIN below ON turns.parent = below.id)
        SELECT conversations.id, title FROM conversations
            WHERE conversations.id IN (SELECT conversation FROM below) OR head IN (SELECT id FROM below)
            ORDER BY conversations.id LIMIT 1""",
        (turn,),
    )
    return None if row is None else (row["id"], row["title"])


def _cut(text: str, word: str) -> dict[str, str]:
    """Around the first match. Case folding may change lengths (ß): the place is looked for in the text itself."""
    at = next((i for i in range(len(text)) if text[i : i + len(word)].casefold() == word), None)
    if at is None:
        at = next((i for i in range(len(text)) if text[i : i + len(word) + 8].casefold().startswith(word)), 0)
    end = at + len(word)
    before, after = text[max(0, at - _AROUND) : at], text[end : end + _AROUND]
    return {
        "before": ("…" if at > _AROUND else "") + before,
        "match": text[at:end],
        "after": after + ("…" if len(text) > end + _AROUND else ""),
    }
