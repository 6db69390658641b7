"""`edge embed [MODEL] TEXT...`: vectors of texts, a line of JSON each."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import click

from edge.cli.options import debug_option, model_options, option
from edge.errors import RequestError
from edge.references import looks_like_model, resolve


@click.command("embed")
@click.argument("words", nargs=-1, metavar="[MODEL] TEXT...")
@option(
    "--pooling",
    type=click.Choice(["mean", "cls", "last"]),
    default=None,
    help="How states of tokens become one vector. [default: as the file says; last for a decoder that does not]",
)
@option("--no-normalize", is_flag=True, help="Leave vectors as long as they are, instead of 1.")
@option("--base64", "as_base64", is_flag=True, help="Vectors as base64 of little-endian float32.")
@model_options
@debug_option
def command(
    words: tuple[str, ...], pooling: Any, no_normalize: bool, as_base64: bool, loading: dict[str, Any]
) -> None:  # fmt: skip
    """Print a line of JSON for each TEXT: {"index", "num_tokens", "embedding"}.

    MODEL is an embedding model or any other (assistant, the bundled one, is the default); the first argument is one if
    it looks like one, as in edge run. TEXT - reads standard input, a text on every line. A text that is longer than the
    context is an error; nothing is cut.
    """
    model_name = words[0] if words and looks_like_model(words[0]) else None
    texts = list(words[1:] if model_name is not None else words)
    if model_name is not None:
        model_name = str(resolve(model_name))
    if texts == ["-"]:
        texts = _read_lines()
    if not texts:
        raise click.UsageError("no text: give some, or - to read lines from standard input")

    from edge.cli.answer import load_with_progress

    with load_with_progress(model_name, **loading) as model:
        token_lists = model.embeddings.token_lists(texts)
        vectors = model.embed(token_lists, pooling=pooling, normalize=not no_normalize)
        for index, (tokens, row) in enumerate(zip(token_lists, vectors, strict=True)):
            shown: Any = base64.b64encode(row.astype("<f4").tobytes()).decode() if as_base64 else row.tolist()
            click.echo(json.dumps({"index": index, "num_tokens": len(tokens), "embedding": shown}))


def _read_lines() -> list[str]:
    try:
        return sys.stdin.buffer.read().decode("utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise RequestError(f"standard input is not UTF-8 at byte {error.start}") from None
