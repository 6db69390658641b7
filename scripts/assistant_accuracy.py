"""Exact-match accuracy of the assistant's planner on requests written by hand, per group.

    python -m scripts.assistant_accuracy [--model FILE] [--show] [--json FILE] [--shown-tools 4,8,12]
    python -m scripts.assistant_accuracy --requests tests/apps/assistant_threes.jsonl

A request counts as right when its calls are equal after JSON normalisation, or its sentence is the wanted one. With
--shown-tools the same requests are asked behind lists shortened to so many tools, with what that saves in tokens and
time to the first token, cold (nothing in the cache) and warm (as in a running assistant).
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import edge
from edge.assistant import Assistant, AssistantSettings, Turn
from edge.assistant.planner import Listener, Said
from edge.assistant.retrieval import Ranker, shortlist

REQUESTS = Path(__file__).parents[1] / "tests" / "apps" / "assistant_requests.jsonl"
THREES = REQUESTS.with_name("assistant_threes.jsonl")  # of three parts, in six of thirty a result is kept


class Asked(NamedTuple):
    """One request and what came of it. first_token: seconds."""

    group: str
    request: str
    wanted: Any
    got: Any
    prompt_tokens: int
    cached_tokens: int
    first_token: float

    @property
    def is_right(self) -> bool:
        return bool(self.wanted == self.got)


def read_requests(file: Path = REQUESTS) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def ask_all(
    assistant: Assistant, requests: list[dict[str, Any]], shown: int | None, ranker: Ranker | None = None
) -> list[Asked]:
    """shown: tools in the list; None: as the assistant chooses. ranker: None: by their words."""
    offered = assistant.offered
    asked: list[Asked] = []
    for number, entry in enumerate(requests, 1):
        path = [Turn(0, 1, None, said, 0.0, status="done", answer=answer) for said, answer in entry.get("earlier", [])]
        turn = Turn(number, 1, None, entry["request"], 0.0)
        tools = offered if shown is None else shortlist(entry["request"], offered, shown, ranker=ranker)
        completions: list[edge.Completion] = []
        listener = deaf_listener(completions)
        said: Said = assistant.planner.plan(path, turn, tools, listener)
        got: Any = [{"name": name, "arguments": arguments} for name, arguments in said.calls] or said.text.strip()
        wanted: Any = entry["calls"] if "calls" in entry else entry["says"]
        usage, seconds = completions[0].usage, completions[0].timings.time_to_first_token
        asked.append(
            Asked(
                entry["group"], entry["request"], wanted, got, usage.prompt_tokens, usage.cached_tokens, seconds or 0.0
            )
        )
    return asked


def deaf_listener(completions: list[edge.Completion]) -> Listener:
    """Keeps completions, and nothing else."""

    def nothing(*told: object) -> None:
        pass

    return Listener(nothing, nothing, nothing, nothing, nothing, lambda done, stream: completions.append(done))


def table(asked: list[Asked]) -> list[tuple[str, int, int]]:
    """(group, right, all), and the sums of all groups."""
    groups: dict[str, list[bool]] = defaultdict(list)
    for each in asked:
        groups[each.group].append(each.is_right)
    rows = [(group, sum(right), len(right)) for group, right in groups.items()]
    rows.append(("all", sum(each.is_right for each in asked), len(asked)))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=None)
    parser.add_argument("--requests", type=Path, default=REQUESTS)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", default=None)
    parser.add_argument("--shown-tools", default=None)
    options = parser.parse_args()
    requests = read_requests(options.requests)
    results: dict[str, Any] = {}
    counts = [None, *(int(part) for part in (options.shown_tools or "").split(",") if part)]
    with tempfile.TemporaryDirectory() as folder, edge.load(options.model, sequences=2) as model:
        with Assistant(model, AssistantSettings(Path(folder))) as assistant:
            for count in counts:
                assistant.warm_up()
                asked = ask_all(assistant, requests, count)
                name = "the whole list" if count is None else f"{count} tools"
                results[name] = _summary(asked) | {"cold_first_token_ms": _cold(options.model, requests[::60], count)}
                print(f"\n{name}: {json.dumps(results[name])}")
                if count is None:
                    for group, right, total in table(asked):
                        print(f"| {group} | {right} of {total} | {100 * right / total:.0f}% |")
                if options.show:
                    for each in asked:
                        if not each.is_right:
                            print(
                                f"- {each.request}\n  wanted {json.dumps(each.wanted)}\n  got    {json.dumps(each.got)}"
                            )
    if options.json:
        Path(options.json).write_text(json.dumps(results, indent=1))


def _cold(path: str | None, requests: list[dict[str, Any]], count: int | None) -> float:
    """Milliseconds to the first token where nothing is in the cache: every request with a model loaded anew."""
    seconds: list[float] = []
    for entry in requests:
        with tempfile.TemporaryDirectory() as folder, edge.load(path, sequences=2) as model:
            with Assistant(model, AssistantSettings(Path(folder))) as assistant:
                model.tokenizer.encode("built before the clock starts")
                seconds.append(ask_all(assistant, [entry], count)[0].first_token)
    return round(1000 * statistics.median(seconds), 1)


def _summary(asked: list[Asked]) -> dict[str, Any]:
    return {
        "right": sum(each.is_right for each in asked),
        "of": len(asked),
        "accuracy": round(sum(each.is_right for each in asked) / len(asked), 3),
        "prompt_tokens": round(statistics.median(each.prompt_tokens for each in asked)),
        "computed_tokens": round(statistics.median(each.prompt_tokens - each.cached_tokens for each in asked)),
        "first_token_ms": round(1000 * statistics.median(each.first_token for each in asked), 1),
    }


if __name__ == "__main__":
    main()
