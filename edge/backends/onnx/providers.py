"""Execution providers of ONNX Runtime: which there are, and which one computes. Nothing is chosen in silence."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from edge.errors import RequestError

__all__ = [
    "CPU", "OPENVINO", "QNN", "Device", "Provider", "device_of", "devices", "parse_provider", "provider_of",
    "register_plugins", "runtime",
]  # fmt: skip

CPU, QNN, OPENVINO = "CPUExecutionProvider", "QNNExecutionProvider", "OpenVINOExecutionProvider"
_SUFFIX = "ExecutionProvider"
_NONE: Mapping[str, str] = MappingProxyType({})
_DEVICE_TYPE = "device_type"  # an option of edge's own: which of a provider's devices


class _Plugin(NamedTuple):
    """A provider that comes as a package of its own. register_as: QNN's must be its provider's name."""

    register_as: str
    module: str
    extra: str  # of edge-rt, that installs it


_PLUGINS = {
    QNN: _Plugin(QNN, "onnxruntime_qnn", "snapdragon"),
    OPENVINO: _Plugin("openvino", "onnxruntime_ep_openvino", "intel-npu"),
}


class Device(NamedTuple):
    """One device of one provider, as ONNX Runtime lists it."""

    provider: str
    kind: str  # CPU, GPU or NPU
    vendor: str
    metadata: Mapping[str, str]
    handle: Any

    def as_json(self) -> dict[str, Any]:
        return {"provider": self.provider, "kind": self.kind, "vendor": self.vendor, "metadata": dict(self.metadata)}

    @property
    def types(self) -> tuple[str, ...]:
        """What `device_type` may call it: OpenVINO computes on its NPU under the name of one."""
        return tuple(dict.fromkeys(filter(None, (self.metadata.get("ov_device", "").upper(), self.kind.upper()))))


class Provider(NamedTuple):
    """name: ONNX Runtime's. options: of the provider; "device_type" chooses among its devices."""

    name: str
    options: Mapping[str, str] = _NONE

    @property
    def short(self) -> str:
        """ "cpu", "qnn", "openvino"."""
        return self.name.removesuffix(_SUFFIX).lower()

    @property
    def own_options(self) -> dict[str, str]:
        """Those that the provider itself is given."""
        return {key: value for key, value in self.options.items() if key != _DEVICE_TYPE}


def runtime() -> Any:
    """The package onnxruntime. RequestError: not installed."""
    try:
        ort: Any = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise RequestError(f"the onnx backend needs onnxruntime ({error}): pip install 'edge-rt[onnx]'") from None
    return ort


def register_plugins(ort: Any) -> list[str]:
    """Registers the libraries of all providers that are installed as packages of their own; they may take hundreds of
    MiB. What is wrong with those that cannot be used, for the user."""
    installed = (plugin for plugin in _PLUGINS.values() if importlib.util.find_spec(plugin.module) is not None)
    return list(filter(None, (_register(ort, plugin) for plugin in installed)))


def device_of(ort: Any, provider: Provider) -> Device:
    """The device of a provider that computes, its library registered; the first where there are several.

    RequestError: what has to be installed, what is wrong with it, or that no such device is here.
    """
    plugin = _PLUGINS.get(provider.name)
    if plugin is not None:
        if importlib.util.find_spec(plugin.module) is None:
            package = plugin.module.replace("_", "-")
            raise RequestError(f"{provider.name} needs {package}: pip install 'edge-rt[{plugin.extra}]'")
        problem = _register(ort, plugin)
        if problem is not None:
            raise RequestError(problem)
    found = [device for device in devices(ort) if device.provider == provider.name]
    wanted = provider.options.get(_DEVICE_TYPE)
    if wanted is None:
        chosen = found
    else:
        chosen = [device for device in found if wanted.upper() in device.types]
    if not chosen:
        kinds = ", ".join(sorted({kind for device in found for kind in device.types}))
        what = "device" if wanted is None else f"device of the type {wanted!r}"
        raise RequestError(f"{provider.name} finds no {what} on this machine" + (f", only {kinds}" if kinds else ""))
    return chosen[0]


def provider_of(ort: Any, text: str | None) -> Provider:
    """The provider that a flag names; None: the CPU's own. RequestError: there is none of this name."""
    problems = [] if (text or "cpu").partition(":")[0].lower() in ("cpu", CPU.lower()) else register_plugins(ort)
    try:
        return parse_provider(text, devices(ort))
    except RequestError as error:
        raise RequestError("; ".join([str(error), *problems])) from None


def devices(ort: Any) -> list[Device]:
    """All devices of all providers."""
    return [
        Device(item.ep_name, item.device.type.name, item.ep_vendor, dict(item.ep_metadata), item)
        for item in ort.get_ep_devices()
    ]


def parse_provider(text: str | None, known: list[Device]) -> Provider:
    """ "cpu", "QNNExecutionProvider" or "openvino:device_type=GPU,num_streams=1" as a provider that is there.

    RequestError: there is none of this name, or an option is not key=value.
    """
    name, _, rest = ("cpu" if text is None else text).partition(":")
    options: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, equals, value = part.partition("=")
        if not (key and equals):
            raise RequestError(f"provider {text!r}: the option {part!r} is not key=value")
        options[key] = value
    names = list(dict.fromkeys(device.provider for device in known))
    found = next((full for full in names if name.lower() in (full.lower(), full.removesuffix(_SUFFIX).lower())), None)
    if found is None:
        there = ", ".join(full.removesuffix(_SUFFIX).lower() for full in names)
        raise RequestError(f"provider is {name!r}; here there are {there}")
    return Provider(found, options)


def _register(ort: Any, plugin: _Plugin) -> str | None:
    """Why the library of an installed package cannot be used; None when it can."""
    try:
        module: Any = importlib.import_module(plugin.module)
        ort.register_execution_provider_library(plugin.register_as, str(module.get_library_path()))
    except Exception as error:  # ONNX Runtime has a class for each status
        if "already registered" not in str(error):
            return f"{plugin.module} is installed, and ONNX Runtime cannot register it: {error}"
    return None
