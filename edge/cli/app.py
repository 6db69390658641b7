"""The command group, and the one place where errors become a sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

import edge
from edge.cli.help_pages import GROUPS, ROOT_PAGE, page_of
from edge.cli.terminal import harmless
from edge.errors import EdgeError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

# name -> (module, line for --help). The line stands here so that --help imports no command.
COMMANDS = {
    "run": ("edge.cli.run", "Answer a prompt, or chat when there is none."),
    "chat": ("edge.cli.chat", "Talk with a model, and go on with an earlier conversation."),
    "serve": ("edge.cli.serve", "Answer over HTTP, as OpenAI's API does."),
    "assistant": ("edge.cli.assistant", "An assistant that acts on this device: timers, notes, files, a home."),
    "conform": ("edge.cli.conform", "Ask a server which fields of OpenAI's API it honours, refuses or ignores."),
    "embed": ("edge.cli.embed", "Turn texts into vectors, one line of JSON each."),
    "sessions": ("edge.cli.sessions", "List, show, check and remove saved conversations and prepared prompts."),
    "cache": ("edge.cli.cache", "Read a system prompt and tools ahead, for every later run that begins with them."),
    "plan": ("edge.cli.plan", "Say what a model will take here, before it is loaded, and whether it fits."),
    "pull": ("edge.cli.pull", "Download a model from a hub or a URL, once it is known whether it fits."),
    "ls": ("edge.cli.ls", "List the models that are here, those of other tools too."),
    "rm": ("edge.cli.rm", "Remove models that were pulled."),
    "show": ("edge.cli.show", "Describe a model file: architecture, sizes, types, tokenizer, licence."),
    "eval": ("edge.cli.eval", "Measure what a model lost: perplexity, divergence and agreement with another file."),
    "verify": ("edge.cli.verify", "Compare a model's answers on several backends, or with a trusted run."),
    "quantize": ("edge.cli.quantize", "Write a GGUF file again with fewer bits per weight."),
    "export": (
        "edge.cli.export",
        "Write a Hugging Face folder, an adapter or a GGUF file as GGUF, for ONNX Runtime, or for an NPU.",
    ),
    "imatrix": ("edge.cli.imatrix", "Read a calibration text with a model, and write what its matrices see of it."),
    "bench": ("edge.cli.bench", "Measure prefill and decode speed, beside the memory bandwidth of the same run."),
    "doctor": ("edge.cli.doctor", "Describe this machine and what edge would use of it."),
    "completion": ("edge.cli.completion", "Print the lines that let a shell complete commands, options and models."),
}


@dataclass(slots=True)
class Settings:
    """What holds for every command."""

    debug: bool = False


class LazyGroup(click.Group):
    """Imports a command's module when the command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        command.epilog = page_of(cmd_name)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Commands without importing them."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [CompletionItem(name, help=line) for name, (_, line) in COMMANDS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        others = tuple(set(COMMANDS) - {name for names in GROUPS.values() for name in names})
        for heading, names in (GROUPS | ({"More": others} if others else {})).items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(10), COMMANDS[name][1]) for name in names])


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=ROOT_PAGE,
)
@click.version_option(edge.__version__, prog_name="edge")
@click.option("--debug", is_flag=True, envvar="EDGE_DEBUG", help="Show the traceback of an error.")
@click.pass_context
def app(context: click.Context, debug: bool) -> None:
    """Run language models on this machine.

    Every option has an environment twin: --max-tokens is EDGE_MAX_TOKENS. `edge COMMAND --help` has examples.
    """
    context.ensure_object(Settings).debug |= debug


def run(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code."""
    settings = Settings()
    try:
        if os.environ.get("_EDGE_COMPLETE"):  # a shell asks what could come next
            from edge.cli.completion import complete

            click.echo(complete())
            return 0
        result = app.main(
            args=None if argv is None else list(argv), prog_name="edge", standalone_mode=False, obj=settings
        )
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except BrokenPipeError:
        # The reader went away (`edge run ... | head`). Python flushes stdout once more at exit: let that go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as error:
        if settings.debug:
            traceback.print_exc()
        message, code = _explain(error)
        if message:
            _complain(message)
        return code


def _explain(error: BaseException) -> tuple[str, int]:
    """One sentence (for an interruption only where something is left of it) and the exit code."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        interrupt = error.__cause__ or error  # click's own error comes from the real one
        return " ".join(getattr(interrupt, "__notes__", ())), 130
    if isinstance(error, click.UsageError):
        help_hint = f"; try `{error.ctx.command_path} --help`" if error.ctx is not None else ""
        return error.format_message().rstrip(".") + help_hint, error.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), error.exit_code
    if isinstance(error, EdgeError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        detail = f": {error}" if str(error) else ""
        return f"out of memory{detail}; try a smaller --context or a smaller model", 3
    return f"internal error, {type(error).__name__}: {error}; run again with --debug and report it", 1


def _complain(message: str) -> None:
    try:
        click.echo(f"edge: {harmless(' '.join(message.split()))}", err=True)
    except OSError:
        pass  # nobody reads stderr; the exit code still tells
