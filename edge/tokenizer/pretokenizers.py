"""How byte-level BPE text is cut into words, for every value of `tokenizer.ggml.pre` that llama.cpp knows.

The patterns are facts of the published tokenizers (each model's tokenizer.json); the names are those that llama.cpp
reads. Where llama.cpp approximates a pattern because std::regex cannot say it (upper and lower case letters, Han
exclusion, possessive counts), the model's own pattern stands here: it is what the model was trained with.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["PRE_TOKENIZERS", "PreTokenizer"]

Digits = Literal["numbers", "digits", "numbers-then-digits"]


class PreTokenizer(NamedTuple):
    """One way to cut text into words: `digit_groups`, then `patterns` one after the other inside what is left.

    Each match of a pattern becomes a word, and so does the text between two matches.
    """

    patterns: tuple[str, ...]  # Oniguruma syntax
    digit_groups: Digits | None = None  # cut runs of digits into threes from the right; edge.tokenizer.digits
    ignore_merges: bool = False  # a word that is a token is taken whole, before any merge
    add_bos: bool = False  # where the file does not say
    byte_level: bool = True  # False: words are merged as UTF-8, unknown characters become <0xXX> tokens
    escape_spaces: bool = False  # U+2581 stands for a space
    whole_newlines: bool = False  # a word of newlines that is a token is taken whole


# The parts that most patterns are made of.
_CONTRACTION = r"'(?:[sS]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])"
_WORD = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_SYMBOLS = r" ?[^\s\p{L}\p{N}]+[\r\n]*"
_LINES = r"\s*[\r\n]+"
_SPACES = r"\s+(?!\S)|\s+"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"

_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def _ranges(hexadecimal: str) -> str:
    """Inside of a character class, from code points: "41-5a b5"."""
    return "".join("-".join(f"\\x{{{end}}}" for end in part.split("-")) for part in hexadecimal.split())


_CJK_KANA = r"[\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+"
_CJK_HANGUL = r"[\x{4e00}-\x{9fa5}\x{0800}-\x{4e00}\x{ac00}-\x{d7ff}]+"
_ASCII_SYMBOL = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"

# deepseek-llm spells out the cased letters of the Unicode version it was made with.
_DEEPSEEK_LETTERS = _ranges(
    "41-5a 61-7a b5 c0-d6 d8-f6 f8-1ba 1bc-1bf 1c4-293 295-2af 370-373 376 377 37b-37d 37f 386 388-38a 38c "
    "38e-3a1 3a3-3f5 3f7-481 48a-52f 531-556 10a0-10c5 13a0-13f5 13f8-13fd 1c90-1cba 1cbd-1cbf 1d00-1d2b "
    "1d6b-1d77 1d79-1d9a 1e00-1f15 1f18-1f1d 1f20-1f45 1f48-1f4d 1f50-1f57 1f59 1f5b 1f5d 1f5f-1f7d 1f80-1fb4 "
    "1fb6-1fbc 1fbe 1fc2-1fc4 1fc6-1fcc 1fd0-1fd3 1fd6-1fdb 1fe0-1fec 1ff2-1ff4 1ff6-1ffc 2102 2107 210a-2113 "
    "2115 2119-211d 2124 2126 2128 212a-212d 212f-2134 2139 213c-213f 2145-2149 214e 2183 2184 2c00-2c7b "
    "2c7e-2ce4 2ceb-2cee 2cf2 2cf3 a640-a66d a680-a69b a722-a76f a771-a787 a78b-a78e ab70-abbf fb00-fb06 "
    "fb13-fb17 ff21-ff3a ff41-ff5a 10400-1044f 104b0-104d3 104d8-104fb 10c80-10cb2 10cc0-10cf2 118a0-118df "
    "1e900-1e943"
)


def _either(*alternatives: str) -> str:
    return "|".join(alternatives)


def _cased_words(upper: str, lower: str, suffix: str) -> str:
    """Words that start anew at a capital after small letters, with one leading symbol and an optional suffix."""
    lead = r"[^\r\n\p{L}\p{N}]?"
    return f"{lead}{upper}*{lower}+{suffix}|{lead}{upper}+{lower}*{suffix}"


def _deepseek3(tail: str) -> str:
    return _either(_ASCII_SYMBOL + r"[A-Za-z]+", r"[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+", tail, _SPACES)


_LLAMA3 = _either(_CONTRACTION, _WORD, r"\p{N}{1,3}", _SYMBOLS, _LINES, _SPACES)
_QWEN2 = _either(_CONTRACTION, _WORD, r"\p{N}", _SYMBOLS, _LINES, _SPACES)
_QWEN35 = _either(
    _CONTRACTION,
    r"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+",
    r"\p{N}",
    r" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*",
    _LINES,
    _SPACES,
)
_GPT4O_TAIL = _either(r" ?[^\s\p{L}\p{N}]+[\r\n/]*", _LINES, _SPACES)
_GPT4O = _either(_cased_words(_UPPER, _LOWER, f"(?:{_CONTRACTION})?"), r"\p{N}{1,3}", _GPT4O_TAIL)
_TEKKEN = _either(_cased_words(_UPPER, _LOWER, ""), r"\p{N}", _GPT4O_TAIL)
_KIMI = _either(
    r"\p{Han}+",
    _cased_words(
        r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]",
        r"[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]",
        f"(?:{_CONTRACTION})?",
    ),
    r"\p{N}{1,3}",
    _SYMBOLS,
    _LINES,
    _SPACES,
)
_JAIS2 = _either(
    *(_CONTRACTION, _WORD, r"\p{N}{1,3}", _SYMBOLS, _LINES),
    *(rf"\s{{{count}}}(?!\S)" for count in ("512", "256", "128", "64", "32", "16", "8", "4", "1,2")),
    r"\s{1}",
)
_YOUTU_SCRIPTS = _either(
    r"[\x{ac00}-\x{d7a3}\x{3131}-\x{318e}]+",
    f"[{_ranges('ff01 2026 201c 201d 2018 2019 2014 ff1a ff1b ff0c 3001-303f fe30-fe4f')}]+",
    r"[\x{3105}-\x{312f}]+",
    _CJK_KANA,
)
_AFMOE_SCRIPTS = "[{}]+".format(
    _ranges(
        "4e00-9fff 3400-4dbf f900-faff 3040-309f 30a0-30ff ff65-ff9f 2f00-2fdf e40-e7f e80-eff 1780-17ff 1000-109f "
        "aa60-aa7f a9e0-a9ff ac00-d7af 1100-11ff"
    )
)
_BLOOM = " ?[^(\\s|.,!?" + _ranges("2026 3002 ff0c 3001 964 6d4 60c") + ")]+"
_NEWLINES = r"[^\n]+|[\n]+"


_DEFAULT = PreTokenizer((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", r"[0-9][0-9][0-9]"))
_GPT2_WORDS = PreTokenizer((_GPT2,))
_DIGITS_GPT2 = PreTokenizer((r"\p{N}", _GPT2))
_LLAMA3_WORDS = PreTokenizer((_LLAMA3,))
_LLAMA3_WHOLE = PreTokenizer((_LLAMA3,), ignore_merges=True, add_bos=True)
_QWEN2_WORDS = PreTokenizer((_QWEN2,))
_GPT4O_WORDS = PreTokenizer((_GPT4O,))
_DEEPSEEK3 = PreTokenizer((r"\p{N}{1,3}", _CJK_KANA, _deepseek3(r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+")))
_BLOOM_WORDS = PreTokenizer((_BLOOM,))
_BAILING = PreTokenizer((_either(_CONTRACTION, _WORD, r"\p{N}", _SYMBOLS, r"\s*[\r\n]", _SPACES),))
_GEMMA4 = PreTokenizer((_NEWLINES,), add_bos=True, byte_level=False, escape_spaces=True, whole_newlines=True)
_TINY_AYA = PreTokenizer((_GPT4O,), digit_groups="digits")

PRE_TOKENIZERS: dict[str, PreTokenizer] = {
    "default": _DEFAULT,
    # Llama 3 and those that took over its words
    **dict.fromkeys(("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral"), _LLAMA3_WHOLE),
    **dict.fromkeys(("midm-2.0", "lfm2", "jina-v5-nano"), _LLAMA3_WHOLE),
    **dict.fromkeys(("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), _LLAMA3_WORDS),
    "minicpm5": PreTokenizer(
        (r"\p{N}{1,3}", _either(_CONTRACTION, _WORD, r"\p{N}+", _SYMBOLS, _LINES, _SPACES)), ignore_merges=True
    ),
    "jais-2": PreTokenizer((_JAIS2,)),
    # GPT-2
    **dict.fromkeys(("gpt-2", "phi-2", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "gigachat"), _GPT2_WORDS),
    **dict.fromkeys(("jina-v1-en", "jina-v2-code", "roberta-bpe", "modern-bert", "a.x-4.0", "mellum"), _GPT2_WORDS),
    **dict.fromkeys(("mpt", "olmo", "jais", "exaone4", "trillion", "granite-docling"), _GPT2_WORDS),
    # GPT-2 after single digits
    **dict.fromkeys(("starcoder", "refact", "command-r", "smollm", "codeshell"), _DIGITS_GPT2),
    **dict.fromkeys(("exaone", "minerva-7b", "mellum2"), _DIGITS_GPT2),
    "falcon": PreTokenizer((r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, r"[0-9][0-9][0-9]")),
    # Qwen 2 and those that took over its words
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2"), _QWEN2_WORDS),
    **dict.fromkeys(("hunyuan", "solar-open", "grok-2"), _QWEN2_WORDS),
    "qwen35": PreTokenizer((_QWEN35,)),
    "laguna": PreTokenizer((_NEWLINES, _QWEN2)),
    "ufakzeka": PreTokenizer((_either(_WORD, r"\p{N}", _SYMBOLS, _LINES, _SPACES),)),
    "seed-coder": PreTokenizer(
        (_either(_CONTRACTION, _WORD, r"\p{N}{1}", r" ?[^\s\p{L}\p{N}\r\n]+", _LINES, _SPACES),)
    ),
    **dict.fromkeys(("bailingmoe", "bailingmoe2", "llada-moe"), _BAILING),
    "exaone-moe": PreTokenizer(
        (
            _either(
                *(_CONTRACTION, r"[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+", r"\p{N}"),
                *(r" ?[^\s\p{L}\p{N}]+[\r\n/]?", r"\s*[\r\n]", _SPACES),
            ),
        )
    ),
    # DeepSeek
    "deepseek-llm": PreTokenizer(
        (
            r"[\r\n]",
            rf"\s?[{_DEEPSEEK_LETTERS}]+",
            r"\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+",
            r"(?<!\s)\s++$",  # the published \s+$, without its quadratic search
            _CJK_HANGUL,
            r"\p{N}+",
        )
    ),
    "deepseek-coder": PreTokenizer((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _CJK_HANGUL, r"\p{N}")),
    **dict.fromkeys(("deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"), _DEEPSEEK3),
    "spark2_5": PreTokenizer((r"\p{N}{1,3}", _CJK_KANA, _deepseek3(r" ?[\p{P}\p{S}]+|[\r\n]"), r"\p{N}")),
    # GPT-4o: words end where a capital follows a small letter
    **dict.fromkeys(("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"), _GPT4O_WORDS),
    "granite-embed-multi-97m": PreTokenizer((_GPT4O,), ignore_merges=True),
    **dict.fromkeys(("tiny_aya", "cohere2moe"), _TINY_AYA),
    "tekken": PreTokenizer((_TEKKEN,), ignore_merges=True, add_bos=True),
    "kimi-k2": PreTokenizer((_KIMI,)),
    "youtu": PreTokenizer(
        (
            _YOUTU_SCRIPTS,
            _either(_cased_words(_UPPER, _LOWER, f"(?:{_CONTRACTION})?"), r"\p{N}", _GPT4O_TAIL),
        ),
        ignore_merges=True,
    ),
    # Others
    **dict.fromkeys(("poro-chat", "bloom", "gpt3-finnish"), _BLOOM_WORDS),
    "viking": PreTokenizer((_BLOOM, r"\p{N}")),
    "chameleon": PreTokenizer(
        (
            r"<sentinel:[0-9]+>",
            r"(?:IMGIMG)[A-I]{1,4}Z",
            r"[\t\n]|    |  ",
            r"\p{N}",
            r"[\p{P}!-/:-@\[-`{-~]",
            _GPT2,
        ),
        add_bos=True,
    ),
    "superbpe": PreTokenizer((), digit_groups="numbers-then-digits"),
    "afmoe": PreTokenizer((_AFMOE_SCRIPTS, _deepseek3(r" ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+")), digit_groups="numbers"),
    **dict.fromkeys(("gemma4", "granite-embed-multi-311m"), _GEMMA4),
    "sarvam-moe": PreTokenizer((_NEWLINES,), byte_level=False, escape_spaces=True),
    "whitespace": PreTokenizer((r"\S+",), byte_level=False),
}
