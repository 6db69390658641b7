"""What an engine is doing, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineStats:
    """Counts at one moment. waiting: not begun. preempted: begun and set aside; swapped: those of them on the disk.

    blocks_shared: those in use that several sequences own. block_size: tokens that a block holds.
    cached_tokens: whose K and V nobody uses, but a prompt that begins with them would find. preemptions and swaps: so
    far. note: why KV was last computed again instead of swapped; None: never.
    """

    running: int
    waiting: int
    preempted: int
    swapped: int
    blocks_free: int
    blocks_used: int
    cached_tokens: int
    preemptions: int
    swaps: int
    note: str | None = None
    blocks_shared: int = 0
    block_size: int = 0
