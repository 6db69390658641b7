"""What a writer puts where, and in which pieces."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import pytest

from edge.formats import open_gguf
from edge.packed.layout import ALIGNMENT, DATA_ALIGNMENT, FOOTER, PackedLayout, PackedMatrix
from edge.packed.source import SourceStamp
from edge.packed.writer import WRITE_BYTES, PackedWriter

STAMP = SourceStamp((7,), (-5,), (2**64 - 1,), "ab" * 32)
F32 = 0


class Recorder(io.BytesIO):
    """Remembers where and how much was written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, int]] = []

    def write(self, data: Any, /) -> int:
        self.writes.append((self.tell(), len(data)))
        return super().write(data)


def written(matrices: list[PackedMatrix]) -> tuple[PackedLayout, Recorder]:
    layout, file = PackedLayout.of(matrices, STAMP), Recorder()
    writer = PackedWriter(file, layout)
    for index, matrix in enumerate(matrices):
        writer.add(memoryview(bytes([index % 255 + 1]) * matrix.num_bytes))
    writer.finish(("cd" * 32,))
    return layout, file


def matrices_of(sizes: list[int]) -> list[PackedMatrix]:
    return [PackedMatrix(f"m{i}", F32, 1, size, size) for i, size in enumerate(sizes)]


@pytest.mark.parametrize(
    "sizes",
    [[1], [64], [63, 65, 1], [544] * 300, [WRITE_BYTES], [WRITE_BYTES + 1, 5], [3 * WRITE_BYTES - 7, 100, WRITE_BYTES]],
    ids=str,
)
def test_layout_and_writes(sizes: list[int], tmp_path: Path) -> None:
    matrices = matrices_of(sizes)
    layout, file = written(matrices)
    content = file.getvalue()
    assert len(content) == layout.total_bytes
    assert layout.header_bytes % DATA_ALIGNMENT == 0
    for index, (matrix, offset) in enumerate(zip(matrices, layout.offsets, strict=True)):
        assert offset % ALIGNMENT == 0
        assert content[offset : offset + matrix.num_bytes] == bytes([index % 255 + 1]) * matrix.num_bytes
        assert offset + matrix.num_bytes + ALIGNMENT <= len(content)  # what a kernel may read behind it
    data = [write for write in file.writes if layout.header_bytes <= write[0] < layout.total_bytes - FOOTER.size]
    assert all(offset % DATA_ALIGNMENT == 0 for offset, _ in data)
    assert all(size % DATA_ALIGNMENT == 0 for _, size in data[:-1])
    assert file.writes[-1] == (layout.total_bytes - FOOTER.size, FOOTER.size), "the footer comes last"
    path = tmp_path / "m.gguf"
    path.write_bytes(content)
    with open_gguf(path) as gguf:
        assert {name: info.offset for name, info in gguf.tensors.items()} == {
            matrix.name: offset for matrix, offset in zip(matrices, layout.offsets, strict=True)
        }


def test_mistakes_are_errors() -> None:
    layout = PackedLayout.of(matrices_of([10, 20]), STAMP)
    writer = PackedWriter(cast("Any", io.BytesIO()), layout)
    with pytest.raises(ValueError, match="m0 has 11 packed bytes, its layout 10"):
        writer.add(memoryview(bytes(11)))
    writer.add(memoryview(bytes(10)))
    with pytest.raises(ValueError, match="1 matrices of 2 were added"):
        writer.finish(("00" * 32,))
