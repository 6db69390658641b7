"""Compiles the graphs of a folder for a device, ahead of time: EPContext graphs whose bytes the device's driver loads.

All graphs of a folder are compiled as one set, so that where the provider can (QNN) their weights are there once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from edge.errors import RequestError
from edge.formats.atomic import scratch_folder
from edge.npu.manifest import Phase, graph_name, read_manifest
from edge.npu.packages import require
from edge.npu.providers import Assignment, Provider, assignment, open_session

__all__ = ["Compiled", "compile_folder"]

_SHARES = ("qnn",)


class Compiled(NamedTuple):
    """files: name -> bytes. assignment: by graph; no node of it is on ONNX Runtime's CPU provider."""

    folder: Path
    files: Mapping[str, int]
    assignment: Mapping[str, Assignment]

    @property
    def num_bytes(self) -> int:
        return sum(self.files.values())


def compile_folder(folder: Path, provider: Provider, *, name: str, share: bool = True) -> Compiled:
    """Writes folder/name, whole or not at all. share: one file of weights for all graphs, where the provider can.

    Raises RequestError when it is there, MissingPackage, ProviderError when the provider does not take every node.
    """
    require("onnxruntime")
    target = folder / name
    if target.exists():
        raise RequestError(f"{target} is there already; remove it or give another name")
    if provider.name == "cpu":
        raise RequestError("nothing is compiled for ONNX Runtime's own CPU provider")
    count = read_manifest(folder).num_graphs
    names = [graph_name(phase, i, count) for phase in get_args(Phase) for i in range(count)]
    found: dict[str, Assignment] = {}
    with scratch_folder(target) as scratch:
        made = scratch / "compiled"
        made.mkdir()
        sessions: list[object] = []  # kept until all are made: they share what is in memory
        for graph in names:
            config = {
                "ep.context_enable": "1",
                "ep.context_embed_mode": "0",
                "ep.context_file_path": str(made / graph),
            }
            if share and provider.name in _SHARES:
                config["ep.share_ep_contexts"] = "1"
                if graph == names[-1]:
                    config["ep.stop_share_ep_contexts"] = "1"
            session = open_session(folder / graph, provider, config=config)
            found[graph] = assignment(session)
            sessions.append(session)
        del sessions
        os.replace(made, target)
    files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Compiled(target, files, found)
