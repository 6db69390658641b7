"""`import edge` and `edge --help` are cheap: measured in fresh processes, best of several."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

HEAVY = ("numpy", "tokenizers", "jinja2", "click", "ctypes", "psutil", "tomllib")
ATTEMPTS = 7

PROBE = """
import json, os, sys, time
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
before = time.process_time()  # nothing waits: what it takes on an idle machine
import edge
seconds = time.process_time() - before
print(json.dumps({"seconds": seconds, "bytes": resident(), "modules": sorted(sys.modules)}))
"""


def test_import_edge() -> None:
    runs = [
        json.loads(subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True).stdout)
        for _ in range(ATTEMPTS)
    ]
    assert min(run["seconds"] for run in runs) < 0.060
    assert min(run["bytes"] for run in runs) < 25 * 2**20
    assert [name for name in HEAVY if name in runs[0]["modules"]] == []


def test_help_is_quick() -> None:
    """In processor time, which is what it takes on an idle machine: nothing in it waits."""

    def seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        result = subprocess.run([sys.executable, "-m", "edge", "--help"], check=True, capture_output=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "doctor" in result.stdout
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(ATTEMPTS)) < 0.2


def test_help_imports_no_command() -> None:
    code = (
        "import sys\nfrom edge.cli import main\nmain(['--help'])\n"
        "late = ('numpy', 'tokenizers', 'jinja2', 'edge.model', 'edge.loading', 'edge.cli.run')\n"
        "print([n for n in sys.modules if n in late])"
    )
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.strip().endswith("[]")
