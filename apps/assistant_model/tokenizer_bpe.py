"""The model's byte-level BPE vocabulary, and how prompts become tokens.

The pre-tokenizer is the one GGUF calls "qwen2" (digits stand alone). Training also splits letters from everything else,
so no merge ever joins a space, a quote or an underscore to a word: "kitchen" is the same tokens in a request, in the
name of a tool and inside JSON quotes, and copying stays copying.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Encoding, Regex, Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel, Sequence, Split
from tokenizers.trainers import BpeTrainer

from apps.assistant_model.data import Example, Group
from apps.assistant_model.meanings import CLASS_OF

END_OF_TEXT, TOOLS, USER, ASSISTANT, END = "<|endoftext|>", "<|tools|>", "<|user|>", "<|assistant|>", "<|end|>"
SPECIAL = (END_OF_TEXT, TOOLS, USER, ASSISTANT, END)  # ids from 0
# What stands around every call is one token each: a third less to write. Ids follow the special ones'.
SCAFFOLD = ('[{"name":"', '","arguments":{"', '"}},{"name":"', '}},{"name":"', '","arguments":{}}')
PRE = "qwen2"

QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
WORDS_ALONE = r"\p{L}+|\p{N}|\s|[^\s\p{L}\p{N}]+"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A group in tokens. Every row is a conversation; `answers` marks the tokens that the model writes. `meanings`:
    tokens, counted from the start of the prefix through all rows, and the class (`meanings.py`) of what they stand for.
    """

    prefix: list[int]
    rows: list[list[int]]
    answers: list[list[bool]]
    meanings: list[tuple[int, int]]

    @property
    def num_tokens(self) -> int:
        return len(self.prefix) + sum(map(len, self.rows))

    def written(self) -> list[int]:
        """Where in the prefix and rows, one after the other, the tokens stand that the model writes."""
        marks = (mark for row in self.answers for mark in row)
        return [at for at, mark in enumerate(marks, len(self.prefix)) if mark]


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """A vocabulary of exactly `vocab_size` entries, specials and all 256 bytes included."""
    tokenizer = Tokenizer(BPE())
    qwen2 = Split(Regex(QWEN2), "isolated")
    byte_level = ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = Sequence([qwen2, Split(Regex(WORDS_ALONE), "isolated"), byte_level])
    tokenizer.decoder = ByteLevelDecoder()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL, *SCAFFOLD],
        initial_alphabet=ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(_without_scaffold, texts), trainer)
    if tokenizer.get_vocab_size() != vocab_size:
        raise ValueError(f"vocabulary has {tokenizer.get_vocab_size()} entries, wanted {vocab_size}: too little text")
    tokenizer.pre_tokenizer = Sequence([qwen2, byte_level])
    return tokenizer


def _without_scaffold(text: str) -> str:
    for part in SCAFFOLD:
        text = text.replace(part, " ")
    return text


def prefix_text(tool_lines: str) -> str:
    """What stands before the conversation, as the chat template writes it."""
    return f"{TOOLS}\n{tool_lines}"


def question_text(request: str) -> str:
    """A user turn up to where the answer begins."""
    return f"{USER}{request}{ASSISTANT}"


def encode_groups(tokenizer: Tokenizer, groups: list[Group]) -> list[Encoded]:
    """Tokens of every group, with the answers' tokens (end of turn included) marked."""
    return [_encode_group(tokenizer, group) for group in groups]


def _encode_group(tokenizer: Tokenizer, group: Group) -> Encoded:
    texts = [text for example in group.examples for text in _parts(example)]
    prefix, *parts = tokenizer.encode_batch([prefix_text(group.text), *texts])
    meanings: list[tuple[int, int]] = []
    if group.listing:
        starts = _starts(prefix)
        meanings += [(starts[len(prefix_text("")) + at], CLASS_OF[meaning]) for at, meaning in group.tools.placed]
    rows: list[list[int]] = []
    answers: list[list[bool]] = []
    encoded, end = iter(parts), len(prefix.ids)
    for example in group.examples:
        row: list[int] = []
        marks: list[bool] = []
        for turn in example:
            question, answer = next(encoded), next(encoded)
            before, starts = end + len(row) + len(question.ids) - 1, _starts(answer)
            meanings += [(before + starts[at], CLASS_OF[meaning]) for at, meaning in turn.placed]
            row += question.ids + answer.ids
            marks += [False] * len(question.ids) + [True] * len(answer.ids)
        rows.append(row)
        answers.append(marks)
        end += len(row)
    return Encoded(prefix.ids, rows, answers, meanings)


def _starts(encoding: Encoding) -> dict[int, int]:
    """The token that begins at a character."""
    return {start: index for index, (start, _) in enumerate(encoding.offsets)}


def _parts(example: Example) -> list[str]:
    return [text for turn in example for text in (question_text(turn.request), turn.answer + END)]
