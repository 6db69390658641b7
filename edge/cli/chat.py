"""`edge chat [MODEL]`: a conversation, line by line; with --session one that lasts."""

from __future__ import annotations

from typing import Any

import click

from edge.cli.options import debug_option, model_options, option, sampling_options, session_options
from edge.cli.session import check_session_options
from edge.cli.tools_file import read_tools
from edge.references import resolve


@click.command("chat")
@click.argument("model", required=False)
@sampling_options
@option("--system", default=None, help="Instructions put before the conversation.")
@option("--tools", default=None, metavar="FILE", help="Tools the model may call: JSON, as OpenAI's API takes them.")
@session_options
@model_options
@debug_option
def command(
    model: str | None,
    system: str | None,
    tools: str | None,
    session: str | None,
    recompute: bool,
    loading: dict[str, Any],
    **sampling: Any,
) -> int:
    """Talk with MODEL (default: the bundled one), line by line. Ctrl-C ends an answer, Ctrl-D leaves.

    With --session NAME the conversation is saved when it is left, with what the model computed for it, and goes on
    from there the next time. `edge sessions` lists what is saved.
    """
    check_session_options(session, recompute)
    path = None if model is None else str(resolve(model))
    tool_list = None if tools is None else read_tools(tools)

    from edge.engine import SamplingParams

    SamplingParams(**sampling)

    from edge.cli.answer import Answerer, load_with_progress
    from edge.cli.chat_loop import chat_loop
    from edge.cli.session import opened_session

    with (
        load_with_progress(path, **loading) as loaded,
        opened_session(loaded, session, recompute) as conversation,
    ):
        return chat_loop(
            Answerer(loaded, raw=False, system=system, tools=tool_list, options=sampling, session=conversation)
        )
