"""`kill -9` during `edge pull`: a name means the whole model or nothing, and what came is not asked for again."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from tests.cli.conftest import RunEdge, environment
from tests.hub.hub_server import Behaviour, Hub, serving

KILLS = 4


def test_kills(run_edge: RunEdge, model_bytes: bytes, tmp_path: Path) -> None:
    rng = random.Random(5)
    target = tmp_path / "hub" / "me" / "tiny" / "m.gguf"
    part = target.with_name("m.gguf.part")
    how = Behaviour()
    with serving(Hub({"m.gguf": model_bytes}, how)) as hub:
        env = {"EDGE_HUB": hub.url, "EDGE_MODELS_DIR": str(tmp_path)}
        kept, content = 2**20, b""  # the header's bytes are there first
        for _ in range(KILLS):
            how.stop_at = kept + rng.randrange(1000, 300_000)
            how.reached.clear()
            process = subprocess.Popen(
                [sys.executable, "-m", "edge", "pull", "me/tiny"], env=environment(env), stdout=subprocess.DEVNULL
            )
            assert how.reached.wait(60)  # the server sends no more, and the client has read what it had
            process.kill()
            process.wait()
            assert not target.exists()
            content = part.read_bytes()
            assert model_bytes.startswith(content) and len(content) >= kept - 64 * 1024
            kept = max(kept, len(content))
        how.stop_at = None
        how.released.set()
        before = hub.sent_bytes
        done = run_edge("pull", "me/tiny", env=env)
        assert done.returncode == 0, done.stderr
        assert target.read_bytes() == model_bytes and not part.exists()
        # What servers of those who were killed still wrote into the void is little.
        assert hub.sent_bytes - before <= 2**20 + len(model_bytes) - len(content) + 2**16
