"""Energy and temperature, where the system lets this process read them; nothing is guessed where it does not.

    energy = Energy()
    before = energy.now()
    ...
    print(energy.joules(before, energy.now()), battery_watts(), hottest(temperatures()))

Sources: the Linux kernel's documentation of the powercap, thermal and power_supply classes in sysfs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Energy", "battery_watts", "hottest", "temperatures"]

_PACKAGE = re.compile(r"intel-rapl:\d+")  # AMD's counters bear the same name


@dataclass(frozen=True, slots=True)
class _Counter:
    """Microjoules that a processor package has used; it starts again from 0 above its range."""

    file: Path
    range_uj: int


class Energy:
    """Joules used by all processor packages. `root` holds sys, for tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._counters = tuple(_counters(root / "sys/class/powercap"))

    def now(self) -> tuple[int | None, ...]:
        """A reading, for `joules`."""
        return tuple(_number(counter.file) for counter in self._counters)

    def joules(self, before: tuple[int | None, ...], after: tuple[int | None, ...]) -> float | None:
        """Used between two readings; None where there is no counter or one could not be read."""
        total = 0
        for counter, old, new in zip(self._counters, before, after, strict=True):
            if old is None or new is None:
                return None
            total += new - old if new >= old else new - old + counter.range_uj
        return total / 1e6 if self._counters else None


def temperatures(root: Path = Path("/")) -> dict[str, float]:
    """Degrees Celsius by zone, "cpu-thermal" or "x86_pkg_temp"; empty where none can be read."""
    found: dict[str, float] = {}
    for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*")):
        value, kind = _number(zone / "temp"), _text(zone / "type")
        if value is not None and kind:
            name = kind if kind not in found else f"{kind} ({zone.name})"
            found[name] = value / 1000
    return found


def battery_watts(root: Path = Path("/")) -> float | None:
    """What the batteries give now; None while none discharges, or where that cannot be read."""
    watts: list[float] = []
    for supply in sorted((root / "sys/class/power_supply").glob("*")):
        if _text(supply / "type") != "Battery" or _text(supply / "status") != "Discharging":
            continue
        power = _number(supply / "power_now")  # microwatts
        current, voltage = _number(supply / "current_now"), _number(supply / "voltage_now")  # microamperes, microvolts
        if power is not None:
            watts.append(abs(power) / 1e6)
        elif current is not None and voltage is not None:
            watts.append(abs(current) * voltage / 1e12)
    return sum(watts) if watts else None


def hottest(zones: Mapping[str, float]) -> tuple[str, float] | None:
    """(name, degrees) of the hottest zone."""
    return max(zones.items(), key=lambda item: item[1], default=None)


def _counters(folder: Path) -> Iterator[_Counter]:
    for zone in sorted(folder.glob("*")):
        if not _PACKAGE.fullmatch(zone.name) or not _text(zone / "name").startswith("package"):
            continue
        file, range_uj = zone / "energy_uj", _number(zone / "max_energy_range_uj")
        if range_uj is not None and _number(file) is not None:
            yield _Counter(file, range_uj)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # absent, or for root only
        return ""


def _number(file: Path) -> int | None:
    try:
        return int(_text(file))
    except ValueError:
        return None
