"""Which adapter a sequence uses, and from which of its tokens on."""

from __future__ import annotations

from typing import NamedTuple


class AdapterUse(NamedTuple):
    """number: the backend's. identity: a hash of what it is. start: the first position that it acts on; K and V of
    those before are the base model's, which sequences with other adapters and none may share."""

    number: int
    identity: bytes
    start: int = 0

    def at(self, position: int) -> int:
        """As a batch says it: the number, or -1 before the start."""
        return self.number if position >= self.start else -1

    def salt(self, block: int, block_size: int) -> bytes:
        """What tells the key of a block from that of another adapter, or of the same from another start on. Keys are a
        chain, so it is needed once: in the first block that holds a position which the adapter acts on."""
        if block != self.start // block_size:
            return b""
        return self.identity + (self.start % block_size).to_bytes(4, "little")
