"""`edge serve [MODEL]`: an OpenAI-compatible server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from edge.cli.adapters import adapter_words
from edge.cli.options import debug_option, model_argument, model_options, option
from edge.cli.text_file import read_text
from edge.errors import EdgeError, RequestError
from edge.references import DEFAULT_MODEL, resolve

_READY = """\
{name} at {base}/v1 · {backend} · context {context} tokens · {sequences} answers at once, {queue} may wait

curl {base}/v1/chat/completions -H 'Content-Type: application/json'{header} \\
  -d '{{"messages": [{{"role": "user", "content": "Set a timer for five minutes"}}]}}'

from openai import OpenAI
client = OpenAI(base_url="{base}/v1", api_key={key})
print(client.chat.completions.create(model="{name}", messages=[{{"role": "user", "content": "hi"}}]))

Ctrl-C ends it."""

_READY_TO_EMBED = """\
{name} at {base}/v1 · {backend} · an embedding model, texts of up to {context} tokens

curl {base}/v1/embeddings -H 'Content-Type: application/json'{header} \\
  -d '{{"input": ["a text", "another"]}}'

from openai import OpenAI
client = OpenAI(base_url="{base}/v1", api_key={key})
print(client.embeddings.create(model="{name}", input=["a text", "another"]).data[0].embedding)

Ctrl-C ends it."""


@click.command("serve")
@model_argument()
@option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; any but loopback needs a key.")
@option("--port", type=int, default=8080, show_default=True, help="Port; 0 takes a free one.")
@option("--api-key", default=None, help="Key that every request must carry; better in the environment or a file.")
@option("--api-key-file", default=None, metavar="FILE", help="A file with the key.")
@option(
    "--allow-host", multiple=True, metavar="NAME", help="A name of this machine, for Host headers; may be repeated."
)
@option("--allow-origin", multiple=True, metavar="URL", help="A web page's origin that may ask; may be repeated.")
@option("--name", default=None, help="What requests call the model. [default: the file's name]")
@option("--sequences", type=int, default=4, show_default=True, help="Answers that share the engine's steps.")
@option("--kv-tokens", type=int, default=None, help="Tokens all answers keep in memory. [default: a context each]")
@option("--queue", type=int, default=32, show_default=True, help="Answers that may wait; more are told to come later.")
@click.option("--print-service", is_flag=True, help="Print a systemd unit that runs this, and end.")
@model_options
@debug_option
def command(
    model: str | None,
    host: str,
    port: int,
    api_key: str | None,
    api_key_file: str | None,
    allow_host: tuple[str, ...],
    allow_origin: tuple[str, ...],
    name: str | None,
    sequences: int,
    kv_tokens: int | None,
    queue: int,
    print_service: bool,
    loading: dict[str, Any],
) -> int:
    """Answer over HTTP with MODEL (default: the bundled one), as OpenAI's API does.

    /v1/chat/completions, /v1/completions, /v1/embeddings, /v1/models, /tokenize, /detokenize, /health and /metrics. A
    field of a request is honoured or refused by name. Host and Origin are checked; only programs of this machine can
    connect unless --host says otherwise, and then every request needs the key. Ends within two seconds of Ctrl-C or
    SIGTERM.
    """
    # Everything is judged before the seconds that loading may take.
    path = resolve(model)
    try:
        from edge.serve import ServeSettings
        from edge.serve.hosting import listening_socket
        from edge.serve.server import run_server
    except ModuleNotFoundError as error:
        raise EdgeError(f"{error.name} is missing: pip install 'edge-rt[serve]'") from None
    if api_key is not None and api_key_file is not None:
        raise RequestError("--api-key and --api-key-file are both given; leave one of them out")
    settings = ServeSettings(
        model_name=name or (path.stem if model is not None else DEFAULT_MODEL),
        host=host,
        port=port,
        api_key=read_text(api_key_file).strip() if api_key_file is not None else api_key,
        allow_hosts=allow_host,
        allow_origins=allow_origin,
        sequences=sequences,
        queue=queue,
    )
    if settings.model_name in loading["adapters"]:
        raise RequestError(f"the model and an adapter are both named {settings.model_name!r}; --name gives another")
    if print_service:
        click.echo(_unit(path, settings, api_key_file, loading["memory"]), nl=False)
        return 0
    listener = listening_socket(settings)

    from edge.cli.answer import load_with_progress

    with listener, load_with_progress(str(path), sequences=sequences, kv_tokens=kv_tokens, **loading) as loaded:
        for warning in loaded.warnings:
            print(f"edge: warning: {warning}", file=sys.stderr)

        def on_ready(port: int) -> None:
            address = f"[{host}]" if ":" in host and not host.startswith("[") else host
            has_key = settings.api_key is not None
            click.echo(
                (_READY if loaded.writes_text else _READY_TO_EMBED).format(
                    name=settings.model_name,
                    base=f"http://{address}:{port}",
                    backend=loaded.backend,
                    context=loaded.context,
                    sequences=sequences,
                    queue=queue,
                    header=' -H "Authorization: Bearer $EDGE_API_KEY"' if has_key else "",
                    key='os.environ["EDGE_API_KEY"]' if has_key else '"none"',
                )
            )
            sys.stdout.flush()

        return run_server(loaded, settings, listener, on_ready)


def _unit(path: Path, settings: Any, key_file: str | None, memory: str | None) -> str:
    from edge.memory import parse_bytes
    from edge.serve.service import systemd_unit

    arguments = [str(path.absolute()), *_given_options()]
    return systemd_unit(
        settings.model_name,
        arguments,
        memory_bytes=None if memory is None else parse_bytes(memory),
        key_file=key_file,
        needs_key=settings.api_key is not None,
    )


def _given_options() -> list[str]:
    """The options of this call, as words; without the key itself."""
    context = click.get_current_context()
    words: list[str] = []
    for parameter in context.command.params:
        name = str(parameter.name)
        given = context.get_parameter_source(name) in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
        if not given or not isinstance(parameter, click.Option) or name in ("api_key", "print_service"):
            continue
        value: Any = context.params.get(name)
        flag = parameter.opts[-1]
        if parameter.is_flag:
            words += [flag] if value else []
        elif parameter.multiple:
            items = adapter_words(value) if name == "adapter" else map(str, value)
            words += [word for item in items for word in (flag, item)]
        else:
            words += [flag, str(Path(value).absolute()) if name == "api_key_file" else str(value)]
    return words
