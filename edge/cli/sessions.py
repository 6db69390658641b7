"""`edge sessions`: what is saved of conversations and prepared prompts; show, check and remove it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.options import debug_option, json_option
from edge.cli.terminal import harmless

if TYPE_CHECKING:
    from edge.sessions import SavedFile, SavedPlaces

_MAX_MODEL = 32  # characters of a model's name in the list


@click.group("sessions", invoke_without_command=True)
@json_option
@debug_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """List saved conversations and prompts prepared by `edge cache`: model, tokens, size, age.

    They lie in the user's data folder, or in EDGE_SESSIONS_DIR.
    """
    if context.invoked_subcommand is not None:
        return
    rows = [_summary(path) for path in _all()]
    click.echo(json.dumps({"sessions": rows}, ensure_ascii=False) if as_json else _table(rows))


@command.command("show")
@click.argument("name")
@json_option
@debug_option
def show(name: str, as_json: bool) -> None:
    """Print what a session was made with, and its conversation."""
    from edge.sessions import SavedFile
    from edge.sessions.conversation import Conversation

    path = _places().find(name)
    with SavedFile(path) as saved:
        text = saved.contents.conversation
        conversation = Conversation.of_json(path, text) if text else Conversation()
        report = {**_describe(saved), "tools": conversation.tools, "conversation": conversation.messages}
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    lines = [f"{key.replace('_', ' '):<16}{report[key]}" for key in _SHOWN]
    lines += [f"\n{message['role']}: {_content(message)}" for message in conversation.messages]
    click.echo(harmless("\n".join(lines)))


@command.command("verify")
@click.argument("names", nargs=-1)
@json_option
@debug_option
def verify(names: tuple[str, ...], as_json: bool) -> int:
    """Read every byte of sessions (default: of all) and compare it with its checksum. Exit code 4: one is damaged."""
    from edge.errors import SessionFileError
    from edge.sessions import SavedFile

    rows: list[dict[str, Any]] = []
    for path in [_places().find(name) for name in names] if names else _all():
        problem = None
        try:
            with SavedFile(path) as saved:
                saved.verify()
        except SessionFileError as error:
            problem = str(error)
        rows.append({"name": _name(path), "path": str(path), "sound": problem is None, "problem": problem})
    if as_json:
        click.echo(json.dumps({"sessions": rows}, ensure_ascii=False))
    else:
        for row in rows:
            click.echo(harmless(f"{row['name']}: {'sound' if row['sound'] else row['problem']}"))
    return 0 if all(row["sound"] for row in rows) else SessionFileError.exit_code


@command.command("rm")
@click.argument("names", nargs=-1, required=True)
@debug_option
def rm(names: tuple[str, ...]) -> None:
    """Remove sessions and prepared prompts, damaged ones too."""
    from edge.errors import SessionFileError

    for path in [_places().find(name) for name in names]:  # all are known before the first is gone
        try:
            path.unlink()
        except OSError as error:
            raise SessionFileError(path, f"cannot be removed: {error.strerror}") from None
        click.echo(f"removed {harmless(str(path))}")


_SHOWN = (
    "name", "path", "model", "model_path", "kv_type", "weights", "rope", "tokens", "kept_tokens", "messages", "bytes"
)  # fmt: skip


def _places() -> SavedPlaces:
    from edge.sessions import SavedPlaces

    return SavedPlaces.of(os.environ)


def _all() -> list[Path]:
    places = _places()
    return [*places.sessions(), *places.prepared()]


def _name(path: Path) -> str:
    from edge.sessions.places import listed_name

    return listed_name(path)


def _summary(path: Path) -> dict[str, Any]:
    """One row; of a file that cannot be read, why."""
    from edge.errors import SessionFileError
    from edge.sessions import SavedFile

    try:
        with SavedFile(path) as saved:
            return {**_describe(saved), "problem": None}
    except SessionFileError as error:
        return {"name": _name(path), "path": str(path), "problem": str(error)}


def _describe(saved: SavedFile) -> dict[str, Any]:
    from edge.sessions.conversation import Conversation

    contents = saved.contents
    text = contents.conversation
    return {
        "name": _name(saved.path),
        "kind": contents.kind,
        "path": str(saved.path),
        "model": contents.model_name or Path(contents.model_path).name,
        "model_path": contents.model_path,
        "model_sha256": contents.fingerprint.model_sha256,
        "kv_type": contents.fingerprint.kv_type,
        "weights": contents.fingerprint.weights,
        "rope": contents.fingerprint.rope,
        "tokens": len(contents.tokens),
        "kept_tokens": contents.num_kept_tokens,
        "messages": len(Conversation.of_json(saved.path, text).messages) if text else 0,
        "bytes": saved.num_bytes,
        "saved_at": contents.saved_at,
    }


def _table(rows: Sequence[dict[str, Any]]) -> str:
    from edge.cli.report import size

    if not rows:
        return "nothing is saved; `edge chat --session NAME` begins a session"
    cells = [("NAME", "MODEL", "TOKENS", "SIZE", "AGE")]
    now = time.time()
    for row in rows:
        if row["problem"] is None:
            model = row["model"][:_MAX_MODEL]
            cells.append((row["name"], model, str(row["tokens"]), size(row["bytes"]), _age(now - row["saved_at"])))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines += [f"{row['name']}: {row['problem']}" for row in rows if row["problem"] is not None]
    return harmless("\n".join(lines))


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _content(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
