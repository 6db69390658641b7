"""ONNX files and folders that must be refused, each with its exact error, before a runtime sees them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from edge.errors import BadModelFile, ModelFileError, UnsupportedModel
from edge.formats.cursor import quoted
from edge.formats.folder import ModelFolder
from edge.formats.onnx import check_model, open_onnx_folder
from tests.onnx.hostile_models import Row, rows
from tests.onnx.hostile_paths import PathRow, path_rows
from tests.onnx.small import CONFIG, Pieces, inside, write_folder

ROWS, PATHS = rows(), path_rows()


def test_sound_model_opens(tmp_path: Path) -> None:
    checked = open_onnx_folder(write_folder(tmp_path / "m", Pieces().file()))
    assert [node.op_type for node in checked.model.model.graph.nodes] == ["MatMulNBits", "Relu"]
    assert checked.model.model.locations == ("model.onnx.data",)
    assert len(checked.model.files) == 2


def test_there_are_enough() -> None:
    assert len(ROWS) >= 70 and len({row[0] for row in ROWS}) == len(ROWS)
    assert len(PATHS) >= 20 and len({row.name for row in PATHS}) == len(PATHS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0].replace(" ", "-") for row in ROWS])
def test_model_is_refused(row: Row, tmp_path: Path) -> None:
    _, change, expected = row
    pieces = Pieces()
    if isinstance(change, bytes):
        content = change
    else:
        change(pieces)
        content = pieces.file()
    folder = write_folder(tmp_path / "m", content)
    with pytest.raises(ModelFileError) as caught:
        check_model(ModelFolder(folder), "model.onnx")
    assert _without_place(str(caught.value)) == f"{folder / 'model.onnx'}: {expected}"


@pytest.mark.parametrize("row", PATHS, ids=[row.name.replace(" ", "-") for row in PATHS])
def test_path_is_refused(row: PathRow, tmp_path: Path) -> None:
    pieces = Pieces()
    pieces.tensors[0] = row.tensor
    (tmp_path / "outside.data").write_bytes(bytes(8192))
    folder = write_folder(tmp_path / "m", pieces.file())
    if row.prepare is not None:
        row.prepare(folder)
    with pytest.raises(ModelFileError) as caught:
        open_onnx_folder(folder)
    assert _without_place(str(caught.value)) == row.expected.format(
        folder=folder, outside=quoted(str(tmp_path / "outside.data"))
    )


def _without_place(message: str) -> str:
    return re.sub(r": byte \d+: ", ": ", message)


@pytest.mark.parametrize("name", ["ops.so", "libops.so.1.2", "ops.dll", "OPS.DLL", "ops.dylib", "ops.pyd"])
def test_library_beside_the_model_is_refused(name: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", Pieces().file())
    (folder / name).write_bytes(b"\x7fELF")
    with pytest.raises(UnsupportedModel) as caught:
        open_onnx_folder(folder)
    said = "a model is data, and edge loads no code from beside it"
    assert str(caught.value) == f"{folder}: holds the library {name!r}: {said}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_hard_link_to_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", Pieces().file())
    other = tmp_path / "other.data"
    other.write_bytes(bytes(8192))
    data = folder / "model.onnx.data"
    data.unlink()
    os.link(other, data)
    os.chown(folder, 1234, 1234)
    os.chown(other, 4321, 4321)
    with pytest.raises(BadModelFile) as caught:
        open_onnx_folder(folder)
    assert str(caught.value) == f"{data}: is a hard link to a file of another user (4321)"


def test_library_that_the_configuration_names_is_refused(tmp_path: Path) -> None:
    options = '"session_options": {"custom_ops_library": "../ops.so"}'
    folder = write_folder(tmp_path / "m", Pieces().file(), CONFIG.replace('"filename"', options + ', "filename"'))
    with pytest.raises(UnsupportedModel) as caught:
        open_onnx_folder(folder)
    assert str(caught.value) == f"{folder / 'genai_config.json'}: names the library of operators '../ops.so'"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('{"model": {}}', "missing key 'model.decoder'"),
        ('{"model": {"decoder": {"filename": "../model.onnx"}}}',
         "names the file '../model.onnx', a path; it must be a name in the same folder"),
        ('{"model": {"decoder": {"filename": "/etc/passwd"}}}',
         "names the file '/etc/passwd', an absolute path; it must be a name in the same folder"),
        ('{"model": {"decoder": {"pipeline": [{}]}}}',
         "the model is a pipeline of several graphs, which edge does not run"),
        ("[]", "is a list, wanted an object"),
        ("{", "not JSON at character 1: Expecting property name enclosed in double quotes"),
    ],
)  # fmt: skip
def test_configuration_is_refused(config: str, expected: str, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", Pieces().file(), config)
    with pytest.raises(ModelFileError) as caught:
        open_onnx_folder(folder)
    assert str(caught.value) == f"{folder / 'genai_config.json'}: {expected}"


def test_file_that_changes_is_noticed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", Pieces().file())
    checked = open_onnx_folder(folder).model
    checked.require_unchanged()
    data = folder / "model.onnx.data"
    data.write_bytes(data.read_bytes() + b"x")
    with pytest.raises(ModelFileError, match="was changed while it was loaded"):
        checked.require_unchanged()
    data.unlink()
    with pytest.raises(ModelFileError, match="is gone since it was checked"):
        checked.require_unchanged()


def test_file_of_more_than_two_gibibytes_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", Pieces().file())
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(BadModelFile, match="has 2147483648 bytes, an ONNX file has at most 2147483647"):
        check_model(ModelFolder(folder), "model.onnx")


def test_weights_inside_the_file_are_read(tmp_path: Path) -> None:
    pieces = Pieces()
    pieces.tensors[0] = inside()
    model = open_onnx_folder(write_folder(tmp_path / "m", pieces.file())).model.model
    assert model.graph.initializers["B"].outside is None
