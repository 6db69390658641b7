"""Plans as graphs: references, order, side by side, failures, limits; one step and two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import edge
from edge.assistant import Assistant, Result, Tool, ToolFailure, parameters
from edge.assistant.plan import make_plan, resolve, used_by
from edge.assistant.records import Call
from edge.assistant.retrieval import Embedded, shortlist
from tests.apps.assistant.scripted import Reply, ScriptedModel, Seen, in_turn

Make = Callable[..., Assistant]


def _tool(name: str, resource: str = "", effect: Any = "read", **options: Any) -> Tool:
    def ran(arguments: dict[str, Any]) -> Result:
        return Result(f"{name} ran.")

    run = options.pop("run", ran)
    schema = parameters(x={}, y={})
    return Tool(name, name, schema, run, effect, resource=resource, **options)


def test_edges() -> None:
    tools = {tool.name: tool for tool in (_tool("a"), _tool("w", "r", "write"), _tool("r", "r"))}
    wanted: list[tuple[str, dict[str, Any]]] = [
        ("a", {}),
        ("w", {}),
        ("r", {"x": "$1.value"}),
        ("w", {}),
        ("r", {}),
        ("r", {}),
        ("unknown", {"x": "$9.y"}),
    ]
    plan = make_plan([(name, dict(arguments)) for name, arguments in wanted], tools, turn=1, round_=1)
    assert [call.needs for call in plan] == [(), (), (1, 2), (2, 3), (2, 4), (2, 4), ()]


def test_references() -> None:
    done = {
        1: Call(1, 1, 1, 1, "a", {}, status="done", text="It is 7.", result={"value": 7, "items": ["a", {"deep": "b"}]})
    }
    given = {"x": "$1.value", "y": ["so: $1.text", "$1.items[1].deep", "$5", "costs $1", "$1.50", "$2.value"]}
    assert used_by(given) == {1, 2}
    assert resolve(given, done) == {"x": 7, "y": ["so: It is 7.", "b", "$5", "costs $1", "$1.50", "$2.value"]}
    with pytest.raises(ToolFailure, match="has no missing"):
        resolve("$1.missing", done)


@pytest.mark.usefixtures("one_step")
def test_results_flow_from_call_to_call(make: Make) -> None:
    plan: Reply = [("calculate", {"expression": "6*7"}), ("add_note", {"text": "the answer is $1.value"})]
    model = ScriptedModel(in_turn(plan, "Noted."))
    assistant = make(model, allow=("add_note",))
    turn = assistant.ask("note what 6 times 7 is")
    assert turn.answer == "Noted."
    assert [call.status for call in turn.calls] == ["done", "done"]
    assert turn.calls[1].arguments == {"text": "the answer is 42"}
    assert [note["text"] for note in assistant.notes.all()] == ["the answer is 42"]
    assert "6*7 = 42" in model.seen[1].text, "the model reads the results"


@pytest.mark.usefixtures("one_step")
def test_independent_calls_run_side_by_side(make: Make) -> None:
    meeting = threading.Barrier(3, timeout=10)

    def run(arguments: dict[str, Any]) -> Result:
        meeting.wait()  # passes only when three are here at once
        return Result("met")

    tools = [_tool(name, run=run) for name in ("one", "two", "three")]
    assistant = make(ScriptedModel(in_turn([(tool.name, {}) for tool in tools], "Done.")), tools=tools)
    assert [call.status for call in assistant.ask("all").calls] == ["done"] * 3


@pytest.mark.usefixtures("one_step")
def test_what_changes_the_same_thing_keeps_its_order(make: Make) -> None:
    ran: list[Any] = []

    def run(arguments: dict[str, Any]) -> Result:
        ran.append(arguments["x"])
        return Result("")

    tool = _tool("w", "r", "write", run=run)
    assistant = make(ScriptedModel(in_turn([("w", {"x": n}) for n in range(8)], "Done.")), tools=[tool], allow=("w",))
    assistant.ask("all")
    assert ran == list(range(8))


@pytest.mark.usefixtures("one_step")
def test_a_failure_is_planned_once_more(make: Make) -> None:
    model = ScriptedModel(
        in_turn([("calculate", {"expression": "1/0"})], [("calculate", {"expression": "1/2"})], "Half.")
    )
    turn = make(model).ask("divide")
    assert turn.answer == "Half."
    assert [call.status for call in turn.calls] == ["failed", "done"]
    assert turn.notes == ["Something failed; the plan is made once more."]
    assert "Nothing can be divided by zero" in model.seen[1].text


@pytest.mark.usefixtures("one_step")
def test_a_second_failure_ends_the_turn(make: Make) -> None:
    model = ScriptedModel(in_turn(*[[("calculate", {"expression": "1/0"})]] * 2))
    turn = make(model).ask("divide")
    assert (turn.status, turn.answer) == ("done", "Nothing can be divided by zero.")
    assert turn.notes[-1].startswith("The second plan failed too")
    assert len(model.seen) == 2


@pytest.mark.usefixtures("one_step")
def test_what_needs_a_failed_call_is_skipped(make: Make) -> None:
    plan: Reply = [("calculate", {"expression": "1/0"}), ("add_note", {"text": "$1.value"}), ("get_date", {})]
    turn = make(ScriptedModel(in_turn(plan, "No.")), allow=("add_note",)).ask("note it")
    assert [call.status for call in turn.calls] == ["failed", "skipped", "done"]
    assert turn.calls[1].error == "Call 1 gave no result."


@pytest.mark.usefixtures("one_step")
def test_a_turn_has_so_many_plans_and_calls(make: Make, tmp_path: Path) -> None:
    def always(count: int) -> Callable[[Seen], Reply]:
        return lambda seen: [("get_date", dict[str, Any]()) for _ in range(count)]

    model = ScriptedModel(always(30))
    turn = make(model).ask("again and again")
    assert len(turn.calls) == 16 and turn.status == "done"
    model = ScriptedModel(always(1))
    turn = make(model, data=tmp_path / "other").ask("again")
    assert len(turn.calls) == 4
    assert turn.notes[-1].startswith("A turn has at most 4 plans")


@pytest.mark.usefixtures("one_step")
def test_a_turn_has_a_deadline(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.assistant.turn_runner.SECONDS", -1.0)
    turn = make(ScriptedModel(in_turn("never"))).ask("hello")
    assert (turn.status, turn.calls) == ("stopped", []) and "took longer" in (turn.error or "")


@pytest.mark.usefixtures("one_step")
def test_an_unknown_tool_and_wrong_arguments_do_not_run(make: Make) -> None:
    plan: Reply = [("format_disk", {}), ("set_timer", {"duration": 5})]
    turn = make(ScriptedModel(in_turn(plan, "No.")), allow=("set_timer",)).ask("x")
    assert [call.error for call in turn.calls] == [
        "There is no tool format_disk.", "set_timer: duration must be of type string, not 5.",
    ]  # fmt: skip


def test_two_steps_share_one_prompt(make: Make) -> None:
    """First the tools, held to their names; then the arguments of each, held to its schema, behind the same prompt."""
    pytest.importorskip("llguidance")

    def decide(seen: Seen) -> Reply:
        asked = seen.messages[-1]["content"]
        if "Results" in seen.text or any(message["role"] == "tool" for message in seen.messages):
            return '{"use": []}' if "schema" in seen.options else "All set."
        if asked.startswith("Give the arguments of call 1"):
            return '{"expression": "2+2"}'
        if asked.startswith("Give the arguments of call 2"):
            return '{"duration": "4m"}'
        return '{"use": ["calculate", "set_timer"]}'

    model = ScriptedModel(decide)
    turn = make(model, allow=("set_timer",)).ask("2+2 and a timer for 4 minutes")
    assert [(call.tool, call.arguments, call.status) for call in turn.calls] == [
        ("calculate", {"expression": "2+2"}, "done"), ("set_timer", {"duration": "4m"}, "done"),
    ]  # fmt: skip
    assert turn.answer == "All set."
    choice, first, second = model.seen[:3]
    assert set(choice.options["schema"]["properties"]["use"]["items"]["enum"]) == {
        t["function"]["name"] for t in choice.tools or ()
    }
    assert first.options["schema"]["properties"].keys() == {"expression"}
    for fill in (first, second):
        assert fill.messages[: len(choice.messages)] == choice.messages and fill.tools == choice.tools


def test_turns_that_do_not_fit_are_left_out_and_said(make: Make) -> None:
    model = ScriptedModel(lambda seen: '{"use": []}' if "schema" in seen.options else "words " * 200)
    assistant = make(model)
    notes: list[str] = []
    first = assistant.ask("one")
    for number in range(14):
        notes += assistant.ask(f"request {number}", first.conversation).notes
    assert any("no longer reads the first" in note for note in notes)
    assert '"one' not in model.seen[-1].text and "request 13" in model.seen[-1].text


def test_shortlists(make: Make) -> None:
    tools = list(make(ScriptedModel(in_turn())).tools.values())
    for request, wanted in {
        "wake me at seven": "set_alarm", "is the lamp in the hall too bright? dim it": "set_light",
        "what files mention the gas bill": "search_files", "how many kilometres are 5 miles": "convert_units",
    }.items():  # fmt: skip
        shown = shortlist(request, tools, 8)
        assert wanted in [tool.name for tool in shown] and len(shown) == 8
        assert [tools.index(tool) for tool in shown] == sorted(tools.index(tool) for tool in shown)
    assert "get_date" in [tool.name for tool in shortlist("zzz", tools, 3, keep={"get_date"})]


def test_an_encoder_ranks_tools(make: Make) -> None:
    """Vectors of an encoder instead of words: here one that knows that a nap has to do with alarms."""
    asked: list[list[str]] = []

    class Encoder:
        def embed(self, texts: Sequence[str]) -> Any:
            asked.append(list(texts))
            return np.array([[1.0, 0.0] if "alarm" in text or "nap" in text else [0.0, 1.0] for text in texts])

    ranker, tools = Embedded(Encoder()), list(make(ScriptedModel(in_turn())).tools.values())
    for _ in range(2):
        shown = shortlist("end my nap at four", tools, 3, ranker=ranker)
        assert [tool.name for tool in shown] == ["set_alarm", "cancel_alarm", "list_alarms"]
    assert [len(texts) for texts in asked] == [len(tools), 1, 1], "tools are embedded once"


def test_vectors_come_from_edge(make: Make, model: edge.Model) -> None:
    """The bundled model is no encoder, but gives vectors as one does: a tool is nearest to its own description."""
    tools = list(make(ScriptedModel(in_turn())).tools.values())
    ranker = Embedded(model)
    for tool in tools[:5]:
        scores = ranker.scores(f"{tool.name.replace('_', ' ')}: {tool.description}", tools)
        assert max(zip(scores, tools, strict=True), key=lambda pair: pair[0])[1] is tool


@pytest.mark.usefixtures("one_step")
def test_a_short_list_is_what_the_model_sees(make: Make) -> None:
    model = ScriptedModel(in_turn("ok"))
    turn = make(model, retrieval="on", shown_tools=5).ask("set a timer for five minutes")
    assert len(model.seen[0].tools or ()) == 5
    assert turn.figures is not None and turn.figures.tools_shown == 5


class _Plain(ScriptedModel):
    """A chat model whose template never heard of tools."""

    takes_tools = takes_results = False
    tool_format = None


def test_a_model_without_a_template_for_tools_is_told_of_them_in_words(make: Make) -> None:
    def decide(seen: Seen) -> str:
        assert seen.tools is None and "set_light" in seen.text and "calculate" in seen.text
        properties = seen.options.get("schema", {}).get("properties", {})
        if "use" in properties:
            return '{"use": []}' if "Results:" in seen.text else '{"use": ["calculate"]}'
        return '{"expression": "6*7"}' if "expression" in properties else "It is 42."

    pytest.importorskip("llguidance", reason="two steps need llguidance")
    assistant = make(_Plain(decide), retrieval="off")
    assert len(assistant.notices) == 1 and "no chat template for tools" in assistant.notices[0]
    turn = assistant.ask("six times seven?")
    assert [call.text for call in turn.calls] == ["6*7 = 42"] and turn.answer == "It is 42."


@pytest.mark.usefixtures("one_step")
def test_without_llguidance_such_a_model_answers_in_words_and_says_so(make: Make) -> None:
    assistant = make(_Plain(in_turn("I cannot.")))
    assert "edge-rt[grammar]" in assistant.notices[0] and "/help" in assistant.notices[0]
    assert assistant.ask("six times seven?").answer == "I cannot."
    assert assistant.ask("/calculate expression=6*7").calls[0].text == "6*7 = 42"


def test_a_model_that_cannot_chat_is_refused_at_the_start(make: Make, bare_model: Path) -> None:
    with edge.load(bare_model, no_cache=True) as model, pytest.raises(edge.RequestError, match="chat template"):
        make(model)
