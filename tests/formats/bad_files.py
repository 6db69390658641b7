"""Hand-made GGUF files that break the format, each with what its error must say. All must raise BadModelFile.

Where things lie: version at byte 4, tensor count at 8, key count at 16. In a file whose first key is "k": key length
at 24, key at 32, value type at 33, value at 37. In a file without keys whose first tensor is "w": name length at 24,
name at 32, number of dimensions at 33, first dimension at 37, type at 45 and offset at 49 (one dimension), data at 64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from tests.formats.raw_gguf import (
    ARRAY,
    BOOL,
    F16,
    F32,
    FLOAT32,
    FLOAT64,
    INT8,
    INT32,
    INT64,
    MINUS_ONE,
    Q4_0,
    Q6_K,
    Q8_0,
    STRING,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
    array,
    entry,
    f32,
    gguf,
    i32,
    string,
    strings,
    tensor,
    text,
    u32,
    u64,
)

Row: TypeAlias = tuple[str, bytes, *tuple[str, ...]]  # name, content, expected fragments


@dataclass(frozen=True, slots=True)
class BadFile:
    """A file to refuse, and the fragments that the message must hold: where, what value, what limit."""

    name: str
    content: bytes
    expected: tuple[str, ...]


def bad_files() -> list[BadFile]:
    """Files that must be refused when they are opened."""
    groups = (_foreign, _truncated, _counts, _keys, _values, _arrays, _types_of_keys, _alignments, _table, _data)
    return [BadFile(name, content, tuple(expected)) for group in groups for name, content, *expected in group()]


def bad_vocabularies() -> list[BadFile]:
    """Files that open, and whose vocabulary must be refused."""
    return [BadFile(name, content, tuple(expected)) for name, content, *expected in _vocabularies()]


def _foreign() -> Iterator[Row]:
    yield "empty", b"", "empty (0 bytes)"
    yield "three-bytes", b"GGU", "byte 0", "b'GGU'", "b'GGUF'"
    yield "text", b"once upon a time", "is not a GGUF file", "b'once'"
    yield "zeros", bytes(4096), "starts with zeros"
    yield "web-page", b"<!DOCTYPE html><html><body>Sign in</body>", "web page"
    yield "json", b'{"architectures": ["LlamaForCausalLM"]}', "JSON"
    yield "safetensors", u64(80) + b'{"model.embed_tokens.weight":{"dtype":"F16"', "safetensors"
    yield "zip", b"PK\x03\x04" + bytes(60), "zip", "PyTorch"
    yield "pickle", b"\x80\x02}q\x00X", "pickle", "never opens"
    yield "git-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "git-lfs pointer", "git lfs pull"
    yield "gzip", b"\x1f\x8b\x08\x00" + bytes(20), "gzip"
    yield "ggjt", b"tjgg\x03\x00\x00\x00", "from before GGUF"
    yield "swapped-magic", b"FUGG" + u32(3), "swapped"
    yield "version-0", gguf(version=0), "byte 4", "version 0", "2 and 3"


def _truncated() -> Iterator[Row]:
    yield "only-magic", b"GGUF", "byte 4", "version needs 4 bytes", "0 remain of the file's 4 bytes"
    yield "cut-in-version", b"GGUF\x03\x00", "byte 4", "2 remain of the file's 6 bytes"
    yield "cut-in-tensor-count", gguf()[:12], "byte 8", "tensor count needs 8 bytes", "4 remain"
    yield "cut-in-key-count", gguf()[:20], "byte 16", "key count needs 8 bytes", "4 remain"
    two_keys = gguf([entry("key", UINT32, u32(7)), entry("other", UINT32, u32(7))])
    yield "cut-before-second-key", two_keys[:44], "byte 16", "key count 2 takes at least 28 bytes", "20 remain"
    yield "cut-in-second-key", two_keys[:52], "byte 51", "key 1 of 2 needs 5 bytes", "1 remain of the file's 52"
    yield "cut-in-second-type", two_keys[:58], "byte 56", "'other'", "value type needs 4 bytes", "2 remain"
    yield "cut-in-second-value", two_keys[:62], "byte 60", "'other'", "uint32 needs 4 bytes", "2 remain"
    one_tensor = gguf(tensors=[tensor("weight", [8])], data=bytes(32))
    yield "cut-in-dimension", one_tensor[:44], "byte 8", "tensor count 1 takes at least 33 bytes", "20 remain"
    yield "cut-in-tensor-offset", one_tensor[:60], "byte 54", "'weight': offset needs 8 bytes", "6 remain"
    yield "cut-in-data", one_tensor[:-1], "'weight'", "32 bytes end at byte 96", "the file has 95"
    yield "cut-before-data", one_tensor[:64], "'weight'", "end at byte 96", "the file has 64"


def _counts() -> Iterator[Row]:
    yield "tensor-count-negative", gguf(num_tensors=MINUS_ONE), "byte 8", "tensor count 18446744073709551615", "262144"
    yield "tensor-count-lowest-negative", gguf(num_tensors=2**63), "byte 8", "tensor count 9223372036854775808", "limit"
    yield (
        "tensor-count-without-tensors",
        gguf(num_tensors=2),
        "byte 8",
        "tensor count 2",
        "at least 66 bytes",
        "0 remain",
    )
    yield "tensor-count-above-limit", gguf(num_tensors=262_145), "byte 8", "tensor count 262145", "limit 262144"
    yield "key-count-negative", gguf(num_entries=MINUS_ONE), "byte 16", "key count 18446744073709551615", "65536"
    yield "key-count-above-limit", gguf(num_entries=65_537), "byte 16", "key count 65537", "limit 65536"
    yield "key-count-without-keys", gguf(num_entries=1000), "byte 16", "key count 1000", "14000 bytes", "0 remain"
    # counting one tensor too many makes padding and data be read as a name
    tensors = [tensor("a", [8]), tensor("b", [8], offset=32)]
    yield "tensor-count-one-too-many", gguf(tensors=tensors, data=bytes(64), num_tensors=3), "name of tensor 2 of 3"
    keys = [entry("a", UINT32, u32(1)), entry("b", UINT32, u32(1))]
    yield (
        "key-count-one-too-few",
        gguf(keys, [tensor("w", [8])], bytes(32), num_entries=1),
        "byte 50",
        "'b': dimension 0",
    )


def _keys() -> Iterator[Row]:
    tail = u32(UINT32) + u32(1) + bytes(64)
    yield "key-empty", gguf([u64(0) + tail]), "byte 24", "key 0 of 1 is empty"
    yield (
        "key-length-negative",
        gguf([u64(MINUS_ONE) + b"k" + tail]),
        "byte 24",
        "18446744073709551615",
        "limit is 65535",
    )
    yield "key-length-huge", gguf([u64(2**40) + b"k" + tail]), "byte 24", "1099511627776", "limit is 65535"
    yield "key-too-long", gguf([entry(b"k" * 65_536, UINT32, u32(1))]), "byte 24", "length 65536", "limit is 65535"
    yield "key-beyond-file", gguf([u64(1000) + b"k" + tail]), "byte 32", "needs 1000 bytes", "73 remain"
    yield "key-not-utf8", gguf([entry(b"a\xffb", UINT32, u32(1))]), "byte 33", "not UTF-8", "0xff"
    yield "key-latin1", gguf([entry("gr\u00f6\u00dfe".encode("latin-1"), UINT32, u32(1))]), "byte 34", "UTF-8", "0xf6"
    twice = [entry("same", UINT32, u32(1)), entry("same", UINT32, u32(2))]
    yield "key-twice", gguf(twice), "byte 44", "'same' occurs twice"
    both = [string("general.name", "a"), entry("x", UINT8, b"1"), array("general.name", UINT8, [b"1"])]
    yield "key-twice-other-type", gguf(both), "byte 71", "'general.name' occurs twice"


def _values() -> Iterator[Row]:
    for kind in (13, 255, 2**32 - 1):
        yield f"value-type-{kind}", gguf([entry("k", kind, u64(1))]), "byte 33", "'k'", f"value type {kind}", "12"
    for kind, payload in ((UINT64, bytes(7)), (FLOAT64, bytes(5)), (INT64, bytes(4)), (UINT16, bytes(1)), (INT8, b"")):
        content = gguf([entry("key", kind, payload)])
        remain = f"{len(payload)} remain"
        yield f"value-cut-type-{kind}", content, "byte 39", "'key'", remain
    yield "bool-2", gguf([entry("k", BOOL, b"\x02")]), "byte 37", "'k'", "bool 2", "0 and 1"
    yield "bool-255", gguf([entry("k", BOOL, b"\xff")]), "byte 37", "'k'", "bool 255", "0 and 1"
    yield (
        "string-length-negative",
        gguf([entry("k", STRING, u64(MINUS_ONE))]),
        "'k'",
        "18446744073709551615",
        "0 remain",
    )
    yield (
        "string-length-2-63",
        gguf([entry("k", STRING, u64(2**63) + bytes(9))]),
        "'k'",
        "9223372036854775808",
        "9 remain",
    )
    yield "string-one-too-long", gguf([entry("k", STRING, u64(4) + b"abc")]), "byte 45", "'k'", "length 4", "3 remain"
    yield "string-not-utf8", gguf([string("k", b"ab\x80c")]), "byte 47", "'k'", "not UTF-8", "0x80"
    yield "string-cut-utf8", gguf([string("k", b"ab\xe2\x82")]), "byte 47", "'k'", "not UTF-8", "0xe2"
    yield "string-surrogate", gguf([string("k", b"\xed\xa0\x80")]), "byte 45", "'k'", "not UTF-8", "0xed"
    yield "string-overlong", gguf([string("k", b"\xc0\xaf")]), "byte 45", "'k'", "not UTF-8", "0xc0"


def _arrays() -> Iterator[Row]:
    yield "array-type-unknown", gguf([array("k", 99, [], 0)]), "byte 37", "'k'", "value type 99", "12"
    yield (
        "array-length-negative",
        gguf([array("k", UINT8, [], MINUS_ONE)]),
        "byte 41",
        "18446744073709551615",
        "0 remain",
    )
    wraps = gguf([array("k", UINT64, [bytes(8)], 2**61)])  # 2^61 * 8 is 0 in 64 bits
    yield "array-bytes-wrap", wraps, "byte 41", "length 2305843009213693952", "18446744073709551616 bytes", "8 remain"
    yield "array-one-too-long", gguf([array("k", UINT32, [u32(1)] * 3, 4)]), "length 4", "16 bytes", "12 remain"
    yield (
        "strings-length-huge",
        gguf([array("k", STRING, [text("a")], 2**40)]),
        "'k'",
        "length 1099511627776",
        "9 remain",
    )
    yield (
        "strings-negative",
        gguf([array("k", STRING, [text("a"), u64(MINUS_ONE)])]),
        "byte 58",
        "string 1",
        "1844674407",
    )
    second = [text("a"), u64(100) + b"b", text("c")]
    yield (
        "strings-second-too-long",
        gguf([array("k", STRING, second)]),
        "byte 58",
        "string 1 has length 100",
        "10 remain",
    )
    last = [text("a"), text("b"), u64(2) + b"c"]
    yield "strings-last-too-long", gguf([array("k", STRING, last)]), "byte 67", "string 2 has length 2", "1 remain"
    wrong = gguf([array("k", BOOL, [b"\x00", b"\x01", b"\x07", b"\x01"])])
    yield "bools-7", wrong, "byte 51", "'k'", "bool 7", "0 and 1"
    nested = u32(UINT8) + u64(1) + b"\x00"
    for _ in range(8):
        nested = u32(ARRAY) + u64(1) + nested
    yield "arrays-too-deep", gguf([entry("k", ARRAY, nested)]), "'k'", "nested 5 deep", "limit is 4"
    inner = [u32(UINT8) + u64(0)] * 5000
    yield "arrays-too-many", gguf([array("k", ARRAY, inner)]), "'k'", "more than 4096 nested arrays"
    yield "arrays-length-huge", gguf([array("k", ARRAY, inner[:2], 2**60)]), "'k'", "length 1152921504606846976"


def _types_of_keys() -> Iterator[Row]:
    """Known keys of the wrong type: the message names key, offset, the type found and the type wanted."""
    number, llama = u32(1), string("general.architecture", "llama")
    for key, value, found, wanted in (
        ("general.architecture", entry("general.architecture", UINT32, number), "uint32", "a string"),
        ("general.type", entry("general.type", INT32, number), "int32", "a string"),
        ("general.alignment", entry("general.alignment", UINT64, u64(32)), "uint64", "uint32"),
        ("general.alignment", string("general.alignment", "32"), "string", "uint32"),
        ("split.count", string("split.count", "2"), "string", "an integer"),
        ("tokenizer.ggml.tokens", array("tokenizer.ggml.tokens", UINT32, [number]), "array of uint32", "of strings"),
        ("tokenizer.ggml.tokens", string("tokenizer.ggml.tokens", "a"), "string", "an array of strings"),
        ("tokenizer.ggml.merges", string("tokenizer.ggml.merges", "a b"), "string", "an array of strings"),
        ("tokenizer.ggml.scores", array("tokenizer.ggml.scores", INT32, [number]), "array of int32", "of floats"),
        ("tokenizer.ggml.token_type", strings("tokenizer.ggml.token_type", ["1"]), "array of string", "of integers"),
        ("tokenizer.ggml.add_bos_token", entry("tokenizer.ggml.add_bos_token", UINT8, b"\1"), "uint8", "a bool"),
        ("tokenizer.ggml.bos_token_id", string("tokenizer.ggml.bos_token_id", "<s>"), "string", "an integer"),
        ("tokenizer.ggml.eos_token_id", entry("tokenizer.ggml.eos_token_id", FLOAT32, f32(2)), "float32", "an integer"),
        ("tokenizer.ggml.pre", strings("tokenizer.ggml.pre", ["gpt-2"]), "array of string", "a string"),
        ("tokenizer.chat_template", strings("tokenizer.chat_template", ["{}"]), "array of string", "a string"),
        ("llama.block_count", entry("llama.block_count", FLOAT32, f32(2)), "float32", "an integer"),
        ("llama.context_length", string("llama.context_length", "4096"), "string", "an integer"),
        ("llama.embedding_length", entry("llama.embedding_length", BOOL, b"\1"), "bool", "an integer"),
        ("llama.attention.head_count", string("llama.attention.head_count", "8"), "string", "an integer or an array"),
        ("llama.rope.freq_base", entry("llama.rope.freq_base", UINT32, number), "uint32", "a float"),
    ):
        content = gguf([llama, value] if key != "general.architecture" else [value])
        yield f"type-{key}-{found.replace(' ', '-')}", content, f"key {key!r} (byte ", f"is {found},", wanted


def _alignments() -> Iterator[Row]:
    for value in (0, 1, 4, 12, 33, 65_535, 131_072, 2**31, 2**32 - 1):
        content = gguf([entry("general.alignment", UINT32, u32(value))], [tensor("w", [8])], bytes(32))
        yield (
            f"alignment-{value}",
            content,
            "'general.alignment' (byte 53)",
            f"is {value},",
            "power of two from 8 to 65536",
        )


def _table() -> Iterator[Row]:
    rest = u32(1) + u64(8) + u32(F32) + u64(0)
    data = bytes(4096)
    for name, row, *expected in (
        ("tensor-name-empty", tensor("", [8]), "byte 24", "name of tensor 0 of 1 is empty"),
        ("tensor-name-too-long", tensor("n" * 65, [8]), "byte 24", "length 65", "limit is 64"),
        ("tensor-name-negative", u64(MINUS_ONE) + b"w" + rest, "byte 24", "18446744073709551615", "limit is 64"),
        ("tensor-name-not-utf8", tensor(b"w\xfe", [8]), "byte 33", "not UTF-8", "0xfe"),
        ("tensor-without-dimensions", tensor("w", []), "byte 33", "'w'", "0 dimensions", "1 to 4"),
        ("tensor-of-5-dimensions", tensor("w", [1, 1, 1, 1, 1]), "byte 33", "'w'", "5 dimensions", "1 to 4"),
        ("tensor-of-2-32-dimensions", text("w") + u32(2**32 - 1) + data, "byte 33", "4294967295 dimensions", "1 to 4"),
        ("dimension-0", tensor("w", [0]), "byte 33", "'w'", "dimension 0", "between 1 and"),
        ("dimension-0-of-two", tensor("w", [8, 0]), "byte 33", "'w'", "dimension 0", "between 1 and"),
        ("dimension-0-beside-huge", tensor("w", [0, 2**62, 2**62]), "byte 33", "'w'", "is not between 1 and"),
        ("dimension-negative", tensor("w", [MINUS_ONE]), "byte 33", "18446744073709551615", "9223372036854775807"),
        (
            "dimensions-overflow",
            tensor("w", [2**40, 2**40]),
            "byte 33",
            "1208925819614629174706176 elements",
            "limit is",
        ),
        (
            "dimensions-wrap-to-zero",
            tensor("w", [2**32, 2**32]),
            "byte 33",
            "18446744073709551616 elements",
            "limit is",
        ),
        ("dimensions-wrap-to-one", tensor("w", [2**31 - 1, 2**33 + 4]), "byte 33", "elements, the limit is"),
        ("tensor-of-an-exabyte", tensor("w", [2**58]), "'w'", "1152921504606846976 bytes", "the file has 4160"),
        ("tensor-type-4-removed", tensor("w", [32], 4), "byte 33", "'w'", "tensor type 4 "),
        ("tensor-type-31-removed", tensor("w", [32], 31), "byte 33", "'w'", "tensor type 31 "),
        ("tensor-type-43", tensor("w", [32], 43), "byte 33", "'w'", "tensor type 43 "),
        ("tensor-type-negative", tensor("w", [32], 2**32 - 1), "byte 33", "'w'", "tensor type 4294967295 "),
        ("row-not-whole-blocks-q4_0", tensor("w", [48], Q4_0), "byte 33", "'w'", "row length 48", "32"),
        ("row-not-whole-blocks-q6_k", tensor("w", [128, 2], Q6_K), "byte 33", "'w'", "row length 128", "256"),
        ("row-of-one-q8_0", tensor("w", [1, 32], Q8_0), "byte 33", "'w'", "row length 1 ", "32"),
        ("offset-misaligned", tensor("w", [8], offset=16), "byte 49", "'w'", "offset 16", "alignment 32"),
        ("offset-odd", tensor("w", [8], offset=1), "byte 49", "'w'", "offset 1 ", "alignment 32"),
        ("offset-negative", tensor("w", [8], offset=2**64 - 32), "byte 49", "'w'", "18446744073709551584", "has 4160"),
        ("offset-at-end", tensor("w", [8], offset=4096), "byte 49", "'w'", "offset 4096", "the file has 4160"),
        ("data-one-element-too-long", tensor("w", [1025]), "byte 49", "'w'", "4100 bytes", "the file has 4160"),
        ("data-too-short-f16", tensor("w", [2056], F16), "byte 49", "'w'", "4112 bytes", "the file has 4160"),
    ):
        yield name, gguf(tensors=[row], data=data), *expected


def _data() -> Iterator[Row]:
    twice = [tensor("w", [8]), tensor("w", [8], offset=32)]
    yield "tensor-twice", gguf(tensors=twice, data=bytes(64)), "tensor 'w' occurs twice"
    same = [tensor("a", [8]), tensor("b", [8])]
    yield "tensors-at-the-same-place", gguf(tensors=same, data=bytes(32)), "'b' at offset 0 overlaps 'a'", "ends at 32"
    partly = [tensor("a", [16]), tensor("b", [16], offset=32)]
    yield "tensors-overlap-partly", gguf(tensors=partly, data=bytes(96)), "'b' at offset 32 overlaps 'a'", "ends at 64"
    inside = [tensor("outer", [64]), tensor("last", [8], offset=256), tensor("inner", [8], offset=64)]
    yield "tensor-inside-another", gguf(tensors=inside, data=bytes(288)), "'inner' at offset 64 overlaps 'outer'", "256"
    by_a_byte = [tensor("a", [33], 24), tensor("b", [8], offset=32)]
    yield "tensors-overlap-by-a-byte", gguf(tensors=by_a_byte, data=bytes(64)), "'b'", "overlaps 'a'", "ends at 33"
    coarse = [entry("general.alignment", UINT32, u32(64))]
    yield (
        "offset-misaligned-to-64",
        gguf(coarse, [tensor("w", [8], offset=32)], bytes(96), alignment=64),
        "alignment 64",
    )


def _vocabularies() -> Iterator[Row]:
    prefix = "tokenizer.ggml."
    model = string(prefix + "model", "llama")

    def with_tokens(*entries: bytes) -> bytes:
        return gguf([model, strings(prefix + "tokens", ["<s>", "a", "b"]), *entries])

    yield "tokens-missing", gguf([model]), "missing key 'tokenizer.ggml.tokens'"
    yield "tokens-none", gguf([model, strings(prefix + "tokens", [])]), "'tokenizer.ggml.tokens'", "0 entries", "1 to"
    twice = gguf([model, strings(prefix + "tokens", ["a", "b", "c", "b"])])
    yield "token-twice", twice, "'tokenizer.ggml.tokens'", "'b' at 1 and at 3", "must be different"
    broken = gguf([model, strings(prefix + "tokens", ["a", b"\xff\xfe"])])
    yield "token-not-utf8", broken, "'tokenizer.ggml.tokens'", "string 1 is not UTF-8", "byte 131", "0xff"
    scores = [f32(0), f32(-1)]
    yield "scores-short", with_tokens(array(prefix + "scores", FLOAT32, scores)), "scores'", "2 entries", "must have 3"
    scores = [f32(0), f32(math.nan), f32(0)]
    yield "score-nan", with_tokens(array(prefix + "scores", FLOAT32, scores)), "scores'", "nan at entry 1", "a number"
    types = [i32(1)] * 4
    yield "types-long", with_tokens(array(prefix + "token_type", INT32, types)), "token_type'", "4 entries", "have 3"
    types = [i32(1), i32(1), i32(7)]
    yield "type-7", with_tokens(array(prefix + "token_type", INT32, types)), "token_type'", "7 at entry 2", "0 to 6"
    types = [i32(-1), i32(1), i32(1)]
    yield "type-negative", with_tokens(array(prefix + "token_type", INT32, types)), "-1 at entry 0", "0 to 6"
    for name in ("bos", "eos", "unknown", "eot"):
        key = f"{prefix}{name}_token_id"
        yield f"{name}-beyond-tokens", with_tokens(entry(key, UINT32, u32(3))), f"key {key!r} is 3", "at most 2"
    key = prefix + "eos_token_id"
    yield "eos-negative", with_tokens(entry(key, INT32, i32(-1))), f"key {key!r} is -1,", "the last of 3 tokens"
    yield "eos-minus-one-unsigned", with_tokens(entry(key, UINT32, u32(2**32 - 1))), "is 4294967295,", "at most 2"
