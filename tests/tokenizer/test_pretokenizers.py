"""Words are cut as each model's own pattern cuts them; every name of llama.cpp is known."""

from __future__ import annotations

import pytest
from tokenizers import Regex, pre_tokenizers

from edge.errors import UnsupportedModel
from edge.tokenizer import Tokenizer
from edge.tokenizer.digits import digit_cuts
from edge.tokenizer.pretokenizers import PRE_TOKENIZERS
from tests.tokenizer.vocabularies import bpe_vocabulary

# As llama.cpp's vocabulary loader lists them.
_NAMES = """
default minicpm5 llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano deepseek-llm
deepseek-coder deepseek-v3 spark2_5 youtu falcon mpt starcoder gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es
jina-v2-de a.x-4.0 mellum modern-bert jais-2 gemma4 granite-embed-multi-311m sarvam-moe jina-v1-en jina-v2-code
roberta-bpe whitespace refact command-r qwen2 deepseek-r1-qwen kormo f2llmv2 qwen35 stablelm2 olmo dbrx smaug-bpe
poro-chat glm4 chatglm-bpe viking jais tekken smollm codeshell bloom gpt3-finnish exaone exaone4 exaone-moe chameleon
minerva-7b megrez gpt-4o llama4 kanana2 talkie granite-embed-multi-97m tiny_aya cohere2moe superbpe trillion
granite-docling bailingmoe bailingmoe2 llada-moe seed-coder hunyuan hunyuan-dense hy_v4 joyai-llm kimi-k2 ufakzeka
grok-2 afmoe laguna minimax-m2 solar-open mellum2
""".split()


def _words(pre: str, text: str) -> list[str]:
    entry = PRE_TOKENIZERS[pre]
    cuts = [0, *(digit_cuts(text, entry.digit_groups) if entry.digit_groups else ()), len(text)]
    steps: list[pre_tokenizers.PreTokenizer] = [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in entry.patterns
    ]
    cutter = pre_tokenizers.Sequence(steps)
    parts = [text[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]
    return [word for part in parts for word, _ in cutter.pre_tokenize_str(part)]


def test_every_name_of_llama_cpp_is_known() -> None:
    assert set(_NAMES) == PRE_TOKENIZERS.keys()


@pytest.mark.parametrize("pre", _NAMES)
def test_every_pattern_keeps_all_text(pre: str) -> None:
    text = "Hello, World's 12345 tests!\n\n  कि ½ 漢字かな 한국  <sentinel:7> 😀\t\r\n end  "
    assert "".join(_words(pre, text)) == text
    tokenizer = Tokenizer(bpe_vocabulary(pre=pre if PRE_TOKENIZERS[pre].byte_level else "gpt-2", bos_id=0))
    assert tokenizer.decode(tokenizer.encode(text, add_special=False)) == text


@pytest.mark.parametrize(
    ("pre", "text", "words"),
    [
        ("gpt-2", "I'll  go 123!", ["I", "'ll", " ", " go", " 123", "!"]),
        ("starcoder", "a 123", ["a", " ", "1", "2", "3"]),
        ("default", "a+b 12345", ["a", "+", "b", " ", "123", "45"]),
        ("llama-bpe", "I'LL go 12345\n\n x", ["I", "'LL", " go", " ", "123", "45", "\n\n", " x"]),
        ("qwen2", "x=12;\n", ["x", "=", "1", "2", ";\n"]),
        ("qwen35", "नमस्ते", ["नमस्ते"]),
        ("qwen2", "नमस्ते", ["नमस", "्त", "े"]),
        ("deepseek-v3", "漢字ab12345.x", ["漢字", "ab", "123", "45", ".x"]),
        ("deepseek-llm", "Hi 漢字 123  \n", ["Hi", " ", "漢字", " ", "123", "  ", "\n"]),
        ("gpt-4o", "helloWorld's HTMLPage", ["hello", "World's", " HTMLPage"]),
        ("gpt-4o", "éÉ", ["é", "É"]),
        ("tekken", "helloWorld's 12", ["hello", "World", "'s", " ", "1", "2"]),
        ("kimi-k2", "漢字abcDef123", ["漢字", "abc", "Def", "123"]),
        ("superbpe", "ab 1234567 c", ["ab ", "1", "234", "567", " c"]),
        ("tiny_aya", "1234567 12ab", ["1", "234", "567", " ", "12", "ab"]),
        ("afmoe", "x1234 y", ["x", "1", "234", " y"]),
        ("exaone-moe", "a b cd", ["a b cd"]),
        ("bloom", "Hi, you|me", ["Hi", ",", " you", "|", "me"]),
        ("gemma4", "a b\n\nc", ["a b", "\n\n", "c"]),
        ("chameleon", "abIMGIMGABZcd\tx", ["ab", "IMGIMGABZ", "cd", "\t", "x"]),
        ("ufakzeka", "Ali'nin", ["Ali", "'nin"]),
    ],
)
def test_words(pre: str, text: str, words: list[str]) -> None:
    assert _words(pre, text) == words


def test_unknown_name_is_refused_with_the_name() -> None:
    with pytest.raises(UnsupportedModel, match="'tokenizer.ggml.pre' is 'llama-99'"):
        Tokenizer(bpe_vocabulary(pre="llama-99"))


def test_missing_name_is_said() -> None:
    tokenizer = Tokenizer(bpe_vocabulary(pre=None))
    assert len(tokenizer.warnings) == 1 and "tokenizer.ggml.pre" in tokenizer.warnings[0]
    same = Tokenizer(bpe_vocabulary(pre="default"))
    assert tokenizer.encode("a+b 12345") == same.encode("a+b 12345")


@pytest.mark.parametrize(
    ("kind", "text", "cuts"),
    [
        ("numbers", "1234", [1]),
        ("numbers", "a½12345", [1, 4]),
        ("digits", "12345 x", [2, 5]),
        ("digits", "12345x", []),
        ("numbers-then-digits", "½12345", [3]),
        ("numbers-then-digits", "a123456b", [1, 4, 7]),
    ],
)
def test_digit_cuts(kind: str, text: str, cuts: list[int]) -> None:
    assert digit_cuts(text, kind) == cuts  # type: ignore[arg-type]
