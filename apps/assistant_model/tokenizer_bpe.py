"""The model's byte-level BPE vocabulary and the chat format around it.

The pre-tokenizer is the one GGUF calls "qwen2" (digits stand alone). Training splits at spaces too, so no merge ever
joins a space to a word: "kitchen" is the same tokens in a request and inside JSON quotes, and copying stays copying.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer

from apps.assistant_model.data import Example

END_OF_TEXT, START, END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
SPECIAL = (END_OF_TEXT, START, END)  # ids 0, 1, 2
PRE = "qwen2"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A vocabulary of exactly `vocab_size` entries, specials and all 256 bytes included."""
    tokenizer = Tokenizer(BPE())
    qwen2 = Split(Regex(QWEN2), "isolated")
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = Sequence([qwen2, Split(" ", "isolated"), byte_level])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise ValueError(f"vocabulary has {tokenizer.get_vocab_size()} entries, wanted {vocab_size}: too little text")
    tokenizer.pre_tokenizer = Sequence([qwen2, byte_level])
    return tokenizer


def prompt_text(example: Example) -> str:
    """The conversation up to where the last answer begins, as the chat template writes it."""
    earlier = "".join(f"{START}user\n{t.request}{END}\n{START}assistant\n{t.answer}{END}\n" for t in example[:-1])
    return f"{earlier}{START}user\n{example[-1].request}{END}\n{START}assistant\n"


def encode_example(tokenizer: Tokenizer, example: Example) -> tuple[list[int], list[int]]:
    """(prompt ids, answer ids); the answer ends with the end-of-turn token."""
    prompt: list[int] = tokenizer.encode(prompt_text(example)).ids
    answer: list[int] = tokenizer.encode(example[-1].answer + END).ids
    return prompt, answer
