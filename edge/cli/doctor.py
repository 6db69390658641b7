"""`edge doctor`: this machine, what edge would use of it, and why. With --save: what it can do, measured."""

from __future__ import annotations

import json
from typing import Any

import click

from edge.cli.doctor_onnx import examine_onnx, onnx_rows
from edge.cli.options import debug_option, json_option, option


@click.command("doctor")
@option("--isa", default=None, help="Force an instruction-set level, as run would.")
@option("--threads", type=int, default=None, help="Threads, as run would use.")
@option(
    "--save",
    is_flag=False,
    flag_value="",
    default=None,
    metavar="[PATH]",
    help="Measure this machine, in about a minute, and write its profile. [default: where edge looks for it]",
)
@option("--model", default=None, help="With --save: measure with the shapes of this model.")
@option("--onnx", "folder", default=None, metavar="FOLDER", help="Load this ONNX model and say what runs where.")
@option("--provider", default=None, metavar="NAME[:KEY=VALUE,...]", help="With --onnx: what is to compute it.")
@option("--strict", is_flag=True, help="With --onnx: refuse a model of which a part would run on the CPU instead.")
@json_option
@debug_option
def command(
    isa: str | None,
    threads: int | None,
    save: str | None,
    model: str | None,
    folder: str | None,
    provider: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Describe this machine: CPU, instruction sets, cores allowed, memory, disk, what would run and why.

    --save measures it: how fast memory is read by how many threads, from a mapped file and from owned memory, what
    kernels and steps take, how fast the disk is. Later runs choose by it.
    """
    if save is not None:
        from edge.cli.doctor_save import save_profile_of_this_machine

        saved = save_profile_of_this_machine(save, model)
        click.echo(json.dumps(saved.as_json(), ensure_ascii=False) if as_json else saved.as_text())
        return 0
    if model is not None:
        raise click.UsageError("--model says what to measure with: it needs --save")
    if (provider is not None or strict) and folder is None:
        raise click.UsageError("--provider and --strict say where a model is to run: they need --onnx")
    report = examine(isa, threads) | {"onnx": examine_onnx(folder, provider, strict=strict)}
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
    advice = _advise(isa, threads, problems) if supported else None
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
        "disk": _disk(),
        **_backends(bool(supported)),
        "threads": cpus.default_threads if advice is None else advice["chosen"]["prefill_threads"],
        **({"chosen": None, "expected": None} if advice is None else advice),
        "would_run": None if advice is None or chosen is None else f"native/{chosen}, {_settings(advice['chosen'])}",
        "bundled_model": model,
        "problems": problems,
    }


def _advise(isa: str | None, threads: int | None, problems: list[str]) -> dict[str, Any] | None:
    """What is chosen for large models, from what and why; and what reads allow, if they were measured."""
    import dataclasses
    import os

    from edge.errors import EdgeError
    from edge.profiles import Profile
    from edge.tuning import Asked, tune
    from edge.tuning.find import find_profile

    asked = Asked(threads=threads, isa=isa, residency=os.environ.get("EDGE_RESIDENCY") or None)
    try:
        choice = tune(asked, None, os.environ)
        profile: Profile | None = find_profile(asked, os.environ, may_probe=False).profile
    except EdgeError as error:
        problems.append(f"device profile: {error}")
        return None
    best = None if profile is None else max((read.gb_s for read in profile.reads), default=None)
    expected = None if best is None else {"read_gb_s": best, "decode_tok_s_of_1_gb": best, "predicted": True}
    return {"chosen": dataclasses.asdict(choice), "expected": expected}


def _disk() -> dict[str, Any] | None:
    """Where packed files go that cannot lie beside their model; None without a home."""
    import os
    import shutil
    from pathlib import Path

    from edge.packed.places import user_cache_folder
    from edge.probe.disk import disk_name

    named = os.environ.get("EDGE_CACHE_DIR")
    folder = Path(named).expanduser() if named else user_cache_folder(os.environ)
    if folder is None:
        return None
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return {"folder": str(folder), "name": disk_name(there), "free_bytes": shutil.disk_usage(there).free}


def _settings(chosen: dict[str, Any]) -> str:
    prefill, decode = chosen["prefill_threads"], chosen["decode_threads"]
    threads = f"{prefill} thread{'s' * (prefill != 1)}"
    if decode != prefill:
        threads = f"{threads} for prompts, {decode} for answers"
    return f"{threads}, {chosen['chunk']} prompt tokens a step, weights {chosen['residency']}"


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
        ("disk", _disk_line(report["disk"])),
        ("backends", "; ".join([", ".join(report["backends"]) or "none", *report["backends_missing"]])),
        *onnx_rows(report["onnx"]),
        ("would run", report["would_run"] or "nothing"),
        *_choice_rows(report),
        ("bundled model", report["bundled_model"] or "missing"),
        *[("problem", problem) for problem in report["problems"]],
    ]  # fmt: skip
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _backends(has_native: bool) -> dict[str, Any]:
    """Which backends can be chosen here, and what the others need."""
    from edge.backends.registry import BACKENDS

    installed = [
        info.name for info in BACKENDS.values() if info.missing is None and (info.name != "native" or has_native)
    ]
    return {
        "backends": installed,
        "backends_missing": [info.missing for info in BACKENDS.values() if info.missing is not None],
    }


def _disk_line(disk: dict[str, Any] | None) -> str:
    from edge.cli.report import size

    if disk is None:
        return "no home, so no cache folder"
    return f"{size(disk['free_bytes'])} free, {disk['name']} ({disk['folder']})"


def _choice_rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """From what, why, what to expect; what the user should read about the profile."""
    chosen, expected = report["chosen"], report["expected"]
    if chosen is None:
        return []
    rows = [("profile", chosen["source"])]
    rows += [("because", f"{name.replace('_', ' ')}: {reason}") for name, reason in chosen["reasons"].items()]
    if expected is not None:
        rate = expected["decode_tok_s_of_1_gb"]
        rows.append(("expect", f"at most {rate:.3g} tok/s from 1 GB of weights: reads of {rate:.3g} GB/s (predicted)"))
    if chosen["note"] is not None:
        rows.append(("note", chosen["note"]))
    return rows
