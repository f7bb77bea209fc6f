"""Hours of clock trouble: each window is delivered or counted, and memory does not grow."""

from __future__ import annotations

from typing import Any

import pytest

from bench.streams import day
from bench.streams.memory import drift


def require_accounted(found: dict[str, Any]) -> None:
    for modality, each in found["sensors"].items():
        assert each["unaccounted"] == each["undelivered"] == each["failed"] == 0, modality
        assert each["complete"] > each["lost"], modality
        assert each["counted"]["restarts"] + each["counted"]["jumps_back"] > 0, modality
        twice = each["counted"]["duplicates"] + each["counted"]["late"]
        assert each["troubles"]["duplicate"] <= twice, modality


def test_a_quarter_of_an_hour() -> None:
    found = day.measure(900, seed=1)
    require_accounted(found)
    assert len(found["memory"]["series"]) >= day.POINTS


def test_the_drift_of_memory() -> None:
    assert drift([50.0, 90.0, *[100.0] * 10]) == 0
    assert drift([float(i) for i in range(100)]) == 50
    assert drift([100.0] * 11 + [130.0]) == 0


@pytest.mark.deep
def test_a_day() -> None:
    found = day.measure(24 * day.HOUR)
    require_accounted(found)
    assert found["memory"]["drift_mib"] < 16
