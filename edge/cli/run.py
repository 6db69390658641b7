"""`edge run [MODEL] [PROMPT]`: one answer, or a chat when there is no prompt and stdin is a terminal."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from typing import Any

import click

from edge.cli.adapters import only_adapter
from edge.cli.form import read_form
from edge.cli.options import (
    debug_option,
    form_options,
    json_option,
    model_argument,
    model_options,
    option,
    sampling_options,
    session_options,
    template_options,
)
from edge.cli.session import check_session_options
from edge.cli.tools_file import read_tools
from edge.errors import RequestError
from edge.references import looks_like_model, resolve


@click.command("run")
@model_argument("first", metavar="[MODEL]")
@click.argument("second", required=False, metavar="[PROMPT]")
@sampling_options
@form_options
@option("--system", default=None, help="Instructions put before the conversation.")
@option("--tools", default=None, metavar="FILE", help="Tools the model may call: JSON, as OpenAI's API takes them.")
@template_options
@session_options
@option("--raw", is_flag=True, help="Use the prompt as it is, names of special tokens included: no chat template.")
@model_options
@json_option
@debug_option
def command(
    first: str | None,
    second: str | None,
    system: str | None,
    tools: str | None,
    schema: str | None,
    regex: str | None,
    grammar: str | None,
    session: str | None,
    recompute: bool,
    raw: bool,
    as_json: bool,
    loading: dict[str, Any],
    templating: dict[str, Any],
    **sampling: Any,
) -> int:
    """Answer PROMPT with MODEL, or chat when there is no prompt and input comes from a terminal.

    MODEL is a GGUF file or a known name (assistant, the bundled model, is the default). A single argument is a model
    if it is an existing path, a known name, ends in .gguf or .onnx, begins like a path or looks like user/repo;
    otherwise it is the prompt. The prompt - reads standard input.

    --schema, --regex and --grammar allow only answers of that form; the model is not told of it, so say in the prompt
    what you want.

    The answer goes to stdout; what it took, measured, to stderr.
    """
    # Arguments are judged before the seconds that loading may take.
    model_name, prompt = split_arguments(first, second)
    if model_name is not None:
        model_name = str(resolve(model_name))
    for name, value in (("--system", system), ("--tools", tools), ("--session", session)):
        if raw and value is not None:
            raise RequestError(f"{name} needs a chat template, and --raw uses none; leave one of them out")
    check_session_options(session, recompute)
    adapter = only_adapter(loading["adapters"])
    tool_list = None if tools is None else read_tools(tools)
    if prompt == "-" == schema:
        raise RequestError("standard input can be the prompt or the schema; give one of them in another way")
    form = read_form(schema, regex, grammar)
    prompt = _read_stdin() if prompt == "-" else prompt
    if prompt is None and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("no prompt: give one, or - to read it from standard input")
    if prompt == "":
        raise RequestError("the prompt is empty")

    from edge.engine import SamplingParams

    SamplingParams(**sampling)

    from edge.cli.answer import Answerer, load_with_progress
    from edge.cli.markdown import chat_screen
    from edge.cli.screen import Screen
    from edge.cli.session import leaving_on_signals, opened_session

    with (
        load_with_progress(model_name, **loading) as model,
        nullcontext() if prompt is not None and session is None else leaving_on_signals(),
        opened_session(model, session, recompute, adapter) as conversation,
    ):
        answerer = Answerer(
            model,
            raw=raw,
            system=system,
            tools=tool_list,
            options=sampling | form,
            templating=templating,
            session=conversation,
            adapter=adapter,
            screen=chat_screen() if prompt is None else Screen(),
        )
        if prompt is None:
            from edge.cli.chat_loop import chat_loop

            return chat_loop(answerer)
        if as_json:
            completion, report = answerer.answer_json(prompt)
            click.echo(json.dumps(report, ensure_ascii=False))
        else:
            completion = answerer.answer([{"role": "user", "content": prompt}])
        return 130 if completion.finish_reason == "cancelled" else 0


def split_arguments(first: str | None, second: str | None) -> tuple[str | None, str | None]:
    """(model, prompt) of the command's arguments."""
    if first is None or second is not None:
        return first, second
    return (first, None) if looks_like_model(first) else (None, first)


def _read_stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(f"the prompt from standard input is not UTF-8 at byte {error.start}") from None
