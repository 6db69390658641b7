"""What the system says about a stretch of memory."""

from __future__ import annotations

import mmap
from pathlib import Path

from edge.native import Region
from edge.packed.resident import Resident, resident

SMAPS = """\
7f0000000000-7f0000400000 r--s 00000000 fe:00 4719  /models/a b: c.gguf.edge-packed
Size:               4096 kB
Rss:                3000 kB
AnonHugePages:         0 kB
ShmemPmdMapped:        0 kB
FilePmdMapped:      2048 kB
THPeligible:           1
VmFlags: rd mr mw me ms
7f0000400000-7f0000800000 r--p 00000000 00:00 0
Rss:                  40 kB
FilePmdMapped:         0 kB
7f0000900000-7f0000a00000 rw-p 00000000 00:00 0  [heap]
Rss:                1024 kB
AnonHugePages:      1024 kB
"""


def test_sums_what_lies_inside(tmp_path: Path) -> None:
    smaps = tmp_path / "smaps"
    smaps.write_text(SMAPS)
    base = 0x7F0000000000
    assert resident(base, 0x400000, smaps) == Resident(3000 * 1024, 2048 * 1024)
    assert resident(base, 0x800000, smaps) == Resident(3040 * 1024, 2048 * 1024)  # its end was replaced by zeros
    assert resident(base + 0x900000, 0x1000, smaps) == Resident(0x1000, 0x1000)  # part of a larger mapping
    assert resident(base + 0x800000, 0x100000, smaps) == Resident(0, 0)
    assert resident(base, 0x1000, tmp_path / "none") is None


def test_touched_pages_count() -> None:
    region = Region.allocate(8 * mmap.PAGESIZE * 1024)
    before = resident(region.address, region.num_bytes)
    region.view[:] = b"\x01" * region.num_bytes
    after = resident(region.address, region.num_bytes)
    assert before is not None and after is not None
    assert before.num_bytes < after.num_bytes == region.num_bytes
