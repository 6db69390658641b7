"""What K and V as f16, q8 or q4 cost: the distributions of the next token against those with K and V as f32.

python -m scripts.kv_accuracy [MODEL]      default: the bundled model
python -m scripts.kv_accuracy --help

The text is the model's own, sampled at temperature 1 with K and V as f32, so any trained model can be measured; the
figures of a model with random weights mean nothing. Every position behind the first is compared: mean and 99th
percentile of the Kullback-Leibler divergence in nats, and how often the likeliest token is the same.
"""

from __future__ import annotations

import argparse
from array import array

import numpy as np
import numpy.typing as npt

import edge
from edge.backends import Batch
from edge.backends.compiled import KV_TYPES
from edge.backends.native import NativeBackend
from edge.formats.gguf import open_gguf
from edge.references import resolve
from edge.tokenizer import Tokenizer

CHUNK = 64  # positions whose logits a step gives


def written_by(path: str, length: int, count: int, prompt: str, seed: int) -> list[list[int]]:
    """`count` texts of up to `length` tokens."""
    with edge.load(path, kv_type="f32", context=length) as model:
        start = model.tokenizer.encode(prompt) or _any_start(model.tokenizer)
        return [
            [*start, *model.generate(start, temperature=1.0, max_tokens=length, seed=seed + number).tokens]
            for number in range(count)
        ]


def _any_start(tokenizer: Tokenizer) -> list[int]:
    start = tokenizer.bos_id if tokenizer.bos_id is not None else tokenizer.eos_id
    return [0 if start is None else start]


def log_probabilities(path: str, tokens: list[int], kv_type: str) -> npt.NDArray[np.float64]:
    """(tokens, vocabulary): of the token behind each."""
    found: list[npt.NDArray[np.float64]] = []
    with open_gguf(resolve(path)) as file:
        backend = NativeBackend(file, context=max(2, len(tokens)), chunk=CHUNK, num_sequences=CHUNK, kv_type=kv_type)
        try:
            table = array("i", range(-(-len(tokens) // backend.limits.block_size)))
            for start in range(0, len(tokens), CHUNK):
                part = tokens[start : start + CHUNK]
                logits = backend.step(
                    Batch(
                        token_ids=array("i", part),
                        positions=array("i", range(start, start + len(part))),
                        sequences=array("i", [0] * len(part)),
                        block_tables=table,
                        table_stride=len(table),
                        logit_rows=array("i", range(len(part))),
                    )
                )
                rows = np.array(logits, dtype=np.float64).reshape(len(part), -1)
                top = rows.max(axis=1, keepdims=True)
                found.append(rows - top - np.log(np.exp(rows - top).sum(axis=1, keepdims=True)))
        finally:
            backend.close()
    return np.concatenate(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a GGUF file (default: the bundled model)")
    parser.add_argument("--length", type=int, default=512, help="tokens of a text, at most")
    parser.add_argument("--texts", type=int, default=16)
    parser.add_argument("--prompt", default="", help="what the texts begin with")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    path = str(resolve(args.model))
    texts = written_by(path, args.length, args.texts, args.prompt, args.seed)
    print(f"{path}: {len(texts)} texts, {sum(map(len, texts))} tokens, seed {args.seed}")
    truth = [log_probabilities(path, text, "f32") for text in texts]
    print(f"{'KV type':<8} {'mean KLD':>10} {'99 % KLD':>10} {'same top token':>15}")
    for kv_type in (kind for kind in KV_TYPES if kind != "f32"):
        divergences: list[npt.NDArray[np.float64]] = []
        agreements: list[npt.NDArray[np.bool_]] = []
        for text, wanted in zip(texts, truth, strict=True):
            got = log_probabilities(path, text, kv_type)
            divergences.append((np.exp(wanted) * (wanted - got)).sum(axis=1))
            agreements.append(wanted.argmax(axis=1) == got.argmax(axis=1))
        kld, same = np.concatenate(divergences), np.concatenate(agreements)
        print(f"{kv_type:<8} {kld.mean():>10.2e} {np.quantile(kld, 0.99):>10.2e} {same.mean():>15.4%}", flush=True)


if __name__ == "__main__":
    main()
