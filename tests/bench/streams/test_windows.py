"""The bench of long files, on short ones."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import pytest

from bench.streams import windows


@pytest.fixture
def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    windows.add_options(parser)
    return parser.parse_args(["--turns", "1", "--embed"])


@pytest.mark.parametrize("name", ["long.m4a", "long.wav"])
def test_a_sound(tmp_path: Path, options: argparse.Namespace, name: str) -> None:
    path = windows.make(tmp_path / name, 2)
    found = windows.measured(path, options)
    assert found["memory"]["preparing"]["items"] == found["memory"]["embedding"]["items"] == 119
    assert found["of_decode_speed"] > 0
    line = windows.line("m4a", {"hours": 2 / 60, **found})
    assert "119 windows" in line


def test_memory_that_grows_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    held = itertools.count(100.0, 0.5)
    now = itertools.count()
    monkeypatch.setattr(windows, "resident", lambda: next(held))
    monkeypatch.setattr(windows, "perf_counter", lambda: next(now))
    assert windows.watched(iter(range(80)))["drift_mib"] == 20.0


@pytest.mark.deep
@pytest.mark.parametrize("name", ["long.m4a", "long.flac"])
def test_memory_does_not_grow_over_an_hour_of_sound(
    tmp_path: Path, options: argparse.Namespace, name: str
) -> None:
    path = windows.make(tmp_path / name, 60)
    for items in (windows.prepare(path, "audio", options), windows.embed(path, "audio", options)):
        memory = windows.watched(items)
        assert memory["items"] >= 3599  # AAC adds a little to each minute
        assert memory["drift_mib"] < 8
