"""One engine reads a prompt, another goes on from its K and V: what is asked of the two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from edge.backends.protocol import Backend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Heads = NDArray[np.float32]

__all__ = ["Geometry", "KVSource", "KVTarget"]


class Geometry(NamedTuple):
    """What must be the same in two engines, one of which goes on from the other's K and V."""

    num_layers: int
    num_kv_heads: int
    head_dim: int
    vocab_size: int


class KVSource(Backend, Protocol):
    """A backend with KV in slots that shows what it computed."""

    def read_kv(self, slot: int, first: int, end: int) -> Iterator[tuple[Heads, Heads]]:
        """K (normed and rotated) and V of positions first .. end - 1, float32 (num_kv_heads, end - first, head_dim)
        each, layer by layer of the model. Rows lie close together, heads may not; valid until the next step. While a
        step runs that computes positions from `end` on, it may be called, too."""
        ...


class KVTarget(Protocol):
    """A backend with KV in blocks that takes what another computed."""

    def store_kv(
        self, blocks: Sequence[int], places: Sequence[int] | None, layers: Iterable[tuple[Heads, Heads]]
    ) -> None:
        """K and V as `read_kv` gives them into these blocks, which they fill, rounded to the type of the cache.

        places: of layers with a window, where each block lies in their arena, -1 where nothing sees it any more; None:
        there are no such layers.
        """
        ...
