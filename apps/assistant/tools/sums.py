"""Sums and units as tools."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction

from edge.assistant.calculator import calculate, said_number
from edge.assistant.tool import Arguments, Result, Tool, parameters
from edge.assistant.units import convert

__all__ = ["sum_tools"]


def sum_tools() -> list[Tool]:
    number = {"type": "number", "description": "number", "minimum": -1e15, "maximum": 1e15}
    return [
        Tool("calculate", "work out a sum", parameters("expression", expression="sum, like 3*4"), _calculate),
        Tool("convert_units", "convert units",
             parameters("value", "from", "to", value=number, from_="unit it is in", to="unit wanted"), _convert),
    ]  # fmt: skip


def _calculate(given: Arguments) -> Result:
    value = calculate(given["expression"])
    return Result(f"{given['expression']} = {said_number(value)}", {"value": _plain(value)})


def _convert(given: Arguments) -> Result:
    value = Fraction(str(given["value"]))
    converted, unit, wanted = convert(value, given["from"], given["to"])
    with localcontext() as context:
        context.prec = 6
        shown = Decimal(converted.numerator) / Decimal(converted.denominator)
    text = said_number(Fraction(shown))
    return Result(f"{said_number(value)} {unit} is {text} {wanted}.", {"value": float(converted), "unit": wanted})


def _plain(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
