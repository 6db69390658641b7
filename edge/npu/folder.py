"""An NPU folder before ONNX Runtime sees it: every file that it will open is looked at first."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, get_args

from edge.errors import BadModelFile
from edge.formats.folder import ModelFolder
from edge.formats.onnx import CheckedModel, check_compiled, check_model, refuse_libraries
from edge.npu.borders import check_borders
from edge.npu.encoding import Encoding
from edge.npu.manifest import HEAD, MANIFEST, Manifest, Phase, graph_name, read_encodings, read_manifest

__all__ = ["Graphs", "NpuFolder", "is_npu_folder", "open_npu_folder"]

Graphs = dict[Phase, tuple[CheckedModel, ...]]
_FLOAT = 1


class NpuFolder(NamedTuple):
    """graphs: of each phase, in their order. head: the last norm and the head, which the CPU computes."""

    folder: ModelFolder
    manifest: Manifest
    table: dict[str, Encoding]
    graphs: Graphs
    head: CheckedModel

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def compiled_name(self) -> str:
        """Of the folder in it that `edge export --compile` makes."""
        return f"compiled-{self.manifest.device}"

    def compiled(self, name: str) -> Graphs:
        """What a provider compiled, checked as far as can be. Errors as `open_npu_folder`."""
        self.folder.check_name(name)
        inside = ModelFolder(self.path / name)
        if inside.path.is_symlink():
            raise BadModelFile(inside.path, "is a link; edge wants a folder")
        refuse_libraries(inside)
        count = self.manifest.num_graphs
        graphs: Graphs = {
            phase: tuple(check_compiled(inside, graph_name(phase, i, count)) for i in range(count))
            for phase in get_args(Phase)
        }
        self.check(graphs)
        return graphs

    def check(self, graphs: Graphs) -> None:
        for phase, parts in graphs.items():
            check_borders(self.manifest, self.table, parts, phase)


def is_npu_folder(path: Path) -> bool:
    return os.path.lexists(path / MANIFEST)


def open_npu_folder(path: str | os.PathLike[str]) -> NpuFolder:
    """A folder of `edge export --to npu`, checked.

    Raises ModelFileError for files that are missing, BadModelFile for what is malformed, leads out of the folder, is
    longer than its file or not what npu.json says, UnsupportedModel for what edge does not run.
    """
    folder = ModelFolder(path)
    refuse_libraries(folder)
    manifest, table = read_manifest(folder), read_encodings(folder)
    count, named_by = manifest.num_graphs, folder.path / MANIFEST
    graphs: Graphs = {
        phase: tuple(check_model(folder, graph_name(phase, i, count), named_by) for i in range(count))
        for phase in get_args(Phase)
    }
    head = check_model(folder, HEAD, named_by)
    found = NpuFolder(folder, manifest, table, graphs, head)
    found.check(graphs)
    _check_head(manifest, head)
    return found


def _check_head(manifest: Manifest, head: CheckedModel) -> None:
    """hidden (rows, hidden_size) -> logits (rows, vocab_size), floats."""
    inputs, outputs = head.model.graph.inputs, head.model.graph.outputs
    for values, name, width in ((inputs, "hidden", manifest.hidden_size), (outputs, "logits", manifest.vocab_size)):
        value = values.get(name)
        if len(values) != 1 or value is None or value.data_type != _FLOAT or (value.shape or ())[1:] != (width,):
            raise BadModelFile(head.path, f"{name} must be all of it: floats, any number of rows of {width}")
