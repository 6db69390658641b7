"""Two thousand broken copies of sound files: each opens or is refused, and nothing else happens."""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.formats.mutations import mutate, sound_files, use_everything

MUTATIONS = 2000


def test_sound_files_open(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(sound_files()[0])
    assert use_everything(path)


def test_only_model_file_errors_escape(tmp_path: Path) -> None:
    rng, seeds, refused, slowest = random.Random(20250101), sound_files(), 0, 0.0
    path = tmp_path / "model.gguf"
    for index in range(MUTATIONS):
        path.write_bytes(mutate(seeds[index % len(seeds)], rng))
        start = time.process_time()
        refused += not use_everything(path)
        slowest = max(slowest, time.process_time() - start)
    # most mutations must be noticed, or the mutations (or the checks) are too weak to mean anything
    assert refused > MUTATIONS * 0.8
    assert slowest < 0.5
