"""llama.cpp as a backend: any GGUF file that it runs. A slot is one of its sequences.

Needs llama-cpp-python. Before a model is loaded here, `edge.backends.llama_trial` has run it in another process.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from edge.backends.file_watch import FileWatch
from edge.backends.llama_api import KV_GGML_TYPES, Llama, LlamaSettings
from edge.backends.llama_sizes import LlamaSizes
from edge.backends.protocol import Batch, Capabilities, Limits
from edge.backends.weights import WeightsInfo
from edge.errors import NativeError, NumericalError, RequestError
from edge.formats.config import ModelConfig
from edge.formats.gguf import GGUFFile

if TYPE_CHECKING:
    from typing_extensions import Buffer

CAPABILITIES = Capabilities(
    name="llama",
    kv_layout="slots",
    kv_types=tuple(KV_GGML_TYPES),
    reuses=True,
    saves=False,
    options=frozenset({"residency"}),
)
# A model with recurrent layers keeps one state for all positions: it cannot go back to an earlier one.
ONLY_FORWARD = Capabilities(
    name="llama",
    kv_layout="slots",
    kv_types=tuple(KV_GGML_TYPES),
    reuses=False,
    saves=False,
    options=frozenset({"residency"}),
)


class LlamaBackend:
    """One model in llama.cpp. Implements `edge.backends.LoadedBackend`; close() frees it.

    sizes: of `llama_sizes`, for the same settings. residency: "mapped" computes on the file as it is mapped; "owned" on
    a copy, in llama.cpp's own layout where it has one for this CPU. on_progress gets (bytes of weights done, bytes of
    all weights). Raises NativeError with what llama.cpp says; RequestError for an option out of range.
    """

    def __init__(
        self,
        file: GGUFFile,
        sizes: LlamaSizes,
        *,
        num_threads: int,
        kv_type: str,
        residency: str,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._llama: Llama | None = None
        self._file = file
        self.kv_type = kv_type
        self.num_threads = self.decode_threads = num_threads
        self.kv_bytes_per_position = sizes.kv_position
        self._mapped = residency == "mapped"
        total = sizes.weights
        self._watch = FileWatch(file)
        try:
            self._llama = Llama(
                file.path,
                llama_settings(sizes, kv_type, num_threads, residency),
                None if on_progress is None else lambda share: on_progress(int(share * total), total),
            )
        except BaseException:
            self.close()
            raise
        self.capabilities = CAPABILITIES if self._llama.goes_back else ONLY_FORWARD
        self.limits = Limits(
            vocab_size=self._llama.vocab_size,
            context=sizes.context,
            max_tokens=sizes.max_tokens,
            max_sequences=sizes.num_sequences,
            block_size=sizes.context,
            num_blocks=sizes.num_sequences,
            max_logits=sizes.num_logits,
        )
        self._lengths = [0] * sizes.num_sequences  # positions that a slot may hold

    @property
    def name(self) -> str:
        return f"llama/{self._open().version}"

    @property
    def llama(self) -> Llama:
        """llama.cpp itself, for those who compare with it."""
        return self._open()

    @property
    def config(self) -> ModelConfig:
        return ModelConfig.from_gguf(self._file).for_context(self.limits.context)

    @property
    def isa(self) -> None:
        """llama.cpp chooses by itself."""

    @property
    def weights(self) -> WeightsInfo:
        num_bytes = self._open().weights_bytes
        path = str(self._file.path) if self._mapped else None
        return WeightsInfo("mapped" if self._mapped else "memory", path, num_bytes, None, None, None)

    @property
    def adapters(self) -> tuple[()]:
        """edge's adapters are matrices of its own engine."""
        return ()

    @property
    def source_hashes(self) -> None:
        """Nobody has them."""

    @property
    def placement(self) -> None:
        """There are no execution providers."""

    def reading(self) -> AbstractContextManager[None]:
        return self._watch.reading()

    def step(self, batch: Batch) -> memoryview[float]:
        """As the protocol says; NativeError when llama.cpp refuses or fails."""
        llama = self._open()
        table = batch.block_tables[:: batch.table_stride]
        slots = array("i", [table[sequence] for sequence in batch.sequences])
        for row, slot in enumerate(slots):
            if row == 0 or slot != slots[row - 1]:
                self._cut(llama, slot, batch.positions[row])
            self._lengths[slot] = batch.positions[row] + 1
        logits = llama.decode(batch.token_ids, batch.positions, slots, batch.logit_rows)
        if not _all_finite(logits):
            raise NumericalError("llama.cpp computed logits that are not finite")
        return logits

    def copy_block(self, source: int, target: int) -> None:
        self._open().copy(source, target)
        self._lengths[target] = self._lengths[source]

    def read_block(self, block: int) -> bytearray:
        raise RequestError("the llama backend cannot save K and V")

    def write_block(self, block: int, content: Buffer) -> None:
        raise RequestError("the llama backend cannot restore K and V")

    def cancel(self) -> None:
        llama = self._llama
        if llama is not None:
            llama.cancel()

    def close(self) -> None:
        """Frees the model and its context; allowed twice."""
        if self._llama is not None:
            self._llama.close()
            self._llama = None
        self._watch.close()

    def _open(self) -> Llama:
        if self._llama is None:
            raise RequestError("the model is closed; load it again")
        return self._llama

    def _cut(self, llama: Llama, slot: int, position: int) -> None:
        """Drops what a slot holds from a position on."""
        if self._lengths[slot] > position and not llama.cut(slot, position):
            raise NativeError(f"llama.cpp cannot take a sequence of this model back to position {position}")


def llama_settings(sizes: LlamaSizes, kv_type: str, num_threads: int, residency: str) -> LlamaSettings:
    """How llama.cpp is set up, for the trial and for good."""
    return LlamaSettings(
        context=sizes.context,
        num_sequences=sizes.num_sequences,
        max_tokens=sizes.max_tokens,
        num_logits=sizes.num_logits,
        kv_type=kv_type,
        num_threads=num_threads,
        mapped=residency == "mapped",
    )


def _all_finite(logits: memoryview[float]) -> bool:
    """A sum is finite only if all its terms are, and float32 terms cannot overflow a float64."""
    import numpy as np  # llama-cpp-python has loaded it

    total: np.float64 = np.asarray(logits, np.float32).sum(dtype=np.float64)
    return math.isfinite(total)
