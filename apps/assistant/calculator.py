"""Works out sums exactly: a recursive-descent parser over fractions. Nothing is evaluated as code."""

from __future__ import annotations

import math
import re
from decimal import Decimal, localcontext
from fractions import Fraction

from edge.assistant.errors import ToolFailure

__all__ = ["calculate", "said_number"]

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|\.\d+)|(\*\*|[-+*/%^()]|sqrt|pi|×|÷|−|:))")
_SAME = {"**": "^", "×": "*", "÷": "/", ":": "/", "−": "-"}
_MAX_LENGTH, _MAX_DEPTH, _MAX_BITS = 300, 40, 4096


def calculate(expression: str) -> Fraction:
    """+ - * / % ^ ( ), sqrt(x), pi; 20% behind a number is 20/100 of one. ToolFailure says what is wrong."""
    if len(expression) > _MAX_LENGTH:
        raise ToolFailure(f"The sum is longer than {_MAX_LENGTH} characters.")
    return _Parser(expression).value()


def said_number(value: Fraction) -> str:
    """Exact where that is short, otherwise twelve digits."""
    if value.denominator == 1 and abs(value.numerator) < 10**21:
        return str(value.numerator)
    with localcontext() as context:
        context.prec = 12
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
        text = f"{decimal:f}" if -7 <= decimal.adjusted() < 21 else f"{decimal:.6e}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


class _Parser:
    def __init__(self, expression: str) -> None:
        self._tokens: list[str] = []
        at, text = 0, expression.rstrip().rstrip("=?").rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ToolFailure(f"“{text[at : at + 20].strip()}” is no part of a sum.")
            self._tokens.append(_SAME.get(match[0].strip(), match[0].strip()))
            at = match.end()
        self._at = self._depth = 0

    def value(self) -> Fraction:
        value = self._sum()
        if self._at < len(self._tokens):
            raise ToolFailure(f"“{self._tokens[self._at]}” does not belong there in the sum.")
        return value

    def _sum(self) -> Fraction:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ToolFailure(f"The sum has more than {_MAX_DEPTH} levels of brackets.")
        value = self._product()
        while (sign := self._take("+", "-")) is not None:
            other = self._product()
            value = _bounded(value + other if sign == "+" else value - other)
        self._depth -= 1
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while True:
            sign = self._take("*", "/", "%")
            if sign is None:
                if self._next() == "(" or self._next() in ("sqrt", "pi"):
                    sign = "*"  # 2(3+4)
                else:
                    return value
            elif sign == "%" and not self._begins_value():
                value = value / 100
                continue
            other = self._signed()
            if sign != "*" and other == 0:
                raise ToolFailure("Nothing can be divided by zero.")
            value = _bounded(value * other if sign == "*" else value / other if sign == "/" else value % other)

    def _begins_value(self) -> bool:
        token = self._next()
        return token is not None and (token[0].isdigit() or token[0] == "." or token in ("(", "sqrt", "pi"))

    def _signed(self) -> Fraction:
        if (sign := self._take("+", "-")) is not None:
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise ToolFailure(f"The sum has more than {_MAX_DEPTH} signs in a row.")
            value = self._signed()
            self._depth -= 1
            return -value if sign == "-" else value
        return self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        if self._take("^") is None:
            return base
        exponent = self._signed()
        return _raised(base, exponent)

    def _atom(self) -> Fraction:
        token = self._next()
        self._at += 1
        if token == "(":
            value = self._sum()
            if self._take(")") is None:
                raise ToolFailure("A bracket is not closed in the sum.")
            return value
        if token == "pi":
            return Fraction("3.14159265358979323846264338327950288")
        if token == "sqrt":
            value = self._atom()
            if value < 0:
                raise ToolFailure("A negative number has no square root.")
            return _root(value)
        if token is None or not (token[0].isdigit() or token[0] == "."):
            raise ToolFailure(
                "The sum ends too early." if token is None else f"“{token}” does not belong there in the sum."
            )
        return _bounded(Fraction(token.rstrip(".")))

    def _next(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, *wanted: str) -> str | None:
        token = self._next()
        if token not in wanted:
            return None
        self._at += 1
        return token


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() > _MAX_BITS or value.denominator.bit_length() > _MAX_BITS:
        raise ToolFailure("The result is too large.")
    return value


def _raised(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator == 2 and base >= 0:
        return _raised(_root(base), Fraction(exponent.numerator))
    if exponent.denominator != 1:
        raise ToolFailure("Only whole and half powers are worked out.")
    power = abs(exponent.numerator)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if power * bits > _MAX_BITS and base not in (0, 1, -1):
        raise ToolFailure("The result is too large.")
    if base == 0 and exponent < 0:
        raise ToolFailure("Nothing can be divided by zero.")
    return base ** (exponent.numerator if base not in (0, 1, -1) else exponent.numerator % 2 or (2 if exponent else 0))


def _root(value: Fraction) -> Fraction:
    numerator, denominator = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if numerator**2 == value.numerator and denominator**2 == value.denominator:
        return Fraction(numerator, denominator)
    with localcontext() as context:
        context.prec = 40
        return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())
