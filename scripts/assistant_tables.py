"""Measures what docs/assistant.md tells of the assistant's model, and writes it there.

    python -m scripts.assistant_tables [--embeddings MINILM.gguf] [--only accuracy,retrieval,latency] [--write FILE]

accuracy: 300 requests written by hand, per tool and kind, and thirty of three parts. retrieval: the 300 behind lists
shortened to the tools nearest to the request, by words and, with --embeddings, by an encoder's vectors: does the list
hold what is needed, what does that do to the answers, and what to tokens and time to the first token, the ranking's
own included. latency: from Enter to the executed action, of 50 requests. Take times on an idle machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import edge
from edge.assistant import Assistant, AssistantSettings
from edge.assistant.retrieval import Embedded, Lexical, Ranker, shortlist
from edge.assistant.tool import Tool
from scripts.assistant_accuracy import REQUESTS, THREES, Asked, ask_all, read_requests, table
from scripts.assistant_latency import measure
from scripts.marked_parts import write_part

LENGTHS = (4, 8, 12, 20)  # of shortened lists
COLUMNS = 4  # of the table of tools
KINDS = ("multi", "clarify", "refusal", "talk", "untaught")
NAMED = {"talk": "small talk", "untaught": "tools it was not made for", "all": "**all 300**",
         "all but untaught": "**all that its tools are for**"}  # fmt: skip
COLD_EVERY = 30  # one request of so many is asked with nothing in the cache


def accuracy_part(asked: Sequence[Asked], of_three: Sequence[Asked]) -> str:
    rows = table(list(asked))
    tools = [f"| `{name}` | {right}/{total} " for name, right, total in rows
             if name not in KINDS and not name.startswith("all")]  # fmt: skip
    height = -(-len(tools) // COLUMNS)
    tools += ["| | "] * (height * COLUMNS - len(tools))
    columns = [tools[start : start + height] for start in range(0, len(tools), height)]
    by_tool = ["| tool | right " * COLUMNS + "|", "|---|---" * COLUMNS + "|"]
    by_tool += ["".join(cells) + "|" for cells in zip(*columns, strict=True)]
    kinds = [
        f"| {NAMED.get(name, name)} | {right} of {total} | {100 * right / total:.0f}% |"
        for name, right, total in rows
        if name in KINDS or name.startswith("all")
    ]
    threes = [f"| besides, {name} | {right} of {total} | {100 * right / total:.0f}% |"
              for name, right, total in table(list(of_three)) if name != "all"]  # fmt: skip
    return "\n".join(["", *by_tool, "", "| | right | |", "|---|---|---|", *kinds, *threes, ""])


class Shortened(NamedTuple):
    """held: how many requests found all tools that they need in their list. Times in seconds."""

    name: str
    asked: Sequence[Asked]
    held: float
    ranking: float
    cold: float

    def row(self) -> str:
        right = sum(each.is_right for each in self.asked) / len(self.asked)
        prompt = statistics.median(each.prompt_tokens for each in self.asked)
        read = statistics.median(each.prompt_tokens - each.cached_tokens for each in self.asked)
        warm = statistics.median(each.first_token for each in self.asked) + self.ranking
        return (
            f"| {self.name} | {100 * self.held:.1f}% | {100 * right:.1f}% | {prompt:.0f} | {read:.0f} "
            f"| {1000 * self.ranking:.1f} ms | {1000 * warm:.1f} ms | {1000 * (self.cold + self.ranking):.1f} ms |"
        )


def retrieval_rows(model: edge.Model, encoder: edge.Model | None) -> Iterator[str]:
    """One row for each way; the whole list first."""
    requests = [entry for entry in read_requests() if entry["group"] != "untaught"]
    yield ("| tools in the list | holds what is needed | right | tokens of the prompt | read, with a warm cache "
           "| ranking | first token, warm | first token, cold |")  # fmt: skip
    yield "|---|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder, Assistant(model, AssistantSettings(Path(folder))) as assistant:
        assistant.warm_up()
        offered = assistant.offered
        yield Shortened(f"{len(offered)}, the whole list", ask_all(assistant, requests, None), 1.0, 0.0,
                        _cold(model.path, requests, None, None)).row()  # fmt: skip
        rankers: list[tuple[str, Ranker]] = [("words", Lexical())]
        if encoder is not None:
            rankers.append((f"vectors of {Path(encoder.path).stem}", Embedded(encoder)))
        for how, ranker in rankers:
            for count in LENGTHS:
                asked = ask_all(assistant, requests, count, ranker)
                held, seconds = _ranked(requests, offered, count, ranker)
                cold = _cold(model.path, requests, count, ranker)
                yield Shortened(f"{count}, by {how}", asked, held, seconds, cold).row()


def _ranked(
    requests: Sequence[dict[str, Any]], offered: Sequence[Tool], count: int, ranker: Ranker
) -> tuple[float, float]:
    """(share of requests whose calls are all of tools in their list, median seconds of the ranking)."""
    held: list[bool] = []
    seconds: list[float] = []
    for entry in requests:
        began = time.perf_counter()
        shown = {tool.name for tool in shortlist(entry["request"], offered, count, ranker=ranker)}
        seconds.append(time.perf_counter() - began)
        if entry.get("calls"):
            held.append({call["name"] for call in entry["calls"]} <= shown)
    return statistics.mean(held), statistics.median(seconds)


def _cold(path: str, requests: Sequence[dict[str, Any]], count: int | None, ranker: Ranker | None) -> float:
    """Seconds to the first token where nothing is in the cache: every request with a model loaded anew."""
    seconds: list[float] = []
    for entry in requests[::COLD_EVERY]:
        with tempfile.TemporaryDirectory() as folder, edge.load(path, sequences=2) as model:
            with Assistant(model, AssistantSettings(Path(folder))) as assistant:
                model.tokenizer.encode("built before the clock starts")
                seconds.append(ask_all(assistant, [entry], count, ranker)[0].first_token)
    return statistics.median(seconds)


def latency_part() -> str:
    found = measure(50)
    return (
        f"\n**{found['first_token_ms']:.0f} ms from Enter to the first token, {found['action_ms']:.0f} ms to the "
        f"executed action** (90% within {found['action_ms_p90']:.0f} ms; {found['acted']} of {found['requests']} "
        f"requests acted; database written, sync included). The process took {found['peak_mib']:.0f} MiB at its peak.\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--embeddings", type=Path, help="an encoder in GGUF: edge export all-MiniLM-L6-v2/ -o FILE")
    parser.add_argument("--only", default="accuracy,retrieval,latency")
    parser.add_argument("--write", type=Path, help="the document whose marked parts are replaced")
    options = parser.parse_args()
    wanted = options.only.split(",")
    parts: dict[str, str] = {}
    with ExitStack() as stack:
        if "latency" in wanted:  # a process of its own: before anything else is in memory
            parts["latency"] = latency_part()
        model = stack.enter_context(edge.load(sequences=2))
        if "accuracy" in wanted:
            with (
                tempfile.TemporaryDirectory() as folder,
                Assistant(model, AssistantSettings(Path(folder))) as assistant,
            ):
                assistant.warm_up()
                asked, of_three = (ask_all(assistant, read_requests(file), None) for file in (REQUESTS, THREES))
                parts["accuracy"] = accuracy_part(asked, of_three)
        if "retrieval" in wanted:
            encoder = None
            if options.embeddings is not None:
                encoder = stack.enter_context(edge.load(str(options.embeddings)))
            parts["retrieval"] = "\n".join(["", *retrieval_rows(model, encoder), ""])
    for name, text in parts.items():
        print(f"{name}:\n{text}")
        if options.write is not None:
            write_part(options.write, name, text)


if __name__ == "__main__":
    main()
