"""What choosing tools and filling in arguments in two constrained steps costs, and what the shared prefix saves.

    python -m scripts.assistant_two_steps [--model FILE | --shape small --type Q4_0] [--calls 2]

Asks an assistant's planner a few requests and prints, for the choice and for each filling in: tokens of the prompt,
those found in the KV cache, milliseconds to the first token, and what the same step takes in an engine with nothing in
its cache. Without --model it is random weights in a real model's shape (scripts/random_model.py), whose every token is
a byte; these choose nothing by themselves, so --calls demands that so many tools are chosen.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import edge
from edge.assistant import Assistant, AssistantSettings, Turn
from edge.assistant.retrieval import shortlist
from edge.assistant.schema_check import problem_of
from scripts.assistant_accuracy import deaf_listener
from scripts.random_model import write

TEMPLATE = (
    "{% if tools %}<tools>{{ tools | tojson }}</tools> <tool_call>{% endif %}"
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls | tojson }}{% endif %}"
    "<|im_end|>{% endfor %}[assistant]"
)
REQUESTS = (
    "Is the kitchen light on, and what is switched on?",
    "How many days until Christmas, and what is on my shopping list?",
    "What is 18% of 240, and how many miles are 42 km?",
)


class Step(NamedTuple):
    """One constrained answer. Times to the first token, in seconds."""

    usage: edge.Usage
    warm: float
    cold: float


class Recording:
    """A model whose streams are kept, with what they were asked."""

    def __init__(self, model: edge.Model, calls: int) -> None:
        self._model, self._calls = model, calls
        self.asked: list[tuple[Sequence[Any], dict[str, Any], edge.Stream]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def stream_chat(self, messages: Sequence[Any], **options: Any) -> edge.Stream:
        schema = options.get("schema")
        if self._calls and schema and "use" in schema["properties"]:
            schema["properties"]["use"] |= {"minItems": self._calls, "maxItems": self._calls}
        stream = self._model.stream_chat(messages, **options)
        if schema:
            self.asked.append((messages, options, stream))
        return stream


def measure(path: Path, shown: int, calls: int, options: dict[str, Any]) -> tuple[list[Step], list[Step], int]:
    """(choices, fillings in, arguments that their tool's schema refuses)."""
    choices: list[Step] = []
    fills: list[Step] = []
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, edge.load(path, sequences=4, **options) as model:
        recording = Recording(model, calls)
        with Assistant(cast("edge.Model", recording), AssistantSettings(Path(folder))) as assistant:
            for number, request in enumerate(REQUESTS, 1):
                del recording.asked[:]
                tools = shortlist(request, assistant.offered, shown)
                said = assistant.planner.plan([], Turn(number, 1, None, request, 0.0), tools, deaf_listener([]))
                choice, *filled = recording.asked
                choices.append(_step(path, choice, options))
                for asked, (name, arguments) in zip(filled, said.calls, strict=True):
                    fills.append(_step(path, asked, options))
                    is_whole = asked[2].completion().finish_reason == "stop"  # else it was cut off: no object
                    wrong += is_whole and problem_of(arguments, assistant.tools[name].parameters) is not None
    return choices, fills, wrong


def _step(path: Path, asked: tuple[Sequence[Any], dict[str, Any], edge.Stream], options: dict[str, Any]) -> Step:
    """What it was, and the same in an engine that has nothing in its cache."""
    messages, given, stream = asked
    once: dict[str, Any] = {**given, "max_tokens": 1}
    done = stream.completion()
    with edge.load(path, sequences=1, **options) as model:
        model.tokenizer.encode("built before the clock starts")
        cold = model.stream_chat(messages, **once).completion()
    first, cold_first = done.timings.time_to_first_token, cold.timings.time_to_first_token
    return Step(done.usage, first or 0.0, cold_first or 0.0)


def told(name: str, steps: Sequence[Step]) -> str:
    prompt = statistics.median(each.usage.prompt_tokens for each in steps)
    found = statistics.median(each.usage.cached_tokens for each in steps)
    warm, cold = (1000 * statistics.median(times) for times in zip(*[each[1:] for each in steps], strict=True))
    return f"| {name} | {len(steps)} | {prompt:.0f} | {found:.0f} | {warm:.0f} ms | {cold:.0f} ms |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="a chat model, instead of a random one")
    parser.add_argument("--shape", default="small")
    parser.add_argument("--type", default="Q4_0")
    parser.add_argument("--shown-tools", type=int, default=12)
    parser.add_argument("--calls", type=int, default=0, help="tools that must be chosen; 0: as the model likes")
    parser.add_argument("--context", type=int, default=8192)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = options.model
        if path is None:
            path = Path(folder) / "random.gguf"
            write(options.shape, options.type, path, template=TEMPLATE)
        choices, fills, wrong = measure(path, options.shown_tools, options.calls, {"context": options.context})
    print(
        "| step | asked | tokens of the prompt | found in the cache | first token | first token, nothing in the cache |"
    )
    print("|---|---|---|---|---|---|")
    print(told("choice", choices))
    if fills:
        print(told("arguments", fills))
    print(f"{wrong} of {len(fills)} sets of arguments break their tool's schema")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
