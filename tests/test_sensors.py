"""Energy and temperature from a sysfs of files."""

from __future__ import annotations

from pathlib import Path

from edge.sensors import Energy, battery_watts, hottest, temperatures


def put(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / "sys/class" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")


def packages(root: Path, *energies: int, limit: int = 1_000_000) -> None:
    for index, energy in enumerate(energies):
        zone = f"powercap/intel-rapl:{index}"
        put(root, {f"{zone}/name": f"package-{index}", f"{zone}/energy_uj": str(energy)})
        put(root, {f"{zone}/max_energy_range_uj": str(limit)})


def test_packages_are_added_and_their_parts_are_not(tmp_path: Path) -> None:
    packages(tmp_path, 100, 999_900)
    core = "powercap/intel-rapl:0:0"  # inside package 0, whose counter holds it already
    put(tmp_path, {f"{core}/name": "core", f"{core}/energy_uj": "5", f"{core}/max_energy_range_uj": "1000"})
    put(tmp_path, {"powercap/intel-rapl:2/name": "psys", "powercap/intel-rapl:2/energy_uj": "5"})
    energy = Energy(tmp_path)
    before = energy.now()
    packages(tmp_path, 250_100, 49_900)  # the second began again from 0
    assert energy.joules(before, energy.now()) == 0.25 + 0.05


def test_no_counter_no_joules(tmp_path: Path) -> None:
    energy = Energy(tmp_path)
    assert energy.joules(energy.now(), energy.now()) is None
    packages(tmp_path, 100)
    energy = Energy(tmp_path)
    before = energy.now()
    (tmp_path / "sys/class/powercap/intel-rapl:0/energy_uj").unlink()
    assert energy.joules(before, energy.now()) is None


def test_temperatures(tmp_path: Path) -> None:
    assert temperatures(tmp_path) == {}
    for index, (kind, value) in enumerate([("acpitz", "27800"), ("cpu", "61500"), ("cpu", "60000"), ("wifi", "n/a")]):
        put(tmp_path, {f"thermal/thermal_zone{index}/type": kind, f"thermal/thermal_zone{index}/temp": value})
    zones = temperatures(tmp_path)
    assert zones == {"acpitz": 27.8, "cpu": 61.5, "cpu (thermal_zone2)": 60.0}
    assert hottest(zones) == ("cpu", 61.5)
    assert hottest({}) is None


def test_a_battery_counts_while_it_discharges(tmp_path: Path) -> None:
    assert battery_watts(tmp_path) is None
    put(tmp_path, {"power_supply/AC/type": "Mains"})
    put(tmp_path, {"power_supply/BAT0/type": "Battery", "power_supply/BAT0/status": "Charging"})
    put(tmp_path, {"power_supply/BAT0/power_now": "12500000"})
    assert battery_watts(tmp_path) is None
    put(tmp_path, {"power_supply/BAT0/status": "Discharging"})
    assert battery_watts(tmp_path) == 12.5
    put(tmp_path, {"power_supply/BAT1/type": "Battery", "power_supply/BAT1/status": "Discharging"})
    put(tmp_path, {"power_supply/BAT1/current_now": "-500000", "power_supply/BAT1/voltage_now": "4000000"})
    assert battery_watts(tmp_path) == 14.5
