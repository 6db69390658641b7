"""The adapters of a loaded model, by the names that it was loaded with: which one a request uses, and from where on."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from edge.backends.adapters import LoadedAdapter
from edge.engine import AdapterUse
from edge.errors import RequestError
from edge.formats.adapter import Adapter, open_adapter

__all__ = ["Adapters", "opened_adapters"]

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


@contextmanager
def opened_adapters(paths: Mapping[str, str | os.PathLike[str]]) -> Generator[dict[str, Adapter]]:
    """The files by their names, open inside. Raises as `open_adapter`, RequestError for what is no name."""
    with ExitStack() as stack:
        opened: dict[str, Adapter] = {}
        for name, path in paths.items():
            if not _NAME.fullmatch(name):
                raise RequestError(f"an adapter is named {name!r}; it must be 1 to 64 letters, digits, dots, - or _")
            opened[name] = stack.enter_context(open_adapter(path))
        yield opened


class Adapters:
    """loaded: in the order of the backend's numbers."""

    def __init__(self, loaded: Sequence[LoadedAdapter]) -> None:
        self._loaded = {adapter.name: adapter for adapter in loaded}
        self._numbers = {adapter.name: number for number, adapter in enumerate(loaded)}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._loaded)

    def check(self, name: object) -> None:
        """RequestError: no adapter has this name. None asks for none."""
        if name is None or (isinstance(name, str) and name in self._loaded):
            return
        known = f"it must be {' or '.join(map(repr, self._loaded))}" if self._loaded else "the model has none"
        raise RequestError(f"adapter is {name!r}; {known}")

    def use(self, name: str | None, prompt: Sequence[int]) -> AdapterUse | None:
        """What a sequence with this prompt uses; None: no adapter.

        An activated adapter (aLoRA) acts from the last place of its invocation tokens on. RequestError: no such
        adapter, or a prompt that does not invoke it.
        """
        self.check(name)
        if name is None:
            return None
        adapter = self._loaded[name]
        start = 0
        if adapter.invocation:
            found = _last_place(adapter.invocation, prompt)
            if found is None:
                raise RequestError(
                    f"adapter {name!r} acts from its invocation on, tokens {list(adapter.invocation)}, which the "
                    "prompt does not hold; write it into the prompt, or leave the adapter out"
                )
            start = found
        return AdapterUse(self._numbers[name], bytes.fromhex(adapter.sha256), start)

    def throughout(self, name: str | None) -> AdapterUse | None:
        """What K and V of a prompt's beginning depend on: nothing but the model (None) without adapter, and before the
        invocation of an activated one. RequestError: no such adapter."""
        self.check(name)
        return None if name is None or self._loaded[name].invocation else self.use(name, ())

    def sha256(self, name: str | None) -> str:
        """Of the adapter that K and V of a prompt's beginning depend on, in hexadecimal; "" for none."""
        return "" if name is None or self.throughout(name) is None else self._loaded[name].sha256


def _last_place(wanted: Sequence[int], tokens: Sequence[int]) -> int | None:
    """Where the last occurrence of `wanted` begins."""
    pattern = list(wanted)
    for start in range(len(tokens) - len(pattern), -1, -1):
        if tokens[start] == pattern[0] and list(tokens[start : start + len(pattern)]) == pattern:
            return start
    return None
