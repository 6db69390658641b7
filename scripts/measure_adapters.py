"""What a LoRA adapter costs: steps that use it beside steps of the same model that do not, in turn.

python -m scripts.measure_adapters [FILE.gguf | SHAPE:TYPE] [--rank 16] [--type F16] [--threads 2] [--rounds 5]

SHAPE:TYPE (tinyllama-1.1b:Q4_0 when nothing is named) is made in --folder, if it is not there, with random weights; the
adapter, of all matrices of all layers, in a temporary folder. A round is --decode tokens one by one, and a prompt of
--prompt tokens. Printed beside the medians: what share the adapter has of the bytes that a token reads, and of the
multiplications; its own are of floats, those of quantised weights are of integers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

import edge
from edge import device
from edge.bench import Steps, step_matrix_bytes
from edge.export.gguf_writer import GGUFWriter
from edge.formats.gguf import open_gguf
from edge.formats.types import GGMLType
from scripts.compare_speed import model_file

TYPES = {"F32": np.float32, "F16": np.float16}


def write_adapter(model: Path, path: Path, rank: int, kind: str) -> tuple[float, int]:
    """An adapter of every matrix in the layers. (its share of a token's multiplications, bytes a step of the model
    reads)."""
    writer, rng, extra, own = GGUFWriter(path), np.random.default_rng(1), 0, 0
    with open_gguf(model) as file:
        writer.add("general.type", "adapter")
        writer.add("general.architecture", file.get_str("general.architecture"))
        writer.add("adapter.type", "lora")
        writer.add("adapter.lora.alpha", float(rank))
        for name, tensor in file.tensors.items():
            if len(tensor.shape) != 2 or name == "token_embd.weight":
                continue
            rows, cols = tensor.shape
            own += rows * cols
            if not name.startswith("blk."):
                continue
            for half, shape in (("a", (rank, cols)), ("b", (rows, rank))):
                values = (0.01 * rng.standard_normal(shape)).astype(TYPES[kind])
                writer.add_tensor(f"{name}.lora_{half}", GGMLType[kind], shape, values.tobytes())
                extra += values.size
        read = step_matrix_bytes(file)
    writer.finish()
    return extra / own, read


def measure(model: edge.Model, prompt: int, decode: int, rounds: int) -> dict[str, float]:
    """Medians, in seconds: of a token, and of a prompt. The first round fetches pages, and does not count."""
    found: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        for what, adapter in (("plain", None), ("adapted", 0)):
            steps = Steps(model.native_backend, adapter=adapter)
            prompt_seconds = steps.prefill(prompt, 0)
            tokens = steps.decode(decode, 0)
            if number:
                found.setdefault(f"{what}_prompt", []).append(prompt_seconds)
                found.setdefault(f"{what}_token", []).extend(tokens)
    return {what: median(seconds) for what, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="tinyllama-1.1b:Q4_0", metavar="FILE | SHAPE:TYPE")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--type", choices=sorted(TYPES), default="F16", help="of the adapter's matrices")
    parser.add_argument("--threads", type=int, default=device.cpus().default_threads)
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--decode", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("build/models"), help="where models are made")
    parser.add_argument("--output", type=Path, help="write the results as JSON")
    args = parser.parse_args()
    path = model_file(args.model, args.folder)
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(folder) / "adapter.gguf"
        share, read = write_adapter(path, adapter, args.rank, args.type)
        context = max(args.prompt, args.decode) + 1
        with edge.load(path, context=context, threads=args.threads, adapters={"adapter": str(adapter)}) as model:
            seconds = measure(model, args.prompt, args.decode, args.rounds)
            adapter_bytes = model.native_backend.adapters[0].num_bytes
            isa = model.isa
    results: dict[str, Any] = {
        "file": path.name, "cpu": device.cpus().model, "isa": isa, "threads": args.threads, "rank": args.rank,
        "type": args.type, "adapter_bytes": adapter_bytes, "share_of_bytes": adapter_bytes / read,
        "share_of_multiplications": share, "seconds": seconds,
    }  # fmt: skip
    print(
        f"{path.name}, rank {args.rank} {args.type}, {args.threads} threads of {device.cpus().model}, {isa}: "
        f"{adapter_bytes / 2**20:.1f} MiB beside {read / 2**20:.0f} ({results['share_of_bytes']:.1%}), "
        f"{results['share_of_multiplications']:.1%} of the multiplications"
    )
    for what in ("token", "prompt"):
        plain, adapted = seconds[f"plain_{what}"], seconds[f"adapted_{what}"]
        print(f"{what:<7}{1e3 * plain:9.2f} ms plain {1e3 * adapted:9.2f} ms adapted  {adapted / plain - 1:+.1%}")
    if args.output is not None:
        args.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
