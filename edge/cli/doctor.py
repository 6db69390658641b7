"""`edge doctor`: this machine, and what edge would use of it."""

from __future__ import annotations

import json
from typing import Any

import click

from edge.cli.options import debug_option, json_option, option


@click.command("doctor")
@option("--isa", default=None, help="Force an instruction-set level, as run would.")
@option("--threads", type=int, default=None, help="Threads, as run would use.")
@json_option
@debug_option
def command(isa: str | None, threads: int | None, as_json: bool) -> int:
    """Describe this machine: CPU, instruction sets, cores allowed, memory, and what would run."""
    report = examine(isa, threads)
    click.echo(json.dumps(report, ensure_ascii=False) if as_json else _lines(report))
    return 1 if report["problems"] else 0


def examine(isa: str | None, threads: int | None) -> dict[str, Any]:
    """The report as an object: counts, bytes, names; `problems` says what keeps edge from running."""
    import platform
    import sys

    import edge
    from edge import device
    from edge.errors import EdgeError
    from edge.references import resolve

    cpus, memory = device.cpus(), device.memory()
    problems: list[str] = []
    supported: list[str] = []
    chosen: str | None = None
    try:
        from edge import native

        supported = native.isa_supported()
        chosen = native.isa_select(isa)
    except (EdgeError, ImportError, OSError) as error:
        problems.append(f"native library: {error}")
    model: str | None = None
    try:
        model = str(resolve(None))
    except EdgeError as error:
        problems.append(f"bundled model: {error}")
    num_threads = cpus.default_threads if threads is None else threads
    return {
        "edge": edge.__version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "executable": sys.executable,
        "cpu": {
            "model": cpus.model,
            "machine": cpus.machine,
            "logical": cpus.num_logical,
            "allowed": cpus.num_allowed,
            "allowed_cores": cpus.num_allowed_cores,
            "cgroup_quota": cpus.quota,
        },
        "isa": {"supported": supported, "chosen": chosen, "forced": isa},
        "memory": {
            "total_bytes": memory.total_bytes,
            "available_bytes": memory.available_bytes,
            "cgroup_limit_bytes": memory.limit_bytes,
            "cgroup_used_bytes": memory.limit_used_bytes,
        },
        "threads": num_threads,
        "would_run": None if chosen is None else f"native/{chosen}, {num_threads} thread{'s' * (num_threads != 1)}",
        "bundled_model": model,
        "problems": problems,
    }


def _lines(report: dict[str, Any]) -> str:
    from edge.cli.report import size

    cpu, memory, isa = report["cpu"], report["memory"], report["isa"]
    quota = "no cgroup quota" if cpu["cgroup_quota"] is None else f"cgroup quota {cpu['cgroup_quota']:.2f} CPUs"
    limit = memory["cgroup_limit_bytes"]
    rows = [
        ("edge", f"{report['edge']}, Python {report['python']}, {report['system']}"),
        ("cpu", f"{cpu['model']} ({cpu['machine']})"),
        ("cores", f"{cpu['allowed_cores']} physical allowed ({cpu['allowed']} of {cpu['logical']} logical), {quota}"),
        ("levels", ", ".join(isa["supported"]) or "none"),
        ("memory", f"{size(memory['total_bytes'])} total, {size(memory['available_bytes'])} available, "
                   + ("no cgroup limit" if limit is None
                      else f"cgroup limit {size(limit)} ({size(memory['cgroup_used_bytes'])} used)")),
        ("would run", report["would_run"] or "nothing"),
        ("bundled model", report["bundled_model"] or "missing"),
        *[("problem", problem) for problem in report["problems"]],
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)
