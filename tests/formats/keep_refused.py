"""Writes the small bad files into tests/formats/refused and refused_adapters, where other tools (fuzzers, peers) find
them.

python -m tests.formats.keep_refused
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.formats import test_adapter
from tests.formats.bad_files import BadFile
from tests.formats.test_bad_files import FILES, MAX_KEPT_BYTES, REFUSED, VOCABULARIES


def keep(cases: Sequence[BadFile], folder: Path, max_bytes: int) -> None:
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        path.unlink()
    for case in cases:
        if len(case.content) <= max_bytes:
            (folder / f"{case.name}.gguf").write_bytes(case.content)


def main() -> None:
    keep(FILES + VOCABULARIES, REFUSED, MAX_KEPT_BYTES)
    keep(test_adapter.CASES, test_adapter.REFUSED, test_adapter.MAX_KEPT_BYTES)


if __name__ == "__main__":
    main()
