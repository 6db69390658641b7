"""Finding the K and V of a prompt's beginning again: a key for every full block, of its tokens and all before them.

A chain of hashes, so that equal keys mean equal prefixes (blocks found by hash: Kwon et al., 2023,
https://arxiv.org/abs/2309.06180). The adapter is part of the key, from the first block on that it acts on. Model, KV
type and rope need no place in it: they are one engine's own.

Where another engine reads prompts (edge/engine/handover.py), a sequence's keys hold that engine's name from the first
block on that it computed: the chain begins with it. So a key without a name means what it always meant, K and V to the
last bit as this engine computes them; session files and prepared prompts ask for such keys alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple

from edge.engine.adapter_use import AdapterUse
from edge.engine.block_manager import BlockManager
from edge.engine.sequence import Sequence
from edge.engine.slots import Slots

KEY_BYTES = 16  # 128 bits of a cryptographic hash: no two prefixes that anyone can make share a key


def block_keys(sequence: Sequence, block_size: int, first: int, last: int) -> Iterator[bytes]:
    """Keys of the blocks first to last - 1; those before `first` are in sequence.block_keys."""
    key = sequence.block_keys[first - 1] if first else sequence.origin
    return _chain(key, sequence.tokens, sequence.adapter, block_size, first, last)


def keys_of(tokens: array[int], block_size: int, adapter: AdapterUse | None = None) -> list[bytes]:
    """Keys of the blocks that these tokens fill."""
    return list(_chain(b"", tokens, adapter, block_size, 0, len(tokens) // block_size))


def _chain(
    key: bytes, tokens: array[int], adapter: AdapterUse | None, block_size: int, first: int, last: int
) -> Iterator[bytes]:
    for index in range(first, last):
        content = tokens[index * block_size : (index + 1) * block_size].tobytes()
        salt = b"" if adapter is None else adapter.salt(index, block_size)
        key = blake2b(key + content + salt, digest_size=KEY_BYTES).digest()
        yield key


def mark_origin(sequence: Sequence, origin: bytes, block_size: int) -> None:
    """Some of its K and V are another engine's: from now on it publishes its blocks as such."""
    if sequence.origin != origin:
        sequence.origin = origin
        sequence.block_keys = list(block_keys(sequence, block_size, 0, len(sequence.block_keys)))


class Prefix(NamedTuple):
    """The beginning of a prompt that is in the cache: keys of its blocks (a slot has none), the blocks, its tokens, and
    the other engine that computed some of them."""

    keys: list[bytes]
    blocks: list[int]
    num_tokens: int
    origin: bytes = b""


def publish_computed(sequence: Sequence, blocks: BlockManager) -> None:
    """Publishes the blocks that the sequence has filled since the last time, or what its slot holds now."""
    if isinstance(blocks, Slots):
        blocks.note(sequence)
        return
    known, full = len(sequence.block_keys), sequence.num_computed_tokens // blocks.block_size
    if known == full:
        return
    for key in block_keys(sequence, blocks.block_size, known, full):
        blocks.publish(sequence.block_table[len(sequence.block_keys)], key)
        sequence.block_keys.append(key)


def cached_prefix(sequence: Sequence, blocks: BlockManager) -> Prefix:
    """Keys and blocks that hold the beginning of the prompt; at least one token is left to compute, for its logits."""
    if isinstance(blocks, Slots):
        return Prefix([], *blocks.longest(sequence))
    last = (len(sequence) - 1) // blocks.block_size
    own = list(_chain(b"", sequence.tokens, sequence.adapter, blocks.block_size, 0, last))
    keys, origin, found = own, b"", blocks.find(own)
    if blocks.origin and not sequence.is_read_here:
        mixed = list(_chain(blocks.origin, sequence.tokens, sequence.adapter, blocks.block_size, 0, last))
        longer = blocks.find(own, mixed)
        if len(longer) > len(found):
            keys, origin, found = mixed, blocks.origin, longer
    return Prefix(keys[: len(found)], found, len(found) * blocks.block_size, origin)
