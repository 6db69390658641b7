"""External data that leads elsewhere, or beyond what is there, each with its whole error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.onnx.small import outside

_NAMED = "{folder}/model.onnx: names the file"
_SAME = "it must be a name in the same folder"
_TENSOR = "{folder}/model.onnx: TensorProto: tensor 'B'"


class PathRow(NamedTuple):
    """prepare: changes the folder first."""

    name: str
    tensor: bytes
    expected: str
    prepare: Callable[[Path], None] | None = None


def _replace(make: Callable[[Path], None]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        path = folder / "model.onnx.data"
        path.unlink()
        make(path)

    return prepare


def path_rows() -> list[PathRow]:
    data = "{folder}/model.onnx.data"
    return [
        PathRow("parent", outside(location="../outside.data"), f"{_NAMED} '../outside.data', a path; {_SAME}"),
        PathRow(
            "parent in the middle",
            outside(location="a/../../outside.data"),
            f"{_NAMED} 'a/../../outside.data', a path; {_SAME}",
        ),
        PathRow("parent alone", outside(location=".."), f"{_NAMED} '..', which is no file name"),
        PathRow("the folder", outside(location="."), f"{_NAMED} '.', which is no file name"),
        PathRow("absolute", outside(location="/etc/passwd"), f"{_NAMED} '/etc/passwd', an absolute path; {_SAME}"),
        PathRow("home", outside(location="~/x"), f"{_NAMED} '~/x', an absolute path; {_SAME}"),
        PathRow("drive", outside(location="C:x"), f"{_NAMED} 'C:x', an absolute path; {_SAME}"),
        PathRow("backslash", outside(location="..\\outside.data"), f"{_NAMED} '..\\\\outside.data', a path; {_SAME}"),
        PathRow("subfolder", outside(location="sub/model.data"), f"{_NAMED} 'sub/model.data', a path; {_SAME}"),
        PathRow(
            "zero byte",
            outside(location="model.onnx.data\0.txt"),
            f"{_NAMED} 'model.onnx.data\\x00.txt', with a zero byte in it",
        ),
        PathRow("long name", outside(location="n" * 300), f"{_NAMED} '{'n' * 80}'..., of 300 bytes, the limit is 255"),
        PathRow(
            "no such file", outside(location="other.data"), "{folder}/other.data: no such file, which model.onnx names"
        ),
        PathRow(
            "memory marker",
            outside(location="*/_ORT_MEM_ADDR_/*"),
            f"{_TENSOR} has the location '*/_ORT_MEM_ADDR_/*', a mark of memory inside a running program",
        ),
        PathRow("no location", outside(location=""), f"{_TENSOR} is outside, but no location says where"),
        PathRow(
            "offset behind the end",
            outside(offset="4000"),
            f"{_TENSOR.replace('TensorProto: ', '')} is bytes 4000 to 5024 of model.onnx.data, which has 4096",
        ),
        PathRow(
            "offset beyond the file",
            outside(offset="9000"),
            f"{_TENSOR.replace('TensorProto: ', '')} is bytes 9000 to 10024 of model.onnx.data, which has 4096",
        ),
        PathRow(
            "offset near 2^63",
            outside(offset=str(2**63 - 1)),
            f"{_TENSOR.replace('TensorProto: ', '')} is bytes 9223372036854775807 to 9223372036854776831 of "
            "model.onnx.data, which has 4096",
        ),
        PathRow(
            "offset of 2^64",
            outside(offset=str(2**64)),
            f"{_TENSOR} has the external offset '18446744073709551616', wanted a number below 2^63",
        ),
        PathRow(
            "offset below 0",
            outside(offset="-1"),
            f"{_TENSOR} has the external offset '-1', wanted a number below 2^63",
        ),
        PathRow(
            "offset in words",
            outside(offset="0x10"),
            f"{_TENSOR} has the external offset '0x10', wanted a number below 2^63",
        ),
        PathRow(
            "offset with a space",
            outside(offset=" 1"),
            f"{_TENSOR} has the external offset ' 1', wanted a number below 2^63",
        ),
        PathRow(
            "length of another tensor",
            outside(length="4096"),
            f"{_TENSOR} has 4096 bytes of external data, its shape takes 1024",
        ),
        PathRow(
            "length below 0",
            outside(length="-1024"),
            f"{_TENSOR} has the external length '-1024', wanted a number below 2^63",
        ),
        PathRow(
            "unknown key",
            outside(library="x"),
            "{folder}/model.onnx: TensorProto: external data has the key 'library', which ONNX does not have",
        ),
        PathRow(
            "symbolic link",
            outside(),
            f"{data}: is a link that leads out of the folder, to {{outside}}",
            _replace(lambda path: path.symlink_to("../outside.data")),
        ),
        PathRow(
            "link to nowhere",
            outside(),
            f"{data}: is a link that leads nowhere: No such file or directory, which model.onnx names",
            _replace(lambda path: path.symlink_to("nowhere.data")),
        ),
        PathRow("folder instead", outside(), f"{data}: is a folder, wanted a regular file", _replace(Path.mkdir)),
        PathRow("pipe instead", outside(), f"{data}: is a pipe (FIFO), wanted a regular file", _replace(os.mkfifo)),
        PathRow(
            "emptied",
            outside(),
            f"{data}: the file is empty (0 bytes), was the download interrupted?",
            _replace(Path.touch),
        ),
    ]
