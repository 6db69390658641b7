"""Writes the small bad files into tests/formats/refused, where other tools (fuzzers, peers) find them.

python -m tests.formats.keep_refused
"""

from __future__ import annotations

from tests.formats.test_bad_files import FILES, MAX_KEPT_BYTES, REFUSED, VOCABULARIES


def main() -> None:
    REFUSED.mkdir(exist_ok=True)
    for path in REFUSED.iterdir():
        path.unlink()
    for case in FILES + VOCABULARIES:
        if len(case.content) <= MAX_KEPT_BYTES:
            (REFUSED / f"{case.name}.gguf").write_bytes(case.content)


if __name__ == "__main__":
    main()
