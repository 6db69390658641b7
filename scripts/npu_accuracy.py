"""What an export for NPUs loses, by its options: each beside float64, and on Qualcomm's simulator where that is here.

python -m scripts.npu_accuracy [MODEL.gguf]        a table in Markdown; the bundled model when none is given
"""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from edge.damage.text import shipped_text
from edge.formats.gguf import open_gguf
from edge.npu.runner import NpuModel
from edge.tokenizer import Tokenizer
from tests.npu.models import BUNDLED, decibels, snapdragon, truth, written

TOKENS = 160
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"kv_bits": 16},
    {"weights": "int8x32"},
    {"weights": "int4x32"},
    {"weights": "int4"},
    {"shadows": 8},
    {"activation_bits": 8},
    {"activation_bits": 8, "shadows": 8},
)


def row(path: Path, ids: list[int], options: dict[str, Any], wanted: tuple[Any, Any]) -> list[str]:
    """SNR of what the last layer gives, share of positions with the same likeliest token, mean KLD; and the simulator's
    distance from the CPU. It takes blocks of eight bits for hours: not tried."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "npu"
        manifest = written(path, target, chunk=32, context=256, max_tokens=2048, **options)
        cpu = NpuModel(target)
        cpu.forward(ids)
        logits = cpu.logits_of(cpu.hidden)
        simulated = "-"
        if find_spec("onnxruntime_qnn") is not None and options.get("weights") != "int8x32":
            npu = NpuModel(target, snapdragon())
            npu.forward(ids)
            simulated = f"{decibels(npu.hidden, cpu.hidden):.1f}"
    hidden, true = wanted
    top = float((logits.argmax(1) == true.argmax(1)).mean())
    label = ", ".join(f"{key} {value}" for key, value in options.items()) or "as by default"
    return [label, str(manifest.num_graphs), f"{decibels(cpu.hidden, hidden):.1f}", f"{kld(true, logits):.2g}",
            f"{top:.1%}", simulated]  # fmt: skip


def kld(true: Any, found: Any) -> float:
    def log_softmax(x: Any) -> Any:
        x = x - x.max(axis=1, keepdims=True)
        return x - np.log(np.exp(x).sum(axis=1, keepdims=True))

    p, q = log_softmax(true.astype(np.float64)), log_softmax(found.astype(np.float64))
    return float((np.exp(p) * (p - q)).sum(axis=1).mean())


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED
    _, text, _ = shipped_text()
    with open_gguf(path) as file:
        ids = Tokenizer.from_gguf(file).encode(text, add_special=False)[:TOKENS]
    wanted = truth(path, ids)
    print("| options | graphs | SNR, dB | KLD | same top token | simulator and CPU, dB |\n|---|---|---|---|---|---|")
    for options in OPTIONS:
        print("|", " | ".join(row(path, ids, options, wanted)), "|", flush=True)


if __name__ == "__main__":
    main()
