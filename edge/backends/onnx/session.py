"""A session of ONNX Runtime for one model on one provider, and which operators ran where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.backends.onnx.providers import CPU, Provider, device_of
from edge.backends.onnx.quiet import prints_on_stderr
from edge.errors import NativeError, RequestError, UnsupportedModel

__all__ = ["Placement", "all_placed", "open_session", "reason_of"]

_FATAL_ONLY = 4  # severity of what the runtime itself may print; errors come as exceptions
_NOT_WHOLE = "fallback to CPU EP has been explicitly disabled"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model's operators were put, after the runtime fused some. nodes: provider -> operator -> how many."""

    provider: str
    nodes: Mapping[str, Mapping[str, int]]

    @property
    def num_nodes(self) -> int:
        return sum(sum(counts.values()) for counts in self.nodes.values())

    @property
    def elsewhere(self) -> Mapping[str, int]:
        """Operators that another provider than the chosen one computes."""
        counts: Counter[str] = Counter()
        for provider, operators in self.nodes.items():
            if provider != self.provider:
                counts.update(operators)
        return counts

    @property
    def fallback(self) -> str | None:
        """A sentence about what did not go where it was meant to; None when all did."""
        others = self.elsewhere
        if not others:
            return None
        counted = sorted(others.items(), key=lambda item: -item[1])
        kinds = ", ".join(f"{name} x {count}" for name, count in counted)
        moved = f"{sum(others.values())} of {self.num_nodes} operators"
        return f"{moved} run on the CPU, not on {self.provider}: {kinds}"

    def as_json(self) -> dict[str, Any]:
        return {"provider": self.provider, "nodes": {name: dict(found) for name, found in self.nodes.items()}}


def all_placed(parts: Sequence[Placement]) -> Placement:
    """Of a model that is several graphs, one and more, for one provider."""
    nodes: dict[str, Counter[str]] = {}
    for part in parts:
        for name, counts in part.nodes.items():
            nodes.setdefault(name, Counter()).update(counts)
    return Placement(parts[0].provider, nodes)


def open_session(
    ort: Any,
    path: Path,
    provider: Provider,
    num_threads: int,
    *,
    strict: bool,
    as_written: bool = False,
    config: Mapping[str, str] | None = None,
) -> tuple[Any, Placement]:
    """A session on `provider`. as_written: the CPU's own provider fuses nothing, for quantised graphs that it would
    otherwise compute in other numbers than they say. config: further entries of the session.

    UnsupportedModel: the runtime refuses the model; or, strict, not all runs there. RequestError: no such device.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = num_threads, 1
    options.log_severity_level = _FATAL_ONLY
    options.enable_mem_pattern = False  # made for shapes that stay the same
    options.enable_cpu_mem_arena = False  # 1 to 2 % slower (docs/onnx.md)
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    for key, value in (config or {}).items():
        options.add_session_config_entry(key, value)
    names = [CPU]
    if provider.name != CPU:
        options.add_provider_for_devices([device_of(ort, provider).handle], provider.own_options)
        names = []  # those of the options
        if strict:
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    elif provider.options:
        raise RequestError(f"provider cpu has no options, and {', '.join(provider.options)} was given")
    elif as_written:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        with nullcontext() if provider.name == CPU else prints_on_stderr():
            session = ort.InferenceSession(str(path), options, providers=names)
    except Exception as error:
        raise UnsupportedModel(path, _refusal(provider, reason_of(error))) from error
    placement = _placement(session, provider)
    if strict and placement.fallback is not None:
        raise UnsupportedModel(path, f"strict: {placement.fallback}")
    return session, placement


def _refusal(provider: Provider, reason: str) -> str:
    if _NOT_WHOLE in reason:
        return (
            f"strict: {provider.name} does not take all of the graph, and the rest is not given to the CPU in silence; "
            "open it without strict to see which operators"
        )
    return f"ONNX Runtime does not load it: {reason}"


def _placement(session: Any, provider: Provider) -> Placement:
    nodes: dict[str, Counter[str]] = {}
    try:
        assigned = session.get_provider_graph_assignment_info()
    except Exception as error:
        raise NativeError(f"ONNX Runtime does not say where operators run: {reason_of(error)}") from error
    for part in assigned:
        counts = nodes.setdefault(part.ep_name, Counter())
        counts.update(node.op_type for node in part.get_nodes())
    return Placement(provider.name, {name: dict(counts) for name, counts in nodes.items()})


def reason_of(error: Exception) -> str:
    """What the runtime said, in one line."""
    return " ".join(str(error).split())[:500]
