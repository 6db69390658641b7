"""Parts of a document that a command writes: they stand between `<!-- NAME: COMMAND -->` and `<!-- end of NAME -->`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["replaced", "write_part"]


def replaced(text: str, name: str, new: str) -> str:
    """The text with `new` as that part. ValueError: its marks are not there exactly once, in order."""
    lines = text.split("\n")
    begins = [number for number, line in enumerate(lines) if line.startswith(f"<!-- {name}: ")]
    ends = [number for number, line in enumerate(lines) if line == f"<!-- end of {name} -->"]
    if len(begins) != 1 or len(ends) != 1 or begins[0] > ends[0]:
        raise ValueError(f"the marks of {name!r} must be there once, in order: lines {begins} and {ends}")
    return "\n".join([*lines[: begins[0] + 1], new, *lines[ends[0] :]])


def write_part(path: Path, name: str, new: str) -> None:
    path.write_text(replaced(path.read_text(), name, new))
