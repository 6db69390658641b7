"""Thousands of texts to cut: scripts, emoji, code, control characters, long runs. The same ones every time."""

from __future__ import annotations

import random

_SCRIPTS = (
    (0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x530, 0x58F), (0x590, 0x5FF), (0x600, 0x6FF),
    (0x900, 0x97F), (0x980, 0x9FF), (0xB80, 0xBFF), (0xE00, 0xE7F), (0xF00, 0xFFF), (0x1000, 0x109F), (0x10A0, 0x10FF),
    (0x1200, 0x137F), (0x13A0, 0x13FF), (0x1780, 0x17FF), (0x1E00, 0x1EFF), (0x2000, 0x206F), (0x2190, 0x22FF),
    (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF00, 0xFFEF), (0x1D400, 0x1D7FF), (0x1F300, 0x1FAFF),
    (0x20000, 0x2A6DF), (0x0, 0x1F), (0x7F, 0x9F), (0xE000, 0xF8FF),
)  # fmt: skip
_WORDS = (
    *("the", "The", "don't", "I'LL", "we're", "naïve", "Straße", "İstanbul", "ſharp", "Hello", "world", "3.14159"),
    *(
        "1234567",
        "٣٤٥",
        "Ⅷ",
        "½",
        "😀",
        "👩‍👩‍👧",
        "🇫🇷",
        "नमस्ते",
        "ไทย",
        "日本語",
        "한국어",
        "Здравствуй",
        "שלום",
        "مرحبا",
    ),
    *(
        "def f(x):",
        "return x**2",
        "{'a': [1, 2]}",
        "</div>",
        "#include <stdio.h>",
        "\\n",
        "%s",
        "==",
        "!=",
        "...",
        "--",
    ),
    *("https://example.org/?q=1&r=2", "a_b_c", "camelCase", "\u200b", "\u00ad", "\ufeff", "e\u0301", "\u0301"),
)
_SPACES = (" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "\u2028", "", "")


def texts(count: int, seed: int = 0) -> list[str]:
    """`count` different texts of up to some hundred characters."""
    rng = random.Random(seed)
    found: dict[str, None] = {"": None, " ": None, "\n": None, "a": None}
    while len(found) < count:
        kind = rng.random()
        if kind < 0.45:
            first, last = rng.choice(_SCRIPTS)
            made = "".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 40)))
        elif kind < 0.9:
            made = "".join(rng.choice(_WORDS) + rng.choice(_SPACES) for _ in range(rng.randint(1, 16)))
            made = rng.choice(_SPACES) + made
        else:
            made = rng.choice((*_WORDS, " ", "\n", "a", "0", "=", "▁", "\t")) * rng.randint(2, 120)
        found.setdefault(made, None)
    return list(found)
