"""A folder of `edge export --to npu` as a backend: fixed shapes, K and V of a sequence in slots that never move."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx import CAPABILITIES
from edge.backends.onnx.base import RuntimeBackend, require_finite
from edge.backends.onnx.providers import Provider
from edge.backends.onnx.session import all_placed
from edge.backends.protocol import Batch, Limits
from edge.backends.weights import WeightsInfo
from edge.errors import EdgeError, NativeError, RequestError
from edge.npu.folder import Graphs, NpuFolder
from edge.npu.graphs import NpuGraphs, StepResult
from edge.npu.host import Host
from edge.npu.kv import SlotKV

if TYPE_CHECKING:
    from edge.formats.config import ModelConfig

__all__ = ["NpuBackend"]

# Layers with a window use their slots again: a sequence cannot go back to an earlier position.
ONLY_FORWARD = replace(CAPABILITIES, reuses=False)


class NpuBackend(RuntimeBackend):
    """Implements `edge.backends.LoadedBackend`; close() frees it.

    graphs: of the folder, or compiled from them. context: of a sequence, at most the folder's slots. chunk: prompt
    tokens in one step, at most the folder's. num_sequences: at most the chunk, so that each has its place in a step.
    has_head: whether there are logits.
    fallback: why the CPU computes and not what the folder was made for; note: what else the user should read. config:
    what edge knows of the architecture, None when the folder does not say it. Raises as `NpuGraphs` and `Host`.
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
        num_sequences: int,
        config: ModelConfig | None = None,
        strict: bool = False,
        fallback: str | None = None,
        note: str | None = None,
        has_head: bool = True,
    ) -> None:
        super().__init__(ort, folder.path, provider, config)
        self._folder = folder
        manifest = folder.manifest
        self.capabilities = ONLY_FORWARD if any(mask.window for mask in manifest.masks) else CAPABILITIES
        self.num_threads = self.decode_threads = num_threads
        self.kv_type = f"{manifest.kv_bits}-bit"
        self.kv_bytes_per_position = sum(2 * kv.kv_heads * kv.head_dim for kv in manifest.kv) * manifest.kv_bits // 8
        self.limits = Limits(
            vocab_size=manifest.vocab_size,
            context=context,
            max_tokens=chunk,
            max_sequences=num_sequences,
            block_size=context,
            num_blocks=num_sequences,
            max_logits=max(chunk, num_sequences),
        )
        self._host: Host | None = Host(ort, folder, num_threads, has_head=has_head)
        try:
            self._graphs = NpuGraphs(ort, folder, graphs, self._host, provider, num_threads, strict=strict)
        except BaseException:
            self._host.close()
            raise
        self._placed = {phase: all_placed(parts) for phase, parts in self._graphs.placements.items()}
        whole = all_placed(list(self._placed.values()))
        self._fallback = "; ".join(filter(None, (fallback, whole.fallback))) or None
        self._whole, self._note = whole, "; ".join(filter(None, (self._fallback, note))) or None
        checked = [part for parts in graphs.values() for part in parts] + [folder.head] * has_head
        self._files = {path: identity[2] for part in checked for path, identity in part.files.items()}
        self._slots: list[SlotKV] = [self._new_kv() for _ in range(num_sequences)]

    def _new_kv(self) -> SlotKV:
        """Of a slot."""
        return self._graphs.new_kv()

    @property
    def weights(self) -> WeightsInfo:
        return WeightsInfo("memory", None, sum(self._files.values()), None, None, self._note)

    @property
    def placement(self) -> dict[str, Any]:
        """graphs: of each phase; host: the last norm and the head, if it has them: the CPU's in every folder."""
        host = self._open().placement
        return {
            **self._whole.as_json(),
            "fallback": self._fallback,
            "made_for": self._folder.manifest.target.provider.name,
            "graphs": {phase: placed.as_json()["nodes"] for phase, placed in self._placed.items()},
            "host": {} if host is None else host.as_json()["nodes"],
        }

    @contextmanager
    def reading(self) -> Generator[None]:
        yield
        self._folder.head.require_unchanged()
        for parts in self._folder.graphs.values():
            for part in parts:
                part.require_unchanged()

    def step(self, batch: Batch) -> memoryview[float]:
        """As the protocol says; one run for each sequence. Nothing is stored before all of them are done."""
        host = self._open()
        self._begin_step()
        done: list[tuple[SlotKV, StepResult]] = []
        rows: list[NDArray[np.float32]] = []
        wanted = set(batch.logit_rows)
        for first, end in batch.spans():
            kv = self._slots[batch.block_tables[batch.sequences[first] * batch.table_stride]]
            self._go_back(kv, batch.positions[first])
            made = self._run(kv, host.embed(batch.token_ids[first:end]))
            done.append((kv, made))
            rows += [made.hidden[row - first] for row in range(first, end) if row in wanted]
        hidden = np.stack(rows) if rows else np.zeros((0, self._folder.manifest.hidden_size), np.float32)
        logits = host.logits(hidden) if rows else np.zeros((0, self.limits.vocab_size), np.float32)
        logits = np.ascontiguousarray(logits, np.float32)
        require_finite(logits.ctypes.data, logits.size)
        for kv, made in done:
            kv.add(len(made.hidden), made.new)
        return cast("memoryview[float]", logits.reshape(-1).data)

    def _run(self, kv: SlotKV, rows: NDArray[np.float32]) -> StepResult:
        try:
            return self._graphs.step(kv, rows, self._options)
        except EdgeError:
            raise
        except Exception as error:
            raise self._failure(error) from error

    def _go_back(self, kv: SlotKV, position: int) -> None:
        """Forgets what the kv holds from a position on."""
        if position > kv.num_tokens:
            raise RequestError(f"a step begins at position {position}, its slot holds {kv.num_tokens}")
        if position == 0:
            kv.reset()
        elif position < kv.num_tokens and not kv.trim(position):
            raise NativeError(f"layers with a window no longer hold what position {position} sees")

    def copy_block(self, source: int, target: int) -> None:
        self._open()
        self._slots[target].copy_of(self._slots[source])

    def close(self) -> None:
        self._slots, self._options = [], None
        if self._host is not None:
            self._graphs.close()
            self._host.close()
            self._host = None

    def _open(self) -> Host:
        if self._host is None:
            raise RequestError("the model is closed; load it again")
        return self._host
