"""Runs a folder of `edge export --to npu`: prompt in chunks, then one token at a time, K and V in slots."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from edge.errors import BadModelFile, ContextExceeded, RequestError
from edge.graph.numerics import rope_tables
from edge.npu.host import Host
from edge.npu.layout import SlotTable, visible
from edge.npu.manifest import Phase, Shadow, graph_name, read_encodings, read_manifest
from edge.npu.providers import Assignment, Provider, assignment, open_session

__all__ = ["NpuModel"]

HIDDEN, HIDDEN_OUT = "hidden", "hidden_out"


class NpuModel:
    """One sequence. Raises MissingPackage, ProviderError, ModelFileError.

    strict: every node of the graphs must run on the provider. compiled: the name of `compile_folder`, whose graphs run
    then. `hidden` holds what the last layer made of the last
    step's tokens, (tokens, hidden_size).
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        provider: Provider,
        *,
        strict: bool = True,
        threads: int = 1,
        compiled: str | None = None,
    ) -> None:
        path = Path(folder)
        self.manifest = read_manifest(path)
        self._table = read_encodings(path)
        self._host = Host(path, self.manifest, threads=threads)
        count = self.manifest.num_graphs
        graphs = path if compiled is None else path / compiled
        self._sessions: dict[Phase, list[Any]] = {
            phase: [
                open_session(graphs / graph_name(phase, i, count), provider, strict=strict, threads=threads)
                for i in range(count)
            ]
            for phase in get_args(Phase)
        }
        self._check(path)
        self._beside = ThreadPoolExecutor(1)  # outliers, while the graph beside them runs
        self.hidden: NDArray[np.float32] = np.zeros((0, self.manifest.hidden_size), np.float32)
        self.num_tokens = 0
        self._tables: list[SlotTable] = []
        self._kv: dict[str, NDArray[Any]] = {}
        self.reset()

    @property
    def assignment(self) -> dict[Phase, list[Assignment]]:
        """Where the nodes of each graph run."""
        return {phase: [assignment(s) for s in sessions] for phase, sessions in self._sessions.items()}

    def reset(self) -> None:
        """Forgets the sequence."""
        self.num_tokens = 0
        self._tables = [SlotTable(mask.slots) for mask in self.manifest.masks]
        for slots in self.manifest.kv:
            size = self.manifest.masks[slots.mask].slots
            shapes = (1, slots.kv_heads, slots.head_dim, size), (1, slots.kv_heads, size, slots.head_dim)
            for name, shape in zip(slots.past, shapes, strict=True):
                encoding = self._table[name]
                self._kv[name] = np.full(shape, encoding.zero_point, encoding.dtype)

    def trim(self, length: int) -> None:
        """Forgets tokens from `length` on. RequestError: a layer with a window has overwritten what would be seen."""
        if not 0 <= length <= self.num_tokens:
            raise RequestError(f"length is {length}, there are {self.num_tokens} tokens")
        held = [t.trim(length, m.window) for t, m in zip(self._tables, self.manifest.masks, strict=True)]
        self.num_tokens = length
        if not all(held):
            self.reset()
            raise RequestError(f"layers with a window no longer hold what token {length} sees: read the prompt again")

    def forward(self, token_ids: Sequence[int]) -> NDArray[np.float32]:
        """Reads tokens behind those before, and gives the logits of the last, (vocab_size,).

        ContextExceeded: there are not so many slots. RequestError: no tokens, or unknown ones.
        """
        if not token_ids:
            raise RequestError("no tokens")
        total = self.num_tokens + len(token_ids)
        if total > self.manifest.context:
            raise ContextExceeded(total, self.manifest.context)
        rows = self._host.embed(token_ids)
        parts: list[NDArray[np.float32]] = []
        while len(rows):
            phase: Phase = "decode" if len(rows) == 1 else "prefill"
            size = self.manifest.tokens(phase)
            parts.append(self._step(phase, rows[:size]))
            rows = rows[size:]
        self.hidden = np.concatenate(parts)
        last: NDArray[np.float32] = self.logits_of(self.hidden[-1:])[0]
        return last

    def logits_of(self, hidden: NDArray[np.float32]) -> NDArray[np.float32]:
        """(rows, vocab_size) of rows of `hidden`."""
        return self._host.logits(hidden)

    def generate(self, token_ids: Sequence[int], max_tokens: int, *, stop: Sequence[int] = ()) -> list[int]:
        """The likeliest tokens behind `token_ids`, ties to the lower id; ends with one of `stop`, or at max_tokens."""
        made: list[int] = []
        logits = self.forward(token_ids)
        while True:
            made.append(int(logits.argmax()))
            if len(made) == max_tokens or made[-1] in stop:
                return made
            logits = self.forward(made[-1:])

    def _step(self, phase: Phase, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """rows (count, hidden_size), at most as many as the phase has; the others are padding that nothing sees."""
        count, start = len(rows), self.num_tokens
        values = self._inputs(phase, rows)
        for i, session in enumerate(self._sessions[phase]):
            feed = {item.name: values[item.name] for item in session.get_inputs()}
            names = [item.name for item in session.get_outputs()]
            beside = [shadow for shadow in self.manifest.shadows if shadow.graph == i]
            futures = [self._beside.submit(self._shadow, shadow, values[shadow.input]) for shadow in beside]
            values.update(zip(names, session.run(names, feed), strict=True))
            values.update({s.output: future.result() for s, future in zip(beside, futures, strict=True)})
        places = [table.place(start, count) for table in self._tables]
        for slots in self.manifest.kv:
            (past_k, past_v), (new_k, new_v) = slots.past, slots.new
            self._kv[past_k][..., places[slots.mask]] = values[new_k][..., :count]
            self._kv[past_v][:, :, places[slots.mask]] = values[new_v][:, :, :count]
        self.num_tokens += count
        return self._table[HIDDEN_OUT].decode(values[HIDDEN_OUT])[0, :count]

    def _shadow(self, shadow: Shadow, codes: NDArray[Any]) -> NDArray[Any]:
        return self._table[shadow.output].encode(self._host.shadow(shadow, self._table[shadow.input].decode(codes)))

    def _inputs(self, phase: Phase, rows: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        tokens, start = self.manifest.tokens(phase), self.num_tokens
        hidden = np.zeros((1, tokens, self.manifest.hidden_size), np.float32)
        hidden[0, : len(rows)] = rows
        values: dict[str, NDArray[Any]] = {HIDDEN: self._table[HIDDEN].encode(hidden), **self._kv}
        positions = np.arange(start, start + tokens, dtype=np.int64)
        for i, spec in enumerate(self.manifest.ropes):
            for name, table in zip(("cos", "sin"), rope_tables(spec, positions), strict=True):
                values[f"{name}.{i}"] = self._table[f"{name}.{i}"].encode(table.astype(np.float32)[None, None])
        for i, mask in enumerate(self.manifest.masks):
            seen = visible(mask, self._tables[i].positions, start, tokens)
            encoding = self._table[f"mask.{i}"]
            values[f"mask.{i}"] = np.where(seen, encoding.zero_point, 0).astype(encoding.dtype)[None, None]
        return values

    def _check(self, path: Path) -> None:
        """BadModelFile: a graph gives or takes something that the tables do not know."""
        made = {HIDDEN, *(n for s in self.manifest.kv for n in s.past), *(s.output for s in self.manifest.shadows)}
        made |= {f"{n}.{i}" for i in range(len(self.manifest.ropes)) for n in ("cos", "sin")}
        made |= {f"mask.{i}" for i in range(len(self.manifest.masks))}
        for sessions in self._sessions.values():
            known = set(made)
            for session in sessions:
                known |= {item.name for item in session.get_outputs()}
                unknown = {item.name for item in session.get_inputs()} - known
                if missing := sorted(unknown | (known - self._table.keys())):
                    raise BadModelFile(path, f"a graph has the value {missing[0]!r}, which nothing makes")
            wanted = {HIDDEN_OUT, *(n for s in self.manifest.kv for n in s.new)}
            if missing := sorted(wanted - known):
                raise BadModelFile(path, f"no graph makes {missing[0]!r}")
