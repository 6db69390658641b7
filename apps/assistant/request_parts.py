"""A request's parts, by its words: for a small model, which of three things asked at once forgets the middle one."""

from __future__ import annotations

import re

__all__ = ["parts_of"]

_MOST = 8  # parts; more than a plan has calls
# Words that people begin a request with. What begins with another word belongs to the part before it: "add milk and
# eggs" is one part, "turn off the light and play jazz" are two.
_OPENERS = (
    "add alarm bring calculate call cancel check close compute convert count cross cut delete dim find give how "
    "is kill light lights list lock look lower make mark mute next note open pause play put raise read record "
    "remember remind remove resume save screenshot search set show shut skip sleep start stop strike switch take "
    "tell timer turn unmute volume wake what what's when when's where which write work"
)
_JOINT = re.compile(
    r"(?:\s*[,;.]\s+(?:and\s+)?|\s+and\s+|\s+(?=then\s))(?:(?:then|also|please|after that),?\s+)*"
    rf"(?=(?:{'|'.join(_OPENERS.split())})\b)",
    re.IGNORECASE,
)


def parts_of(request: str) -> list[str]:
    """The parts in order; the whole request alone when nothing in it begins anew, or too often."""
    parts = [part for part in _JOINT.split(request.strip()) if part]
    return parts if len(parts) <= _MOST else [request]
