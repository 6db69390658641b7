"""Calls out of answers, in every form: whole and in pieces, several, and everything that only looks like one."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.tools import FORMATS, Call, CallParser, Said, ToolFormat, format_of

_TEMPLATES = Path(__file__).resolve().parents[3] / "shared" / "data" / "templates"
_FORMS = {form.name: form for form in FORMATS}
_NAMES = ("get_weather", "now", "python")
_ROME = Call("get_weather", {"city": "Rome", "tags": ["}", "</tool_call>", '"[{'], "n": None})
_NOW = Call("now", {})


def _read(form: ToolFormat, text: str, cuts: list[int] | None = None, names: tuple[str, ...] | None = _NAMES) -> Said:
    """What a parser says of a text given in pieces."""
    parser = CallParser(form, names)
    bounds = [0, *sorted(cuts or []), len(text)]
    said = [parser.push(text[start:end]) for start, end in zip(bounds, bounds[1:], strict=False)]
    said.append(parser.finish())
    return Said(
        "".join(part.content for part in said),
        tuple(call for part in said for call in part.calls),
        tuple(problem for part in said for problem in part.problems),
    )


def test_formats_of_public_templates() -> None:
    if not _TEMPLATES.exists():
        pytest.skip(f"no public templates at {_TEMPLATES}")
    found = {path.stem: format_of(path.read_text(encoding="utf-8")) for path in _TEMPLATES.glob("*.jinja")}
    assert {name: form.name for name, form in found.items() if form is not None} == {
        "CohereForAI-c4ai-command-r7b-12-2024-tool_use": "command-r",
        "NousResearch-Hermes-3-Llama-3.1-8B-tool_use": "hermes",
        "Qwen-Qwen2.5-7B-Instruct": "hermes",
        "Qwen-Qwen3-0.6B": "hermes",
        "ibm-granite-granite-3.3-2B-Instruct": "granite",
        "meta-llama-Llama-3.1-8B-Instruct": "llama3",
        "meta-llama-Llama-3.2-3B-Instruct": "llama3",
        "mistralai-Mistral-Nemo-Instruct-2407": "mistral",
    }


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize("calls", [(_ROME,), (_NOW,), (_ROME, _NOW, _ROME)], ids=len)
def test_what_a_form_writes_is_read(form: ToolFormat, calls: tuple[Call, ...]) -> None:
    text = form.write(calls)
    assert _read(form, text) == Said("", calls, ())
    assert _read(form, text, list(range(len(text)))) == Said("", calls, ())
    assert _read(form, text, names=None).calls == calls


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_examples_have_only_their_beginning_in_common(form: ToolFormat) -> None:
    anything, named = (os.path.commonprefix(form.examples(name)) for name in (None, "now"))
    if form.arguments_mark:
        assert (anything, named) == ("[TOOL_CALLS]", "[TOOL_CALLS]now[ARGS]{")
        return
    assert anything.endswith(f'"{form.name_key}"{form.colon}"') and form.opening in anything
    assert named.startswith(f'{anything}now"') and named.endswith("{")


@pytest.mark.parametrize(
    ("form", "text", "content", "names"),
    [
        ("hermes", 'Let me look.\n<tool_call>\n{"name": "now"}\n</tool_call>', "Let me look.", ["now"]),
        ("hermes", '<tool_call>{"name":"now"}</tool_call>\n Done.', "Done.", ["now"]),
        ("hermes", '<tool_call>{"name":"now"}', "", ["now"]),  # the closing mark is forgotten
        ("hermes", '<tool_call>{"name":"now"}<tool_call>{"name":"now"}</tool_call>', "", ["now", "now"]),
        ("hermes", '<tool_call>[{"name":"now"},{"name":"now"}]</tool_call>', "", ["now", "now"]),
        ("hermes", '<tool_call>{"name":"now","arguments":"{\\"a\\": 1}"}</tool_call>', "", ["now"]),
        ("hermes", '{"name": "now"}', '{"name": "now"}', []),
        ("hermes", "a <tool b\n", "a <tool b\n", []),
        ("hermes", "", "", []),
        ("mistral", '[TOOL_CALLS] [{"name": "now", "arguments": {}, "id": "abcdefghi"}]', "", ["now"]),
        ("mistral", '[TOOL_CALLS]{"name": "now"}', "", ["now"]),
        ("mistral", '[{"name": "now"}]', '[{"name": "now"}]', []),
        ("mistral-args", 'Well [TOOL_CALLS]now[ARGS]{}[TOOL_CALLS]now[CALL_ID]abc[ARGS] {"a": 1}', "Well", ["now"] * 2),
        ("mistral-args", "[ARGS]{}", "[ARGS]{}", []),
        ("llama3", '{"name": "now", "parameters": {}}', "", ["now"]),
        ("llama3", '{"name": "now", "parameters": {}}; {"name": "now", "parameters": {}}', "", ["now", "now"]),
        ("llama3", '{"name": "now", "parameters": {}}\n{"name": "now"}', "", ["now", "now"]),
        ("llama3", '<|python_tag|>{"name": "now", "parameters": {}}', "", ["now"]),
        ("llama3", '<|python_tag|>now.call(a="b, )", c=1)', "", ["now"]),
        ("llama3", "<|python_tag|>now.call()", "", ["now"]),
        ("llama3", "<|python_tag|>print(1)", "", ["python"]),
        ("llama3", 'Sure: {"name": "now"}', 'Sure: {"name": "now"}', []),
        ("llama3", '{"answer": 42}', '{"answer": 42}', []),  # JSON that the user asked for
        ("assistant", ' [{"name":"now","arguments":{}}]', "", ["now"]),
        ("assistant", "[1, 2]", "[1, 2]", []),
        ("assistant", "Hello!", "Hello!", []),
        ("command-r", '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "now"}]<|END_ACTION|>', "", ["now"]),
        ("granite", '<|tool_call|>[{"name": "now", "arguments": {}}]', "", ["now"]),
    ],
)  # fmt: skip
def test_answers(form: str, text: str, content: str, names: list[str]) -> None:
    for cuts in ([], list(range(len(text)))):
        said = _read(_FORMS[form], text, cuts)
        assert (said.content, [call.name for call in said.calls], said.problems) == (content, names, ())


def test_arguments_of_a_python_call() -> None:
    said = _read(_FORMS["llama3"], '<|python_tag|>now.call(query="a \\"b\\"", n=[1, {"x": null}])')
    assert said.calls == (Call("now", {"query": 'a "b"', "n": [1, {"x": None}]}),)
    assert _read(_FORMS["llama3"], "<|python_tag|>import os\n").calls == (Call("python", {"code": "import os\n"}),)


@pytest.mark.parametrize(
    ("form", "text", "reason"),
    [
        ("hermes", '<tool_call>{"name": "now"', "the answer ends inside a call"),
        ("hermes", "<tool_call>", "no JSON behind <tool_call>"),
        ("hermes", "<tool_call>now()</tool_call>", "no JSON behind <tool_call>"),
        ("hermes", "<tool_call>{'name': 'now'}</tool_call>", "not JSON: Expecting property name"),
        ("hermes", "<tool_call>{]</tool_call>", "not JSON"),
        ("hermes", '<tool_call>{"name": "rm"}</tool_call>', "there is no tool 'rm'"),
        ("hermes", '<tool_call>{"name": 1}</tool_call>', "a call without 'name'"),
        ("hermes", '<tool_call>{"arguments": {}}</tool_call>', "a call without 'name'"),
        ("hermes", '<tool_call>{"name": "now", "arguments": [1]}</tool_call>', "the arguments of 'now' must be an"),
        ("hermes", '<tool_call>{"name": "now", "arguments": "x"}</tool_call>', "not JSON"),
        ("hermes", '<tool_call>{"name": "now", "arguments": {"a": NaN}}</tool_call>', "NaN is no JSON number"),
        ("hermes", '<tool_call>{"name": "now", "arguments": {"a": "\\ud800"}}</tool_call>', "surrogates not allowed"),
        ("hermes", '<tool_call>{"name": "now", "arguments": {"a": ' + "9" * 5000 + "}}</tool_call>", "not JSON"),
        ("hermes", "<tool_call>" + "[" * 100_000 + "]" * 100_000 + "</tool_call>", "nested too deeply"),
        ("hermes", "<tool_call>[]</tool_call>", "an empty list of calls"),
        ("hermes", "<tool_call>[1]</tool_call>", "a call must be an object with 'name', not of type int"),
        ("mistral", "[TOOL_CALLS]", "no JSON behind [TOOL_CALLS]"),
        ("mistral", '[TOOL_CALLS][{"name": "now"}, {"name": "x"}]', "there is no tool 'x'"),
        ("mistral-args", "[TOOL_CALLS]now{}", "no [ARGS] behind [TOOL_CALLS] and a name"),
        ("mistral-args", "[TOOL_CALLS]" + "x" * 300 + "[ARGS]{}", "no [ARGS] behind [TOOL_CALLS] and a name"),
        ("mistral-args", "[TOOL_CALLS]now[ARGS]", "no JSON behind [ARGS]"),
        ("mistral-args", '[TOOL_CALLS]now[ARGS]{"a"}', "not JSON"),
        ("mistral-args", "[TOOL_CALLS]rm[ARGS]{}", "there is no tool 'rm'"),
        ("mistral-args", "[TOOL_CALLS]now[ARGS][1]", "the arguments of 'now' must be an object"),
        ("llama3", '{"name": "rm", "parameters": {}}', "there is no tool 'rm'"),
        ("llama3", "<|python_tag|>rm.call(", "is not closed"),
        ("llama3", "<|python_tag|>now.call(a=b)", "argument 'a' is no JSON value"),
        ("llama3", "<|python_tag|>1 + 1", "neither JSON nor name.call(...)"),
        ("assistant", '[{"name":"now","arguments":{}', "the answer ends inside a call"),
        ("assistant", '[{"name":"now","arguments":{},}]', "not JSON"),
    ],
)  # fmt: skip
def test_malformed_calls_are_text_and_say_why(form: str, text: str, reason: str) -> None:
    for cuts in ([], list(range(0, len(text), max(1, len(text) // 50)))):
        said = _read(_FORMS[form], text, cuts, names=("now",))
        assert said.content == text and said.calls == ()
        assert len(said.problems) == 1 and reason in said.problems[0], said.problems
        assert len(said.problems[0]) < 200


def test_good_calls_beside_a_bad_one_are_kept() -> None:
    text = (
        '<tool_call>{"name":"now"}</tool_call><tool_call>{"name":}</tool_call>\n<tool_call>{"name":"now"}</tool_call>'
    )
    said = _read(_FORMS["hermes"], text)
    assert said.calls == (_NOW, _NOW) and len(said.problems) == 1
    assert said.content == '<tool_call>{"name":}</tool_call>'


_MARKS = [*(mark for form in FORMATS for mark in form.marks), '{"name": "now", "arguments": {}}', "{", "}", "[", "]"]
_PIECES = st.lists(st.sampled_from([*_MARKS, '"', "\\", " ", "\n", ";", "now.call(", ")", "a", "é", ","]), max_size=14)


@settings(max_examples=300, deadline=None)
@given(form=st.sampled_from(FORMATS), pieces=_PIECES, data=st.data())
def test_pieces_change_nothing(form: ToolFormat, pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    whole = _read(form, text)
    assert _read(form, text, cuts) == whole
    if not whole.calls:
        assert whole.content == text  # nothing is lost


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_mutated_calls_never_crash(form: ToolFormat) -> None:
    chance = random.Random(form.name)
    good = f"Well. {form.write([_ROME, _NOW])} Done." if form.opening else form.write([_ROME, _NOW])
    calls = problems = 0
    for _ in range(3000):
        text = list(good)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(text) or 1)
            kind = chance.randrange(4)
            if kind == 0:
                del text[at : at + 1]
            elif kind == 1:
                text.insert(at, chance.choice('{}[]"\\:,<>|;éx0 \n'))
            elif kind == 2:
                text[at : at + 1] = chance.choice('{}[]"\\:,<>|;éx0 \n')
            else:
                del text[at:]
                text.append(" ")
        said = _read(form, "".join(text))
        calls += len(said.calls)
        problems += len(said.problems)
        for call in said.calls:
            json.dumps(call.arguments, ensure_ascii=False).encode()
            assert call.name in _NAMES
    assert calls > 100 and problems > 100
