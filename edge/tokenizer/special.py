"""Tokens that are not plain text: what type each really has, which end an answer, where they stand in a text.

Which texts mean what was taken from llama.cpp's vocabulary loader, so that the same file behaves the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from edge.errors import BadModelFile
from edge.tokenizer.vocabulary import TokenType, Vocabulary

__all__ = ["HIDDEN", "NamedTokens", "SpecialTokens"]

# Texts that end an answer, whatever the file says about them.
_END_TEXTS = (
    *("<|eot_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>", "<end_of_turn>"),
    *("<|endoftext|>", "</s>", "<|eom_id|>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|end_of_text|>"),
    *("<end_of_utterance>", "<eos>", "<turn|>", "<|tool_response>", "<｜end▁of▁sentence｜>", "[e~["),
)
# Fill-in-the-middle padding, repository and file marks end an answer too; the first that is there counts.
_FIM_PAD_TEXTS = ("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<PAD>", "[PAD]")
_FIM_REP_TEXTS = ("<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>")
_FIM_SEP_TEXTS = ("<|file_sep|>",)
# Fill-in-the-middle marks never end an answer but are control tokens, typed so or not.
_FIM_TEXTS = (
    *("<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>", "<|code_prefix|>"),
    *("<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>", "<|code_suffix|>"),
    *("<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>", "<|code_middle|>"),
    *("<|prefix|>", "<|suffix|>", "<|middle|>"),
)
# gpt-oss: these are part of what the model says.
_SHOWN_TEXTS = ("<|channel|>", "<|message|>", "<|start|>", "<|constrain|>")

_NOT_NORMAL = re.compile(rb"[^\x01]", re.DOTALL)
_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_SPACE = " \t\n\v\f\r"
HIDDEN = (TokenType.CONTROL, TokenType.UNKNOWN)  # not part of the text, and found only when asked for
_WELL_KNOWN = (*_END_TEXTS, *_FIM_TEXTS, *_FIM_PAD_TEXTS, *_FIM_REP_TEXTS, *_FIM_SEP_TEXTS, *_SHOWN_TEXTS)


class NamedTokens(NamedTuple):
    """The few tokens of a vocabulary that are more than text, taken out of it in one pass."""

    types: Mapping[int, TokenType]  # of those that are not normal
    texts: Mapping[int, str]  # of the same
    known: Mapping[str, int]  # well-known texts that are tokens, whatever their type

    @staticmethod
    def of(vocabulary: Vocabulary, ids: Mapping[str, int]) -> NamedTokens:
        """`ids`: token text -> id, of all tokens but empty ones."""
        # One pass in C over what is almost always normal.
        kinds = bytes(iter(vocabulary.types)) if vocabulary.types is not None else b""
        types = {match.start(): TokenType(kinds[match.start()]) for match in _NOT_NORMAL.finditer(kinds)}
        texts = {index: text for text, index in ids.items() if index in types} if types else {}
        known = {text: ids[text] for text in _WELL_KNOWN if text in ids}
        return NamedTokens(types, texts, known)

    def hidden(self) -> dict[str, int]:
        """Control and unknown tokens, by the file's own types: text -> id."""
        return {text: index for index, text in self.texts.items() if self.types[index] in HIDDEN}


class _Matcher(NamedTuple):
    """Finds the texts of a set of tokens."""

    ids: Mapping[str, int]
    lengths: Mapping[str, tuple[int, ...]]  # first character -> lengths of the texts that begin with it
    starts: re.Pattern[str] | None

    @staticmethod
    def of(ids: Mapping[str, int]) -> _Matcher:
        lengths: dict[str, set[int]] = {}
        for text in ids:
            lengths.setdefault(text[0], set()).add(len(text))
        starts = re.compile("[" + "".join(map(re.escape, lengths)) + "]") if lengths else None
        return _Matcher(ids, {first: tuple(sorted(sizes)) for first, sizes in lengths.items()}, starts)

    def occurring(self, text: str) -> list[tuple[int, str]]:
        """Every occurrence of every token's text, overlapping ones too: (position, token text)."""
        if self.starts is None:
            return []
        found: list[tuple[int, str]] = []
        for match in self.starts.finditer(text):
            start = match.start()
            for length in self.lengths[match.group()]:
                piece = text[start : start + length]
                if piece in self.ids:
                    found.append((start, piece))
        return found


class SpecialTokens:
    """The types of a vocabulary's tokens, corrected, and the search for special tokens in a text."""

    def __init__(
        self,
        vocabulary: Vocabulary,
        named: NamedTokens,
        is_word: Callable[[str, int], bool] = lambda text, token: False,
    ) -> None:
        """`is_word`: whether plain text becomes this token; then it is no mark, whatever it looks like.

        Raises BadModelFile for byte tokens that do not name a byte.
        """
        types = dict(named.types)
        known = {text: i for text, i in named.known.items() if i in types or not is_word(text, i)}
        self.types = types  # of the tokens that are not normal
        self.eog_ids = frozenset(_end_tokens(vocabulary, known, types))
        texts = {**named.texts, **{i: text for text, i in known.items()}}
        self.byte_ids = _byte_tokens(vocabulary.path, texts, types)  # byte -> id, as far as there are byte tokens
        hidden = {text: index for index, text in texts.items() if types.get(index) in HIDDEN and text}
        shown = {text: index for index, text in texts.items() if types.get(index) is TokenType.USER_DEFINED and text}
        self._hidden = _Matcher.of(hidden)
        self._shown = _Matcher.of(shown)
        self._all = _Matcher.of(shown | hidden)
        self._strip_left, self._strip_right = _stripping(vocabulary, shown | hidden)

    def type_of(self, token_id: int) -> TokenType:
        return self.types.get(token_id, TokenType.NORMAL)

    def split(self, text: str, parse_special: bool) -> list[str | int]:
        """Cut `text` at special tokens: ids, and the text between them.

        User-defined tokens are always found, control and unknown ones only with `parse_special`. Longer tokens take
        their text before shorter ones, as in llama.cpp.
        """
        matcher = self._all if parse_special else self._shown
        found = matcher.occurring(text)
        if self._strip_left or self._strip_right:  # then a token reaches beyond its own text
            return self._by_length(text, {piece for _, piece in found}, matcher.ids)
        fragments: list[str | int] = []
        at = 0
        for start, end, pieces in _clusters(found):
            fragments.append(text[at:start])
            if len(pieces) == 1:
                fragments.append(matcher.ids[pieces[0]])
            else:
                fragments.extend(self._by_length(text[start:end], set(pieces), matcher.ids))
            at = end
        fragments.append(text[at:])
        return _joined(fragments)

    def hidden_ids(self, texts: Iterable[str]) -> frozenset[int]:
        """Ids of the control and unknown tokens that occur in these texts."""
        return frozenset(self._hidden.ids[piece] for text in texts for _, piece in self._hidden.occurring(text))

    def hidden_starts(self, text: str) -> list[int]:
        """Where a control or unknown token begins in `text`, ascending."""
        return sorted({start for start, _ in self._hidden.occurring(text)})

    def _by_length(self, text: str, pieces: set[str], ids: Mapping[str, int]) -> list[str | int]:
        fragments: list[str | int] = [text] if text else []
        # Bytes, not characters, decide what is longer. Equal lengths: lower id first.
        for piece in sorted(pieces, key=lambda piece: (-len(piece.encode()), ids[piece])):
            fragments = [
                part
                for fragment in fragments
                for part in (self._cut(fragment, piece, ids[piece]) if isinstance(fragment, str) else (fragment,))
            ]
        return fragments

    def _cut(self, fragment: str, piece: str, token_id: int) -> Iterable[str | int]:
        parts: list[str | int] = []
        start = 0
        while (match := fragment.find(piece, start)) >= 0:
            left = fragment[start:match]
            if token_id in self._strip_left:
                left = left.rstrip(_SPACE)
            if left:
                parts.append(left)
            parts.append(token_id)
            start = match + len(piece)
            if token_id in self._strip_right:
                while start < len(fragment) and fragment[start] in _SPACE:
                    start += 1
        if start < len(fragment):
            parts.append(fragment[start:])
        return parts


def _clusters(found: list[tuple[int, str]]) -> Iterator[tuple[int, int, list[str]]]:
    """Occurrences in groups that do not overlap: (start, end, token texts). Almost always one text each."""
    pieces: list[str] = []
    first = last = 0
    for start, piece in found:
        if pieces and start >= last:
            yield first, last, pieces
            pieces = []
        if not pieces:
            first = last = start
        pieces.append(piece)
        last = max(last, start + len(piece))
    if pieces:
        yield first, last, pieces


def _joined(fragments: list[str | int]) -> list[str | int]:
    """The same with neighbouring texts joined and empty ones left out."""
    out: list[str | int] = []
    for is_text, group in groupby(fragments, key=lambda fragment: isinstance(fragment, str)):
        if is_text:
            text = "".join(map(str, group))
            out.extend((text,) if text else ())
        else:
            out.extend(group)
    return out


def _end_tokens(vocabulary: Vocabulary, ids: Mapping[str, int], types: dict[int, TokenType]) -> set[int]:
    """The tokens that end an answer. Corrects `types` on the way."""

    def first(texts: tuple[str, ...]) -> int | None:
        return next((ids[text] for text in texts if text in ids), None)

    ends: set[int] = set()
    for said, texts in (
        (vocabulary.fim_pad_id, _FIM_PAD_TEXTS),
        (vocabulary.fim_rep_id, _FIM_REP_TEXTS),
        (vocabulary.fim_sep_id, _FIM_SEP_TEXTS),
    ):
        token_id = said if said is not None else first(texts)
        if token_id is not None:
            ends.add(token_id)
            if said is None:
                types[token_id] = TokenType.CONTROL
    for text in (*_END_TEXTS, *_FIM_TEXTS):
        if text in ids:
            types[ids[text]] = TokenType.CONTROL
            if text in _END_TEXTS:
                ends.add(ids[text])
    for text in _SHOWN_TEXTS:
        if text in ids:
            types[ids[text]] = TokenType.USER_DEFINED
    ends.update(i for i in (vocabulary.eos_id, vocabulary.eot_id, vocabulary.eom_id) if i is not None)
    _keep_inner_marks(ids, types, ends)
    return ends


def _keep_inner_marks(ids: Mapping[str, int], types: dict[int, TokenType], ends: set[int]) -> None:
    """Models whose answers hold marks that end an answer elsewhere."""

    def all_end(*texts: str) -> bool:
        return all(ids.get(text) in ends for text in texts)

    # gpt-oss and Solar Open: <|end|> closes a part of an answer, <|return|>, <|call|>, <|flush|> the answer.
    calls = all_end("<|call|>") or all_end("<|calls|>")
    if all_end("<|end|>") and calls and (all_end("<|return|>") or all_end("<|flush|>")):
        ends.discard(ids["<|end|>"])
        types[ids["<|end|>"]] = TokenType.USER_DEFINED
    # Gemma 4: </s> is HTML.
    if all_end("<|tool_response>", "</s>"):
        ends.discard(ids["</s>"])
        types[ids["</s>"]] = TokenType.NORMAL


def _byte_tokens(path: str, texts: Mapping[int, str], types: Mapping[int, TokenType]) -> dict[int, int]:
    found: dict[int, int] = {}
    for index, text in texts.items():
        if types.get(index) is TokenType.BYTE:
            match = _BYTE.fullmatch(text)
            if match is None:
                raise BadModelFile(
                    path,
                    f"key 'tokenizer.ggml.tokens' is {text[:80]!r} at {index}, a byte token must be <0x00> to <0xFF>",
                )
            found.setdefault(int(match[1], 16), index)
    return found


def _stripping(vocabulary: Vocabulary, special: Mapping[str, int]) -> tuple[frozenset[int], frozenset[int]]:
    """Tokens that swallow the white space before them, and after them. GGUF does not say it; the model's name does."""
    name, pre = vocabulary.model_name.lower(), vocabulary.pre or ""
    none: frozenset[int] = frozenset()

    def ids(*texts: str) -> frozenset[int]:
        return frozenset(special[text] for text in texts if text in special)

    if pre in ("jina-v2-de", "jina-v2-es", "jina-v2-code"):
        return ids("<mask>"), none
    if "phi-3" in name or "phi3" in name:
        return none, frozenset(special.values()) - ids("<unk>", "<s>", "<|endoftext|>")
    if "modern-bert" in name:
        return ids("[MASK]"), none
    return none, none
