"""Sends each field, looks whether it had its effect, and says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edge.conform.probe import Context, Probe, Verdict
from edge.conform.probes import endpoints
from edge.conform.server import Answer, Server
from edge.errors import EdgeError

__all__ = ["Finding", "conform"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a server does with one field. seen: what was observed."""

    endpoint: str
    field: str
    verdict: Verdict
    seen: str


def conform(server: Server, model: str | None = None) -> Iterator[Finding]:
    """One finding for each field, as soon as it is known. model: asked for; None: the first that the server lists.

    EdgeError: the server cannot be reached, or answers not even a plain request.
    """
    name = model if model is not None else _first_model(server)
    for endpoint in endpoints():
        plain = server.post(endpoint.path, endpoint.body(name))
        if not plain.ok:
            if endpoint.needed:
                raise EdgeError(f"{server.url}{endpoint.path} refuses a plain request: {plain.error}")
            refused: Verdict = "failed" if _fails(plain) else "refused"
            yield Finding(endpoint.path, "(the endpoint)", refused, f"{plain.status}: {plain.error}")
            continue
        yield Finding(endpoint.path, "(the endpoint)", "honoured", "answers a plain request")
        context = Context(server, endpoint.path, endpoint.body(name), plain)
        for probe in endpoint.probes:
            verdict, seen = _judge(probe, context, context.ask(probe.fields(context)))
            yield Finding(endpoint.path, probe.field, verdict, seen)


def _judge(probe: Probe, context: Context, answer: Answer) -> tuple[Verdict, str]:
    refused = _refusal(answer, probe.key)
    if refused is not None:
        return ("honoured", refused[1]) if probe.wants_refusal and refused[0] == "refused" else refused
    if probe.wants_refusal:
        return "ignored", "taken as if it were not there"
    effect = probe.effect(context, answer) if probe.effect is not None else None
    if effect is not None:
        return ("honoured" if effect.shown else "ignored"), effect.seen
    # Its effect cannot be seen from here: a server that reads it refuses what it cannot be.
    nonsense = context.ask({probe.key: probe.nonsense})
    refused = _refusal(nonsense, probe.key)
    if refused is None:
        return "ignored", "nonsense in it is taken, too"
    if refused[0] == "failed" and probe.key not in nonsense.text:
        return refused
    how = f"with status {nonsense.status}" if refused[0] == "failed" else "as it should be"
    return "honoured", f"read: nonsense in it is refused {how}; its effect cannot be seen from outside"


def _refusal(answer: Answer, field: str) -> tuple[Literal["refused", "failed"], str] | None:
    if answer.ok:
        return None
    if _fails(answer):
        return "failed", f"{answer.status}: {answer.error}"
    blames = field in f"{answer.at('error', 'param')} {answer.text}"
    return (
        "refused",
        f"{answer.status}: {answer.error}" if blames else f"{answer.status} without its name: {answer.error}",
    )


def _fails(answer: Answer) -> bool:
    """Clients ask again after a 5xx; 501 says that it is no use."""
    return answer.status >= 500 and answer.status != 501


def _first_model(server: Server) -> str:
    listed = server.get("/v1/models")
    name = listed.at("data", 0, "id")
    if not isinstance(name, str):
        raise EdgeError(f"{server.url}/v1/models lists no model ({listed.status}); name one with --model")
    return name
