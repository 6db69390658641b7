"""A model for commands that only look at its header: from this machine, or read by range from where it is."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import click

from edge.cli.progress import ProgressBar
from edge.cli.terminal import harmless
from edge.errors import UnsupportedModel
from edge.formats.gguf import GGUFFile, open_gguf
from edge.references import elsewhere, resolve


@contextmanager
def opened(reference: str | None) -> Generator[tuple[GGUFFile, str]]:
    """The open file, and what it is called. Of one that is elsewhere nothing but the header is read, and that is said.

    Errors as `resolve`, `open_gguf` and `edge.hub`.
    """
    from edge.hub import Http

    http = Http.of()
    name = elsewhere(reference, http.hub)
    if name is None:
        path = resolve(reference)
        if path.is_dir():
            raise UnsupportedModel(path, "is a folder for ONNX Runtime; this reads the header of GGUF files")
        with open_gguf(path) as file:
            yield file, str(path)
        return
    from edge.hub import choose, list_models, open_remote

    model = choose(list_models(http, name), name)
    host = urlsplit(model.files[0].url).netloc
    click.echo(harmless(f"{model.name} is not on this machine: its header is read from {host}"), err=True)
    with ProgressBar("header", " MiB", 2**20) as bar:
        with open_remote(http, model, lambda done: bar(done, done)) as (file, _):
            bar.wipe()
            yield file, model.name
