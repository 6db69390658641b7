"""`edge bench --save`: the speed of another engine that reads prompts, into the profile of this machine."""

from __future__ import annotations

import dataclasses
import os

import click

from edge.bench.report import BenchReport
from edge.errors import RequestError
from edge.profiles import Machine, Profile, load_profile
from edge.profiles.records import Evidence, Prefill
from edge.tuning.find import save_profile
from edge.tuning.places import ProfilePlaces


def save_prefill(report: BenchReport, backend: str, provider: str | None) -> None:
    """provider: as it was asked for; None: what has computed, which an NPU folder chooses itself.

    RequestError: nothing to save, or no place for it; BadProfile for a profile that is broken.
    """
    handed = report.first("handed")
    pairs = [item for item in report.results if handed and item.phase == "prefill" and item.depth == 0]
    if handed is None or not pairs:
        raise RequestError("--save: no prompt was measured on both engines; leave --prompt and --depth as they are")
    own = min(pairs, key=lambda item: abs(item.tokens - handed.tokens))
    name = backend.partition(":")[0]  # a folder is of one model, the figure of the provider
    method = f"edge bench --prefill-backend {name}: medians of {report.rounds} rounds, K and V stored"
    figure = Prefill(
        backend=name,
        provider=provider or str(report.loads[0].prefill_backend).partition("/")[2],
        model=report.model.name,
        tokens=handed.tokens,
        tok_s=round(handed.tok_s, 2),
        native_tok_s=round(own.tok_s, 2),
        evidence=Evidence(measured=True, method=method),
    )
    machine = Machine.here()
    places = ProfilePlaces.of(machine, os.environ)
    target = places.named or places.saved
    if target is None:
        raise RequestError("--save: there is no folder for a profile; EDGE_PROFILE names a file")
    profile = load_profile(target) if target.exists() else Profile(device=machine.device, cores=machine.cores)
    same = (figure.backend, figure.provider, figure.model)
    others = tuple(item for item in profile.prefills if (item.backend, item.provider, item.model) != same)
    save_profile(dataclasses.replace(profile, prefills=(*others, figure)), target)
    click.echo(f"edge: {handed.tok_s / own.tok_s:.2f} times the engine's own speed, written to {target}", err=True)
