"""The graphs of a folder as sessions, with the memory that they read and write: one step of one sequence."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx.providers import Provider
from edge.backends.onnx.session import Placement, open_session
from edge.graph.numerics import rope_tables
from edge.npu.borders import HIDDEN, HIDDEN_OUT, Borders
from edge.npu.folder import Graphs, NpuFolder
from edge.npu.host import Host
from edge.npu.kv import SlotKV
from edge.npu.layout import visible
from edge.npu.manifest import Phase, Shadow

__all__ = ["NpuGraphs", "StepResult"]

Arrays = dict[str, NDArray[Any]]


class StepResult(NamedTuple):
    """hidden (count, hidden_size), what the last layer made; new: K and V of the step, `kv.add` stores them."""

    hidden: NDArray[np.float32]
    new: Arrays


class NpuGraphs:
    """graphs: those of the folder, or what a provider compiled of them; without a phase's, the chunks' do its work.
    strict: every node must run on the provider.

    Raises UnsupportedModel, RequestError as `open_session`; ModelFileError for files that changed since the check.
    """

    def __init__(
        self,
        ort: Any,
        folder: NpuFolder,
        graphs: Graphs,
        host: Host,
        provider: Provider,
        num_threads: int,
        *,
        strict: bool,
    ) -> None:
        self.manifest, self._table, self._host = folder.manifest, folder.table, host
        self._sessions: dict[Phase, list[Any]] = {}
        self.placements: dict[Phase, list[Placement]] = {}
        self._memory: dict[Phase, Arrays] = {}
        self._bindings: dict[Phase, list[Any]] = {}  # of each graph, to where it writes
        for phase, parts in graphs.items():
            made = [
                open_session(ort, part.path, provider, num_threads, strict=strict, as_written=True) for part in parts
            ]
            for part in parts:
                part.require_unchanged()
            self._sessions[phase] = [session for session, _ in made]
            self.placements[phase] = [placement for _, placement in made]
            self._memory[phase] = self._allocated(phase)
            self._bindings[phase] = [self._bound(phase, session) for session in self._sessions[phase]]
        self._beside = ThreadPoolExecutor(1)  # outliers, while the graph beside them runs

    def new_kv(self) -> SlotKV:
        """Of a new sequence."""
        return SlotKV(self.manifest, self._table)

    def step(self, kv: SlotKV, rows: NDArray[np.float32], options: Any = None) -> StepResult:
        """rows (count, hidden_size), embedded, behind the tokens that kv holds and at most a chunk of them. kv is left
        as it is. options: of the run. Raises what ONNX Runtime raises."""
        phase: Phase = "decode" if len(rows) == 1 and "decode" in self._sessions else "prefill"
        memory, count = self._memory[phase], len(rows)
        self._fill(phase, kv, rows)
        values = memory | kv.arrays
        for i, (session, binding) in enumerate(zip(self._sessions[phase], self._bindings[phase], strict=True)):
            beside = [shadow for shadow in self.manifest.shadows if shadow.graph == i]
            futures = [self._beside.submit(self._shadow, shadow, memory[shadow.input]) for shadow in beside]
            for item in session.get_inputs():  # for every run: where a device has memory of its own, binding copies
                _bind(binding.bind_input, item.name, values[item.name])
            session.run_with_iobinding(binding, options)
            for shadow, future in zip(beside, futures, strict=True):
                memory[shadow.output][...] = future.result()
        new = {name: memory[name].copy() for slots in self.manifest.kv for name in slots.new}
        return StepResult(self._table[HIDDEN_OUT].decode(memory[HIDDEN_OUT])[0, :count], new)

    def close(self) -> None:
        self._beside.shutdown()
        self._sessions, self._bindings, self._memory = {}, {}, {}

    def _allocated(self, phase: Phase) -> Arrays:
        """Zeros for everything but K and V in slots."""
        borders, tokens = Borders.of(self.manifest, phase), self.manifest.tokens(phase)
        shapes = borders.fed | {s.output: (1, tokens, s.out) for s in self.manifest.shadows}
        for session in self._sessions[phase]:
            shapes |= {item.name: tuple(item.shape) for item in session.get_outputs()}
        return {name: np.zeros(shape, self._table[name].dtype) for name, shape in shapes.items()}

    def _bound(self, phase: Phase, session: Any) -> Any:
        binding = session.io_binding()
        for item in session.get_outputs():
            _bind(binding.bind_output, item.name, self._memory[phase][item.name])
        return binding

    def _shadow(self, shadow: Shadow, codes: NDArray[Any]) -> NDArray[Any]:
        return self._table[shadow.output].encode(self._host.shadow(shadow, self._table[shadow.input].decode(codes)))

    def _fill(self, phase: Phase, kv: SlotKV, rows: NDArray[np.float32]) -> None:
        """The inputs of a step; rows beyond those given are padding that nothing sees."""
        tokens, start, memory = self.manifest.tokens(phase), kv.num_tokens, self._memory[phase]
        memory[HIDDEN][:] = self._table[HIDDEN].zero_point
        memory[HIDDEN][0, : len(rows)] = self._table[HIDDEN].encode(rows)
        positions = np.arange(start, start + tokens, dtype=np.int64)
        for i, spec in enumerate(self.manifest.ropes):
            for name, table in zip((f"cos.{i}", f"sin.{i}"), rope_tables(spec, positions), strict=True):
                memory[name][0, 0] = self._table[name].encode(table.astype(np.float32))
        for i, mask in enumerate(self.manifest.masks):
            seen = visible(mask, kv.tables[i].positions, start, tokens)
            memory[f"mask.{i}"][0, 0] = np.where(seen, self._table[f"mask.{i}"].zero_point, 0)


def _bind(bind: Any, name: str, array: NDArray[Any]) -> None:
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
