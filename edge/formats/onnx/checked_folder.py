"""An ONNX folder before ONNX Runtime sees it: every file that it will open is looked at first."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder
from edge.formats.json_file import Fields, is_list, is_object
from edge.formats.onnx.model_file import read_model
from edge.formats.onnx.operators import CONTEXT_OPERATOR
from edge.formats.onnx.parts import OnnxModel

__all__ = ["CONFIG_FILE", "CheckedFolder", "check_compiled", "check_model", "open_onnx_folder", "refuse_libraries"]

CONFIG_FILE = "genai_config.json"
MAX_CONFIG_BYTES = 2**20
_LIBRARY = re.compile(r".*\.(dll|dylib|so|pyd)(\.[0-9.]+)?", re.IGNORECASE)

_CONTEXT_ATTRIBUTES = frozenset(
    "embed_mode ep_cache_context ep_sdk_version hardware_architecture is_multi_soc_ep_context main_context max_size "
    "notes onnx_model_filename partition_name source".split()
)

Identity = tuple[int, int, int, int]  # device, inode, size, time of the last change


class CheckedModel(NamedTuple):
    """A model file and what it reads. files: each by its path, as it was when it was checked."""

    path: Path
    model: OnnxModel
    files: dict[Path, Identity]
    num_bytes: int

    def require_unchanged(self) -> None:
        """ModelFileError when a file is another one by now than that which was checked."""
        for path, identity in self.files.items():
            try:
                now = _identity(path)
            except OSError as error:
                raise ModelFileError(path, f"is gone since it was checked: {error.strerror}") from None
            if now != identity:
                raise ModelFileError(path, "was changed while it was loaded; load the model again")


class CheckedFolder(NamedTuple):
    folder: ModelFolder
    config: Fields  # genai_config.json
    model: CheckedModel


def open_onnx_folder(path: str | os.PathLike[str]) -> CheckedFolder:
    """A folder with genai_config.json and the model that this names, checked.

    Raises ModelFileError for files that are missing, BadModelFile for what is malformed, leads out of the folder or is
    longer than its file, UnsupportedModel for what edge does not run: libraries of operators, unknown operators.
    """
    folder = ModelFolder(path)
    refuse_libraries(folder)
    config = folder.read_json(CONFIG_FILE, MAX_CONFIG_BYTES)
    _refuse_custom_operators(config)
    decoder = _decoder(config)
    return CheckedFolder(folder, config, check_model(folder, decoder.get_str("filename", "model.onnx"), config.path))


def check_model(folder: ModelFolder, name: str, named_by: Path | None = None) -> CheckedModel:
    """One model file of a folder, and the files that hold its weights."""
    path, model, files, num_bytes = _read(folder, name, named_by, compiled=False)
    sizes: dict[str, int] = {}
    for location in model.locations:
        outside = folder.map(location, path)
        sizes[location] = outside.size
        files[outside.path] = _identity(outside.path)
        num_bytes += outside.size
        outside.close()
    for tensor in model.graph.initializers.values():
        if tensor.outside is not None:
            at, length, size = tensor.outside.offset, tensor.outside.length, sizes[tensor.outside.location]
            if at > size or length > size - at:
                raise BadModelFile(
                    path,
                    f"byte {tensor.at}: tensor {quoted(tensor.name)} is bytes {at} to {at + length} of "
                    f"{tensor.outside.location}, which has {size}",
                )
    return CheckedModel(path, model, files, num_bytes)


def check_compiled(folder: ModelFolder, name: str) -> CheckedModel:
    """A graph that a provider compiled: one EPContext, whose bytes lie in a file of the same folder.

    What is in that file is the provider's own and is not looked at. Raises as `check_model`.
    """
    path, model, files, num_bytes = _read(folder, name, None, compiled=True)
    nodes = model.graph.nodes
    if len(nodes) != 1 or nodes[0].op_type != CONTEXT_OPERATOR or model.locations:
        raise BadModelFile(path, f"is no compiled graph: wanted one {CONTEXT_OPERATOR} and no other operator")
    attributes = nodes[0].attributes
    other = next((name for name in attributes if name not in _CONTEXT_ATTRIBUTES), None)
    if other is not None:
        raise UnsupportedModel(path, f"{CONTEXT_OPERATOR}: attribute {quoted(other)}, which edge does not know")
    if attributes.get("embed_mode") != 0:
        raise UnsupportedModel(path, f"{CONTEXT_OPERATOR}: embed_mode is not 0: edge wants the bytes beside the graph")
    location = attributes.get("ep_cache_context")
    if not isinstance(location, str):
        raise BadModelFile(path, f"{CONTEXT_OPERATOR}: ep_cache_context is no file name")
    source = attributes.get("onnx_model_filename")  # OpenVINO's: the graph that it was made of
    if isinstance(source, str):
        folder.check_name(source, path)
    outside = folder.map(location, path)
    files[outside.path] = _identity(outside.path)
    num_bytes += outside.size
    outside.close()
    return CheckedModel(path, model, files, num_bytes)


def _read(
    folder: ModelFolder, name: str, named_by: Path | None, *, compiled: bool
) -> tuple[Path, OnnxModel, dict[Path, Identity], int]:
    path, file = folder.path / name, folder.map(name, named_by)
    try:
        return path, read_model(path, file.view, compiled=compiled), {file.path: _identity(file.path)}, file.size
    finally:
        file.close()


def _decoder(config: Fields) -> Fields:
    model = config.get_object("model")
    decoder = None if model is None else model.get_object("decoder")
    if decoder is None:
        raise BadModelFile(config.path, "missing key 'model.decoder'")
    if decoder.has("pipeline"):
        raise UnsupportedModel(config.path, "the model is a pipeline of several graphs, which edge does not run")
    return decoder


def refuse_libraries(folder: ModelFolder) -> None:
    """UnsupportedModel: there is code beside the model."""
    found = next((name for name in folder.listing() if _LIBRARY.fullmatch(name)), None)
    if found is not None:
        raise UnsupportedModel(
            folder.path,
            f"holds the library {quoted(found)}: a model is data, and edge loads no code from beside it",
        )


def _refuse_custom_operators(config: Fields) -> None:
    """A configuration may name a library wherever it has session options."""
    pending: list[object] = [dict((key, config.value(key)) for key in config.keys())]
    while pending:
        value = pending.pop()
        if is_object(value):
            for key, inner in value.items():
                if key == "custom_ops_library":
                    raise UnsupportedModel(config.path, f"names the library of operators {quoted(str(inner))}")
                pending.append(inner)
        elif is_list(value):
            pending += value


def _identity(path: Path) -> Identity:
    status = os.stat(path)
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
