"""The store of artifacts, with a recipe that needs no model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bindrt_export.artifacts.graph import cpu_entry
from bindrt_export.artifacts.store import ArtifactStore, Made, file_entry, fresh
from bindrt_export.progress import Progress
from bindrt_export.terminal import SilentProgress


class Toy:
    """Writes a file with its key in it, and one that no manifest lists."""

    name = "imu int8 toy"
    record = "imu-toy-int8"
    measures = frozenset({"speed"})

    def __init__(self, key: str) -> None:
        self.key = key
        self.made = 0

    def make(self, root: Path, progress: Progress) -> Made:
        self.made += 1
        for name in ("a.bin", "b.bin"):
            fresh(root / "toys" / name).write_text(self.key)
        entry = cpu_entry("imu", "toy", "int8", [file_entry(root, root / "toys/a.bin")])
        return Made(entry, {"speed": 1}, [file_entry(root, root / "toys/b.bin")])

    def note(self, measured: Mapping[str, Any]) -> str:
        return f"speed {measured['speed']}"


def store(folder: Path) -> ArtifactStore:
    (folder / "a.bind.partial").mkdir(exist_ok=True)
    return ArtifactStore(folder / "a.bind.partial", folder / "a.bind", SilentProgress())


def finished(folder: Path, key: str = "one") -> Path:
    """A bundle with a toy in it."""
    (folder / "a.bind").mkdir()
    ArtifactStore(folder / "a.bind", folder / "none", SilentProgress()).obtain(Toy(key))
    return folder / "a.bind"


def test_made_once_and_found_by_a_later_run(tmp_path: Path) -> None:
    toy = Toy("one")
    assert not store(tmp_path).has(toy)
    made = store(tmp_path).obtain(toy)
    later = store(tmp_path)
    assert later.has(toy)
    assert later.obtain(toy) == made
    assert later.reused == {toy.record}
    assert toy.made == 1


def test_taken_over_from_the_finished_bundle_without_a_copy(tmp_path: Path) -> None:
    bundle, toy = finished(tmp_path), Toy("one")
    store(tmp_path).obtain(toy)
    assert toy.made == 0
    for name in ("a.bin", "b.bin"):
        assert (tmp_path / "a.bind.partial/toys" / name).samefile(bundle / "toys" / name)


def test_another_key_is_another_artifact_and_leaves_the_bundle_alone(tmp_path: Path) -> None:
    bundle, half_made = finished(tmp_path), store(tmp_path)
    half_made.obtain(Toy("one"))  # now links to the bundle's files are there
    other = Toy("two")
    half_made.obtain(other)
    assert other.made == 1
    assert (tmp_path / "a.bind.partial/toys/a.bin").read_text() == "two"
    assert (bundle / "toys/a.bin").read_text() == "one"


@pytest.mark.parametrize("file", ["toys/a.bin", "toys/b.bin", "parts/imu-toy-int8.json"])
@pytest.mark.parametrize("content", [None, "", "two"])
def test_what_is_damaged_is_made_again(file: str, content: str | None, tmp_path: Path) -> None:
    bundle, toy = finished(tmp_path), Toy("one")
    (bundle / file).unlink() if content is None else (bundle / file).write_text(content)
    store(tmp_path).obtain(toy)
    assert toy.made == 1


def test_a_record_without_what_is_measured_counts_for_nothing(tmp_path: Path) -> None:
    record = finished(tmp_path) / "parts/imu-toy-int8.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"measured": {}}))
    toy = Toy("one")
    store(tmp_path).obtain(toy)
    assert toy.made == 1


def test_what_another_export_left_is_removed(tmp_path: Path) -> None:
    half_made = store(tmp_path)
    half_made.obtain(Toy("one"))
    staging = tmp_path / "a.bind.partial"
    fresh(staging / "old/weights.bin").write_text("x")
    half_made.remove_all_but({"toys/a.bin"})
    left = {p.relative_to(staging).as_posix() for p in staging.rglob("*") if p.is_file()}
    assert left == {"toys/a.bin", "toys/b.bin", "parts/imu-toy-int8.json"}
