"""Which `tokenizer.ggml.pre` a byte-level tokenizer.json means, found by what its pre-tokenizer does.

The patterns are those that the models publish in their tokenizer.json; a tokenizer whose words are cut in a way that no
name stands for is refused, never approximated.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from edge.errors import BadModelFile, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.json_file import Fields, is_object
from edge.tokenizer.pretokenizers import PRE_TOKENIZERS

__all__ = ["PreTokenizerJson", "pre_tokenizer_name", "pre_tokenizer_of"]

_TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_LLAMA3 = rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}|{_TAIL}"
_QWEN2 = rf"{_CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}|{_TAIL}"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LEAD = r"[^\r\n\p{L}\p{N}]?"
_GPT4O_TAIL = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_CASED = (
    rf"{_LEAD}{_UPPER}*{_LOWER}+{_CONTRACTIONS}?|{_LEAD}{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}|{_GPT4O_TAIL}"
)
_TEKKEN = rf"{_LEAD}{_UPPER}*{_LOWER}+|{_LEAD}{_UPPER}+{_LOWER}*|\p{{N}}|{_GPT4O_TAIL}"
_DEEPSEEK3 = (
    r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"
    r"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# What cuts the text, one step after the other -> (name, name when a word that is a token is taken whole)
_BYTES = ("bytes",)
_GPT2_WORDS = ("gpt2 words",)
_KNOWN: dict[tuple[tuple[str, ...], ...], tuple[str | None, str | None]] = {
    (_GPT2_WORDS,): ("gpt-2", None),
    (("digits",), _GPT2_WORDS): ("smollm", None),
    (("split", _LLAMA3), _BYTES): ("smaug-bpe", "llama-bpe"),
    (("split", _QWEN2), _BYTES): ("qwen2", None),
    (("split", _CASED), _BYTES): ("gpt-4o", None),
    (("split", _TEKKEN), _BYTES): (None, "tekken"),
    (("split", r"\p{N}{1,3}"), ("split", "[一-龥぀-ゟ゠-ヿ]+"), ("split", _DEEPSEEK3), _BYTES): ("deepseek-v3", None),
}


def pre_tokenizer_name(tokenizer: Fields, *, ignore_merges: bool) -> str:
    """GGUF's name for its pre-tokenizer. UnsupportedModel: there is none for it. BadModelFile: malformed."""
    pre_tokenizer = tokenizer.get_object("pre_tokenizer")
    if pre_tokenizer is None:
        raise UnsupportedModel(tokenizer.path, "has no pre-tokenizer, which GGUF cannot say for bytes")
    steps = tuple(_steps(pre_tokenizer, 0))
    name = _KNOWN.get(steps, (None, None))[int(ignore_merges)]
    if name is None:
        whole = ", and takes words that are tokens whole" if ignore_merges else ""
        shown = "; ".join(": ".join(step) for step in steps)
        raise UnsupportedModel(
            pre_tokenizer.path, f"no name in GGUF stands for this way to cut words: {quoted(shown, 300)}{whole}"
        )
    return name


class PreTokenizerJson(NamedTuple):
    """steps: the object `pre_tokenizer` of a tokenizer.json. ignore_merges: words that are tokens are taken whole."""

    steps: dict[str, Any]
    ignore_merges: bool


def pre_tokenizer_of(name: str) -> PreTokenizerJson | None:
    """What a tokenizer.json says for GGUF's name of a way to cut words, or for another name of the same way; None where
    no published one is known."""
    wanted = PRE_TOKENIZERS.get(name)
    for steps, names in _KNOWN.items():
        for ignore_merges, known in enumerate(names):
            if known is not None and (known == name or (wanted is not None and PRE_TOKENIZERS[known] is wanted)):
                return PreTokenizerJson(
                    {"type": "Sequence", "pretokenizers": [_said(step) for step in steps]}, bool(ignore_merges)
                )
    return None


def _said(step: tuple[str, ...]) -> dict[str, Any]:
    if step[0] == "split":
        return {"type": "Split", "pattern": {"Regex": step[1]}, "behavior": "Isolated", "invert": False}
    if step[0] == "digits":
        return {"type": "Digits", "individual_digits": True}
    return {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": step[0] == "gpt2 words",
    }


def _steps(fields: Fields, depth: int) -> list[tuple[str, ...]]:
    kind = fields.get_str("type")
    match kind:
        case "Sequence":
            if depth > 4:
                raise BadModelFile(fields.path, "pre-tokenizers are nested more than 4 deep")
            found: list[tuple[str, ...]] = []
            for entry in fields.get_list("pretokenizers"):
                if not is_object(entry):
                    raise BadModelFile(fields.path, "a pre-tokenizer must be an object")
                found += _steps(Fields(fields.path, entry, "pre_tokenizer."), depth + 1)
            return found
        case "Split":
            return [("split", _pattern(fields))]
        case "Digits" if fields.get_bool("individual_digits", False):
            return [("digits",)]
        case "ByteLevel":
            if fields.get_bool("add_prefix_space", False):
                raise UnsupportedModel(fields.path, "puts a space before the text, which GGUF cannot say for bytes")
            return [("gpt2 words",) if fields.get_bool("use_regex", True) else ("bytes",)]
        case _:
            raise UnsupportedModel(fields.path, f"pre-tokenizer {quoted(kind)} has no counterpart in GGUF")


def _pattern(fields: Fields) -> str:
    """The pattern of a split that keeps its matches and what lies between them as words."""
    if fields.get_str("behavior") != "Isolated" or fields.get_bool("invert", False):
        inverted = fields.get_bool("invert", False)
        if not (fields.get_str("behavior") == "Removed" and inverted):  # the matches alone; they cover the text
            raise UnsupportedModel(
                fields.path, f"a split that is {fields.get_str('behavior')!r} has no counterpart in GGUF"
            )
    pattern = fields.get_object("pattern")
    if pattern is None:
        raise BadModelFile(fields.path, "a split without a pattern")
    return pattern.get_str("Regex")
