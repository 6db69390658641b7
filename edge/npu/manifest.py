"""What a folder of `edge export --to npu` says of itself: npu.json and encodings.json.

npu.json names no files: their names are fixed. prefill.onnx and decode.onnx, or with outliers on the CPU
prefill.0.onnx, prefill.1.onnx ...; weights.bin; head.onnx with host.bin, the embedding in it; tokenizer.gguf.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import numpy as np

from edge.errors import BadModelFile
from edge.formats.folder import ModelFolder
from edge.formats.json_file import parse_object
from edge.graph.ops import RopeSpec
from edge.npu.encoding import CodeType, Encoding
from edge.npu.layout import Mask, Slots
from edge.npu.target import Target

__all__ = [
    "ENCODINGS", "HEAD", "HOST_WEIGHTS", "MANIFEST", "TOKENIZER", "WEIGHTS", "Manifest", "Phase", "Shadow",
    "graph_name", "read_encodings", "read_manifest",
]  # fmt: skip

FORMAT = 2
MANIFEST, ENCODINGS, WEIGHTS = "npu.json", "encodings.json", "weights.bin"
HEAD, HOST_WEIGHTS, TOKENIZER = "head.onnx", "host.bin", "tokenizer.gguf"
Phase: TypeAlias = Literal["prefill", "decode"]
_MAX_BYTES = 64 * 2**20
_MOST = 2**31 - 1
_MOST_ROWS = 4096
_MOST_OPTIONS = 64
_LEAST_SCALE, _MOST_SCALE = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Shadow(NamedTuple):
    """output = (x - clip(x, -limit, limit))[channels] times columns (out, channels) of a matrix, float32 in host.bin
    at `offset`; computed on the CPU once the graph before `graph` ran, and needed by the one behind it."""

    graph: int
    input: str
    output: str
    limit: float
    channels: tuple[int, ...]
    out: int
    offset: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """device, target: what the folder was made for. embedding: offsets of codes and scales in host.bin. tied: it is
    the head as well. num_graphs: of each phase. source_sha256: of each part of the GGUF file that it was made from;
    empty where that was none, or the folder does not say it."""

    architecture: str
    device: str
    target: Target
    tied: bool
    hidden_size: int
    vocab_size: int
    embedding_scale: float
    embedding: tuple[int, int]
    chunk: int
    context: int
    weights: str
    kv_bits: int
    activation_bits: int
    num_graphs: int
    masks: tuple[Mask, ...]
    kv: tuple[Slots, ...]
    ropes: tuple[RopeSpec, ...]
    shadows: tuple[Shadow, ...] = ()
    source_sha256: tuple[str, ...] = ()

    def tokens(self, phase: Phase) -> int:
        return self.chunk if phase == "prefill" else 1

    def passed(self, context: int) -> list[Slots]:
        """Of the layers with a window whose slots are used again within so many positions."""
        return [slots for slots in self.kv if self.masks[slots.mask].slots < context]

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)}, indent=1)


def graph_name(phase: Phase, index: int, num_graphs: int) -> str:
    return f"{phase}.onnx" if num_graphs == 1 else f"{phase}.{index}.onnx"


def read_manifest(folder: Path | ModelFolder) -> Manifest:
    """ModelFileError: there is none. BadModelFile: key, value, what it must be."""
    path, found = _read(folder, MANIFEST)
    fields = _Fields(path, found)
    if fields.raw.get("format") != FORMAT:
        raise BadModelFile(path, f"format is {fields.raw.get('format')!r}, it must be {FORMAT}")
    chunk, context = fields.whole("chunk", 4096), fields.whole("context", 2**20)
    masks = tuple(Mask(*fields.wholes("masks", row, 2)) for row in fields.rows("masks"))
    kv = tuple(Slots(*fields.wholes("kv", row, 4)) for row in fields.rows("kv"))
    manifest = Manifest(
        architecture=fields.text("architecture"),
        device=fields.text("device"),
        target=_target(fields, fields.row("target")),
        tied=fields.flag("tied"),
        hidden_size=fields.whole("hidden_size", 2**24),
        vocab_size=fields.whole("vocab_size", 2**24),
        embedding_scale=fields.number("embedding_scale"),
        embedding=cast("tuple[int, int]", fields.wholes("embedding", fields.row("embedding"), 2)),
        chunk=chunk,
        context=context,
        weights=fields.text("weights"),
        kv_bits=fields.whole("kv_bits", 16),
        activation_bits=fields.whole("activation_bits", 16),
        num_graphs=fields.whole("num_graphs", 1024),
        masks=masks,
        kv=kv,
        ropes=tuple(_rope(fields, row) for row in fields.rows("ropes")),
        shadows=tuple(_shadow(fields, row) for row in fields.rows("shadows")),
        source_sha256=_hashes(fields, "source_sha256"),
    )
    for mask in masks:
        if not min(mask.window or context, context) <= mask.slots <= context:
            seen = f", {mask.window} of which are seen" if mask.window else ""
            raise BadModelFile(path, f"masks: {mask.slots} slots, the context is {context}{seen}")
    for slots in kv:
        if not (slots.mask < len(masks) and slots.kv_heads and slots.head_dim):
            raise BadModelFile(path, f"kv: {list(slots)} is no layer's")
    for shadow in manifest.shadows:
        if not 0 < shadow.graph < manifest.num_graphs - 1:
            raise BadModelFile(path, f"shadows: graph {shadow.graph} of {manifest.num_graphs}")
    return manifest


def read_encodings(folder: Path | ModelFolder) -> dict[str, Encoding]:
    """By value. BadModelFile as above."""
    path, found = _read(folder, ENCODINGS)
    table: dict[str, Encoding] = {}
    for name, value in found.items():
        encoding = _encoding(value)
        if encoding is None:
            raise BadModelFile(path, f"{name!r} is no type, scale above 0 and zero point")
        table[name] = encoding
    return table


def _encoding(value: object) -> Encoding | None:
    row = cast("list[object]", value) if isinstance(value, list) else []
    if len(row) != 3 or row[0] not in ("uint8", "uint16"):
        return None
    code: CodeType = "uint8" if row[0] == "uint8" else "uint16"
    scale, zero = row[1:]
    if not isinstance(scale, float) or not isinstance(zero, int) or isinstance(zero, bool):
        return None
    good = _LEAST_SCALE <= scale <= _MOST_SCALE and 0 <= zero <= int(np.iinfo(np.dtype(code)).max)
    return Encoding(code, scale, zero) if good else None


def _read(folder: Path | ModelFolder, name: str) -> tuple[Path, dict[str, Any]]:
    """The object in a file of the folder."""
    there = folder if isinstance(folder, ModelFolder) else ModelFolder(folder)
    path = there.path / name
    return path, parse_object(path, there.read(name, _MAX_BYTES))


class _Fields:
    """Typed access; BadModelFile names key and value."""

    def __init__(self, path: Path, raw: Mapping[str, Any]) -> None:
        self.path, self.raw = path, raw

    def fail(self, key: str, wanted: str) -> BadModelFile:
        return BadModelFile(self.path, f"{key} is {str(self.raw.get(key))[:80]!r}, wanted {wanted}")

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
            raise self.fail(key, "a line of text")
        return value

    def whole(self, key: str, most: int) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise self.fail(key, f"a whole number from 1 to {most}")
        return value

    def flag(self, key: str) -> bool:
        value = self.raw.get(key)
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def number(self, key: str) -> float:
        value = self.raw.get(key)
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self.fail(key, "a number")
        return float(value)

    def row(self, key: str) -> list[object]:
        value = self.raw.get(key)
        if not isinstance(value, list):
            raise self.fail(key, "an array")
        return cast("list[object]", value)

    def rows(self, key: str) -> list[list[object]]:
        rows = [cast("list[object]", row) for row in self.row(key) if isinstance(row, list)]
        if len(rows) > _MOST_ROWS or len(rows) != len(self.row(key)):
            raise self.fail(key, "an array of arrays")
        return rows

    def wholes(self, key: str, row: list[object], count: int | None) -> tuple[int, ...]:
        numbers = [i for i in row if isinstance(i, int) and not isinstance(i, bool) and 0 <= i <= _MOST]
        if len(numbers) != len(row) or count not in (None, len(row)):
            raise self.fail(key, f"whole numbers, {count} in a row")
        return tuple(numbers)


def _target(fields: _Fields, row: list[object]) -> Target:
    """["qnn", [["htp_arch", "75"], ...]]"""
    if len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], list):
        options = cast("list[object]", row[1])
        pairs = [cast("list[object]", item) for item in options if isinstance(item, list)]
        texts = [
            (pair[0], pair[1])
            for pair in pairs
            if len(pair) == 2 and isinstance(pair[0], str) and isinstance(pair[1], str)
        ]
        if len(texts) == len(options) == len(dict(texts)) <= _MOST_OPTIONS:
            target = Target(row[0], tuple(texts))
            problem = target.problem()
            if problem is None:
                return target
            raise BadModelFile(fields.path, f"target: {problem}")
    raise fields.fail("target", "a provider and its options")


def _hashes(fields: _Fields, key: str) -> tuple[str, ...]:
    """SHA-256 in hexadecimal. Earlier folders have none."""
    row = fields.row(key) if key in fields.raw else []
    hashes = tuple(text for text in row if isinstance(text, str) and _SHA256.fullmatch(text))
    if len(hashes) != len(row) or len(row) > _MOST_ROWS:
        raise fields.fail(key, "SHA-256 hashes")
    return hashes


def _rope(fields: _Fields, row: list[object]) -> RopeSpec:
    if len(row) == 5:
        theta, dims, neox, magnitude, raw = row
        factors = cast("list[object]", raw) if isinstance(raw, list) else []
        scale = tuple(s for s in factors if isinstance(s, float) and math.isfinite(s))
        if (
            isinstance(theta, float)
            and isinstance(dims, int)
            and isinstance(neox, bool)
            and isinstance(magnitude, float)
        ):
            good = math.isfinite(theta) and math.isfinite(magnitude)
            if good and dims > 0 and dims % 2 == 0 and len(factors) == len(scale) == dims // 2:
                return RopeSpec(theta, dims, neox, magnitude, scale)
    raise fields.fail("ropes", "theta, dims, neox, magnitude and dims / 2 factors")


def _shadow(fields: _Fields, row: list[object]) -> Shadow:
    if len(row) == 7:
        graph, source, output, limit, raw, out, offset = row
        channels = cast("list[object]", raw) if isinstance(raw, list) else []
        if isinstance(source, str) and isinstance(output, str) and isinstance(limit, float) and math.isfinite(limit):
            place = fields.wholes("shadows", [graph, out, offset], 3)
            return Shadow(place[0], source, output, limit, fields.wholes("shadows", channels, None), place[1], place[2])
    raise fields.fail("shadows", "graph, input, output, limit, channels, out and offset")
