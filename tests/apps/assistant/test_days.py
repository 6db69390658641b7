"""Days, times and lengths as tools are given them; sums and units."""

from __future__ import annotations

from datetime import date, datetime, time
from fractions import Fraction

import pytest

from edge.assistant.calculator import calculate, said_number
from edge.assistant.days import next_time, read_day, read_seconds, read_time
from edge.assistant.errors import ToolFailure
from edge.assistant.units import convert

WEDNESDAY = date(2026, 5, 6)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300),
        ("1h30m", 5400),
        ("45s", 45),
        ("2 days", 172800),
        ("1 hour 10 minutes", 4200),
        ("1.5h", 5400),
        ("1w", 604800),
    ],
)
def test_lengths(text: str, seconds: float) -> None:
    assert read_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5", "5m later", "0s", "-5m", "99999h", "m5"])
def test_no_lengths(text: str) -> None:
    with pytest.raises(ToolFailure):
        read_seconds(text)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", WEDNESDAY, WEDNESDAY),
        ("tomorrow", date(2026, 5, 7), date(2026, 5, 7)),
        ("friday", date(2026, 5, 8), date(2026, 5, 8)),
        ("wednesday", WEDNESDAY, WEDNESDAY),
        ("next wednesday", date(2026, 5, 13), date(2026, 5, 13)),
        ("weekend", date(2026, 5, 9), date(2026, 5, 10)),
        ("this week", WEDNESDAY, date(2026, 5, 10)),
        ("next week", date(2026, 5, 11), date(2026, 5, 17)),
        ("05-03", date(2027, 5, 3), date(2027, 5, 3)),
        ("02-29", date(2028, 2, 29), date(2028, 2, 29)),
        ("2026-12-24", date(2026, 12, 24), date(2026, 12, 24)),
    ],
)
def test_days(text: str, first: date, last: date) -> None:
    day = read_day(text, WEDNESDAY)
    assert (day.first, day.last) == (first, last)


@pytest.mark.parametrize("text", ["", "someday", "13-40", "2026-02-30", "friday the 13th"])
def test_no_days(text: str) -> None:
    with pytest.raises(ToolFailure):
        read_day(text, WEDNESDAY)


def test_repeated_days() -> None:
    assert read_day("weekdays", WEDNESDAY).repeats == frozenset(range(5))
    assert read_day("every sunday", WEDNESDAY).repeats == frozenset((6,))
    assert read_day("mondays", WEDNESDAY).repeats == frozenset((0,))


@pytest.mark.parametrize(
    ("day", "at", "due"),
    [
        (None, "11:00", datetime(2026, 5, 6, 11)),
        (None, "09:00", datetime(2026, 5, 7, 9)),
        ("wednesday", "09:00", datetime(2026, 5, 13, 9)),
        ("weekdays", "09:00", datetime(2026, 5, 7, 9)),
        ("every wednesday", "09:00", datetime(2026, 5, 13, 9)),
        ("friday", "06:30", datetime(2026, 5, 8, 6, 30)),
    ],
)
def test_next_times(day: str | None, at: str, due: datetime) -> None:
    now = datetime(2026, 5, 6, 10)
    assert next_time(None if day is None else read_day(day, now.date()), read_time(at), now) == due


def test_a_time_that_is_over() -> None:
    with pytest.raises(ToolFailure, match="is over"):
        next_time(read_day("today", WEDNESDAY), time(9), datetime(2026, 5, 6, 10))


@pytest.mark.parametrize("text", ["24:00", "7", "07:60", "noon", ""])
def test_no_times(text: str) -> None:
    with pytest.raises(ToolFailure):
        read_time(text)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("3*4", "12"),
        ("45*20/100", "9"),
        ("2+3*4", "14"),
        ("(2+3)*4", "20"),
        ("-2^2", "-4"),
        ("2**10", "1024"),
        ("1/3", "0.333333333333"),
        ("0.1+0.2", "0.3"),
        ("20%", "0.2"),
        ("7%4", "3"),
        ("2^-2", "0.25"),
        ("sqrt(144)", "12"),
        ("2(3+4)", "14"),
        ("9^(1/2)", "3"),
        ("10 ÷ 4", "2.5"),
        ("1e3*2", "2000"),
        ("5 = ", "5"),
        ("0^0", "1"),
    ],
)
def test_sums(expression: str, value: str) -> None:
    assert said_number(calculate(expression)) == value


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "1/0",
        "5%0",
        "2+",
        "(2",
        "2)",
        "__import__('os')",
        "a+1",
        "9^9^9^9",
        "2^99999",
        "0^-1",
        "1" * 400,
        "(" * 99,
        "-" * 99,
        "sqrt(-1)",
        "2^0.3",
        "1e9999",
        "5 5",
    ],
)
def test_no_sums(expression: str) -> None:
    with pytest.raises(ToolFailure):
        calculate(expression)


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "result"),
    [
        ("26", "mi", "km", Fraction("41.842944")),
        ("212", "f", "c", Fraction(100)),
        ("-40", "c", "f", Fraction(-40)),
        ("1", "lb", "g", Fraction("453.59237")),
        ("36", "km/h", "m/s", Fraction(10)),
        ("2", "hours", "min", Fraction(120)),
        ("1", "gib", "mib", Fraction(1024)),
    ],
)
def test_units(value: str, unit: str, wanted: str, result: Fraction) -> None:
    assert convert(Fraction(value), unit, wanted)[0] == result


@pytest.mark.parametrize(("unit", "wanted"), [("mi", "kg"), ("c", "km"), ("parsnip", "m"), ("m", "")])
def test_no_units(unit: str, wanted: str) -> None:
    with pytest.raises(ToolFailure):
        convert(Fraction(1), unit, wanted)
