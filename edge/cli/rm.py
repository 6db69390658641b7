"""`edge rm NAME`: removes what `edge pull` brought."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.options import debug_option
from edge.cli.terminal import harmless

if TYPE_CHECKING:
    from edge.library import Library

_REMOVED_BY = {"Hugging Face": "hf cache rm", "Ollama": "ollama rm", "LM Studio": "LM Studio", "llama.cpp": "hand"}


@click.command("rm")
@click.argument("names", nargs=-1, required=True)
@debug_option
def command(names: tuple[str, ...]) -> None:
    """Remove pulled models, with their packed files, and downloads that were begun.

    Models of other tools, and files that only have a path, are not edge's to remove.
    """
    from edge.errors import ModelFileError
    from edge.library import Library

    library = Library.of(os.environ)
    for remove in [_removal(library, name) for name in names]:  # all are known before the first is gone
        try:
            removed = remove()
        except OSError as error:
            raise ModelFileError(error.filename or "a model", f"cannot be removed: {error.strerror}") from None
        for path in removed:
            click.echo(f"removed {harmless(str(path))}")


def _removal(library: Library, name: str) -> Callable[[], list[Path]]:
    from edge.errors import RequestError
    from edge.library.library import OWN, Library

    own = Library(library.folder)  # without what other tools have
    found = own.find(name)
    if found is not None:
        return lambda: [*_remove_packed(found.path), *own.remove(found)]
    begun = [one for one in own.unfinished() if one.name.casefold() == name.casefold()]
    if begun:
        return lambda: [path for one in begun for path in own.remove_unfinished(one)]
    other = library.find(name)
    if other is not None and other.tool != OWN:
        raise RequestError(
            f"{name!r} belongs to {other.tool} ({other.path}); it is removed with {_REMOVED_BY[other.tool]}"
        )
    if os.path.exists(name):
        raise RequestError(f"{name!r} is a file that edge did not download; remove it as any other")
    raise RequestError(f"no pulled model {name!r}; `edge ls` lists them")


def _remove_packed(model: Path) -> list[Path]:
    """The packed files that loads of the model have written."""
    from edge.packed.places import packed_places, user_cache_folder

    named = os.environ.get("EDGE_CACHE_DIR")
    folder = Path(named).expanduser() if named else None
    removed: list[Path] = []
    for path in packed_places(model, folder, user_cache_folder(os.environ)):
        if path.is_file():
            path.unlink()
            removed.append(path)
    return removed
