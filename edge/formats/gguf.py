"""Opens GGUF models: metadata and tensor table are parsed and checked, tensors are mapped, nothing else is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType

from edge.errors import BadModelFile
from edge.formats.cursor import quoted
from edge.formats.header import Header, TensorInfo, read_header
from edge.formats.mapping import MappedFile
from edge.formats.split import part_paths
from edge.formats.values import Metadata

__all__ = ["GGUFFile", "TensorInfo", "open_gguf"]


class GGUFFile(Metadata):
    """An open model of one or more files. Metadata comes from the first part, tensors from all.

    Use it as a context manager or call `close()`. Views of tensors and arrays stay readable after that; the mapping
    goes with the last of them.
    """

    def __init__(
        self, path: Path, maps: tuple[MappedFile, ...], header: Header, tensors: dict[str, TensorInfo]
    ) -> None:
        super().__init__(path, maps[0].view[:], header.entries)
        self._maps = maps
        self.version = header.version
        self.parts: tuple[Path, ...] = tuple(part.path for part in maps)
        self.tensors: Mapping[str, TensorInfo] = MappingProxyType(tensors)

    @property
    def mapped_parts(self) -> tuple[MappedFile, ...]:
        """The files, mapped: for who watches or hashes them."""
        return self._maps

    @property
    def file_size(self) -> int:
        """Bytes of all parts together."""
        return sum(part.size for part in self._maps)

    def tensor_data(self, name: str) -> memoryview:
        """The bytes of a tensor, mapped and read-only. Raises BadModelFile when there is no such tensor."""
        info = self.tensors.get(name)
        if info is None:
            raise BadModelFile(self.path, f"missing tensor {quoted(name)}")
        return self._maps[info.part].view[info.offset : info.offset + info.num_bytes]

    def let_go(self, name: str) -> None:
        """Takes the bytes of a tensor out of this process's memory, until they are read again."""
        info = self.tensors[name]
        self._maps[info.part].let_go(info.offset, info.num_bytes)

    def close(self) -> None:
        """Let go of the files. Calling it again does nothing."""
        self._view.release()
        for part in self._maps:
            part.close()

    def __enter__(self) -> GGUFFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_gguf(path: str | os.PathLike[str]) -> GGUFFile:
    """Open a GGUF model (version 2 or 3); of a split model, any part.

    Raises BadModelFile naming key or byte offset, value and limit when the file breaks the format, UnsupportedModel for
    versions and byte orders that edge does not read, ModelFileError when it cannot be opened.
    """
    path = Path(path)
    maps: list[MappedFile] = []
    try:
        maps.append(MappedFile(path))
        header = read_header(path, maps[0].view)
        count, number, _ = _split_keys(path, maps[0], header)
        if count <= 1:
            return GGUFFile(path, tuple(maps), header, header.tensors)
        paths = part_paths(path, count, number)
        maps.pop().close()
        return _open_parts(path, paths, maps)
    except BaseException:
        for part in maps:
            part.close()
        raise


def _open_parts(path: Path, paths: tuple[Path, ...], maps: list[MappedFile]) -> GGUFFile:
    """Open all parts, appending to `maps` what is open, and merge their tensor tables."""
    headers: list[Header] = []
    tensors: dict[str, TensorInfo] = {}
    declared = 0
    for index, part in enumerate(paths):
        maps.append(MappedFile(part))
        header = read_header(part, maps[-1].view, index)
        count, number, num_tensors = _split_keys(part, maps[-1], header)
        if (count, number) != (len(paths), index):
            raise BadModelFile(
                part,
                f"keys 'split.no' {number} and 'split.count' {count} do not match its name, "
                f"which says {index} and {len(paths)}",
            )
        for name, tensor in header.tensors.items():
            if name in tensors:
                raise BadModelFile(part, f"tensor {quoted(name)} is also in {paths[tensors[name].part].name}")
            tensors[name] = tensor
        declared = num_tensors if index == 0 else declared
        headers.append(header)
    if declared and declared != len(tensors):
        raise BadModelFile(paths[0], f"key 'split.tensors.count' is {declared}, the parts hold {len(tensors)} tensors")
    return GGUFFile(paths[0], tuple(maps), headers[0], tensors)


def _split_keys(path: Path, file: MappedFile, header: Header) -> tuple[int, int, int]:
    """Number of parts (1 when not split), index of this part, tensors in all parts (0 when not said)."""
    values = Metadata(path, file.view, header.entries)
    count = values.get_int("split.count", 1, minimum=0)
    if count <= 1:
        return 1, 0, 0
    return count, values.get_int("split.no", minimum=0), values.get_int("split.tensors.count", 0, minimum=0)
