"""Small files with one idea: line budgets for code and for ARCHITECTURE.md, and bans that a grep can see.

python scripts/check_budgets.py        exit code 1 when a file is over its budget
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

BUDGETS = (  # first match wins
    ("edge/engine/scheduler.py", 150),
    ("edge/engine/block_manager.py", 150),
    ("edge/models/", 250),
    ("apps/assistant_model/template_", 1000),  # tables of wordings, not code
    ("apps/assistant_model/tool_names.py", 500),
    ("native/src/code_books.c", 500),  # constants of the formats
    ("ARCHITECTURE.md", 150),
    (".py", 400),
    (".c", 300),
    (".h", 300),
    (".js", 300),
    (".css", 300),
)
TESTS_LIMIT = 600
# Data is never code: nothing in the runtime may unpickle, evaluate or build an unsandboxed template.
BANNED = ("import pickle", "torch.load", "import marshal", "import shelve", "jinja2.Environment(", "trust_remote_code=")
BANNED_IN = ("edge/", "export/", "quant/")
# Text from elsewhere never becomes markup or code in the page.
BANNED_JS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval(",
    "new Function",
    "createContextualFragment",
)


def _limit(name: str) -> int | None:
    if "/tests/" in f"/{name}" and not name.endswith(".md"):
        return TESTS_LIMIT
    return next((limit for part, limit in BUDGETS if name.endswith(part) or name.startswith(part)), None)


def main() -> int:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    wrong: list[str] = []
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        limit = _limit(name)
        if limit is None or path.is_symlink() or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        lines = text.count("\n")
        if lines > limit:
            wrong.append(f"{name}: {lines} lines, budget {limit}")
        if name.endswith(".py") and name.startswith(BANNED_IN):
            wrong += [f"{name}: {ban!r} is banned" for ban in BANNED if ban in text]
        if name.endswith(".js"):
            wrong += [f"{name}: {ban!r} is banned" for ban in BANNED_JS if ban in text]
    print("\n".join(wrong) or "budgets: every file is within its budget")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
