"""The safetensors files of a folder as one set of tensors: one file, or the shards that an index names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.errors import BadModelFile, ModelFileError
from edge.export.safetensors import SafetensorsFile, StoredTensor
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder

__all__ = ["Shards"]

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_SHARDS = 1000  # each keeps a mapping open


class Shards:
    """All tensors of a model. A context manager: leaving it closes the files."""

    def __init__(self, folder: ModelFolder) -> None:
        """ModelFileError: no safetensors, or a shard is missing. BadModelFile: index and files contradict each other.

        UnsupportedModel: there are weights, but none that can be read without running code.
        """
        self._files: list[SafetensorsFile] = []
        self._places: dict[str, SafetensorsFile] = {}
        try:
            if folder.has(INDEX):
                self._open_index(folder)
            elif folder.has(SINGLE):
                self._open(folder, SINGLE)
            else:
                folder.refuse_pickles()
                raise ModelFileError(folder.path, f"holds neither {SINGLE} nor {INDEX}")
        except BaseException:
            self.close()
            raise

    def names(self) -> Iterator[str]:
        return iter(self._places)

    def has(self, name: str) -> bool:
        return name in self._places

    def stored(self, name: str) -> StoredTensor:
        return self._places[name].tensors[name]

    def file(self, name: str) -> SafetensorsFile:
        """The file that holds a tensor."""
        return self._places[name]

    def close(self) -> None:
        for file in self._files:
            file.close()

    def _open_index(self, folder: ModelFolder) -> None:
        index = folder.read_json(INDEX)
        weight_map = index.get_object("weight_map")
        if weight_map is None:
            raise BadModelFile(index.path, "missing key 'weight_map'")
        wanted: dict[str, str] = {name: weight_map.get_str(name) for name in weight_map.keys()}
        files = sorted(set(wanted.values()))
        if not files:
            raise BadModelFile(index.path, "key 'weight_map' names no tensor")
        if len(files) > MAX_SHARDS:
            raise BadModelFile(index.path, f"key 'weight_map' names {len(files)} files, the limit is {MAX_SHARDS}")
        for name in files:
            folder.check_name(name, index.path)
            if not name.endswith(".safetensors"):
                raise BadModelFile(index.path, f"names the file {quoted(name)}, which must end in .safetensors")
        missing = [name for name in files if not folder.has(name)]
        if missing:
            shown = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
            raise ModelFileError(folder.path, f"{len(missing)} of {len(files)} shards are missing: {shown}")
        for name in files:
            self._open(folder, name, by_index=True)
        self._check_against(index.path.name, wanted, folder)

    def _open(self, folder: ModelFolder, name: str, *, by_index: bool = False) -> None:
        mapped = folder.map(name, folder.path / INDEX if by_index else None)
        file = SafetensorsFile(folder.path / name, mapped)
        self._files.append(file)
        for other in self._files[:-1]:
            if (other.file.status.st_dev, other.file.status.st_ino) == (mapped.status.st_dev, mapped.status.st_ino):
                raise BadModelFile(file.path, f"is the same file as {other.path.name}")
        for tensor in file.tensors:
            if tensor in self._places:
                raise BadModelFile(file.path, f"tensor {quoted(tensor)} is also in {self._places[tensor].path.name}")
            self._places[tensor] = file

    def _check_against(self, index: str, wanted: Mapping[str, str], folder: ModelFolder) -> None:
        for name, file in wanted.items():
            place = self._places.get(name)
            if place is None or place.path.name != file:
                raise BadModelFile(folder.path / file, f"lacks the tensor {quoted(name)}, which {index} says it holds")
        for name, place in self._places.items():
            if name not in wanted:
                raise BadModelFile(place.path, f"holds the tensor {quoted(name)}, which {index} does not name")
