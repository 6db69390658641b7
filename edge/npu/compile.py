"""Compiles the graphs of a folder for a device, ahead of time: EPContext graphs whose bytes the device's driver loads.

All graphs of a folder are compiled as one set, so that where the provider can (QNN) their weights are there once.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, get_args

from edge.backends.onnx.providers import CPU, QNN, Provider, runtime
from edge.backends.onnx.session import Placement, open_session
from edge.errors import RequestError
from edge.formats.atomic import scratch_folder
from edge.npu.folder import open_npu_folder
from edge.npu.manifest import Phase, graph_name
from edge.npu.target import refuse_unfinished

__all__ = ["Compiled", "compile_folder"]

_SHARES = (QNN,)


class Compiled(NamedTuple):
    """files: name -> bytes. placements: by graph; no node is on ONNX Runtime's CPU provider."""

    folder: Path
    files: Mapping[str, int]
    placements: Mapping[str, Placement]

    @property
    def num_bytes(self) -> int:
        return sum(self.files.values())


def compile_folder(folder: Path, provider: Provider, *, name: str, share: bool = True) -> Compiled:
    """Writes folder/name, whole or not at all. share: one file of weights for all graphs, where the provider can.

    Every file of the folder is checked first. Raises RequestError when it is there, for weights that the provider is
    known not to finish and without its package; UnsupportedModel when it does not take every node; ModelFileError.
    """
    ort = runtime()
    target = folder / name
    if target.exists():
        raise RequestError(f"{target} is there already; remove it or give another name")
    if provider.name == CPU:
        raise RequestError("nothing is compiled for ONNX Runtime's own CPU provider")
    checked = open_npu_folder(folder)
    refuse_unfinished(provider, checked.manifest.weights)
    count = checked.manifest.num_graphs
    names = [graph_name(phase, i, count) for phase in get_args(Phase) for i in range(count)]
    found: dict[str, Placement] = {}
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
            session, found[graph] = open_session(ort, folder / graph, provider, 1, strict=True, config=config)
            sessions.append(session)
        del sessions
        os.replace(made, target)
    files = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    return Compiled(target, files, found)
