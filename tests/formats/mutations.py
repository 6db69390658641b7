"""Broken copies of sound GGUF files: fields overwritten with extreme values, bytes flipped, cut, moved and repeated."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from edge.errors import ModelFileError
from edge.formats import GGMLType, GGUFFile, open_gguf
from edge.formats.adapter import open_adapter
from edge.formats.config import ModelConfig
from edge.tokenizer.vocabulary import Vocabulary
from tests.formats import raw_gguf as raw
from tests.formats.raw_gguf import entry, f32, gguf, i32, string, strings, tensor, u32

_EXTREMES = (0, 1, 2, 3, 7, 8, 31, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1)


def sound_files() -> list[bytes]:
    """A small llama with vocabulary and tensors, and a file with every type of value."""
    prefix = "tokenizer.ggml."
    llama = [
        string("general.architecture", "llama"),
        entry("llama.block_count", raw.UINT32, u32(1)),
        entry("llama.context_length", raw.UINT32, u32(64)),
        entry("llama.embedding_length", raw.UINT32, u32(32)),
        entry("llama.feed_forward_length", raw.UINT32, u32(32)),
        entry("llama.attention.head_count", raw.UINT32, u32(2)),
        entry("llama.attention.head_count_kv", raw.UINT32, u32(1)),
        entry("llama.attention.layer_norm_rms_epsilon", raw.FLOAT32, f32(1e-5)),
        entry("llama.rope.freq_base", raw.FLOAT32, f32(1e4)),
        string(prefix + "model", "llama"),
        strings(prefix + "tokens", ["<unk>", "<s>", "</s>", "▁a", "b"]),
        raw.array(prefix + "scores", raw.FLOAT32, [f32(-index) for index in range(5)]),
        raw.array(prefix + "token_type", raw.INT32, [i32(kind) for kind in (2, 3, 3, 1, 1)]),
        entry(prefix + "bos_token_id", raw.UINT32, u32(1)),
        entry(prefix + "add_bos_token", raw.BOOL, b"\x01"),
        string("tokenizer.chat_template", "{{ messages }}"),
    ]
    tensors = [
        tensor("token_embd.weight", [32, 5], GGMLType.Q8_0, 0),
        tensor("output_norm.weight", [32], GGMLType.F32, 192),
        tensor("blk.0.attn_q.weight", [32, 32], GGMLType.Q4_0, 320),
    ]
    values = [
        entry("general.alignment", raw.UINT32, u32(64)),
        entry("flag", raw.BOOL, b"\x00"),
        entry("f64", raw.FLOAT64, bytes(8)),
        raw.array("nested", raw.ARRAY, [u32(raw.UINT8) + struct.pack("<Q", 3) + b"abc"] * 2),
        raw.array("bools", raw.BOOL, [b"\x01"] * 5),
        entry("split.count", raw.UINT16, b"\x01\x00"),
    ]
    return [
        gguf(llama, tensors, bytes(320 + 576)),
        gguf(values, [tensor("w", [256, 2], GGMLType.Q6_K)], bytes(420), alignment=64, version=2),
    ]


def mutate(content: bytes, rng: random.Random) -> bytes:
    """One to four changes, most of them in the header."""
    mutated = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(max(1, len(mutated) // rng.choice((1, 1, 2, 8))))
        width = rng.choice((1, 2, 4, 8))
        match rng.randrange(8):
            case 0:
                mutated[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                mutated[at : at + 1] = bytes([mutated[at] ^ 1 << rng.randrange(8)]) if mutated else b""
            case 2 | 3:
                value = rng.choice(_EXTREMES) + rng.randint(-1, 1)
                mutated[at : at + width] = (value % 2 ** (8 * width)).to_bytes(width, "little")
            case 4:
                del mutated[at:]
            case 5:
                del mutated[at : at + width]
            case 6:
                mutated[at:at] = mutated[at : at + rng.choice((width, 64))]
            case _:
                other = rng.randrange(max(1, len(mutated)))
                mutated[at : at + width] = mutated[other : other + width]
    return bytes(mutated)


def use_everything(path: Path) -> bool:
    """Open `path` and read all that can be read. False when it is refused; any error but ModelFileError escapes."""
    try:
        with open_gguf(path) as file:
            _read_all(file)
            if file.get_str("general.type", default="") == "adapter":
                open_adapter(path).close()
                return True
            Vocabulary.from_gguf(file).text_ids()
            ModelConfig.from_gguf(file)
    except ModelFileError as error:
        if not str(error).startswith(f"{path}: ") or len(str(error)) > 2000 or "\n" in str(error):
            raise AssertionError(f"not a message for a person: {str(error)!r}") from error
        return False
    return True


def _read_all(file: GGUFFile) -> None:
    for key in file.keys():
        kind = file.value_type(key)
        match kind.removeprefix("array of "):
            case "string":
                _ = list(file.get_strings(key)) if file.is_array(key) else file.get_str(key)
            case "float32" | "float64":
                _ = sum(file.get_floats(key)) if file.is_array(key) else file.get_float(key)
            case "bool" | "array":
                _ = file.is_array(key) or file.get_bool(key)
            case _:
                _ = sum(file.get_ints(key)) if file.is_array(key) else file.get_int(key)
    for name, info in file.tensors.items():
        data = file.tensor_data(name)
        if len(data) != info.num_bytes or len(bytes(data)) != info.num_bytes:
            raise AssertionError(f"{name}: {len(data)} bytes, declared {info.num_bytes}")
