"""The members of a JSON object, taken one by one: what nobody took is refused by name, so nothing is ignored."""

from __future__ import annotations

import math
from typing import Any, cast

from edge.serve.api_error import refused, shown

MAX_FIELDS = 64  # members of an object that this reads


class Fields:
    """`where`: the path of the object, "" for the request itself. null counts as absent, as in OpenAI's API."""

    def __init__(self, values: object, where: str = "") -> None:
        if not isinstance(values, dict):
            raise refused(where or "body", f"is {shown(values)}, it must be an object")
        self._values = {key: value for key, value in cast("dict[str, Any]", values).items() if value is not None}
        self._where = where
        if len(self._values) > MAX_FIELDS:
            raise refused(where or "body", f"has {len(self._values)} members, at most {MAX_FIELDS} are allowed")

    def path(self, name: str) -> str:
        return f"{self._where}.{name}" if self._where else name

    def take(self, name: str) -> Any:
        return self._values.pop(name, None)

    def needed(self, name: str) -> Any:
        value = self.take(name)
        if value is None:
            raise refused(self.path(name), "is missing", "missing_required_parameter")
        return value

    def text(self, name: str, *, max_bytes: int | None = None) -> str | None:
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise refused(self.path(name), f"is {shown(value)}, it must be text", "invalid_type")
        if value is not None and max_bytes is not None and len(value.encode(errors="replace")) > max_bytes:
            raise refused(self.path(name), f"is longer than {max_bytes} bytes")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise refused(self.path(name), f"is {shown(value)}, it must be true or false", "invalid_type")
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise refused(self.path(name), f"is {shown(value)}, it must be a whole number", "invalid_type")
        if not low <= value <= high:
            raise refused(self.path(name), f"is {shown(value)}, it must be from {low} to {high}")
        return value

    def number(self, name: str) -> float | None:
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise refused(self.path(name), f"is {shown(value)}, it must be a number", "invalid_type")
        return float(value) if abs(value) < 1e300 else math.inf  # the engine's own limits refuse it

    def choice(self, name: str, *allowed: str) -> str | None:
        value = self.take(name)
        if value is not None and value not in allowed:
            names = " or ".join(f'"{text}"' for text in allowed)
            raise refused(self.path(name), f"is {shown(value)}, it must be {names}")
        return cast("str | None", value)

    def inner(self, name: str) -> Fields | None:
        value = self.take(name)
        return None if value is None else Fields(value, self.path(name))

    def items(self, name: str, limit: int) -> list[Any] | None:
        value = self.take(name)
        if value is None:
            return None
        values = as_list(value)
        if values is None:
            raise refused(self.path(name), f"is {shown(value)}, it must be a list", "invalid_type")
        if len(values) > limit:
            raise refused(self.path(name), f"holds {len(values)} items, at most {limit} are allowed")
        return values

    def unsupported(self, name: str, why: str, *, allowed: tuple[object, ...] = ()) -> None:
        """Refuses a field that this server cannot honour, unless its value asks for what happens anyway."""
        value = self.take(name)
        if value is not None and not any(value == ok and type(value) is type(ok) for ok in allowed):
            raise refused(self.path(name), f"is not supported: {why}", "unsupported_parameter")

    def end(self) -> None:
        """Refuses what nobody took."""
        for name in self._values:
            raise refused(
                self.path(shown(name, 60)[1:-1]), "is not a field that this server knows", "unknown_parameter"
            )


def as_list(value: object) -> list[Any] | None:
    """The items, if it is a list."""
    return [*cast("list[object]", value)] if isinstance(value, list) else None
