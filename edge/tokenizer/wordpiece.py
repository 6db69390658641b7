"""WordPiece (Schuster and Nakajima 2012) as BERT uses it, through the `tokenizers` library.

GGUF files write a token that begins a word with SPACE before it and one that continues it as it is; the library wants
"##" before the latter.
"""

from __future__ import annotations

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from edge.errors import BadModelFile
from edge.tokenizer.vocabulary import SPACE, TokenType, Vocabulary

__all__ = ["CONTINUED", "WordPieceEncoder", "named_ids"]

CONTINUED = "##"
# What the format takes for granted where a file does not say it: the ids of BERT's own vocabulary.
_DEFAULTS = {"unknown": 100, "cls": 101, "seperator": 102}


def named_ids(vocabulary: Vocabulary) -> tuple[int, int, int]:
    """(begins a text, ends it, stands for an unknown word). BadModelFile: the vocabulary has no such token."""
    said = {
        "cls": vocabulary.bos_id if vocabulary.cls_id is None else vocabulary.cls_id,
        "seperator": vocabulary.sep_id if vocabulary.sep_id is not None else vocabulary.eos_id,
        "unknown": vocabulary.unk_id,
    }
    ids: dict[str, int] = {}
    for name, token_id in said.items():
        ids[name] = _DEFAULTS[name] if token_id is None else token_id
        if ids[name] >= len(vocabulary.tokens):
            raise BadModelFile(
                vocabulary.path,
                f"key 'tokenizer.ggml.{name}_token_id' is missing, and {len(vocabulary.tokens)} tokens have no "
                f"{ids[name]}, which it would be",
            )
    return ids["cls"], ids["seperator"], ids["unknown"]


class WordPieceEncoder:
    """Encodes text without special tokens: lower case and without accents if the file does not say otherwise, words
    apart from punctuation and from each other, the longest pieces first."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """BadModelFile: two tokens that mean the same."""
        unknown = vocabulary.tokens[named_ids(vocabulary)[2]]
        pieces: dict[str, int] = {}
        types = vocabulary.types
        marks = {
            index for index in (*named_ids(vocabulary), vocabulary.pad_id, vocabulary.mask_id) if index is not None
        }
        for index, text in enumerate(vocabulary.tokens):
            is_mark = index in marks or (types is not None and types[index] in (TokenType.CONTROL, TokenType.UNKNOWN))
            piece = text if is_mark else text[1:] if text.startswith(SPACE) else CONTINUED + text
            if pieces.setdefault(piece, index) != index and piece not in ("", CONTINUED):
                raise BadModelFile(
                    vocabulary.path,
                    f"key 'tokenizer.ggml.tokens' has {text[:80]!r} at {index}, which means the same as the token "
                    f"{pieces[piece]}",
                )
        self._tokenizer = tokenizers.Tokenizer(
            models.WordPiece(pieces, unk_token=unknown, max_input_chars_per_word=100)  # as BERT has it
        )
        lowercase = vocabulary.lowercase is not False
        self._tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True,
            handle_chinese_chars=True,
            strip_accents=vocabulary.strip_accents,  # None: as lowercase
            lowercase=lowercase,
        )
        self._tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()

    def encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids
