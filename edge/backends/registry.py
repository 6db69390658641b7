"""The backends that there are, which of them can run here, and which one a model file is for."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from edge.backends.protocol import BackendName, Capabilities
from edge.errors import RequestError

__all__ = ["BACKENDS", "BackendInfo", "backend_for"]


@dataclass(frozen=True, slots=True)
class BackendInfo:
    """module: has CAPABILITIES and does not import `package`, which the backend needs. extra: of edge-rt, that installs
    it. reads: what kind of model. None: nothing is needed."""

    name: BackendName
    module: str
    reads: str
    package: str | None = None
    extra: str | None = None

    @property
    def missing(self) -> str | None:
        """What has to be installed first, as a sentence; None when nothing has."""
        if self.package is None or importlib.util.find_spec(self.package) is not None:
            return None
        return f"the {self.name} backend needs {self.package}: pip install 'edge-rt[{self.extra}]'"

    @property
    def capabilities(self) -> Capabilities:
        found: Capabilities = importlib.import_module(self.module).CAPABILITIES
        return found

    def require(self) -> None:
        """RequestError when it cannot run here."""
        if self.missing is not None:
            raise RequestError(self.missing)


BACKENDS: dict[str, BackendInfo] = {
    info.name: info
    for info in (
        BackendInfo("native", "edge.backends.native", "GGUF"),
        BackendInfo("llama", "edge.backends.llama", "GGUF", "llama_cpp", "llama"),
        BackendInfo("onnx", "edge.backends.onnx", "ONNX", "onnxruntime", "onnx"),
    )
}


def backend_for(name: str | None, path: Path) -> BackendInfo:
    """The one of this name; None: the one for this kind of file. RequestError: no such backend, it reads other files,
    or what it needs is not installed."""
    kind = "ONNX" if path.is_dir() or path.suffix.lower() == ".onnx" else "GGUF"
    if name is None:
        name = next((info.name for info in BACKENDS.values() if info.reads == kind), "native")
    info = BACKENDS.get(name)
    if info is None:
        raise RequestError(f"backend is {name!r}; there are {', '.join(get_args(BackendName))} and auto")
    if info.reads != kind:
        raise RequestError(f"the {name} backend runs {info.reads} models, and {path} is an {kind} one")
    info.require()
    return info
