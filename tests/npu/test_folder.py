"""Folders as ONNX Runtime's CPU provider runs them: the graphs themselves, without an NPU's arithmetic."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import BadModelFile, ContextExceeded, ModelFileError, RequestError
from edge.npu.manifest import ENCODINGS, MANIFEST, WEIGHTS, Phase, graph_name, read_encodings, read_manifest
from edge.npu.runner import NpuModel
from tests.models.tiny import random_tensors, tensor_shapes, tiny_config, write_gguf
from tests.npu.models import BUNDLED, Floats, copied, decibels, prompt_ids, truth, written

onnx: Any = pytest.importorskip("onnx", reason="pip install -e '.[npu]'")
pytest.importorskip("onnxruntime", reason="pip install -e '.[npu]'")

STANDARD = {
    "Add", "Concat", "DequantizeLinear", "MatMul", "Mul", "QuantizeLinear", "RMSNormalization", "Relu", "Reshape",
    "Sigmoid", "Slice", "Softmax", "Sub", "Transpose",
}  # fmt: skip
PHASES: tuple[Phase, ...] = ("prefill", "decode")


@pytest.fixture(scope="module")
def model(bundled: Path) -> NpuModel:
    return NpuModel(bundled)


def test_graphs_are_standard_static_and_share_one_file(bundled: Path) -> None:
    names: dict[str, set[str]] = {}
    for phase in PHASES:
        path = bundled / graph_name(phase, 0, 1)
        onnx.checker.check_model(str(path), full_check=True)
        graph = onnx.load(str(path), load_external_data=False)
        assert {entry.domain for entry in graph.opset_import} == {""}
        assert {node.op_type for node in graph.graph.node} <= STANDARD
        values = [*graph.graph.input, *graph.graph.output]
        assert all(d.dim_value > 0 for value in values for d in value.type.tensor_type.shape.dim)
        outside = [item for item in graph.graph.initializer if item.external_data]
        assert {entry.value for item in outside for entry in item.external_data if entry.key == "location"} == {WEIGHTS}
        names[phase] = {item.name for item in outside}
        inside = sum(len(item.SerializeToString()) for item in graph.graph.initializer if not item.external_data)
        assert inside < 100_000
    assert names["prefill"] == names["decode"] and len(names["prefill"]) > 80
    assert (bundled / WEIGHTS).stat().st_size < 1_800_000  # once: there are 1.7 M weights in its layers


def test_every_border_has_an_encoding(bundled: Path) -> None:
    table, manifest = read_encodings(bundled), read_manifest(bundled)
    for slots in manifest.kv:
        for past, new in zip(slots.past, slots.new, strict=True):
            assert table[past] == table[new] and table[past].type == "uint8"
    assert table["hidden"].type == table["hidden_out"].type == table["mask.0"].type == "uint16"
    assert len(set(table)) > 300


def test_close_to_the_truth(model: NpuModel) -> None:
    ids = prompt_ids()
    model.reset()
    made = model.generate(ids, 12)
    hidden, logits = truth(BUNDLED, ids + made)
    model.reset()
    model.forward(ids + made)
    assert decibels(model.hidden, hidden) > 28  # measured: 33
    margins = np.sort(logits[len(ids) - 1 : -1], axis=1)
    clear = margins[:, -1] - margins[:, -2] > 0.5
    assert clear.sum() >= 6
    assert (logits[len(ids) - 1 : -1].argmax(axis=1) == made)[clear].all()


def test_padding_and_chunks_change_nothing_that_matters(model: NpuModel) -> None:
    """A padded chunk, whole chunks and single tokens: what the other rows are must not be seen."""
    ids = (prompt_ids() * 3)[:45]  # one whole chunk and a padded one
    found: list[Floats] = []
    for steps in ([45], [1] * 45, [7, 32, 6]):
        model.reset()
        at, parts = 0, list[Floats]()
        for count in steps:
            model.forward(ids[at : at + count])
            parts.append(model.hidden)
            at += count
        found.append(np.concatenate(parts))
    assert decibels(found[1], found[0]) > 38 and decibels(found[2], found[0]) > 38


def test_trim_and_limits(model: NpuModel) -> None:
    ids = prompt_ids()
    model.reset()
    wanted = model.forward(ids)
    model.forward(ids[:5])
    model.trim(len(ids) - 1)
    assert np.array_equal(model.forward(ids[-1:]).argsort()[-3:], wanted.argsort()[-3:])
    with pytest.raises(ContextExceeded, match="128"):
        model.forward([1] * 128)
    with pytest.raises(RequestError, match="from 0 to 2047"):
        model.forward([2048])
    with pytest.raises(RequestError, match="no tokens"):
        model.forward([])
    with pytest.raises(RequestError, match="length is 500"):
        model.trim(500)


@pytest.mark.parametrize("model_type", ["llama", "qwen2", "qwen3", "gemma3", "phi3", "bitnet"])
def test_every_architecture(model_type: str, tmp_path: Path) -> None:
    config = tiny_config(model_type)
    tensors = random_tensors(tensor_shapes(config))
    path = write_gguf(tmp_path / "m.gguf", config, tensors)
    written(path, tmp_path / "npu", chunk=16, context=64, max_tokens=256)
    model = NpuModel(tmp_path / "npu")
    ids = [int(i) for i in np.random.default_rng(2).integers(2, 90, 40)]
    model.forward(ids)
    assert decibels(model.hidden, truth(path, ids)[0]) > 22


def test_layers_with_a_window(tmp_path: Path) -> None:
    """Beyond the window, whose slots are used again; and back, where they no longer hold what is seen."""
    config = tiny_config("gemma3")
    path = write_gguf(tmp_path / "m.gguf", config, random_tensors(tensor_shapes(config)))
    manifest = written(path, tmp_path / "npu", chunk=16, context=64, max_tokens=256, kv_bits=16)
    assert [mask.slots for mask in manifest.masks] == [9, 64]
    model = NpuModel(tmp_path / "npu")
    model.forward([5] * 30)
    with pytest.raises(RequestError, match="no longer hold"):
        model.trim(20)
    assert model.num_tokens == 0


@pytest.mark.parametrize(("weights", "least"), [("int8x32", 28), ("int4x32", 11), ("int4", 8)])
def test_weight_types(weights: str, least: float, tmp_path: Path) -> None:
    written(BUNDLED, tmp_path / "npu", chunk=32, context=64, weights=weights, kv_bits=16, max_tokens=128)
    ids = prompt_ids()
    model = NpuModel(tmp_path / "npu")
    model.forward(ids)
    assert decibels(model.hidden, truth(BUNDLED, ids)[0]) > least


def test_what_is_there_is_not_replaced(bundled: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is there already"):
        written(BUNDLED, bundled)
    with pytest.raises(RequestError, match="no folder"):
        written(BUNDLED, tmp_path / "none" / "npu")
    with pytest.raises(RequestError, match="context is 4096, the model has 2048"):
        written(BUNDLED, tmp_path / "npu", context=4096)
    assert list(tmp_path.iterdir()) == []


MANIFESTS: list[tuple[str, object, str]] = [
    ("format", 1, "format is 1, it must be 2"),
    ("chunk", 0, "chunk is '0'"),
    ("context", True, "context is 'True'"),
    ("masks", [[0, 10**6]], "1000000 slots"),
    ("masks", [[0, 64]], "64 slots, the context is 128"),  # positions would share them
    ("masks", [[96, 64]], "64 slots, the context is 128, 96 of which are seen"),
    ("masks", [[0, 128], [0, 128]], "has no encoding for 'mask.1', which is filled"),
    ("kv", [[0, 2, 32, 7]], "is no layer's"),
    ("kv", [[0, 2, -1, 0]], "wanted whole numbers"),
    ("ropes", [[1e6, 32, True, 1.0, [1.0]]], "ropes is"),
    ("ropes", [[1e6, 3, True, 1.0, [1.0]]], "ropes is"),
    ("source_sha256", "ab", "wanted an array"),
    ("source_sha256", ["A" * 64], "wanted SHA-256 hashes"),
    ("source_sha256", [7], "wanted SHA-256 hashes"),
    ("embedding", [0, 2**30], "host.bin: bytes"),
    ("hidden_size", 1 << 20, r"by npu.json it is \(1, 32, 1048576\)"),
    ("vocab_size", 4096, "logits must be all of it"),
    ("embedding_scale", "x", "wanted a number"),
    ("tied", 1, "wanted true or false"),
    ("target", ["rknpu", []], "the provider is 'rknpu'"),
    ("target", ["qnn", [["backend_path", "/tmp/evil.so"]]], "'backend_path' of qnn is none that a folder may name"),
    ("target", ["qnn", [["op_packages", "x.so:y"]]], "'op_packages' of qnn is none that a folder may name"),
    ("target", ["openvino", [["cache_dir", "x"]]], "'cache_dir' of openvino is none"),
    ("target", ["qnn", [["backend_type", "../htp"]]], "it must be a word or number"),
    ("target", ["qnn", [["htp_arch", 79]]], "a provider and its options"),
    ("shadows", [[9, "a", "b", 1.0, [0], 4, 0]], "graph 9 of 1"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value", "said"), MANIFESTS)
def test_hostile_manifests(bundled: Path, tmp_path: Path, key: str, value: object, said: str) -> None:
    folder = copied(bundled, tmp_path)
    changed = json.loads((folder / MANIFEST).read_text()) | {key: value}
    (folder / MANIFEST).write_text(json.dumps(changed))
    with pytest.raises(BadModelFile, match=said):
        NpuModel(folder)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"hidden": ["uint8", 0.0, 0]}',
        '{"hidden": ["uint8", 1e39, 0]}',
        '{"hidden": ["uint8", 1e-46, 0]}',
        '{"hidden": ["int8", 1.0, 0]}',
        '{"a": 1}',
    ],
)
def test_hostile_tables(bundled: Path, tmp_path: Path, text: str) -> None:
    folder = copied(bundled, tmp_path)
    (folder / ENCODINGS).write_text(text)
    with pytest.raises(BadModelFile, match=ENCODINGS):
        NpuModel(folder)


def test_a_table_without_a_value(bundled: Path, tmp_path: Path) -> None:
    folder = copied(bundled, tmp_path)
    table = json.loads((folder / ENCODINGS).read_text())
    del table["new_k.3"]
    (folder / ENCODINGS).write_text(json.dumps(table))
    with pytest.raises(BadModelFile, match=r"new_k\.3"):
        NpuModel(folder)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"npu\.json"):
        NpuModel(tmp_path)
