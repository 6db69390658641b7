"""Models split into several files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge.errors import BadModelFile
from edge.formats import open_gguf
from tests.formats.raw_gguf import INT32, UINT16, entry, gguf, i32, string, tensor


def _part(number: int, count: int, names: list[str], total: int | None = None, fill: int = 0) -> bytes:
    entries = [
        entry("split.no", UINT16, number.to_bytes(2, "little")),
        entry("split.count", UINT16, count.to_bytes(2, "little")),
    ]
    if total is not None:
        entries.append(entry("split.tensors.count", INT32, i32(total)))
    if number == 0:
        entries.append(string("general.architecture", "llama"))
    tensors = [tensor(name, [8], offset=32 * index) for index, name in enumerate(names)]
    return gguf(entries, tensors, bytes([fill]) * 32 * len(names))


def _write(folder: Path, *parts: bytes, name: str = "model") -> list[Path]:
    paths = [folder / f"{name}-{index:05d}-of-{len(parts):05d}.gguf" for index in range(1, len(parts) + 1)]
    for path, content in zip(paths, parts, strict=True):
        path.write_bytes(content)
    return paths


def test_any_part_opens_all(tmp_path: Path) -> None:
    paths = _write(tmp_path, _part(0, 3, [], 3), _part(1, 3, ["a", "b"], 3, 7), _part(2, 3, ["c"], 3, 9))
    for path in paths:
        with open_gguf(path) as file:
            assert file.path == paths[0]
            assert file.parts == tuple(paths)
            assert file.get_str("general.architecture") == "llama"
            assert {name: info.part for name, info in file.tensors.items()} == {"a": 1, "b": 1, "c": 2}
            assert bytes(file.tensor_data("b")) == b"\x07" * 32
            assert bytes(file.tensor_data("c")) == b"\x09" * 32
            assert file.file_size == sum(part.stat().st_size for part in paths)


def test_one_part_needs_no_special_name(tmp_path: Path) -> None:
    path = tmp_path / "renamed.gguf"
    path.write_bytes(_part(0, 1, ["a"], 1))
    with open_gguf(path) as file:
        assert list(file.tensors) == ["a"]


def test_missing_parts_are_named(tmp_path: Path) -> None:
    paths = _write(tmp_path, *(_part(index, 8, [], 0) for index in range(8)))
    paths[3].unlink()
    with pytest.raises(BadModelFile, match="1 of 8 parts are missing beside it: model-00004-of-00008.gguf$"):
        open_gguf(paths[0])
    for path in paths[1:3] + paths[4:7]:
        path.unlink()
    with pytest.raises(BadModelFile, match=r"6 of 8 parts are missing .*-00002-of-.*-00005-of-00008.gguf and 2 more"):
        open_gguf(paths[7])


def test_parts_that_do_not_belong_together(tmp_path: Path) -> None:
    first, second = _part(0, 2, ["a"], 2), _part(1, 2, ["b"], 2)
    cases: dict[str, tuple[bytes, bytes, str]] = {
        "same-tensor": (first, _part(1, 2, ["a"], 2), "tensor 'a' is also in same-tensor-00001-of-00002.gguf"),
        "total": (_part(0, 2, ["a"], 5), second, "key 'split.tensors.count' is 5, the parts hold 2 tensors"),
        "not-split": (
            first,
            gguf(tensors=[tensor("b", [8])], data=bytes(32)),
            "'split.no' 0 and 'split.count' 1 do not",
        ),
        "wrong-count": (first, _part(1, 3, ["b"], 2), "'split.count' 3 do not match its name, which says 1 and 2"),
        "first-twice": (first, first, "'split.no' 0 and 'split.count' 2 do not match its name"),
        "broken-second": (first, second[:-1], "tensor 'b': offset 0 and 32 bytes end at byte"),
    }
    for name, (one, two, message) in cases.items():
        paths = _write(tmp_path, one, two, name=name)
        with pytest.raises(BadModelFile, match=re.escape(message)):
            open_gguf(paths[0])
    # the message names the part that is wrong
    with pytest.raises(BadModelFile, match="broken-second-00002-of-00002.gguf: "):
        open_gguf(tmp_path / "broken-second-00001-of-00002.gguf")


def test_names_and_keys_must_agree(tmp_path: Path) -> None:
    for name, content, message in (
        ("renamed.gguf", _part(0, 2, ["a"]), "part 1 of 2 .* does not end in -00001-of-00002.gguf"),
        ("model-00002-of-00002.gguf", _part(0, 2, ["a"]), "is part 1 of 2 by its keys .* rename it"),
        ("model-00001-of-00003.gguf", _part(0, 2, ["a"]), "is part 1 of 2 by its keys"),
        ("model-00001-of-00002.gguf", _part(2, 2, ["a"]), "'split.no' is 2, it must be below 'split.count' 2"),
        ("model-00001-of-60000.gguf", _part(0, 60_000, ["a"]), "'split.count' is 60000, the limit is 512"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BadModelFile, match=message):
            open_gguf(path)


def test_split_number_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "model-00001-of-00002.gguf"
    path.write_bytes(gguf([entry("split.count", UINT16, b"\x02\x00")]))
    with pytest.raises(BadModelFile, match="missing key 'split.no'"):
        open_gguf(path)
