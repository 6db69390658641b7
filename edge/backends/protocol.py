"""What the engine asks of a backend: run one step over paged KV, copy, read and write a block, stop, end."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Limits(NamedTuple):
    """What a backend was built for. All counts; block_size in positions.

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
    num_adapters: int = 0


class Batch(NamedTuple):
    """One step's work, as int32 arrays.

    Rows of one sequence are consecutive and in position order; a row attends to positions 0 .. its own.
    """

    token_ids: array[int]  # (num_tokens,)
    positions: array[int]  # (num_tokens,)
    sequences: array[int]  # (num_tokens,) row of block_tables
    block_tables: array[int]  # (num_sequences, table_stride), -1 where none
    table_stride: int
    logit_rows: array[int]  # (num_logits,) token indices, ascending
    window_tables: array[int] | None = None  # as block_tables, of layers with a window; -1 where nothing is seen
    adapters: array[int] | None = None  # (num_tokens,) which one each row uses, -1: none; None: no row uses one


class Backend(Protocol):
    """One model, loaded, with its KV arena."""

    @property
    def name(self) -> str:
        """For the reader of a report: "native/avx2"."""
        ...

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
        """The bytes of a KV block, all its layers; the same number for every block of a kind."""
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
