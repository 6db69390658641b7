"""ONNX Runtime for tests: one operator, or a whole folder with its K and V, in a few lines."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.export.onnx import GraphWriter
from edge.formats.onnx import open_onnx_folder

Floats = NDArray[np.float32]


def onnxruntime() -> Any:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return importlib.import_module("onnxruntime")


def session(path: Path) -> Any:
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_graph(onnx: GraphWriter, folder: Path, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """What a graph that was built for a test gives."""
    (folder / "m.onnx").write_bytes(onnx.model("m.data", {}))
    with (folder / "m.data").open("wb") as data:
        onnx.write_data(data)
    results: list[NDArray[Any]] = session(folder / "m.onnx").run(None, dict(feed))
    return results


def folder_logits(folder: Path, tokens: Sequence[int], steps: Sequence[int]) -> Floats:
    """Logits (tokens, vocab_size) of a folder that gives those of all tokens, read in steps of so many tokens, K and V
    handed from one run to the next."""
    model = open_onnx_folder(folder).model.model
    run = session(folder / "model.onnx")
    kv: dict[str, NDArray[Any]] = {}
    for name, value in model.graph.inputs.items():
        if name.startswith("past_key_values."):
            assert value.shape is not None
            kv[name] = np.zeros((1, int(value.shape[1]), 0, int(value.shape[3])), np.float32)
    names = [output.name for output in run.get_outputs()]
    logits, first = list[Floats](), 0
    for count in steps:
        feed: dict[str, NDArray[Any]] = dict(kv)
        feed["input_ids"] = np.array([tokens[first : first + count]], np.int64)
        feed["attention_mask"] = np.ones((1, first + count), np.int64)
        results = dict(zip(names, run.run(None, feed), strict=True))
        logits.append(results["logits"][0])
        kv = {name: results[name.replace("past_key_values", "present")] for name in kv}
        first += count
    return np.concatenate(logits)
