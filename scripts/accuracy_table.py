"""Prints the README's accuracy table: our logits and llama.cpp's against the truth, for every weight format.

python -m scripts.accuracy_table       needs llama-cpp-python (scripts/install_llama.sh)
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.accuracy.random_models import Shape
from tests.accuracy.test_against_llama import ARCHITECTURES, FORMATS, measure


def main() -> None:
    print("| format | " + " | ".join(f"{arch}: edge / llama.cpp" for arch in ARCHITECTURES) + " |")
    print("|---|" + "---|" * len(ARCHITECTURES))
    with tempfile.TemporaryDirectory() as folder:
        for kind in FORMATS:
            cells: list[str] = []
            for arch in ARCHITECTURES:
                ours, theirs = measure(Path(folder), Shape(arch), kind)
                cells.append(f"{ours[0]:.2e} / {theirs[0]:.2e}")
            print(f"| {kind} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
