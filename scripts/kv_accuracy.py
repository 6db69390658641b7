"""What K and V as f16, q8 or q4 cost: the distributions of the next token against those with K and V as f32.

python -m scripts.kv_accuracy [MODEL] [--text FILE]     default: the bundled model, on texts that it writes itself

int8 may be the default where its mean divergence is at most 1e-3 nats and its likeliest token that of f32 in 99.5 % of
the positions: on every model that this is run for.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edge.backends.compiled import KV_TYPES
from edge.damage import LoadOptions, Passage, measure, sample_passage
from edge.references import resolve

MOST_KLD, LEAST_TOP1 = 1e-3, 0.995


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a GGUF file (default: the bundled model)")
    parser.add_argument("--text", type=Path, help="UTF-8 text to measure on (default: what the model writes)")
    parser.add_argument("--tokens", type=int, default=20_000, help="of the text, at most")
    args = parser.parse_args()
    path = resolve(args.model)
    text = sample_passage(path) if args.text is None else args.text
    print(f"{'KV type':<8} {'mean KLD':>20} {'99 % KLD':>10} {'same top token':>18}  as default")
    for kv_type in (kind for kind in KV_TYPES if kind != "f32"):
        damage = measure(path, path, text=text, max_tokens=args.tokens, loading=LoadOptions(kv_type=kv_type))
        assert damage.mean_kld is not None and damage.top1 is not None
        good = damage.mean_kld <= MOST_KLD and damage.top1 >= LEAST_TOP1
        print(
            f"{kv_type:<8} {damage.mean_kld:>9.2e} ± {damage.mean_kld_error:.1e} {damage.p99_kld:>10.2e} "
            f"{damage.top1:>9.3%} ± {damage.top1_error:.3%}  {'yes' if good else 'no'}",
            flush=True,
        )
    print(f"on {text.name}{f', {text.num_positions} tokens' if isinstance(text, Passage) else ''}")


if __name__ == "__main__":
    main()
