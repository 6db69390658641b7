"""A folder of `edge export --to npu` that reads prompts for another engine: K and V as that has them, and no logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx.providers import Provider
from edge.errors import RequestError
from edge.npu.backend import NpuBackend
from edge.npu.encoding import Encoding
from edge.npu.folder import Graphs, NpuFolder
from edge.npu.kv import SlotKV
from edge.npu.layout import Slots
from edge.npu.manifest import Manifest

__all__ = ["PromptReader", "rotated_dims"]

Codes = NDArray[Any]
_Floats = NDArray[np.float32]


class PromptReader(NpuBackend):
    """Implements `edge.backends.handover.KVSource`, for one sequence. It has the graphs of chunks alone, which a last
    token goes through as well, and neither a head nor those of single tokens.

    Raises as `NpuBackend`, and RequestError for rotations that no other engine has.
    """

    def __init__(
        self,
        ort: Any,
        folder: NpuFolder,
        graphs: Graphs,
        *,
        provider: Provider,
        context: int,
        num_threads: int,
        chunk: int,
        strict: bool = False,
        fallback: str | None = None,
        note: str | None = None,
    ) -> None:
        self._manifest, self._table, self._context = folder.manifest, folder.table, context
        self._turned = rotated_dims(folder.manifest)
        super().__init__(
            ort,
            folder,
            {"prefill": graphs["prefill"]},
            provider=provider,
            context=context,
            num_threads=num_threads,
            chunk=chunk,
            num_sequences=1,
            strict=strict,
            fallback=fallback,
            note=note,
            has_head=False,
        )

    def read_kv(self, slot: int, first: int, end: int) -> Iterator[tuple[_Floats, _Floats]]:
        """As `KVSource` says: codes as the numbers that they stand for, rotary pairs where GGUF has them."""
        self._open()
        kv = self._slots[slot]
        assert isinstance(kv, _WholeKV)
        for slots in self._manifest.kv:
            keys, values = kv.codes(slots, first, end)
            dims = _pairs(slots.head_dim, self._turned)
            yield (
                self._table[slots.past[0]].decode(keys if dims is None else np.take(keys, dims, axis=2)),
                self._table[slots.past[1]].decode(values),
            )

    def _new_kv(self) -> SlotKV:
        return _WholeKV(self._manifest, self._table, self._context)


class _WholeKV(SlotKV):
    """K and V of the whole sequence: what a window has passed over is kept as well, beside the slots."""

    def __init__(self, manifest: Manifest, table: Mapping[str, Encoding], context: int) -> None:
        super().__init__(manifest, table)
        self._passed: dict[int, tuple[Codes, Codes]] = {}  # layer -> K, V, (kv_heads, context, head_dim)
        for slots in manifest.passed(context):
            shape = (slots.kv_heads, context, slots.head_dim)
            keys, values = (np.zeros(shape, table[name].dtype) for name in slots.past)
            self._passed[slots.layer] = keys, values

    def add(self, count: int, new: Mapping[str, Codes]) -> None:
        rows = slice(self.num_tokens, self.num_tokens + count)
        for slots in self._manifest.kv:
            if slots.layer in self._passed:
                (keys, values), (new_k, new_v) = self._passed[slots.layer], slots.new
                keys[:, rows] = new[new_k][0, ..., :count].swapaxes(1, 2)
                values[:, rows] = new[new_v][0, :, :count]
        super().add(count, new)

    def codes(self, slots: Slots, first: int, end: int) -> tuple[Codes, Codes]:
        """Of positions first .. end - 1: K and V, (kv_heads, end - first, head_dim)."""
        if slots.layer in self._passed:
            keys, values = self._passed[slots.layer]
            return keys[:, first:end], values[:, first:end]
        keys, values = (self.arrays[name][0] for name in slots.past)  # position p lies in slot p
        return np.ascontiguousarray(keys[..., first:end].swapaxes(1, 2)), values[:, first:end]


def rotated_dims(manifest: Manifest) -> int:
    """Dimensions of a head whose pairs the export has put half of them apart, and GGUF has as neighbours; 0: none.

    RequestError: it is not the same in all layers, and the folder does not say which rotation is whose.
    """
    kinds = {0 if spec.neox else spec.dims for spec in manifest.ropes}
    if len(kinds) > 1:
        raise RequestError("its layers rotate in several ways: K of them is of use to no other engine")
    dims = kinds.pop() if kinds else 0
    if any(dims > slots.head_dim for slots in manifest.kv):
        raise RequestError(f"it rotates {dims} dimensions of a head, which has fewer")
    return dims


def _pairs(head_dim: int, turned: int) -> NDArray[np.int64] | None:
    """Which dimension of the folder each dimension of GGUF's is."""
    if not turned:
        return None
    dims = np.arange(head_dim)
    dims[0:turned:2], dims[1:turned:2] = np.arange(turned // 2), np.arange(turned // 2, turned)
    return dims
