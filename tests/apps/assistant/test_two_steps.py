"""Two steps through the engine itself: random weights, whose every answer is held to names and schemas."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import edge
from edge.assistant import Assistant, planner, turn_runner
from edge.assistant.schema_check import problem_of

pytest.importorskip("llguidance", reason="two steps need llguidance")

_TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}</tools> <tool_call>{% endif %}"
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}"
    "<|im_end|>{% endfor %}[assistant]"
)


class Recording:
    """A model whose streams are kept. What is random chooses nothing, mostly: here it must choose one or two tools."""

    def __init__(self, model: edge.Model) -> None:
        self._model = model
        self.streams: list[edge.Stream] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def stream_chat(self, *given: Any, **options: Any) -> edge.Stream:
        schema = options.get("schema")
        if schema and "use" in schema["properties"]:
            schema["properties"]["use"] |= {"minItems": 1, "maxItems": 2}
        self.streams.append(self._model.stream_chat(*given, **options))
        return self.streams[-1]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Iterator[Recording]:
    path = write_model(tmp_path_factory.mktemp("steps") / "random.gguf", template=_TEMPLATE, context=4096)
    with edge.load(path, context=4096, sequences=4, no_cache=True) as model:
        yield Recording(model)


def test_names_and_arguments_are_held_behind_one_prompt(
    make: Callable[..., Assistant], recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"MAX_ANSWER": 8, "MAX_ARGUMENTS": 120}.items():
        monkeypatch.setattr(planner, name, value)
    monkeypatch.setattr(turn_runner, "MAX_ROUNDS", 1)
    assistant = make(recording, retrieval="on", shown_tools=2)
    assert assistant.described_model()["planning"] == "two steps"
    turn = assistant.ask("is the kitchen light on, and what is switched on?")
    assert turn.status == "done" and 1 <= len(turn.calls) <= 2, turn.error
    assert turn.figures is not None and turn.figures.tools_shown == 2
    for call in turn.calls:
        if call.arguments:  # an answer cut off by max_tokens has none
            assert problem_of(call.arguments, assistant.tools[call.tool].parameters) is None
    choice, *fills = recording.streams
    assert len(fills) == len(turn.calls)
    for stream in fills:
        usage = stream.completion().usage
        prompt = choice.completion().usage.prompt_tokens
        assert prompt - 32 <= usage.cached_tokens < usage.prompt_tokens, "it begins with the K and V of the first step"


def test_the_list_of_tools_is_read_once_for_all_starts(
    make: Callable[..., Assistant], tmp_path: Path, write_model: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_SESSIONS_DIR", str(tmp_path / "sessions"))
    path = write_model(tmp_path / "random.gguf", template=_TEMPLATE, context=4096)
    prompts: list[edge.Usage] = []
    for start in range(2):
        with edge.load(path, context=4096, sequences=1, no_cache=True) as model:
            recording = Recording(model)
            assistant = make(recording, retrieval="off", data=tmp_path / str(start))
            assistant.offered = assistant.offered[:2]  # a byte is a token of this model
            assert assistant.warm_up() is None
            prompts.append(recording.streams[0].completion().usage)
            assistant.close()
    assert prompts[0].cached_tokens == 0 and prompts[0].prompt_tokens > 1000
    assert prompts[1].prepared_tokens > 0.9 * prompts[1].prompt_tokens, "from the disk, not computed again"
