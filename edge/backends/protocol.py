"""What the engine asks of a backend: run one step over its KV, copy, read and write a block, stop, end.

KV lies in blocks of positions (`kv_layout` "blocks"), which sequences hold in tables and share, or in slots, one for
each sequence: a slot is a block as long as the context, so that a table has one entry and everything else is the same.
"""

from __future__ import annotations

from array import array
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from edge.errors import RequestError

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from edge.backends.adapters import LoadedAdapter
    from edge.backends.weights import WeightsInfo
    from edge.formats.config import ModelConfig

KVLayout = Literal["blocks", "slots"]
BackendName = Literal["native", "llama", "onnx"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of backend can do, known before anything is loaded. What it cannot do is refused by name.

    kv_layout: blocks are shared between sequences; slots are copied. kv_types: what K and V can be kept as, the default
    first. reuses: a sequence goes on from any earlier position, also of a copy: prefixes are found again and forks
    copied; otherwise both are computed again, with the same tokens. saves: read_block and write_block work: KV can be
    swapped, and is in session files; without it a session keeps its messages. options: keywords of `edge.load` that it
    takes beside those that all take.
    """

    name: BackendName
    kv_layout: KVLayout
    kv_types: tuple[str, ...]
    reuses: bool
    saves: bool
    options: frozenset[str]

    def check_options(self, **given: object) -> None:
        """RequestError for an option that was given (is not None or False) and that this kind of backend has not."""
        for name, value in given.items():
            if value not in (None, False) and name not in self.options:
                raise RequestError(f"{name} is {value!r}; the {self.name} backend has no such option")

    def check_kv_type(self, kv_type: str) -> None:
        """RequestError for a type of K and V that it does not have."""
        if kv_type not in self.kv_types:
            kinds = ", ".join(self.kv_types)
            raise RequestError(f"kv_type is {kv_type!r}; the {self.name} backend has {kinds}")


class Limits(NamedTuple):
    """What a backend was built for. All counts; block_size in positions, of a slot the context.

    window: positions that layers with a window see, 0: there are none. Their K and V are in num_window_blocks blocks of
    their own, which have the numbers behind num_blocks.
    """

    vocab_size: int
    context: int  # positions one sequence may hold
    max_tokens: int  # tokens in one step
    max_sequences: int  # sequences in one step
    block_size: int
    num_blocks: int
    window: int = 0
    num_window_blocks: int = 0
    max_logits: int = 0  # rows of a step whose logits, or states, may be wanted; 0: one for each sequence
    num_adapters: int = 0

    @property
    def num_logits(self) -> int:
        return self.max_logits or self.max_sequences


class Batch(NamedTuple):
    """One step's work, as int32 arrays.

    Rows of one sequence are consecutive and in position order; a row attends to positions 0 .. its own. What a slot
    held at the first of these positions and behind it is gone: from there on it holds what this step computes.
    """

    token_ids: array[int]  # (num_tokens,)
    positions: array[int]  # (num_tokens,)
    sequences: array[int]  # (num_tokens,) row of block_tables
    block_tables: array[int]  # (num_sequences, table_stride), -1 where none
    table_stride: int
    logit_rows: array[int]  # (num_logits,) token indices, ascending
    window_tables: array[int] | None = None  # as block_tables, of layers with a window; -1 where nothing is seen
    adapters: array[int] | None = None  # (num_tokens,) which one each row uses, -1: none; None: no row uses one

    def spans(self) -> list[tuple[int, int]]:
        """The first row of each sequence, and the one behind its last."""
        rows = self.sequences
        starts = [row for row in range(len(rows)) if row == 0 or rows[row] != rows[row - 1]]
        return list(zip(starts, [*starts[1:], len(rows)], strict=True))


class Backend(Protocol):
    """One model, loaded, with its KV arena: what the engine asks of it."""

    @property
    def name(self) -> str:
        """For the reader of a report: "native/avx2"."""
        ...

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def limits(self) -> Limits: ...

    def step(self, batch: Batch) -> memoryview[float]:
        """Logits of the wanted rows, float32, flat (num_logits * vocab_size), valid until the next step.

        Raises Cancelled (after cancel) or NumericalError (a logit is not finite): the KV positions of this batch are
        undefined then and may be computed again, everything else is intact.
        """
        ...

    def copy_block(self, source: int, target: int) -> None:
        """Copies a KV block, all its layers."""
        ...

    def read_block(self, block: int) -> bytearray:
        """The bytes of a KV block, all its layers; the same number for every block of a kind. Only where capabilities
        say that KV can be saved, as `write_block`."""
        ...

    def write_block(self, block: int, content: Buffer) -> None:
        """Replaces a KV block by what `read_block` gave, in this process or another, for the same model and KV type."""
        ...

    def cancel(self) -> None:
        """From any thread: the running step, or the next one, raises Cancelled at its next operation."""
        ...

    def close(self) -> None:
        """Frees everything; allowed twice."""
        ...


class LoadedBackend(Backend, Protocol):
    """What a loaded model says of its backend, to those who want to know."""

    @property
    def config(self) -> ModelConfig:
        """UnsupportedModel when edge does not know the architecture, though the backend runs it."""
        ...

    @property
    def isa(self) -> str | None:
        """The instruction-set level that computes; None where the backend chooses by itself and does not say."""
        ...

    @property
    def kv_type(self) -> str: ...

    @property
    def num_threads(self) -> int:
        """Threads that read a prompt."""
        ...

    @property
    def decode_threads(self) -> int:
        """Threads that compute the tokens of the answer; at most num_threads."""
        ...

    @property
    def kv_bytes_per_position(self) -> int:
        """K and V of one position, all layers."""
        ...

    @property
    def weights(self) -> WeightsInfo:
        """How the weights are held, and how much of them is in RAM now."""
        ...

    @property
    def adapters(self) -> tuple[LoadedAdapter, ...]:
        """What rows of a step may use, by their numbers; () for a backend that takes none."""
        ...

    @property
    def source_hashes(self) -> tuple[str, ...] | None:
        """SHA-256 of each part of the model, where the backend knows it."""
        ...

    @property
    def placement(self) -> dict[str, Any] | None:
        """Which operators run on which execution provider, and what fell back; None where there are none."""
        ...

    def reading(self) -> AbstractContextManager[None]:
        """Around reading the model's files: ModelFileError if one became shorter since it was opened."""
        ...
