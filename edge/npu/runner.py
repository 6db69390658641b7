"""One sequence on a folder of `edge export --to npu`, step by step: for tests, measurements and programs of one's own.

`edge.load` runs such a folder as any other model, with `edge.npu.backend`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.backends.onnx.providers import CPU, Provider, runtime
from edge.backends.onnx.session import Placement
from edge.errors import ContextExceeded, RequestError
from edge.npu.folder import open_npu_folder
from edge.npu.graphs import NpuGraphs
from edge.npu.host import Host
from edge.npu.manifest import Phase
from edge.npu.target import refuse_unfinished

__all__ = ["NpuModel"]


class NpuModel:
    """provider: None, ONNX Runtime's own for CPUs. strict: every node of the graphs must run on the provider.
    compiled: the name of `compile_folder`, whose graphs run then.

    `hidden` holds what the last layer made of the tokens of the last step, (tokens, hidden_size). Raises as
    `open_npu_folder` and `NpuGraphs`.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        provider: Provider | None = None,
        *,
        strict: bool = True,
        threads: int = 1,
        compiled: str | None = None,
    ) -> None:
        checked, ort = open_npu_folder(folder), runtime()
        provider = Provider(CPU) if provider is None else provider
        refuse_unfinished(provider, checked.manifest.weights)
        self.manifest = checked.manifest
        self._host = Host(ort, checked, threads)
        graphs = checked.graphs if compiled is None else checked.compiled(compiled)
        self._graphs = NpuGraphs(ort, checked, graphs, self._host, provider, threads, strict=strict)
        self._kv = self._graphs.new_kv()
        self.hidden: NDArray[np.float32] = np.zeros((0, self.manifest.hidden_size), np.float32)

    @property
    def num_tokens(self) -> int:
        return self._kv.num_tokens

    @property
    def placements(self) -> dict[Phase, list[Placement]]:
        """Where the nodes of each graph run."""
        return self._graphs.placements

    def reset(self) -> None:
        """Forgets the sequence."""
        self._kv.reset()

    def trim(self, length: int) -> None:
        """Forgets tokens from `length` on. RequestError: a layer with a window has overwritten what would be seen."""
        if not 0 <= length <= self.num_tokens:
            raise RequestError(f"length is {length}, there are {self.num_tokens} tokens")
        if not self._kv.trim(length):
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
            some = rows[: self.manifest.chunk]
            made = self._graphs.step(self._kv, some)
            self._kv.add(len(some), made.new)
            parts.append(made.hidden)
            rows = rows[len(some) :]
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
