"""`edge chat [MODEL]`: a conversation, line by line; with --session one that lasts."""

from __future__ import annotations

from typing import Any

import click

from edge.cli.adapters import only_adapter
from edge.cli.options import (
    debug_option,
    model_argument,
    model_options,
    option,
    sampling_options,
    session_options,
    template_options,
)
from edge.cli.session import check_session_options
from edge.cli.tools_file import read_tools
from edge.references import resolve


@click.command("chat")
@model_argument()
@sampling_options
@option("--system", default=None, help="Instructions put before the conversation.")
@option("--tools", default=None, metavar="FILE", help="Tools the model may call: JSON, as OpenAI's API takes them.")
@template_options
@session_options
@option("--plain", is_flag=True, help="Show answers as they are, without rendering their Markdown.")
@model_options
@debug_option
def command(
    model: str | None,
    system: str | None,
    tools: str | None,
    session: str | None,
    recompute: bool,
    plain: bool,
    loading: dict[str, Any],
    templating: dict[str, Any],
    **sampling: Any,
) -> int:
    """Talk with MODEL (default: the bundled one). Ctrl-C ends an answer, Ctrl-D leaves.

    A message is a line; several lines with a backslash at the end of each but the last, or between two \"\"\".
    /help lists commands: /save, /load, /fork, /undo, /system, /tools, /stats and more. In a pipe every line is a
    message, and commands work as well.

    With --session NAME the conversation is saved when it is left, with what the model computed for it, and goes on
    from there the next time. `edge sessions` lists what is saved. On a terminal Markdown is rendered where the package
    rich is installed (extra `chat`); NO_COLOR and TERM=dumb are respected. Lines typed are kept in
    ~/.local/share/edge/chat_history (EDGE_CHAT_HISTORY names another file, or "off").
    """
    check_session_options(session, recompute)
    adapter = only_adapter(loading["adapters"])
    path = None if model is None else str(resolve(model))
    tool_list = None if tools is None else read_tools(tools)

    from edge.engine import SamplingParams

    SamplingParams(**sampling)

    from edge.cli.answer import Answerer, load_with_progress
    from edge.cli.chat_loop import chat_loop
    from edge.cli.markdown import chat_screen
    from edge.cli.session import leaving_on_signals, opened_session

    with (
        load_with_progress(path, **loading) as loaded,
        leaving_on_signals(),
        opened_session(loaded, session, recompute, adapter) as conversation,
    ):
        answerer = Answerer(
            loaded,
            raw=False,
            system=system,
            tools=tool_list,
            options=sampling,
            templating=templating,
            session=conversation,
            adapter=adapter,
            screen=chat_screen(plain=plain),
        )
        return chat_loop(answerer)
