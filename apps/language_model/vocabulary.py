"""A byte-level BPE vocabulary of the corpus, with the pre-tokenizer that GGUF calls "qwen2"."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer

__all__ = ["END_OF_TEXT", "train_vocabulary"]

END_OF_TEXT = "<|endoftext|>"  # id 0: begins every document
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_vocabulary(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A vocabulary of exactly `vocab_size` entries, all 256 bytes included; ValueError where the text is too short."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = Sequence([Split(Regex(QWEN2), "isolated"), ByteLevel(False, use_regex=False)])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise ValueError(f"vocabulary has {tokenizer.get_vocab_size()} entries, wanted {vocab_size}: too little text")
    return tokenizer
