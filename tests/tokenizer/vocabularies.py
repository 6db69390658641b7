"""Vocabularies for tests: the public ones where they are, and small ones made by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from edge.tokenizer import TokenType, Vocabulary
from edge.tokenizer.bpe import BYTE_CHARACTERS

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "vocab"
PUBLIC = ("gpt-2", "llama-bpe", "llama-spm", "qwen2")


def public_vocabulary(name: str) -> Path:
    """The path of a public vocabulary; skips the test where it is not there."""
    path = FOLDER / f"ggml-vocab-{name}.gguf"
    if not path.exists():
        pytest.skip(f"no public vocabularies at {FOLDER}")
    return path


def bpe_vocabulary(
    merges: Iterable[tuple[str, str]] = (),
    special: Mapping[str, TokenType] | None = None,
    pre: str | None = "gpt-2",
    **fields: object,
) -> Vocabulary:
    """A byte-level vocabulary: 256 bytes, what `merges` make, `special` tokens. Merges are of byte characters."""
    merges = list(merges)
    special = special or {}
    tokens = list(dict.fromkeys([*BYTE_CHARACTERS, *(left + right for left, right in merges), *special]))
    return Vocabulary(
        path="made.gguf",
        model="gpt2",
        tokens=tokens,
        types=[special.get(token, TokenType.NORMAL) for token in tokens],
        merges=[f"{left} {right}" for left, right in merges],
        pre=pre,
        **fields,  # type: ignore[arg-type]
    )


def spm_vocabulary(
    pieces: Mapping[str, float],
    special: Mapping[str, TokenType] | None = None,
    byte_fallback: bool = True,
    **fields: object,
) -> Vocabulary:
    """A SentencePiece vocabulary: <unk>, <s>, </s>, 256 bytes, `pieces` with their scores, `special` tokens."""
    special = special or {}
    first = {"<unk>": TokenType.UNKNOWN, "<s>": TokenType.CONTROL, "</s>": TokenType.CONTROL}
    octets = {f"<0x{byte:02X}>": TokenType.BYTE for byte in range(256)} if byte_fallback else {}
    types = {**first, **octets, **dict.fromkeys(pieces, TokenType.NORMAL), **special}
    return Vocabulary(
        path="made.gguf",
        model="llama",
        tokens=list(types),
        types=list(types.values()),
        scores=[pieces.get(token, 0.0) for token in types],
        **fields,  # type: ignore[arg-type]
    )


def read_cases(path: Path) -> list[tuple[str, list[int]]]:
    """Texts and their ids, from the files beside a public vocabulary."""
    texts = path.with_name(path.name + ".inp").read_bytes().decode().split("\n__ggml_vocab_test__\n")
    lines: Sequence[str] = path.with_name(path.name + ".out").read_text().split("\n")
    return [(text, [int(number) for number in line.split()]) for text, line in zip(texts, lines, strict=True)]
