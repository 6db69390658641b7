"""Optional packages, imported when they are needed; what is missing is named with the command that installs it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edge.errors import EdgeError

__all__ = ["MissingPackage", "require"]

_EXTRAS = {"onnx": "npu"}


class MissingPackage(EdgeError):
    """An optional package is not installed, or does not load on this machine."""

    exit_code = 2


def require(module: str) -> Any:
    """The module. MissingPackage says what to install."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.replace("_", "-")
        raise MissingPackage(
            f"this needs {package}, which does not load ({error}): pip install 'edge-rt[{_EXTRAS[module]}]'"
        ) from None
