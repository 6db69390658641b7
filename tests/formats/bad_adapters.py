"""Hand-made adapter files to refuse, each with what its error must say; and a sound one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.formats import raw_gguf as raw
from tests.formats.bad_files import BadFile, Row
from tests.formats.raw_gguf import entry, f32, gguf, i32, string, strings, tensor, u32

ALPHA = entry("adapter.lora.alpha", raw.FLOAT32, f32(4.0))
HEAD = [string("general.architecture", "llama"), string("general.type", "adapter"), string("adapter.type", "lora")]
INVOKED = "adapter.alora.invocation_tokens"
NAME = "blk.0.attn_q.weight"


def pair(
    name: str = NAME, down: Sequence[int] = (32, 2), up: Sequence[int] = (2, 8), at: int = 0, kind: int = raw.F32
) -> list[bytes]:
    """Rows of the tensor table; dimensions in the order of the file."""
    return [tensor(f"{name}.lora_a", down, kind, at), tensor(f"{name}.lora_b", up, kind, at + 512)]


def sound_adapter() -> bytes:
    """Two matrices, one of them in f16, and invocation tokens."""
    entries = [
        *HEAD,
        ALPHA,
        string("general.name", "an adapter"),
        raw.array(INVOKED, raw.UINT32, [u32(7), u32(9)]),
    ]
    tensors = [*pair(), *pair("blk.0.ffn_down.weight", (40, 3), (3, 8), 1024, raw.F16)]
    return gguf(entries, tensors, bytes(2048))


def bad_adapters() -> list[BadFile]:
    """Files that open as GGUF, and must be refused as adapters with BadModelFile or UnsupportedModel."""
    return [BadFile(name, content, tuple(expected)) for name, content, *expected in _rows()]


def _of(*tensors: list[bytes], entries: Sequence[bytes] = (*HEAD, ALPHA)) -> bytes:
    return gguf(entries, [row for rows in tensors for row in rows], bytes(1024))


def _rows() -> Iterator[Row]:
    yield "model", gguf([string("general.architecture", "llama")]), "is no adapter", "'model'"
    yield "vocabulary", gguf([*HEAD[:1], string("general.type", "vocab")]), "is no adapter", "'vocab'"
    yield "no-type", _of(pair(), entries=HEAD[:2]), "adapter.type", "missing"
    yield "control-vector", _of(pair(), entries=[*HEAD[:2], string("adapter.type", "control_vector")]), "control_vector"
    yield "no-architecture", _of(pair(), entries=[*HEAD[1:], ALPHA]), "general.architecture"
    yield "alpha-text", _of(pair(), entries=[*HEAD, string("adapter.lora.alpha", "8")]), "adapter.lora.alpha", "a float"
    for text, value in (("nan", float("nan")), ("inf", float("inf")), ("minus-inf", float("-inf"))):
        entries = [*HEAD, entry("adapter.lora.alpha", raw.FLOAT32, f32(value))]
        yield f"alpha-{text}", _of(pair(), entries=entries), "adapter.lora.alpha"
    yield "no-tensors", _of(), "without tensors"
    yield "only-a", _of(pair()[:1]), "lora_a", "stands alone"
    yield "only-b", _of(pair()[1:]), "lora_b", "stands alone"
    yield "a-norm", _of(pair(), [tensor("blk.0.attn_norm.weight", (8,), raw.F32, 960)]), "attn_norm", "neither"
    yield "a-magnitude", _of(pair(), [tensor(f"{NAME}.lora_magnitude", (8,), raw.F32, 960)]), "lora_magnitude"
    yield "two-ranks", _of(pair(up=(3, 8))), "(2, 32)", "(8, 3)", "do not fit"
    yield "a-vector", _of(pair(down=(32,))), "(32,)", "do not fit"
    yield "three-dimensions", _of(pair(up=(2, 8, 1))), "(1, 8, 2)", "do not fit"
    large = [tensor(f"{NAME}.lora_a", (1, 4097), raw.F16), tensor(f"{NAME}.lora_b", (4097, 1), raw.F16, 8224)]
    yield "large-rank", gguf([*HEAD, ALPHA], large, bytes(1 << 15)), "rank 4097", "4096"
    yield "no-name", _of(pair("")[:1]), "'.lora_a'", "stands alone"
    yield "invoked-by-text", _of(pair(), entries=[*HEAD, ALPHA, strings(INVOKED, ["a"])]), INVOKED
    yield "invoked-by-one-number", _of(pair(), entries=[*HEAD, ALPHA, entry(INVOKED, raw.UINT32, u32(1))]), INVOKED
    yield "invoked-by-nothing", _of(pair(), entries=[*HEAD, ALPHA, raw.array(INVOKED, raw.INT32, [])]), INVOKED, "1 to"
    yield "invoked-by-minus-one", _of(pair(), entries=[*HEAD, ALPHA, raw.array(INVOKED, raw.INT32, [i32(-1)])]), INVOKED
    many = raw.array(INVOKED, raw.UINT32, [u32(1)] * 257)
    yield "invoked-by-too-many", _of(pair(), entries=[*HEAD, ALPHA, many]), INVOKED, "256"
