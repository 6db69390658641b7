"""What a folder was made for: an execution provider and its options, as the device's profile names them.

A folder comes from anywhere, so its options may choose among what a provider offers, and name no file: a library that
a provider would load, or a place where it would write, is given by the user's own flag or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from edge.backends.onnx.providers import OPENVINO, QNN, Provider
from edge.errors import RequestError

__all__ = ["TARGETS", "Target", "refuse_unfinished"]

_OPTIONS = {
    "qnn": (
        QNN,
        frozenset(
            "backend_type soc_model htp_arch device_id vtcm_mb htp_performance_mode offload_graph_io_quantization "
            "htp_graph_finalization_optimization_mode enable_htp_fp16_precision enable_htp_spill_fill_buffer "
            "enable_htp_shared_memory_allocator qnn_context_priority".split()
        ),
    ),
    "openvino": (OPENVINO, frozenset("device_type precision num_of_threads num_streams model_priority".split())),
}
TARGETS: tuple[str, ...] = tuple(_OPTIONS)
_VALUE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# What a provider's compiler was given hours for, or ten minutes, and did not finish.
_UNFINISHED = {(QNN, "int8x32"): "Qualcomm's compiler did not finish a small model of them in ten minutes"}

Options: TypeAlias = tuple[tuple[str, str], ...]


class Target(NamedTuple):
    """name: one of TARGETS. options: as key and value."""

    name: str
    options: Options = ()

    @classmethod
    def of(cls, name: str, options: Mapping[str, str]) -> Target:
        """RequestError: no such provider, or an option that a folder may not name."""
        target = cls(name, tuple(options.items()))
        problem = target.problem()
        if problem is not None:
            raise RequestError(problem)
        return target

    def problem(self) -> str | None:
        """Why it cannot be what a folder was made for."""
        if self.name not in _OPTIONS:
            return f"the provider is {self.name[:80]!r}; it must be one of {', '.join(TARGETS)}"
        for key, value in self.options:
            if key not in _OPTIONS[self.name][1]:
                return f"the option {key[:80]!r} of {self.name} is none that a folder may name; use --provider for it"
            if not _VALUE.fullmatch(value):
                return f"the option {key} of {self.name} is {value[:80]!r}; it must be a word or number"
        return None

    @property
    def provider(self) -> Provider:
        return Provider(_OPTIONS[self.name][0], dict(self.options))


def refuse_unfinished(provider: Provider, weights: str) -> None:
    """RequestError for weights that the provider's compiler is known not to come to an end with."""
    reason = _UNFINISHED.get((provider.name, weights))
    if reason is not None:
        raise RequestError(f"weights are {weights}, which {provider.short} is not given: {reason}. Use int4x32 or int8")
