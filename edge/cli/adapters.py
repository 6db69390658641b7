"""`--adapter NAME=PATH`, or a path alone: what the file is called in requests then follows from its name."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import RequestError

_NAMED = re.compile(r"([A-Za-z0-9._-]{1,64})=(.+)", re.DOTALL)
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def read_adapters(texts: Sequence[str]) -> dict[str, str]:
    """Paths by name. A text is a path where there is such a file. RequestError: a name twice."""
    adapters: dict[str, str] = {}
    for text in texts:
        match = None if os.path.exists(text) else _NAMED.fullmatch(text)
        name, path = (match[1], match[2]) if match is not None else (_name_of(text), text)
        if name in adapters:
            raise RequestError(f"--adapter: {adapters[name]} and {path} are both named {name!r}; write NAME=PATH")
        adapters[name] = path
    return adapters


def adapter_words(texts: Sequence[str]) -> list[str]:
    """The same as texts whose paths do not depend on the working folder."""
    return [f"{name}={Path(path).absolute()}" for name, path in read_adapters(texts).items()]


def only_adapter(adapters: Mapping[str, str]) -> str | None:
    """The name of the one that answers use. RequestError: there are several."""
    if len(adapters) > 1:
        raise RequestError(f"--adapter: an answer uses one adapter, not {len(adapters)}; edge serve takes several")
    return next(iter(adapters), None)


def _name_of(path: str) -> str:
    return _NOT_A_NAME.sub("-", Path(path).stem)[:64] or "adapter"
