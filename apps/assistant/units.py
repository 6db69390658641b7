"""Units and their factors, exact where they are defined so (inch, pound, gallon ...)."""

from __future__ import annotations

from fractions import Fraction

from edge.assistant.errors import ToolFailure

__all__ = ["convert"]

# By quantity: the factor to its base unit, and the names it goes by; the first is shown.
_TABLE: dict[str, dict[str, str]] = {
    "length": {
        "1": "m metre metres meter meters", "1/1000": "mm millimetre millimetres millimeter millimeters",
        "1/100": "cm centimetre centimetres centimeter centimeters",
        "1000": "km kilometre kilometres kilometer kilometers",
        "0.0254": "in inch inches", "0.3048": "ft foot feet", "0.9144": "yd yard yards", "1609.344": "mi mile miles",
        "1852": "nmi",
    },
    "mass": {
        "1": "kg kilo kilos kilogram kilograms", "1/1000": "g gram grams", "1/1000000": "mg milligram milligrams",
        "1000": "t tonne tonnes ton tons", "0.45359237": "lb lbs pound pounds", "0.028349523125": "oz ounce ounces",
        "6.35029318": "st stone stones",
    },
    "volume": {
        "1": "l litre litres liter liters", "1/1000": "ml millilitre millilitres milliliter milliliters",
        "1/100": "cl", "1/10": "dl", "1000": "m3", "3.785411784": "gal gallon gallons",
        "0.946352946": "qt quart quarts",
        "0.473176473": "pt pint pints", "0.2365882365": "cup cups", "0.0295735295625": "floz fl_oz",
        "0.01478676478125": "tbsp tablespoon tablespoons", "0.00492892159375": "tsp teaspoon teaspoons",
    },
    "speed": {"1": "m/s", "5/18": "km/h kmh kph", "0.44704": "mph", "463/900": "kn knot knots"},
    "time": {
        "1": "s sec second seconds", "60": "min minute minutes", "3600": "h hour hours", "86400": "d day days",
        "604800": "wk week weeks", "31557600": "yr year years",
    },
    "area": {
        "1": "m2 sqm", "1000000": "km2", "10000": "ha hectare hectares", "4046.8564224": "acre acres",
        "0.09290304": "ft2 sqft",
    },
    "data": {
        "1": "b byte bytes", "1000": "kb", "1000000": "mb", "1000000000": "gb", "1000000000000": "tb", "1024": "kib",
        "1048576": "mib", "1073741824": "gib",
    },
    "energy": {"1": "j joule joules", "4.184": "cal", "4184": "kcal calorie calories", "1000": "kj", "3600000": "kwh"},
    "power": {"1": "w watt watts", "1000": "kw", "745.6998715822702": "hp"},
    "pressure": {"1": "pa", "100000": "bar", "6894.757293168361": "psi", "101325": "atm"},
}  # fmt: skip
_UNITS: dict[str, tuple[str, str, Fraction]] = {
    name: (quantity, names.split()[0], Fraction(factor))
    for quantity, units in _TABLE.items()
    for factor, names in units.items()
    for name in names.split()
}
# value -> kelvin is (value + offset) * factor
_DEGREES: dict[str, tuple[str, Fraction, Fraction]] = {
    name: (names.split()[0], Fraction(offset), Fraction(factor))
    for names, offset, factor in (
        ("c celsius °c", "273.15", "1"),
        ("f fahrenheit °f", "459.67", "5/9"),
        ("k kelvin", "0", "1"),
    )
    for name in names.split()
}


def convert(value: Fraction, unit: str, wanted: str) -> tuple[Fraction, str, str]:
    """The value in the wanted unit, and both units' short names. ToolFailure: unknown, or of different quantities."""
    unit, wanted = unit.strip().casefold(), wanted.strip().casefold()
    if unit in _DEGREES and wanted in _DEGREES:
        (name, offset, factor), (other, other_offset, other_factor) = _DEGREES[unit], _DEGREES[wanted]
        kelvin = (value + offset) * factor
        if kelvin < 0:
            raise ToolFailure("That is below absolute zero.")
        return kelvin / other_factor - other_offset, f"°{name.upper()}", f"°{other.upper()}"
    for each in (unit, wanted):
        if each not in _UNITS and each not in _DEGREES:
            raise ToolFailure(f"I do not know the unit “{each}”.")
    if unit in _DEGREES or wanted in _DEGREES or _UNITS[unit][0] != _UNITS[wanted][0]:
        raise ToolFailure(f"“{unit}” and “{wanted}” measure different things.")
    return value * _UNITS[unit][2] / _UNITS[wanted][2], _UNITS[unit][1], _UNITS[wanted][1]
