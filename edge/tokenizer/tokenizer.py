"""Text to token ids and back, from the vocabulary of a model file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from edge.errors import BadModelFile, RequestError, UnsupportedModel
from edge.tokenizer.pretokenizers import PRE_TOKENIZERS, PreTokenizer
from edge.tokenizer.special import HIDDEN, NamedTokens, SpecialTokens
from edge.tokenizer.spm import SentencePieceEncoder
from edge.tokenizer.vocabulary import SPACE, TokenType, Vocabulary

if TYPE_CHECKING:
    from edge.formats import GGUFFile

__all__ = ["Tokenizer"]

MAX_TEXT_BYTES = 4 << 20
# Shielded text: this noncharacter stands inside every special token, so that none is found; see `shield`.
_SHIELD = "\ufdd0"
_SHIELDED = re.compile(f"{_SHIELD}({_SHIELD}?)")


class _Encoder(Protocol):
    def encode(self, text: str) -> list[int]: ...


class Tokenizer:
    """Encodes and decodes as llama.cpp does with the same file. Building one reads the whole vocabulary.

    Decoding never joins punctuation to the word before it (llama.cpp's `clean_spaces`): what is decoded is what the
    tokens say, in one piece or streamed.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Raises BadModelFile naming key, value and limit, UnsupportedModel for word patterns that edge lacks."""
        self._vocabulary = vocabulary
        self._warnings: list[str] = []
        ids = vocabulary.text_ids()
        named = NamedTokens.of(vocabulary, ids)
        self.vocab_size = len(vocabulary.tokens)
        self._byte_values: dict[str, int] = {}
        self.add_eos = bool(vocabulary.add_eos)
        if vocabulary.model == "llama":
            self.bos_id = self._or_default(vocabulary.bos_id, 1)
            self.eos_id = self._or_default(vocabulary.eos_id, 2)
            self.add_bos = vocabulary.add_bos is not False
            self._space_prefix = vocabulary.add_space_prefix is not False
            self._escaped_spaces = True
            if vocabulary.scores is None:
                self._warnings.append("the file has no token scores: every merge counts the same")
            self._special = SpecialTokens(vocabulary, named)
            self._encoder: _Encoder = SentencePieceEncoder(vocabulary, ids, self._special)
        elif vocabulary.model == "bert":
            from edge.tokenizer.wordpiece import WordPieceEncoder, named_ids

            self.bos_id, self.eos_id, _ = named_ids(vocabulary)  # [CLS] and [SEP], which stand around every text
            self.add_bos = self.add_eos = True
            self._space_prefix = False
            self._escaped_spaces = True
            self._special = SpecialTokens(vocabulary, named)
            self._encoder = WordPieceEncoder(vocabulary)
        else:
            from edge.tokenizer.bpe import BYTE_CHARACTERS, BytePairEncoder

            pre = self._pre_tokenizer()
            self.bos_id, self.eos_id = vocabulary.bos_id, vocabulary.eos_id
            self.add_bos = pre.add_bos if vocabulary.add_bos is None else vocabulary.add_bos
            self._space_prefix = bool(vocabulary.add_space_prefix)
            self._escaped_spaces = pre.escape_spaces
            if pre.byte_level:
                self._byte_values = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}
            encoder = BytePairEncoder(vocabulary, ids, named.hidden(), pre)
            self._special = SpecialTokens(vocabulary, named, encoder.is_word)
            self._encoder = encoder
        self.eog_ids = self._special.eog_ids  # any of these ends an answer
        if self.eos_id is not None:
            self.eog_ids |= {self.eos_id}
        for added, token_id, name in ((self.add_bos, self.bos_id, "bos"), (self.add_eos, self.eos_id, "eos")):
            if added and token_id is None:
                raise BadModelFile(
                    vocabulary.path, f"key 'tokenizer.ggml.{name}_token_id' is missing, but the token is to be added"
                )

    @classmethod
    def from_gguf(cls, file: GGUFFile) -> Tokenizer:
        """The tokenizer of an open model. It keeps views of the file's token texts, also when the file is closed."""
        return cls(Vocabulary.from_gguf(file))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the file does not say and had to be assumed, for the user to see."""
        return tuple(self._warnings)

    def encode(
        self, text: str, *, add_special: bool = True, parse_special: bool = False, shielded: bool = False
    ) -> list[int]:
        """Token ids of `text`.

        `add_special`: begin and end as the file says, with one BOS at most. `parse_special`: texts of control tokens
        become these tokens; without it they are plain text. `shielded`: parts went through `shield`, and stay plain.
        Raises RequestError for text that is too long, is not Unicode, or cannot be written in the vocabulary.
        """
        self._check_text(text)
        ids: list[int] = []
        after_special = True  # where a space is put before text
        for fragment in self._special.split(text, parse_special):
            if isinstance(fragment, int):
                ids.append(fragment)
                after_special = True
                continue
            if shielded:
                fragment = _SHIELDED.sub(r"\1", fragment)
            ids.extend(self._encoder.encode(" " + fragment if self._space_prefix and after_special else fragment))
            after_special = False
        if add_special and self.add_bos and self.bos_id is not None and ids[:1] != [self.bos_id]:
            ids.insert(0, self.bos_id)
        if add_special and self.add_eos and self.eos_id is not None:
            ids.append(self.eos_id)
        return ids

    def encode_within(self, text: str) -> list[int]:
        """Token ids of text that stands behind other text: nothing is added before it, and no control token is found.

        Raises RequestError as `encode`.
        """
        self._check_text(text)
        ids: list[int] = []
        for fragment in self._special.split(text, parse_special=False):
            ids.extend((fragment,) if isinstance(fragment, int) else self._encoder.encode(fragment))
        return ids

    def split_control(self, text: str) -> list[str | int]:
        """`text` cut at control tokens: their ids, and the text between them, none of it empty."""
        parts: list[str | int] = []
        for part in self._special.split(text, parse_special=True):
            plain = part if isinstance(part, str) else "" if self.is_control(part) else self.token_text(part)
            if not plain:
                parts.append(part)
            elif parts and isinstance(parts[-1], str):
                parts[-1] += plain
            else:
                parts.append(plain)
        return parts

    def shield(self, text: str) -> str:
        """`text` with every control token's text broken up, for `encode(..., parse_special=True, shielded=True)`.

        What a user wrote stays text in a prompt whose template writes control tokens.
        """
        text = text.replace(_SHIELD, _SHIELD * 2)
        cuts = [0, *(start + 1 for start in self._special.hidden_starts(text)), len(text)]
        return _SHIELD.join(text[start:end] for start, end in zip(cuts, cuts[1:], strict=False))

    def decode(self, ids: Iterable[int], *, skip_special: bool = True) -> str:
        """Text of `ids`; bytes that are not UTF-8 become U+FFFD. Undoes `encode`, the space it adds included."""
        ids = list(ids)
        data = b"".join(self.token_bytes(token_id, skip_special=skip_special) for token_id in ids)
        begins = self._space_prefix or self._vocabulary.model == "bert"  # whose words all begin with a space
        if begins and data.startswith(b" ") and self._begins_with_text(ids, skip_special):
            data = data[1:]
        return data.decode(errors="replace")

    def token_bytes(self, token_id: int, *, skip_special: bool = True) -> bytes:
        """What one token adds to the text. Control tokens add their own text without `skip_special`."""
        text = self.token_text(token_id)
        kind = self._special.type_of(token_id)
        if kind in HIDDEN:
            return b"" if skip_special else text.encode()
        if kind is TokenType.USER_DEFINED:
            return text.encode()
        if kind is TokenType.BYTE:
            return bytes((int(text[3:5], 16),))
        if kind is TokenType.UNUSED:
            return b""
        if self._byte_values:
            try:
                return bytes(map(self._byte_values.__getitem__, text))
            except KeyError:  # a token that was added as text
                return text.encode()
        return (text.replace(SPACE, " ") if self._escaped_spaces else text).encode()

    def all_token_bytes(self) -> list[bytes]:
        """`token_bytes` of every token, with the texts of control tokens: many times faster than one by one."""
        special = self._special.types
        characters = {ord(character): byte for character, byte in self._byte_values.items()}
        out: list[bytes] = []
        for token_id, text in enumerate(self._vocabulary.tokens):
            data = b""
            if token_id not in special and characters:
                try:
                    data = text.translate(characters).encode("latin-1")
                except UnicodeEncodeError:
                    data = self.token_bytes(token_id, skip_special=False)
            else:
                data = self.token_bytes(token_id, skip_special=False)
            out.append(data)
        return out

    def token_text(self, token_id: int) -> str:
        """The token as the file writes it. Raises RequestError when there is no such id."""
        if not 0 <= token_id < self.vocab_size:
            raise RequestError(f"token id {token_id}: the vocabulary has 0 to {self.vocab_size - 1}")
        return self._vocabulary.tokens[token_id]

    def is_control(self, token_id: int) -> bool:
        """Whether the token is a mark that is not part of the text."""
        return self._special.type_of(token_id) in HIDDEN

    def control_ids(self, texts: Iterable[str]) -> frozenset[int]:
        """The control tokens that occur in these texts."""
        return self._special.hidden_ids(texts)

    def _begins_with_text(self, ids: list[int], skip_special: bool) -> bool:
        """Whether the first token that is shown is one that `encode` may have put a space into."""
        for token_id in ids:
            if self.is_control(token_id):
                if not skip_special:
                    return False
                continue
            return self._special.type_of(token_id) is not TokenType.USER_DEFINED
        return False

    def _check_text(self, text: str) -> None:
        try:
            size = len(text.encode())
        except UnicodeEncodeError as error:
            raise RequestError(
                f"prompt: character {error.start} is half of a surrogate pair (U+{ord(text[error.start]):04X})"
            ) from None
        if size > MAX_TEXT_BYTES:
            raise RequestError(f"prompt: {size} bytes, at most {MAX_TEXT_BYTES} can be tokenized")

    def _or_default(self, said: int | None, default: int) -> int | None:
        if said is not None:
            return said
        return default if default < self.vocab_size else None

    def _pre_tokenizer(self) -> PreTokenizer:
        name = self._vocabulary.pre
        if not name:
            self._warnings.append(
                "the file has no 'tokenizer.ggml.pre': words are cut as 'default', which may not be how it was trained"
            )
            return PRE_TOKENIZERS["default"]
        pre = PRE_TOKENIZERS.get(name)
        if pre is None:
            raise UnsupportedModel(self._vocabulary.path, f"key 'tokenizer.ggml.pre' is {name[:80]!r}, unknown to edge")
        return pre
