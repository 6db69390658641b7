"""Writes the small bad files into tests/sessions/refused, where other tools (fuzzers) find them.

python -m tests.sessions.keep_refused
"""

from __future__ import annotations

from tests.sessions.test_reader import REFUSED, kept_cases


def main() -> None:
    REFUSED.mkdir(exist_ok=True)
    for path in REFUSED.iterdir():
        path.unlink()
    for case in kept_cases():
        (REFUSED / f"{case.name}.edge-session").write_bytes(case.content)


if __name__ == "__main__":
    main()
