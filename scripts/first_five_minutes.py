"""The first five minutes, timed: a fresh clone, a new environment and home, and nothing but what README.md says.

    python -m scripts.first_five_minutes --output docs/first-five-minutes.md

Every command is run as it is written, in a shell, with an empty home folder and none of this shell's EDGE_* variables;
what it printed stands in the page, shortened only where that is marked. Exit code 1 when a command fails.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_KEPT_LINES = 24
_QUESTION = '{"messages": [{"role": "user", "content": "remind me to call mum at six"}]}'


@dataclass(frozen=True, slots=True)
class Step:
    """title: a heading. kept: a pattern of the lines that are shown; the others are installation's chatter."""

    title: str
    command: str
    kept: str = ""


def steps() -> list[Step]:
    """In the order of the page. The first command is README's own."""
    blocks = re.findall(r"```sh\n(.+?)\n```", (ROOT / "README.md").read_text(), re.DOTALL)
    install, _, run = blocks[0].rpartition(" && ")
    return [
        Step("Install", install, r"Successfully installed"),
        Step("Run", run),
        Step("Chat", "printf 'hello\\nset a timer for ten minutes\\n/stats\\n' | .venv/bin/edge chat"),
        Step("Plan", ".venv/bin/edge plan --memory 200MiB"),
        Step("Models", ".venv/bin/edge ls"),
        Step("Install the server", ".venv/bin/pip install '.[serve]'", r"^Successfully installed"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edge-first-") as folder:
        home, clone = Path(folder) / "home", Path(folder) / "edge"
        home.mkdir()
        began = time.monotonic()
        subprocess.run(["git", "clone", "--quiet", f"file://{ROOT}", str(clone)], check=True)
        parts = [_heading(time.monotonic() - began)]
        for step in steps():
            seconds, output = _run(step.command, clone, home)
            parts.append(_section(step, seconds, _tidy(output, clone, home)))
        parts.append(_serving(clone, home))
        seconds = time.monotonic() - began
        parts.append(f"In all {seconds:.0f} s, pip's downloads included, from wherever pip looks on this machine.\n")
    page = "\n".join(parts)
    if arguments.output is None:
        print(page)
    else:
        arguments.output.write_text(page)
    return 0


def _environment(home: Path) -> dict[str, str]:
    """This one's, without what would make it not a clean machine; where pip looks stays as it is here."""
    kept = {"LANG", "TERM", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "TMPDIR"}
    found = {name: value for name, value in os.environ.items() if name in kept or name.startswith("PIP_")}
    found |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    for settings in (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf"):
        if settings.is_file():
            found.setdefault("PIP_CONFIG_FILE", str(settings))
    return found | {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "PIP_CACHE_DIR": str(home / "pip")}


def _run(command: str, clone: Path, home: Path) -> tuple[float, str]:
    began = time.monotonic()
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=clone,
        env=_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        raise SystemExit(f"{command}: exit code {done.returncode}\n{done.stdout[-4000:]}")
    return time.monotonic() - began, done.stdout


def _serving(clone: Path, home: Path) -> str:
    """Starts the server, asks it as it says, and ends it."""
    began = time.monotonic()
    process = subprocess.Popen(
        [".venv/bin/edge", "serve"], cwd=clone, env=_environment(home) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        lines: list[str] = []
        while not any("Ctrl-C ends it" in line for line in lines):
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"edge serve ended: {''.join(lines)}")
            lines.append(line)
        ready = time.monotonic() - began
        ask = f"curl -s http://127.0.0.1:8080/v1/chat/completions -H 'Content-Type: application/json' -d '{_QUESTION}'"
        seconds, answer = _run(ask, clone, home)
    finally:
        process.send_signal(signal.SIGINT)
        ending = time.monotonic()
        process.wait(10)
    started = _section(Step("Serve", ".venv/bin/edge serve"), ready, _tidy("".join(lines), clone, home))
    asked = _section(Step("Ask the server", ask), seconds, _tidy(answer, clone, home))
    return f"{started}\n{asked}\nCtrl-C ended it after {time.monotonic() - ending:.1f} s.\n"


def _section(step: Step, seconds: float, output: str) -> str:
    lines = [line for line in output.splitlines() if re.search(step.kept, line)] or ["..."]
    if len(lines) > _KEPT_LINES:
        lines = [*lines[:_KEPT_LINES], f"... ({len(lines) - _KEPT_LINES} lines more)"]
    return f"## {step.title}: {seconds:.1f} s\n\n```console\n$ {step.command}\n" + "\n".join(lines) + "\n```\n"


def _tidy(output: str, clone: Path, home: Path) -> str:
    return output.replace(str(clone), "/home/me/edge").replace(str(home), "/home/me")


def _heading(seconds: float) -> str:
    cpu = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    machine = f"{cpu or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return (
        "# The first five minutes\n\n"
        "A fresh clone, a new environment, an empty home folder, and what README.md says: written by\n"
        "`python -m scripts.first_five_minutes`, with the output as it was. Seconds are of the whole command, on\n"
        f"{machine}. The clone took {seconds:.1f} s.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
