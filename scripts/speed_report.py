"""The results of scripts/compare_speed.py as a table in Markdown and as a plot.

python -m scripts.speed_report RESULTS.json [--readme README.md] [--svg docs/benchmarks/speed.svg]

Prints the table; with --readme replaces what stands between the two markers in that file, with --svg draws the plot.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from scripts.compare_speed import is_busy
from scripts.speed_plot import plot

BEGIN, END = "<!-- speed table: scripts/speed_report.py writes it -->", "<!-- end of the speed table -->"
OURS, PEER = "edge", "llama.cpp"


def table(results: dict[str, Any]) -> str:
    """What was measured how, and a row for each file and number of threads."""
    deep = results["deep"]
    header = ["file", "threads", f"prefill of {results['prompt']}", "decode behind it", "of the bandwidth"]
    header += [f"decode at {deep}"] * bool(deep) + ["steps of 4 and 8 tokens"]
    lines = [_method(results), "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    for row in results["rows"]:
        cells = [row["file"].removesuffix(".gguf"), str(row["threads"]), _pair(row, "prefill_tok_s")]
        cells += [_pair(row, "decode_tok_s"), f"{100 * row['share']['decode']:.0f} %"]
        if deep:
            cells.append(_pair(row, "deep_decode_tok_s"))
        cells.append(f"{row[OURS]['step_4_cost']:.2f}, {row[OURS]['step_8_cost']:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    busy = [f"{row['file'].removesuffix('.gguf')} ({row['threads']})" for row in results["rows"] if is_busy(row)]
    if busy:
        lines += ["", f"Measured while the machine was busy, so that they say little: {', '.join(busy)}."]
    return "\n".join(lines)


def _method(results: dict[str, Any]) -> str:
    levels = ", ".join(dict.fromkeys(row["isa"] for row in results["rows"]))
    bandwidths = [row["read_bytes_s"] / 1e9 for row in results["rows"]]
    return (
        f"Measured, tokens per second, edge / llama.cpp ({results[PEER]['version']}) = ratio: same file, taking turns "
        f"in one run, medians of {results['rounds']} rounds; {results['cpu']} ({results['cores']} cores), {levels}. "
        f"The bandwidth is that of memory reads in the same run, {min(bandwidths):.1f} to {max(bandwidths):.1f} GB/s; "
        "edge's decode is held against it. A step of several tokens is counted in edge's steps of one."
    )


def _pair(row: dict[str, Any], key: str) -> str:
    return f"{_speed(row[OURS][key])} / {_speed(row[PEER][key])} = {row['ratio'][key]:.2f}x"


def _speed(value: float) -> str:
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def replace_between(text: str, new: str) -> str:
    """The text with `new` between the markers. ValueError: they are not there exactly once, in order."""
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"the file needs the lines {BEGIN!r} and {END!r}, once, in this order")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{new}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--readme", type=Path, help="file whose table is replaced")
    parser.add_argument("--svg", type=Path, help="where the plot goes")
    options = parser.parse_args()
    results = json.loads(options.results.read_text())
    text = table(results)
    print(text)
    if options.svg is not None:
        options.svg.parent.mkdir(parents=True, exist_ok=True)
        options.svg.write_text(plot(results))
    if options.readme is not None:
        if options.svg is not None:
            there = os.path.relpath(str(options.svg), str(options.readme.parent))
            text = f"![Decode and prefill beside llama.cpp, as in the table below]({there})\n\n{text}"
        try:
            options.readme.write_text(replace_between(options.readme.read_text(), text))
        except ValueError as error:
            raise SystemExit(f"{options.readme}: {error}") from None


if __name__ == "__main__":
    main()
