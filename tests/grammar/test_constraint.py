"""The state of one answer: masks, forced tokens, taking back and copying, on real vocabularies and made ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from edge.errors import DoesNotFit, GrammarError
from edge.formats import open_gguf
from edge.grammar import CallFormat, Constraints, Grammar, grammar_of, tool_call_grammar
from edge.grammar.constraint import GrammarConstraint
from edge.tokenizer import Tokenizer, TokenType
from edge.tools import function_tools
from tests.tokenizer.vocabularies import PUBLIC, bpe_vocabulary, public_vocabulary, spm_vocabulary

PERSON: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "colour": {"enum": ["red", "reddish"]}},
    "required": ["name", "colour"],
    "additionalProperties": False,
}


def _form(**options: Any) -> Grammar:
    form = grammar_of(**options)
    assert form is not None
    return form


def _constraints(tokenizer: Tokenizer, vocab_size: int | None = None) -> Constraints:
    return Constraints(lambda: tokenizer, vocab_size or tokenizer.vocab_size, lambda: None)


def _allowed(constraint: GrammarConstraint) -> set[int]:
    bits = np.unpackbits(np.frombuffer(constraint.mask(), np.uint8), bitorder="little")
    return set(np.flatnonzero(bits).tolist())


def _take(constraint: GrammarConstraint, tokenizer: Tokenizer, text: bytes) -> list[int]:
    """Takes this text, the longest allowed token first."""
    ids: dict[bytes, list[int]] = {}
    for token, data in enumerate(tokenizer.all_token_bytes()):
        if not tokenizer.is_control(token):
            ids.setdefault(data, []).append(token)
    taken: list[int] = []
    while text:
        allowed = _allowed(constraint)
        longest = (text[:length] for length in range(len(text), 0, -1))
        data, token = next((d, t) for d in longest for t in ids.get(d, ()) if t in allowed)
        constraint.advance(token)
        taken.append(token)
        text = text[len(data) :]
    return taken


@pytest.fixture(scope="module", params=PUBLIC)
def real(request: pytest.FixtureRequest) -> Tokenizer:
    with open_gguf(public_vocabulary(request.param)) as file:
        return Tokenizer.from_gguf(file)


def test_real_vocabularies(real: Tokenizer) -> None:
    assert real.all_token_bytes() == [real.token_bytes(token, skip_special=False) for token in range(real.vocab_size)]
    constraint = _constraints(real, real.vocab_size + 37).constraint(_form(schema=PERSON))
    text = json.dumps({"name": "Zo\u00eb \u65e5\u672c \U0001f600", "colour": "reddish"}, ensure_ascii=False)
    start = constraint.copy()
    tokens = _take(constraint, real, text.encode())
    assert constraint.complete
    assert real.decode(tokens) == text or real.token_bytes(tokens[0]).startswith(b" ")
    assert b"".join(map(real.token_bytes, tokens)).decode() == text
    # Every state in between comes back, by rolling back and by replaying; ids past the vocabulary are never allowed.
    replay = start.copy()
    for count in range(len(tokens) + 1):
        again = constraint.copy()
        again.rollback(len(tokens) - count)
        if count < len(tokens):
            assert (again.forced(), again.num_tokens) == (replay.forced(), count)
            assert again.mask() == replay.mask()
            assert max(_allowed(again)) < real.vocab_size
            replay.advance(tokens[count])


def test_json_object_has_no_white_space_to_loop_on() -> None:
    """One space behind a colon or a comma is all that may stand between values."""
    with open_gguf(public_vocabulary("llama-spm")) as file:
        tokenizer = Tokenizer.from_gguf(file)
    constraints, data = _constraints(tokenizer), tokenizer.all_token_bytes()
    for before, may_come in {
        "": False, "{": False, '{"a"': False, '{"a":': True, '{"a": ': False, '{"a":[1,': True, '{"a":[1, ': False,
        '{"a":[1]': False, '{"a":true': False, '{"a":{"b":2},': True, '{"a":1}': False,
    }.items():  # fmt: skip
        constraint = constraints.constraint(_form(schema={"type": "object"}))
        _take(constraint, tokenizer, before.encode())
        allowed = [data[token] for token in _allowed(constraint) if not tokenizer.is_control(token)]
        begun = {text[: len(text) - len(text.lstrip())] for text in allowed}
        assert begun <= ({b"", b" "} if may_come else {b""}) and (b" " in begun) == may_come, before
        if before.endswith("}"):
            assert allowed == [] and _allowed(constraint) <= tokenizer.eog_ids


def test_forced_tokens_are_the_tokenizers_own(real: Tokenizer) -> None:
    long_name = "a_rather_long_property_name"
    schema = {
        "type": "object",
        "properties": {long_name: {"type": "boolean"}},
        "required": [long_name],
        "additionalProperties": False,
    }
    constraint = _constraints(real).constraint(_form(schema=schema))
    forced = constraint.forced()
    written = real.encode_within(f'{{"{long_name}": ')
    assert len(forced) >= len(written) - 2  # the last may join what follows
    assert forced == written[: len(forced)]
    assert _allowed(constraint) == {forced[0]}
    constraint.advance(forced[0])
    assert constraint.forced() == forced[1:]


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"properties": {"a": {"type": "boolean"}}}, '{"a": true, "b": 5}', r'{"a": true, "\u0061": 5}'),
        ({"patternProperties": {"^n_": {"type": "integer"}}}, '{"n_a": 1, "x": true}', r'{"\u006e_a": true}'),
        ({"properties": {"a/b": {"type": "boolean"}}}, '{"a/b": true}', r'{"a\/b": 5}'),
        ({"required": ["a"]}, '{"a": 5, "b": 6}', '{"b": 6}'),
    ],
)
def test_a_name_cannot_be_written_in_a_second_way(schema: dict[str, Any], good: str, bad: str) -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    made = _constraints(tokenizer)
    form = _form(schema={"type": "object", **schema})
    fine, wrong = made.constraint(form), made.constraint(form)
    for token in tokenizer.encode_within(good):
        fine.advance(token)
    assert fine.complete
    with pytest.raises(GrammarError):
        for token in tokenizer.encode_within(bad):
            wrong.advance(token)


def test_control_tokens_are_no_text() -> None:
    vocabulary = bpe_vocabulary(
        [("a", "b")], special={"<|end|>": TokenType.CONTROL, "<mark>": TokenType.USER_DEFINED}, eos_id=257
    )
    tokenizer = Tokenizer(vocabulary)
    ends = tokenizer.eog_ids
    constraint = _constraints(tokenizer).constraint(_form(schema={"type": "string", "maxLength": 30}))
    _take(constraint, tokenizer, b'"')
    inside = _allowed(constraint)
    assert not inside & ends
    mark = tokenizer.encode_within("<mark>")
    assert len(mark) == 1 and mark[0] in inside  # it is text that one token writes
    _take(constraint, tokenizer, b'ab<|end|>"')
    assert constraint.complete


def test_sentencepiece_with_byte_fallback() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"\u2581": 0.0, "a": -1.0, "\u2581a": -2.0, '"': -3.0}))
    constraint = _constraints(tokenizer).constraint(_form(schema={"enum": ["a a", "\u00e9"]}))
    before = constraint.copy()
    tokens = _take(constraint, tokenizer, '"\u00e9"'.encode())
    assert [tokenizer.token_text(token) for token in tokens] == ['"', "<0xC3>", "<0xA9>", '"']
    assert constraint.complete
    _take(before, tokenizer, b'"a a"')
    assert before.complete


def test_without_an_end_token_answers_end_where_nothing_can_follow() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    assert not tokenizer.eog_ids
    constraint = _constraints(tokenizer).constraint(_form(regex="ab?"))
    assert constraint.forced() == tokenizer.encode_within("a")
    constraint.advance(ord("a"))
    assert not constraint.complete
    assert {tokenizer.token_bytes(token) for token in _allowed(constraint) if token < 256} == {b"b"}
    constraint.advance(ord("b"))
    assert constraint.complete


def test_a_character_that_no_token_writes() -> None:
    tokenizer = Tokenizer(spm_vocabulary({"a": -1.0}, byte_fallback=False))
    constraint = _constraints(tokenizer).constraint(_form(regex="a+b"))
    _take(constraint, tokenizer, b"a")
    assert {tokenizer.token_bytes(token) for token in _allowed(constraint)} == {b"a"}
    with pytest.raises(GrammarError, match="regex: "):
        _constraints(tokenizer).constraint(_form(regex="\u00e9")).mask()


def test_a_token_that_is_not_allowed_is_an_error() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    constraint = _constraints(tokenizer).constraint(_form(regex="[ab]c"))
    with pytest.raises(GrammarError, match="regex: the answer cannot go on at its beginning"):
        constraint.advance(ord("z"))
    constraint.rollback(0)
    with pytest.raises(GrammarError):
        constraint.mask()  # nothing ends as if it were whole


def test_rules_that_llguidance_cannot_take_back() -> None:
    tokenizer = Tokenizer(bpe_vocabulary())
    constraint = _constraints(tokenizer).constraint(_form(grammar='start: x "b"\nx[max_tokens=3]: /a+/'))
    start = _allowed(constraint)
    for _ in range(2):
        constraint.advance(ord("a"))
    constraint.rollback(2)
    assert (constraint.num_tokens, _allowed(constraint)) == (0, start)


def test_a_grammar_is_compiled_once_and_the_memory_asked_for_once() -> None:
    asked: list[int] = []
    tokenizer = Tokenizer(bpe_vocabulary())
    made = Constraints(lambda: tokenizer, tokenizer.vocab_size, lambda: asked.append(1))
    one, other = (made.constraint(_form(regex="[ab]{9}")) for _ in range(2))
    one.advance(ord("a"))
    assert (one.num_tokens, other.num_tokens, asked) == (1, 0, [1])
    for count in range(1, 40):
        made.constraint(_form(regex=f"a{{{count}}}"))
    assert len(made._compiled) == 16  # pyright: ignore[reportPrivateUsage]

    def refuse() -> None:
        raise DoesNotFit("no room")

    with pytest.raises(DoesNotFit):
        Constraints(lambda: tokenizer, tokenizer.vocab_size, refuse).constraint(_form(regex="a"))


TOOLS = function_tools(
    [
        {
            "name": "get_weather",
            "parameters": {
                "type": "object",
                "$defs": {"unit": {"enum": ["celsius", "fahrenheit"]}},
                "properties": {"city": {"type": "string", "maxLength": 9}, "unit": {"$ref": "#/$defs/unit"}},
                "required": ["city", "unit"],
                "additionalProperties": False,
            },
        },
        {"name": "now"},
    ]
)
HERMES = CallFormat(prefix="<tool_call>\n", suffix="\n</tool_call>")
MISTRAL = CallFormat(begin="[TOOL_CALLS][", separator=", ", end="]")
LLAMA = CallFormat(prefix="<|python_tag|>", arguments_key="parameters", separator="; ")
WEATHER = '{"name": "get_weather", "arguments": {"city": "Oslo", "unit": "celsius"}}'
NOW = '{"name": "now", "arguments": {}}'


@pytest.mark.parametrize(
    ("form", "texts"),
    [
        (
            HERMES,
            (
                f"<tool_call>\n{WEATHER}\n</tool_call>",
                f"<tool_call>\n{NOW}\n</tool_call>\n<tool_call>\n{WEATHER}\n</tool_call>",
            ),
        ),
        (MISTRAL, (f"[TOOL_CALLS][{NOW}]", f"[TOOL_CALLS][{NOW}, {WEATHER}, {NOW}]")),
        (LLAMA, (f"<|python_tag|>{WEATHER.replace('arguments', 'parameters')}",)),
        (CallFormat(), (WEATHER, f"{WEATHER}\n{NOW}")),
        (
            CallFormat(begin="[", end="]", separator=",", comma=",", colon=":"),
            ('[{"name":"now","arguments":{}}]', f"[{WEATHER.replace(', ', ',').replace(': ', ':')}]"),
        ),
    ],
)
@pytest.mark.parametrize("kind", [TokenType.CONTROL, TokenType.USER_DEFINED])
def test_tool_calls(form: CallFormat, texts: tuple[str, ...], kind: TokenType) -> None:
    special = dict.fromkeys(("[TOOL_CALLS]", "<|python_tag|>", "<tool_call>", "</tool_call>"), kind)
    tokenizer = Tokenizer(bpe_vocabulary(special=special | {"<|im_end|>": TokenType.CONTROL}, eos_id=260))
    made = _constraints(tokenizer)
    for text in texts:
        for parallel in (True, False):
            constraint = made.constraint(tool_call_grammar(TOOLS, form, tokenizer, parallel=parallel))
            tokens = tokenizer.encode(text, add_special=False, parse_special=True)
            if not parallel and text.count('"name"') > 1:
                with pytest.raises(GrammarError):
                    for token in tokens:
                        constraint.advance(token)
                continue
            for token in tokens:
                assert token in _allowed(constraint)
                constraint.advance(token)
            assert constraint.complete or _allowed(constraint) & tokenizer.eog_ids
    wrong = made.constraint(tool_call_grammar(TOOLS, form, tokenizer))
    with pytest.raises(GrammarError):
        for token in tokenizer.encode(texts[-1].replace("celsius", "kelvin"), add_special=False, parse_special=True):
            wrong.advance(token)


def test_a_tool_that_cannot_be_enforced_is_named() -> None:
    parameters: dict[str, Any] = {"type": "object", "properties": {"a": {"not": {}}}}
    tools = function_tools([{"name": "bad", "parameters": parameters}])
    tokenizer = Tokenizer(bpe_vocabulary())
    with pytest.raises(Exception, match='the parameters of bad: schema: the keyword "not" at #/properties/a'):
        tool_call_grammar(tools, HERMES, tokenizer)
    with pytest.raises(Exception, match="at least one tool"):
        tool_call_grammar([], HERMES, tokenizer)


def test_objects_that_nothing_is_known_of_are_written_either_way() -> None:
    real = Tokenizer(bpe_vocabulary())
    constraints = _constraints(real)
    free = _form(schema={"type": "object"})
    for text in (b'{"a":1,"b":[2,3]}', b'{"a": 1, "b": [2, 3]}'):
        _take(constraints.constraint(free), real, text)
    for schema, text in (({"type": "object"}, b'{"a":  1'), ({"type": "object"}, b'{ "a"'), (PERSON, b'{"name":"x"')):
        with pytest.raises(StopIteration):
            _take(constraints.constraint(_form(schema=schema)), real, text)
