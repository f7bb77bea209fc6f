"""Thermal frames whose values are temperatures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bindrt import InputError, Thermal, preprocess

CELSIUS = np.add.outer(np.linspace(-10, 60, 30), np.linspace(0, 20, 40))


@pytest.mark.parametrize(("unit", "counts"), [("kelvin", 1), ("decikelvin", 10), ("centikelvin", 100)])
def test_kelvin_becomes_celsius(unit: Any, counts: int) -> None:
    frame = np.rint((CELSIUS + 273.15) * counts).astype(np.uint16)
    prepared = preprocess.prepare("thermal", Thermal(frame, -20, 90, unit=unit))
    np.testing.assert_allclose(
        prepared.array, preprocess.thermal(frame / counts - 273.15, -20, 90), atol=1e-6
    )
    assert prepared.notes == {"low": -20, "high": 90, "unit": unit}
    stretched = preprocess.prepare("thermal", Thermal(frame, percentiles=(0, 100), unit=unit))
    assert stretched.notes["low"] == pytest.approx(-10, abs=1 / counts)


def test_celsius_is_as_it_is() -> None:
    np.testing.assert_array_equal(
        preprocess.thermal(CELSIUS, -20, 90, unit="celsius"), preprocess.thermal(CELSIUS, -20, 90)
    )


def test_hundredths_of_a_kelvin_are_noticed() -> None:
    frame = np.rint((CELSIUS + 273.15) * 100).astype(np.uint16)
    noted = preprocess.prepare("thermal", Thermal(frame, -20, 90)).notes
    assert noted["perhaps_centikelvin"] == frame.min()
    assert "perhaps_centikelvin" not in preprocess.prepare("thermal", Thermal(frame, 20_000, 40_000)).notes
    assert "perhaps_centikelvin" not in preprocess.prepare("thermal", Thermal(frame // 100, -20, 90)).notes


def test_an_unknown_unit() -> None:
    with pytest.raises(InputError, match="unit is 'rankine'"):
        preprocess.thermal(CELSIUS, -20, 90, unit="rankine")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1e308, 3e38, -3e38, 1e10])
def test_numbers_beyond_any_camera_have_a_note(value: float) -> None:
    frame = CELSIUS.copy()
    frame[3, 3] = value
    for options in ({"low": -20, "high": 90}, {"percentiles": (1, 99)}):
        prepared = preprocess.prepare("thermal", Thermal(frame, **options))  # type: ignore[arg-type]
        assert prepared.notes["beyond_any_camera"] == 1
    assert "beyond_any_camera" not in preprocess.prepare("thermal", Thermal(CELSIUS, -20, 90)).notes
