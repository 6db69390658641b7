"""ONNX Runtime's execution providers: which a device has, and sessions that run on them or say why not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from edge.errors import EdgeError, RequestError
from edge.npu.packages import require

__all__ = [
    "PROVIDERS", "Assignment", "Provider", "ProviderError", "ProviderName", "assignment", "open_session",
    "require_device",
]  # fmt: skip

ProviderName: TypeAlias = Literal["qnn", "openvino", "cpu"]
PROVIDERS: tuple[str, ...] = get_args(ProviderName)
Assignment: TypeAlias = Mapping[str, Mapping[str, int]]  # provider -> operator -> nodes

_MODULES = {"qnn": "onnxruntime_qnn", "openvino": "onnxruntime_ep_openvino"}
_EP_NAMES = {"qnn": "QNNExecutionProvider", "openvino": "OpenVINOExecutionProvider", "cpu": "CPUExecutionProvider"}
_OPENVINO_DEVICE = "device"  # of `options`: which of OpenVINO's devices; not an option of the provider itself
_QUIET = 3


class ProviderError(EdgeError):
    """A provider has no device here, refuses the graph, or leaves a part of it to another."""


@dataclass(frozen=True, slots=True)
class Provider:
    """options: of the provider, by ONNX Runtime's names; for openvino also device: NPU, CPU or GPU."""

    name: ProviderName
    options: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if self.name not in PROVIDERS:
            raise RequestError(f"provider is {self.name!r}; it must be one of {', '.join(PROVIDERS)}")

    @property
    def ep_name(self) -> str:
        return _EP_NAMES[self.name]


def open_session(
    path: Path, provider: Provider, *, strict: bool = True, threads: int = 1, config: Mapping[str, str] | None = None
) -> Any:
    """An InferenceSession. strict: ProviderError instead of a node that runs on ONNX Runtime's own CPU provider.

    config: further entries of the session. MissingPackage: a package is not installed. ProviderError: no such device,
    or the graph is refused.
    """
    ort = require("onnxruntime")
    options = ort.SessionOptions()
    options.log_severity_level = _QUIET
    options.intra_op_num_threads = threads
    for key, value in (config or {}).items():
        options.add_session_config_entry(key, value)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    providers = None
    if provider.name == "cpu":
        # As the graph is written: the optimiser would multiply with eight-bit activations in places.
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        providers = [provider.ep_name]
    else:
        devices = _devices(ort, provider)
        options.add_provider_for_devices(devices, {k: v for k, v in provider.options.items() if k != _OPENVINO_DEVICE})
        if strict:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        return ort.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime has a class for each status
        raise ProviderError(_reason(path, provider, str(error))) from None


def require_device(provider: Provider) -> None:
    """MissingPackage or ProviderError when nothing can be compiled for the provider on this machine."""
    ort = require("onnxruntime")
    if provider.name != "cpu":
        _devices(ort, provider)


def assignment(session: Any) -> Assignment:
    """Where the nodes of a session run, fused ones as their provider took them."""
    found: dict[str, Counter[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        found.setdefault(part.ep_name, Counter()).update(node.op_type for node in part.get_nodes())
    return found


def _devices(ort: Any, provider: Provider) -> list[Any]:
    module = require(_MODULES[provider.name])
    wanted = provider.options.get(_OPENVINO_DEVICE, "NPU") if provider.name == "openvino" else None

    def found() -> list[Any]:
        return [
            device
            for device in ort.get_ep_devices()
            if device.ep_name == provider.ep_name and (wanted is None or device.ep_metadata.get("ov_device") == wanted)
        ]

    if not any(device.ep_name == provider.ep_name for device in ort.get_ep_devices()):
        try:
            ort.register_execution_provider_library(provider.ep_name, str(Path(module.get_library_path()).resolve()))
        except Exception as error:
            if "already" not in str(error):
                raise ProviderError(f"{provider.ep_name} does not load: {error}") from None
    devices = found()
    if not devices:
        what = "device" if wanted is None else f"{wanted} that OpenVINO's plugin would use"
        raise ProviderError(f"{provider.ep_name} finds no {what} on this machine")
    return devices[:1]


def _reason(path: Path, provider: Provider, message: str) -> str:
    if "fallback to CPU EP has been explicitly disabled" in message:
        return (
            f"{path}: {provider.ep_name} does not take all of the graph, and the rest is not given to the CPU in "
            "silence; open it without strict to see which nodes"
        )
    return f"{path}: {provider.ep_name} refuses the graph: {message[:500]}"
