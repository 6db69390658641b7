"""`edge conform URL`: which fields of OpenAI's API a server honours, refuses, or silently ignores."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter

import click

from edge.cli.options import debug_option, json_option, option
from edge.cli.terminal import harmless

_WIDTH = 120  # characters of what was seen; --json has all


@click.command("conform")
@click.argument("url")
@option("--model", default=None, help="The model that is asked. [default: the first that the server lists]")
@option("--api-key", default=None, help="Key to send; better in the environment.")
@json_option
@debug_option
def command(url: str, model: str | None, api_key: str | None, as_json: bool) -> int:
    """Ask the server at URL, any that speaks OpenAI's API, about each field of a request.

    A field is honoured when its effect is seen (or, where it has none that can be seen, when nonsense in it is
    refused), refused when the server answers 4xx, and ignored when it is taken without effect. Exit code 1 when a field
    is silently ignored or makes the server fail. It sends about a hundred short requests.
    """
    from edge.conform import Finding, Server, conform

    server = Server(url, api_key=api_key)
    findings: list[Finding] = []
    endpoint = ""
    for finding in conform(server, model):
        findings.append(finding)
        if as_json:
            continue
        if finding.endpoint != endpoint:
            endpoint = finding.endpoint
            click.echo(f"\n{endpoint}" if len(findings) > 1 else endpoint)
        click.echo(f"  {finding.field:<32}{finding.verdict:<10}{_short(harmless(finding.seen))}")
    counts = Counter(finding.verdict for finding in findings)
    if as_json:
        report = {"url": server.url, "counts": counts, "findings": [dataclasses.asdict(item) for item in findings]}
        click.echo(json.dumps(report, ensure_ascii=False))
    else:
        words = [f"{counts[verdict]} {verdict}" for verdict in ("honoured", "refused", "ignored", "failed")]
        click.echo(f"\n{', '.join(words)}")
    return 1 if counts["ignored"] or counts["failed"] else 0


def _short(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
