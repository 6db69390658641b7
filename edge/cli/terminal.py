"""Text from models and files, made safe to print: terminals obey control characters."""

from __future__ import annotations

# C0, DEL and C1; tab and newline stay.
_CONTROL = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def harmless(text: str) -> str:
    """The text without control characters, so that it cannot move the cursor, change colours or set titles."""
    return text.translate(_CONTROL)
