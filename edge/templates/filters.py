"""The filters that chat templates use and the tests, each within the budget. Other filters do not exist."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import filters as jinja_filters
from jinja2 import tests as jinja_tests

from edge.templates.budget import BUDGET, Budget, OverBudget
from edge.templates.guards import check_join, check_percent, check_replace, check_width

__all__ = ["template_filters", "template_tests"]

Guard = Callable[[Budget, list[Any], dict[str, Any]], None]

_PLAIN = (
    "abs count d default dictsort first float groupby int items last length list map max min reject rejectattr reverse "
    "select selectattr sort unique urlencode"
).split()
# These take the text of whatever they get.
_TEXT = "capitalize e escape forceescape lower safe string title trim truncate upper wordcount".split()


def template_filters() -> dict[str, Callable[..., Any]]:
    """Name -> filter. Those of Jinja2 behave as they do there."""
    chosen = {name: _within(jinja_filters.FILTERS[name], _nothing) for name in _PLAIN}
    chosen |= {name: _within(jinja_filters.FILTERS[name], _text) for name in _TEXT}
    guarded: dict[str, Guard] = {
        "batch": _counts,
        "center": _center,
        "format": _format,
        "indent": _indent,
        "join": _join,
        "replace": _replace,
        "round": _counts,
        "slice": _counts,
        "sum": _sum,
    }
    chosen |= {name: _within(jinja_filters.FILTERS[name], guard) for name, guard in guarded.items()}
    chosen["tojson"] = _within(tojson, _nothing)
    return chosen


def template_tests() -> dict[str, Callable[..., Any]]:
    """Name -> test, as Jinja2 has them."""
    tests: Any = jinja_tests.TESTS
    return {name: _weighed(function) for name, function in tests.items()}


def tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """JSON as Hugging Face's templates expect it: no HTML escapes, characters as they are."""
    check_width(indent if isinstance(indent, int) else len(indent or ""))
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _within(function: Callable[..., Any], guard: Guard) -> Callable[..., Any]:
    """`function`, with its arguments checked before and its result weighed after."""
    # Jinja2 passes an environment or context first to functions that ask for it.
    skipped = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def within(*args: Any, **kwargs: Any) -> Any:
        # No budget while a template is compiled: the error makes Jinja2 leave constants for later.
        budget = BUDGET.get()
        lead, rest = list(args[:skipped]), list(args[skipped:])
        if rest and not isinstance(rest[0], Iterator):
            budget.weigh(rest[0])
        guard(budget, rest, kwargs)
        out = function(*lead, *rest, **kwargs)
        if isinstance(out, Iterator):
            return _metered(budget, out)  # pyright: ignore[reportUnknownArgumentType]
        budget.weigh(out)
        return out

    return within


def _weighed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def weighed(*args: Any, **kwargs: Any) -> Any:
        budget = BUDGET.get()
        for value in args:
            budget.weigh(value)
        return function(*args, **kwargs)

    return weighed


def _metered(budget: Budget, values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        budget.burn()
        yield value


def _nothing(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    del budget, args, kwargs


def _text(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    del kwargs
    args[0] = budget.string(args[0])


def _center(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    _text(budget, args, kwargs)
    _counts(budget, args, kwargs)


def _counts(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    del budget
    for value in (*args[1:], *kwargs.values()):
        check_width(value)


def _format(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    args[0] = budget.string(args[0])
    check_percent(budget, args[0], [*args[1:], *kwargs.values()])


def _indent(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    width = args[1] if len(args) > 1 else kwargs.get("width", 4)
    check_width(width)
    args[0] = budget.string(args[0])
    size = len(width) if isinstance(width, str) else width if isinstance(width, int) else 0
    budget.text(len(args[0]) + (len(args[0].splitlines()) + 1) * size)


def _join(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    separator = args[1] if len(args) > 1 else kwargs.get("d", "")
    if "attribute" not in kwargs and len(args) < 3:
        args[0] = check_join(budget, budget.string(separator), args[0])
    else:
        args[0] = list(args[0])
        budget.weigh(args[0], printable=True)
        budget.text(len(budget.string(separator)) * len(args[0]))


def _replace(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    args[0] = budget.string(args[0])
    old = args[1] if len(args) > 1 else kwargs.get("old", "")
    new = args[2] if len(args) > 2 else kwargs.get("new", "")
    check_replace(budget, args[0], budget.string(old), budget.string(new))


def _sum(budget: Budget, args: list[Any], kwargs: dict[str, Any]) -> None:
    del budget
    start = args[2] if len(args) > 2 else kwargs.get("start", 0)
    if not isinstance(start, (int, float)):
        raise OverBudget("it sums values that are not numbers")
