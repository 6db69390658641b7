"""Bodies of requests: every field is taken or refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

__all__ = ["BadField", "Fields"]


class BadField(Exception):
    """A field that cannot be honoured. status and code: as API.md lists them."""

    def __init__(
        self, message: str, field: str | None = None, *, status: int = 400, code: str = "invalid_field"
    ) -> None:
        super().__init__(message)
        self.message, self.field, self.status, self.code = message, field, status, code


class Fields:
    """Takes fields out of a body; `done` refuses what nobody took."""

    def __init__(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise BadField("the body must be a JSON object", code="invalid_json")
        self._left = dict(cast("dict[str, Any]", body))

    def text(self, name: str, most: int, *, least: int = 1) -> str:
        value = self._left.pop(name, None)
        if not isinstance(value, str) or not least <= len(value.strip()) or len(value) > most:
            raise BadField(f"{name} must be a text of {least} to {most} characters", name)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadField(f"{name} holds half of a surrogate pair", name)
        return value

    def number(self, name: str, least: int, most: int) -> int | None:
        """A whole number; None when it is left out or null."""
        value = self._left.pop(name, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise BadField(f"{name} must be a whole number from {least} to {most}", name)
        return value

    def one_of(self, name: str, *allowed: str) -> str:
        value = self._left.pop(name, None)
        if value not in allowed:
            raise BadField(f"{name} must be one of {', '.join(allowed)}", name)
        return str(value)

    def done(self) -> None:
        if self._left:
            name = next(iter(self._left))
            raise BadField(f"{name} is not a field of this request", name, code="unknown_field")


def query(parameters: Mapping[str, str], *known: str) -> Mapping[str, str]:
    """The parameters of an address, checked by name."""
    unknown = [name for name in parameters if name not in known]
    if unknown:
        raise BadField(f"{unknown[0]} is not a parameter of this address", unknown[0], code="unknown_field")
    return parameters
