"""Execution providers of ONNX Runtime: which there are, and which one computes. Nothing is chosen in silence."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any, NamedTuple

from edge.errors import RequestError

__all__ = ["CPU", "Device", "Provider", "devices", "parse_provider", "provider_of", "register_plugins", "runtime"]

CPU = "CPUExecutionProvider"
_SUFFIX = "ExecutionProvider"
# Providers that come as packages of their own: the name under which each is registered (QNN's must be this one, and
# under its provider's name OpenVINO lists no device), and the module.
_PLUGINS = {"QNNExecutionProvider": "onnxruntime_qnn", "openvino": "onnxruntime_ep_openvino"}


class Device(NamedTuple):
    """One device of one provider, as ONNX Runtime lists it."""

    provider: str
    kind: str  # CPU, GPU or NPU
    vendor: str
    metadata: Mapping[str, str]
    handle: Any

    def as_json(self) -> dict[str, Any]:
        return {"provider": self.provider, "kind": self.kind, "vendor": self.vendor, "metadata": dict(self.metadata)}


class Provider(NamedTuple):
    """name: ONNX Runtime's. options: of the provider; "device_type" chooses among its devices."""

    name: str
    options: Mapping[str, str]

    @property
    def short(self) -> str:
        """ "cpu", "qnn", "openvino"."""
        return self.name.removesuffix(_SUFFIX).lower()


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
    problems: list[str] = []
    for name, module in _PLUGINS.items():
        if importlib.util.find_spec(module) is None:
            continue
        path = str(importlib.import_module(module).get_library_path())
        try:
            ort.register_execution_provider_library(name, path)
        except Exception as error:
            if "already registered" not in str(error):
                problems.append(f"{module} is installed, and ONNX Runtime cannot register it: {error}")
    return problems


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
