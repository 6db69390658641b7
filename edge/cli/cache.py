"""`edge cache [MODEL]`: a system prompt and tools, read ahead once for every later run that begins with them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from edge.cli.adapters import only_adapter
from edge.cli.options import debug_option, json_option, model_argument, model_options, option
from edge.cli.terminal import harmless
from edge.cli.text_file import read_text
from edge.cli.tools_file import read_tools
from edge.errors import RequestError
from edge.references import resolve


@click.command("cache")
@model_argument()
@option("--prompt-file", default=None, metavar="FILE", help="The system prompt, without line breaks at its end.")
@option("--system", default=None, help="The system prompt itself, instead of a file.")
@option("--tools", default=None, metavar="FILE", help="Tools the model may call, as for `edge run`.")
@option("--raw", is_flag=True, help="The text begins prompts of `edge run --raw`: no chat template.")
@model_options
@json_option
@debug_option
def command(
    model: str | None,
    prompt_file: str | None,
    system: str | None,
    tools: str | None,
    raw: bool,
    as_json: bool,
    loading: dict[str, Any],
) -> None:
    """Let MODEL (default: the bundled one) read a system prompt and tools, and keep what it computed on disk.

    Every later run of this model, with the same --kv-type and --adapter, whose prompt begins with them takes it from
    there: its measured line says how many tokens are prepared. `edge sessions` lists what is kept,
    `edge sessions rm @...` removes it.
    """
    if (prompt_file is None) == (system is None):
        raise click.UsageError("give the system prompt: --prompt-file FILE, or --system TEXT")
    adapter = only_adapter(loading["adapters"])
    path = None if model is None else str(resolve(model))
    text = system if prompt_file is None else _read_prompt(prompt_file)
    tool_list = None if tools is None else read_tools(tools)

    from edge.cli.answer import load_with_progress
    from edge.cli.report import size
    from edge.sessions.places import listed_name

    with load_with_progress(path, **loading) as loaded:
        prepared = loaded.prepare(text or "", tools=tool_list, raw=raw, adapter=adapter)
    name = listed_name(prepared.path)
    if as_json:
        click.echo(json.dumps({**asdict(prepared), "path": str(prepared.path), "name": name}))
    else:
        click.echo(
            f"prepared: {prepared.num_tokens} of {prepared.num_prompt_tokens} tokens, {size(prepared.num_bytes)}, "
            f"as {name} in {harmless(str(prepared.path))}"
        )


def _read_prompt(path: str) -> str:
    try:
        return read_text(path).rstrip("\r\n")  # as $(cat FILE) would give it to --system
    except RequestError as error:
        raise RequestError(f"--prompt-file {path}: {error}") from None
