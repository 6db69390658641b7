"""Checks before operators, methods and filters that can make much out of little."""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from edge.templates.budget import Budget, OverBudget

__all__ = ["METHODS", "StringFormat", "check_binop", "check_method", "check_width"]

MAX_INT_BITS = 1024
MAX_WIDTH = 10_000

# What templates may ask of values of each type; everything else is out of reach.
METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii isdecimal "
        "isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip partition "
        "removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith "
        "strip swapcase title upper zfill".split()
    ),
    dict: frozenset("copy get items keys values".split()),
    list: frozenset("copy count index".split()),
    tuple: frozenset("count index".split()),
}

_WIDE = re.compile(r"%(?:\([^)]*\))?[-#0 +]*(?:\*|\d{5}|\d*\.(?:\*|\d{5}))")
_FIELD = re.compile(r"\w*")


def check_binop(budget: Budget, operator: str, left: Any, right: Any) -> None:
    """Before `left operator right`."""
    budget.burn()
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
        if operator in "**" and bits > MAX_INT_BITS:
            raise OverBudget(f"it computes a number of more than {MAX_INT_BITS} bits")
    elif operator == "*":
        for value, times in ((left, right), (right, left)):
            if isinstance(times, int) and isinstance(value, str):
                budget.text(len(value) * times)
            elif isinstance(times, int) and isinstance(value, (list, tuple)):
                check_width(len(value) * times)  # pyright: ignore[reportUnknownArgumentType]
    elif operator == "+" and isinstance(left, str) and isinstance(right, str):
        budget.text(len(left) + len(right))
    elif operator == "%" and isinstance(left, str):
        check_percent(budget, left, right)


def check_percent(budget: Budget, template: str, values: object) -> None:
    """Before `template % values`."""
    if _WIDE.search(template):
        raise OverBudget("it formats with a width of more than 9999")
    budget.weigh(values, printable=True)
    budget.text(len(template))


def check_width(width: object) -> None:
    """Before something is repeated or padded `width` times."""
    if isinstance(width, int) and width > MAX_WIDTH:
        raise OverBudget(f"it uses a width or count of {width}, at most {MAX_WIDTH} is allowed")


def check_method(
    budget: Budget, owner: object, name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[Any, ...]:
    """Before `owner.name(*args, **keywords)`; returns the arguments to use, with iterators read."""
    if not isinstance(owner, str):
        budget.weigh(owner)
        return args
    budget.text(len(owner))
    if name in ("center", "ljust", "rjust", "zfill", "expandtabs") and (args or keywords):
        width = args[0] if args else keywords.get("tabsize")  # the one width that Python takes by keyword
        check_width(width)
        budget.text((owner.count("\t") if name == "expandtabs" else 1) * _as_int(width))
    elif name == "replace" and len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
        check_replace(budget, owner, args[0], args[1])
    elif name == "join" and len(args) == 1 and isinstance(args[0], Iterable):
        return (check_join(budget, owner, args[0]),)  # pyright: ignore[reportUnknownArgumentType]
    return args


def check_replace(budget: Budget, text: str, old: str, new: str) -> None:
    """Before `text.replace(old, new)`."""
    times = text.count(old) if old else len(text) + 1
    budget.text(len(text) + times * max(len(new) - len(old), 0))


def check_join(budget: Budget, separator: str, values: Iterable[Any]) -> list[Any]:
    """Before `separator.join(values)`; returns the values in a list."""
    items = list(values)
    budget.weigh(items, printable=True)
    budget.text(len(separator) * len(items))
    return items


def _as_int(value: object) -> int:
    return value if isinstance(value, int) else 0


class StringFormat(string.Formatter):
    """`text.format` for plain field names and small widths: fields that look into values are the classic escape."""

    def __init__(self, text: str, budget: Callable[[], Budget]) -> None:
        self._text, self._budget = text, budget

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        return self.vformat(self._text, args, kwargs)

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if not _FIELD.fullmatch(field_name):
            raise OverBudget(f"it formats a field named {field_name[:40]!r}, only plain names are allowed")
        field: tuple[Any, str] = super().get_field(field_name, args, kwargs)
        return field

    def convert_field(self, value: Any, conversion: Any) -> Any:
        self._budget().weigh(value, printable=True)
        return super().convert_field(value, conversion)

    def format_field(self, value: Any, format_spec: str) -> str:
        if re.search(r"\d{5}", format_spec):
            raise OverBudget("it formats with a width of more than 9999")
        budget = self._budget()
        budget.weigh(value, printable=True)
        out: str = super().format_field(value, format_spec)
        budget.emit(len(out))
        return out
