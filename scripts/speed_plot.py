"""Bars of decode and prefill beside llama.cpp, as SVG that is legible on light and on dark pages."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

OURS, PEER = "edge", "llama.cpp"
WIDTH, LABEL, RIGHT = 820, 190, 150  # pixels: all, file names, figures behind a bar
BAR, GAP, TITLE = 12, 14, 40  # heights: a bar, between files, above a panel

_STYLE = """
text { font: 12px sans-serif; fill: #24292f }
.title { font-weight: bold }
.edge { fill: #1f6feb } .peer { fill: #8c959f } .limit { stroke: #24292f; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .edge { fill: #58a6ff } .peer { fill: #6e7681 } .limit { stroke: #e6edf3 }
}
"""


def plot(results: dict[str, Any]) -> str:
    """Two panels: decode, with a mark where memory ends it, and prefill; the rows with the most threads."""
    most = max(row["threads"] for row in results["rows"])
    rows = [row for row in results["rows"] if row["threads"] == most]
    threads = f"{most} thread{'s' * (most != 1)}"
    decode = f"decode behind {results['prompt']} tokens, tok/s, {threads}; the mark is what memory reads allow edge"
    prefill = f"prefill of {results['prompt']} tokens, tok/s, {threads}"
    height = TITLE + len(rows) * (2 * BAR + GAP)
    parts = [
        *_panel(decode, rows, "decode_tok_s", 0, limit=True),
        *_panel(prefill, rows, "prefill_tok_s", height, limit=False),
    ]
    summary = escape(f"{results['cpu']}, medians of {results['rounds']} rounds, {results[PEER]['version']}")
    total = 2 * height + TITLE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}" '
        f'role="img"><title>{summary}</title><style>{_STYLE}</style>\n'
        + "\n".join(parts)
        + f'\n<text x="0" y="{total - 14}">{summary}</text></svg>\n'
    )


def _panel(title: str, rows: list[dict[str, Any]], key: str, top: int, *, limit: bool) -> list[str]:
    longest = max(max(row[OURS][key], row[PEER][key], row["limit_tok_s"] if limit else 0) for row in rows)
    scale = (WIDTH - LABEL - RIGHT) / longest
    parts = [f'<text class="title" x="0" y="{top + 20}">{escape(title)}</text>']
    for index, row in enumerate(rows):
        y = top + TITLE + index * (2 * BAR + GAP)
        name = escape(row["file"].removesuffix(".gguf"))
        parts.append(f'<text x="{LABEL - 8}" y="{y + BAR + 4}" text-anchor="end">{name}</text>')
        ends = LABEL + row["limit_tok_s"] * scale if limit else 0.0
        for side, css, dy in ((OURS, "edge", 0), (PEER, "peer", BAR)):
            length = row[side][key] * scale
            ratio = f", {row['ratio'][key]:.2f}x" if side == OURS else ""
            at = max(LABEL + length, ends) + 6  # never under the mark
            parts.append(f'<rect class="{css}" x="{LABEL}" y="{y + dy}" width="{length:.1f}" height="{BAR - 1}"/>')
            parts.append(f'<text x="{at:.1f}" y="{y + dy + BAR - 2}">{side} {row[side][key]:.1f}{ratio}</text>')
        if limit:
            parts.append(f'<path class="limit" d="M{ends:.1f} {y - 2}v{2 * BAR + 3}"/>')
    return parts
