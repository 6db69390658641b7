"""`edge assistant`: an assistant that acts on this device, as a web page on loopback or on the terminal."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from edge.cli.options import debug_option, model_options, option
from edge.errors import EdgeError
from edge.references import resolve

_READY = """\
{address}

Open it in a browser on this machine: what stands behind # is this start's key. Ctrl-C ends the assistant.
{name} · {backend} · files in {workspace}"""


@click.command("assistant")
@option("--model", default=None, help="A model file, folder or name. [default: the bundled one]")
@option("--terminal", is_flag=True, help="On this terminal instead of a web page.")
@option("--port", type=int, default=8765, show_default=True, help="Port on loopback; 0 takes a free one.")
@option("--data", default=None, metavar="DIR", help="Where timers, notes and history lie. [default: user data folder]")
@option("--workspace", default=None, metavar="DIR", help="The folder whose files it may touch. [default: in --data]")
@option("--allow", multiple=True, metavar="TOOL", help="A tool that runs without being asked; may be repeated.")
@option("--mcp", default=None, metavar="FILE", help="MCP servers: JSON as other programs have it, under mcpServers.")
@option("--retrieval", default="auto", show_default=True, help="Shorten the tool list: auto, on or off.")
@option("--embeddings", default=None, metavar="MODEL", help="An encoder that ranks tools. [default: by their words]")
@option("--shown-tools", type=int, default=12, show_default=True, help="Tools in a shortened list.")
@option("--sequences", type=int, default=4, show_default=True, help="Answers that share the engine's steps.")
@model_options
@debug_option
def command(
    model: str | None,
    terminal: bool,
    port: int,
    data: str | None,
    workspace: str | None,
    allow: tuple[str, ...],
    mcp: str | None,
    retrieval: Any,
    embeddings: str | None,
    shown_tools: int,
    sequences: int,
    loading: dict[str, Any],
) -> int:
    """Timers, notes, lists, files, sums, this computer and a simulated home, by asking. Nothing leaves the machine.

    Every action that changes something is shown with its arguments and asked about, until "always" is said for that
    tool. In a pipe with --terminal every line is a request.
    """
    path = None if model is None else str(resolve(model))
    from edge.assistant.settings import AssistantSettings, data_folder

    folder = Path(data) if data else data_folder(os.environ)
    settings = AssistantSettings(folder, Path(workspace) if workspace else None, allow, retrieval, shown_tools)
    from edge.assistant.assistant import Assistant
    from edge.assistant.terminal import Terminal
    from edge.cli.answer import load_with_progress
    from edge.memory import parse_bytes

    budget = None if loading["memory"] is None else parse_bytes(loading["memory"])
    with ExitStack() as stack:
        listener = None if terminal else stack.enter_context(_listening(port))
        tools = _mcp_tools(stack, mcp)
        ranker = _ranker(stack, embeddings)
        loaded = stack.enter_context(load_with_progress(path, sequences=sequences, **loading))
        if terminal:
            asked: list[Terminal] = []
            assistant = stack.enter_context(
                Assistant(
                    loaded,
                    settings,
                    tools=tools,
                    ranker=ranker,
                    budget=budget,
                    consent=lambda call: asked[0].consent(call),
                )
            )
            asked.append(Terminal(assistant))
            return asked[0].run()
        assistant = stack.enter_context(Assistant(loaded, settings, tools=tools, ranker=ranker, budget=budget))
        threading.Thread(target=_warm_up, args=(assistant,), daemon=True).start()
        for notice in assistant.notices:
            print(f"edge: {notice}", file=sys.stderr)
        from edge.assistant.web.server import run_page

        def on_ready(address: str) -> None:
            text = _READY.format(address=address, name=Path(loaded.path).stem, backend=loaded.backend,
                                 workspace=settings.workspace or folder / "files")  # fmt: skip
            click.echo(text)
            sys.stdout.flush()

        assert listener is not None
        return run_page(assistant, listener, on_ready)


def _warm_up(assistant: Any) -> None:
    """Beside the server's start; a request that comes first does the same work itself."""
    try:
        note = assistant.warm_up()
    except EdgeError as error:
        note = str(error)
    if note is not None:
        print(f"edge: {note}", file=sys.stderr)


def _listening(port: int) -> Any:
    try:
        from edge.assistant.web.server import listening
    except ModuleNotFoundError as error:
        raise EdgeError(f"{error.name} is missing: pip install 'edge-rt[assistant]', or use --terminal") from None
    return listening(port)


def _mcp_tools(stack: ExitStack, file: str | None) -> list[Any]:
    if file is None:
        return []
    from edge.assistant.mcp import Servers

    return stack.enter_context(Servers(Path(file))).tools


def _ranker(stack: ExitStack, name: str | None) -> Any:
    """None: the tools' words are compared."""
    if name is None:
        return None
    import edge
    from edge.assistant.retrieval import Embedded

    return Embedded(stack.enter_context(edge.load(str(resolve(name)))))
