"""Options that commands share. Each has an environment twin: --max-tokens is EDGE_MAX_TOKENS."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from edge.cli.adapters import read_adapters
from edge.cli.app import Settings

F = TypeVar("F", bound=Callable[..., Any])


class Text(click.types.StringParamType):
    """A text that the environment gives whole; click would split it at spaces for an option that may be repeated."""

    envvar_list_splitter = "\0"


def option(name: str, *declarations: str, **attributes: Any) -> Callable[[F], F]:
    """A click option with its EDGE_* twin: --help says once how those are named."""
    envvar = "EDGE_" + name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *declarations, envvar=envvar, **attributes)


def complete_model(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    """Names of models that begin so; and files, which the shell completes itself."""
    from edge.references import known_models

    names = [CompletionItem(name) for name in known_models() if name.casefold().startswith(incomplete.casefold())]
    return [*names, CompletionItem(incomplete, type="file")]


def model_argument(name: str = "model", **attributes: Any) -> Callable[[F], F]:
    """A model that may be left out, completed by the shell."""
    return click.argument(name, required=False, shell_complete=complete_model, **attributes)


def debug_option(function: F) -> F:
    """--debug, also accepted behind the command's name."""

    def remember(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.ensure_object(Settings).debug |= value

    return click.option(
        "--debug", is_flag=True, expose_value=False, is_eager=True, callback=remember,
        help="Show the traceback of an error.",
    )(function)  # fmt: skip


def json_option(function: F) -> F:
    return option("--json", "as_json", is_flag=True, help="Print one JSON object.")(function)


def numbers_option(name: str, **attributes: Any) -> Callable[[F], F]:
    """An option of whole numbers between commas that may be repeated; it gives all of them in one tuple."""

    def numbers(context: click.Context, parameter: click.Parameter, lists: tuple[str, ...]) -> tuple[int, ...]:
        text = ",".join(lists)
        try:
            return tuple(int(part) for part in text.split(",")) if lists else ()
        except ValueError:
            message = f"{text!r} is not a whole number, or several with commas between them"
            raise click.BadParameter(message, context, parameter) from None

    return option(name, multiple=True, callback=numbers, metavar="N,...", **attributes)


def memory_option(function: F) -> F:
    return option(
        "--memory", default=None, help="What the whole process may take, as 1.5GiB. [default: what is there]"
    )(function)


def backend_option(function: F) -> F:
    return option(
        "--backend",
        default=None,
        help="What computes: native, llama (llama.cpp), onnx (ONNX Runtime), or auto. [default: native, or onnx for a "
        "folder]",
    )(function)


def provider_options(function: F) -> F:
    """Which of ONNX Runtime's providers computes an ONNX model."""
    for decorate in (
        option("--strict", is_flag=True, help="ONNX: refuse a model of which a part would run on the CPU instead."),
        option("--provider", default=None, metavar="NAME[:KEY=VALUE,...]",
               help="ONNX: cpu, or another that edge doctor lists. [default: cpu, or what an NPU folder is for]"),
    ):  # fmt: skip
        function = decorate(function)
    return function


def prefill_option(function: F) -> F:
    return option(
        "--prefill-backend",
        default=None,
        metavar="NAME",
        help="What reads long prompts for the native engine: native, onnx (the folder MODEL-onnx), npu (MODEL-DEVICE), "
        "onnx:FOLDER or npu:FOLDER. [default: as the profile says]",
    )(function)


def weight_options(function: F) -> F:
    """How weights are held and computed with."""
    for decorate in (
        option(
            "--residency", default=None, help="mapped or owned weights of a packed file. [default: see edge doctor]"
        ),
        option("--no-cache", is_flag=True, help="Pack the weights in memory: read and write no packed file."),
        option("--isa", default=None, help="Force an instruction-set level (see edge doctor)."),
    ):
        function = decorate(function)
    return function


def adapter_option(function: F) -> F:
    return option(
        "--adapter",
        "adapter",
        multiple=True,
        type=Text(),
        metavar="[NAME=]FILE",
        help="A LoRA adapter of the model, as GGUF; edge serve takes several.",
    )(function)


_LOADING = (
    "backend",
    "context",
    "threads",
    "isa",
    "kv_type",
    "memory",
    "no_cache",
    "residency",
    "verify",
    "provider",
    "strict",
    "prefill_backend",
)


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a model is loaded: `loading` of the command, keywords of edge.load."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        loading = {name: values.pop(name) for name in _LOADING}
        loading["adapters"] = read_adapters(values.pop("adapter"))
        return command(loading=loading, **values)

    function: Callable[..., Any] = gathered
    for decorate in (
        option("--verify", is_flag=True, help="Check every byte of the packed file before it is used."),
        weight_options,
        adapter_option,
        memory_option,
        option(
            "--kv-type",
            default=None,
            help="K and V: f16, q8 (half), q4 (a quarter) or f32. [default: f16]",
        ),
        option("--context", type=int, default=None, help="Tokens of prompt and answer. [default: at most 4096]"),
        option("--threads", type=int, default=None, help="Threads. [default: see edge doctor]"),
        prefill_option,
        provider_options,
        backend_option,
    ):
        function = decorate(function)
    return function


def session_options(function: F) -> F:
    """A conversation that lasts."""
    for decorate in (
        option("--recompute", is_flag=True, help="Take the messages of a session that is another model's or damaged."),
        option("--session", default=None, metavar="NAME", help="Go on with the saved conversation NAME, or begin it."),
    ):
        function = decorate(function)
    return function


def form_options(function: F) -> F:
    """A form that the answer is held to."""
    for decorate in (
        option("--grammar", default=None, metavar="FILE", help="Hold the answer to a Lark or GBNF grammar."),
        option("--regex", default=None, help="Hold the whole answer to a regular expression."),
        option("--schema", default=None, metavar="FILE", help="Hold the answer to a JSON schema; - reads stdin."),
    ):
        function = decorate(function)
    return function


_TEMPLATING = ("thinking", "thinking_budget", "tool_choice")


def template_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a conversation becomes a prompt: `templating` of the command, keywords of Model.stream_chat."""

    @wraps(command)
    def gathered(**values: Any) -> Any:
        templating = {name: values.pop(name) for name in _TEMPLATING}
        return command(templating=templating, **values)

    function: Callable[..., Any] = gathered
    for decorate in (
        option("--tool-choice", default=None, help="auto, none, required, or the tool that must be called."),
        option("--thinking-budget", type=int, default=None, help="Tokens of thinking, which is then ended."),
        click.option(
            "--think/--no-think",
            "thinking",
            default=None,
            envvar="EDGE_THINK",
            help="Switch a thinking model's thinking on or off. [default: as its template does]",
        ),
    ):
        function = decorate(function)
    return function


def sampling_options(function: F) -> F:
    """How an answer is chosen; ranges are checked by SamplingParams, for everyone alike."""
    for decorate in (
        option("--stop", multiple=True, type=Text(), help="Text that ends the answer; may be repeated."),
        option("--presence-penalty", type=float, default=0.0, help="Subtracted from tokens seen before. 0: off."),
        option("--repetition-penalty", type=float, default=1.0, help="Divides tokens seen before. 1: off."),
        option("--seed", type=int, default=None, help="Same seed, same answer. [default: a fresh one]"),
        option("--min-p", type=float, default=0.0, help="Least probability, relative to the best token. 0: off."),
        option("--top-p", type=float, default=1.0, help="Most probable tokens up to this mass. 1: off."),
        option("--top-k", type=int, default=0, help="Most probable tokens up to this many. 0: off."),
        option("--temperature", type=float, default=0.0, help="Randomness. 0: greedy, always the same answer."),
        option("--max-tokens", type=int, default=None, help="Longest answer. [default: until the context is full]"),
    ):
        function = decorate(function)
    return function
