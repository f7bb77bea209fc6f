"""``python -m bench pipeline`` with the real engine."""

from __future__ import annotations

import pytest

from bench.pipeline import real_engines


@pytest.mark.deep
def test_every_measure_gives_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    found = real_engines.measure_all("tiny", ("files", "text", "loop"), None, 0.05, 1, 50.0, 100)
    assert len(found["files"]) == 7
    assert all(entry["share"]["median"] > 0 for entry in found["files"])
    for way in found["text"]["ways"].values():
        assert way["p99_times_alone"]["median"] > 0
        assert way["mixed"][0]["count"] == 100
    assert {entry["modality"] for entry in found["loop"] if "bindrt_faster" in entry} == {
        entry["modality"] for entry in found["files"]
    }
    real_engines.report(found)
    assert "texts a second" in capsys.readouterr().out
