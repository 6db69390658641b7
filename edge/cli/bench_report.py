"""A measurement as a table for people and as comma-separated values for programs."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping, Sequence
from statistics import median

from edge.bench.report import BenchReport, Load, Result
from edge.cli.report import size
from edge.cli.terminal import harmless
from edge.sensors import hottest

_PACKED = {
    "opened": "packed file of an earlier load",
    "written": "packed file written by this load",
    "memory": "packed in memory, no packed file",
    "runtime": "weights held as the backend does",
}


def table(report: BenchReport) -> str:
    """What was measured, then a line for each result."""
    facts = _facts(report)
    width = max(len(name) for name, _ in facts)
    lines = [f"{name:<{width}}  {value}" for name, value in facts]
    return harmless("\n".join([*lines, "", *_columns(_rows(report.results)), ""]))


def csv_lines(report: BenchReport) -> str:
    """A header, then a line for each result; cells are empty where there is nothing to say."""
    out = io.StringIO()
    rows = [_csv_row(report, result) for result in report.results]
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _csv_row(report: BenchReport, result: Result) -> dict[str, object]:
    load = report.load_of(result)
    return {
        "label": "measured",
        "model": os.path.basename(report.model.path),
        "file_bytes": report.model.file_bytes,
        "backend": load.backend,
        "isa": load.isa,
        **result.as_json(),
        "rounds": report.rounds,
        "load_seconds": load.load_seconds,
        "packed": load.packed,
        "peak_memory_bytes": load.peak_memory_bytes,
    }


def _facts(report: BenchReport) -> list[tuple[str, str]]:
    model = report.model
    types = ", ".join(f"{kind} x {count}" for kind, count in model.types.items())
    levels = ", ".join(dict.fromkeys(load.backend for load in report.loads))
    rows = [
        ("measured", f"edge {report.edge}, {levels}, {report.cpu} ({report.machine}), medians of {report.rounds}"),
        ("file", model.path),
        ("model", f"{model.name or 'no name'}: {model.architecture}, {model.num_parameters:,} parameters, "
                  f"{model.file_bytes / 1e6:,.1f} MB, {types}"),
        ("a step reads", f"{model.step_matrix_bytes / 1e6:,.1f} MB of packed matrices, "
                         f"and {model.kv_bytes_per_position:,} bytes of {model.kv_type} KV for each position"),
    ]  # fmt: skip
    for load in report.loads:
        rows += [(_threads(load), _load(load)), ("", _bandwidth(load))]
        if load.packed in ("memory", "runtime") and load.note is not None:  # no packed file, operators on the CPU
            rows.append(("", load.note))
    if report.loads[0].prefill_backend is not None:
        rows.append(("handed", f"prompts read by {report.loads[0].prefill_backend}, K and V stored for the engine"))
    rows.append(("profile", report.loads[0].chosen_by))
    temperature = _temperature(report.celsius_before, report.celsius_after)
    if temperature:
        rows.append(("temperature", temperature))
    if report.battery_watts is not None:
        rows.append(("battery", f"gave {report.battery_watts:.1f} W"))
    return rows


def _threads(load: Load) -> str:
    threads = f"{load.threads} thread{'s' * (load.threads != 1)}"
    return threads if load.decode_threads == load.threads else f"{threads}, {load.decode_threads} in decode"


def _load(load: Load) -> str:
    held = _PACKED[load.packed] if load.packed in ("memory", "runtime") else f"{_PACKED[load.packed]}, {load.residency}"
    parts = [f"loaded in {load.load_seconds:.2f} s ({held})"]
    if load.resident_bytes is not None:
        parts.append(f"resident {size(load.resident_bytes)}")
    if load.peak_memory_bytes is not None:
        parts.append(f"peak {size(load.peak_memory_bytes)}")
    return ", ".join([*parts, f"prompts in chunks of {load.chunk}"])


def _bandwidth(load: Load) -> str:
    if not load.bandwidth:
        return f"read bandwidth not measured: {load.bandwidth_note}"
    low, high = min(load.bandwidth), max(load.bandwidth)
    return f"memory reads {median(load.bandwidth) / 1e9:.1f} GB/s ({low / 1e9:.1f} to {high / 1e9:.1f} in the rounds)"


def _temperature(before: Mapping[str, float], after: Mapping[str, float]) -> str | None:
    start, end = hottest(before), hottest(after)
    if start is None or end is None:
        return None
    return f"{start[1]:.0f} °C before ({start[0]}), {end[1]:.0f} °C after ({end[0]})"


def _rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The header and a row for each result; a column that no result fills is left out."""
    rows = [("phase", "depth", "threads", "tok/s", "least", "most", "ms/step", "cost", "of bandwidth", "J/token")]
    for result in results:
        share, joules = result.bandwidth_share, result.joules_per_token
        rows.append((
            f"{result.phase} {result.tokens}",
            str(result.depth),
            str(result.threads),
            _speed(result.tok_s),
            _speed(result.tokens / max(result.seconds)),
            _speed(result.tokens / min(result.seconds)),
            f"{median(result.seconds) * 1e3:.2f}" if result.phase == "step" else "",
            "" if result.cost is None else f"{result.cost:.2f}x",
            "" if share is None else f"{100 * share:.0f} %",
            "" if joules is None else f"{joules:.3g}",
        ))  # fmt: skip
    kept = [i for i in range(len(rows[0])) if any(row[i] for row in rows[1:])]
    return [tuple(row[i] for i in kept) for row in rows]


def _speed(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The first column flush left, numbers flush right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines: list[str] = []
    for first, *others in rows:
        cells = [first.ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines
