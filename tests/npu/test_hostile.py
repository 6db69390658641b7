"""NPU folders from nobody knows where: graphs, paths and compiled graphs, refused before a runtime sees them."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.backends.onnx.providers import runtime
from edge.errors import BadModelFile, ModelFileError, NumericalError
from edge.npu.folder import NpuFolder, open_npu_folder
from edge.npu.host import Host
from edge.npu.manifest import ENCODINGS, HEAD, HOST_WEIGHTS, MANIFEST, WEIGHTS, Shadow
from edge.npu.runner import NpuModel
from tests.npu.models import copied
from tests.onnx.mutations import Opener, mutate

onnx: Any = pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")

Change = Callable[[Any], None]  # of a graph


def changed(folder: Path, name: str, change: Change) -> None:
    model = onnx.load(str(folder / name), load_external_data=False)
    change(model)
    (folder / name).write_bytes(model.SerializeToString())


def _node(index: int, **fields: str) -> Change:
    def change(model: Any) -> None:
        for key, value in fields.items():
            setattr(model.graph.node[index], key, value)

    return change


def _location(value: str) -> Change:
    def change(model: Any) -> None:
        tensor = next(item for item in model.graph.initializer if item.external_data)
        next(entry for entry in tensor.external_data if entry.key == "location").value = value

    return change


def _offset(value: str) -> Change:
    def change(model: Any) -> None:
        tensor = next(item for item in model.graph.initializer if item.external_data)
        next(entry for entry in tensor.external_data if entry.key == "offset").value = value

    return change


def _dim(kind: str, index: int, dim: int, size: int) -> Change:
    def change(model: Any) -> None:
        getattr(model.graph, kind)[index].type.tensor_type.shape.dim[dim].dim_value = size

    return change


def _open_dim(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "tokens"


def _type(model: Any) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT


def _more_input(model: Any) -> None:
    model.graph.input.append(onnx.helper.make_tensor_value_info("more", onnx.TensorProto.UINT8, [1]))


def _less_output(model: Any) -> None:
    del model.graph.output[-1]


def _context(model: Any) -> None:
    node = onnx.helper.make_node(
        "EPContext", ["hidden"], ["x"], name="c", domain="com.microsoft", embed_mode=0, ep_cache_context="../x.bin"
    )
    model.graph.node.append(node)
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))


@pytest.mark.parametrize(("name", "change", "said"), [
    ("prefill.onnx", _node(3, op_type="LoadAnything"), "edge does not run 'LoadAnything'"),
    ("decode.onnx", _node(3, domain="com.evil"), "operators of the domain 'com.evil'"),
    (HEAD, _node(0, op_type="PyOp", domain="ai.onnx.contrib"), "operators of the domain 'ai.onnx.contrib'"),
    ("prefill.onnx", _context, r"edge does not run 'com\.microsoft\.EPContext'"),
    ("prefill.onnx", _location("../weights.bin"), "a path; it must be a name in the same folder"),
    ("decode.onnx", _location("/etc/passwd"), "an absolute path"),
    (HEAD, _location("*/_ORT_MEM_ADDR_/*"), "a mark of memory inside a running program"),
    ("decode.onnx", _location("other.bin"), r"other\.bin: no such file, which decode\.onnx names"),
    (HEAD, _offset(str(2**62)), r"of host\.bin, which has"),
    ("prefill.onnx", _offset("-64"), "wanted a number below 2.63"),
    ("prefill.onnx", _open_dim, "'hidden' has no fixed shape"),
    ("prefill.onnx", _dim("input", 0, 1, 31), r"has the shape \(1, 31, 160\), by npu\.json it is \(1, 32, 160\)"),
    ("decode.onnx", _dim("output", 0, 1, 9), r"has the shape .*, by npu\.json it is"),
    ("decode.onnx", _type, "'hidden' is not of uint16"),
    ("prefill.onnx", _more_input, "takes the value 'more', which nothing makes"),
    ("prefill.onnx", _less_output, "no graph of its phase makes|nothing makes"),
    (HEAD, _dim("output", 0, 1, 4096), "logits must be all of it: floats, any number of rows of 2048"),
])  # fmt: skip
def test_graphs_are_refused(bundled: Path, tmp_path: Path, name: str, change: Change, said: str) -> None:
    folder = copied(bundled, tmp_path)
    open_npu_folder(folder)  # sound
    changed(folder, name, change)
    with pytest.raises(ModelFileError, match=said):
        open_npu_folder(folder)


@pytest.mark.parametrize("name", ["prefill.onnx", "decode.onnx", HEAD, WEIGHTS, HOST_WEIGHTS, MANIFEST, ENCODINGS])
def test_links_that_lead_out_are_refused(bundled: Path, tmp_path: Path, name: str) -> None:
    folder = copied(bundled, tmp_path)
    (folder / name).rename(tmp_path / "outside")
    (folder / name).symlink_to(tmp_path / "outside")
    with pytest.raises(BadModelFile, match="is a link that leads out of the folder"):
        open_npu_folder(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(BadModelFile, match=r"is a pipe \(FIFO\)"):
        open_npu_folder(folder)


def test_libraries_are_refused(bundled: Path, tmp_path: Path) -> None:
    folder = copied(bundled, tmp_path)
    (folder / "libQnnHtp.so").write_bytes(b"\x7fELF")
    with pytest.raises(ModelFileError, match="holds the library 'libQnnHtp.so'"):
        open_npu_folder(folder)


def compiled_folder(folder: Path, **attributes: Any) -> NpuFolder:
    """Graphs as a provider makes them, around bytes of nothing."""
    made = folder / "compiled-test"
    made.mkdir()
    (made / "bytes.bin").write_bytes(bytes(64))
    said = {"embed_mode": 0, "ep_cache_context": "bytes.bin", "main_context": 1, "source": "QNN"} | attributes
    for name in ("prefill.onnx", "decode.onnx"):
        graph = onnx.load(str(folder / name), load_external_data=False).graph
        node = onnx.helper.make_node(
            "EPContext", [i.name for i in graph.input], [o.name for o in graph.output], name="c",
            domain="com.microsoft", **said,
        )  # fmt: skip
        opsets = [onnx.helper.make_opsetid("", 23), onnx.helper.make_opsetid("com.microsoft", 1)]
        model = onnx.helper.make_model(
            onnx.helper.make_graph([node], "g", graph.input, graph.output), opset_imports=opsets, ir_version=10
        )
        (made / name).write_bytes(model.SerializeToString())
    return open_npu_folder(folder)


@pytest.mark.parametrize(("attributes", "said"), [
    ({"ep_cache_context": "../weights.bin"}, "'../weights.bin', a path; it must be a name in the same folder"),
    ({"ep_cache_context": "/etc/passwd"}, "'/etc/passwd', an absolute path"),
    ({"ep_cache_context": "none.bin"}, r"none\.bin: no such file"),
    ({"ep_cache_context": 7}, "ep_cache_context is no file name"),
    ({"embed_mode": 1}, "embed_mode is not 0"),
    ({"onnx_model_filename": "../../model.onnx"}, "a path; it must be a name in the same folder"),
    ({"library": "x.so"}, "attribute 'library', which edge does not know"),
])  # fmt: skip
def test_compiled_graphs_are_refused(bundled: Path, tmp_path: Path, attributes: dict[str, Any], said: str) -> None:
    folder = compiled_folder(copied(bundled, tmp_path), **attributes)
    with pytest.raises(ModelFileError, match=said):
        folder.compiled("compiled-test")


def test_compiled_graphs_are_checked(bundled: Path, tmp_path: Path) -> None:
    folder = compiled_folder(copied(bundled, tmp_path))
    graphs = folder.compiled("compiled-test")
    assert {path.name for path in graphs["decode"][0].files} == {"decode.onnx", "bytes.bin"}
    for name in ("../compiled-test", "/tmp", ""):
        with pytest.raises(BadModelFile):
            folder.compiled(name)
    made = folder.path / "compiled-test"
    (made / "bytes.bin").unlink()
    (made / "bytes.bin").symlink_to(folder.path / WEIGHTS)
    with pytest.raises(BadModelFile, match="is a link that leads out of the folder"):
        folder.compiled("compiled-test")


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7FA00000, 0x7F800000])  # NaN, one that signals, infinity
def test_numbers_that_no_code_stands_for(bundled: Path, tmp_path: Path, bits: int) -> None:
    """In what the host computes with: found by the campaign, which moved npu.json's offsets."""
    folder = copied(bundled, tmp_path)
    scales = open_npu_folder(folder).manifest.embedding[1]
    with (folder / HOST_WEIGHTS).open("r+b") as file:
        file.seek(scales)
        file.write(bits.to_bytes(4, "little"))  # of token 0
    model = NpuModel(folder)
    model.forward([1])
    with pytest.raises(NumericalError, match=r"host\.bin holds embeddings that are not finite"):
        model.forward([2, 0])
    checked = open_npu_folder(folder)
    beside = replace(checked.manifest, shadows=(Shadow(1, "x", "y", 1.0, (0,), 1, scales),))
    with pytest.raises(BadModelFile, match="the columns beside y are not finite"):
        Host(runtime(), checked._replace(manifest=beside), 1)


def test_no_process_dies(bundled: Path, tmp_path: Path) -> None:
    """Broken copies of every file that says what is run: refused, or harmless. The campaign does two thousand."""
    folder, rng, opener = copied(bundled, tmp_path), random.Random(11), Opener()
    names = ("prefill.onnx", "decode.onnx", HEAD, MANIFEST, ENCODINGS)
    outcomes = dict.fromkeys(("refused", "refused by the runtime", "ran"), 0)
    try:
        assert opener.outcome(folder) == "ran"
        for number in range(60):
            name = names[number % len(names)]
            sound = (folder / name).read_bytes()
            (folder / name).write_bytes(mutate(sound, rng))
            outcome = opener.outcome(folder)
            assert outcome in outcomes, f"mutation {number} of {name}: {outcome}"
            outcomes[outcome] += 1
            (folder / name).write_bytes(sound)
    finally:
        opener.close()
    assert outcomes["refused"] > 20 and outcomes["ran"] > 0, json.dumps(outcomes)
