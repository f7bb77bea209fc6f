"""Where an export works and what it replaces: only what exports have made, wherever ``-o`` leads."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import bindrt
from bindrt_export.artifacts.float32 import Float32Recipe
from bindrt_export.bundle import staging
from support.bundles import export_tiny


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_what_only_looks_like_a_replaced_bundle_is_kept(tmp_path: Path) -> None:
    kept = tmp_path / "a.bind.old"
    kept.mkdir()
    (kept / "mine").write_text("x")
    for seed in (0, 1):
        export_tiny(tmp_path / "a.bind", ["imu"], seed)
    assert names(tmp_path) == ["a.bind", "a.bind.old"]
    assert (kept / "mine").read_text() == "x"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_stands_where_the_export_works_is_kept(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "a.bind.partial"
    if kind == "folder":
        place.mkdir()
        (place / "mine").write_text("x")
    else:
        place.write_text("x")
    with pytest.raises(bindrt.ExportError, match=r"a\.bind\.partial: .* holds something else"):
        export_tiny(tmp_path / "a.bind", ["imu"])
    assert names(tmp_path) == ["a.bind.partial"]
    assert (place / "mine" if kind == "folder" else place).read_text() == "x"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    export_tiny(tmp_path / "v1.bind", ["imu"])
    link = tmp_path / "a.bind"
    link.symlink_to("v1.bind")
    for seed in (1, 2):
        export_tiny(link, ["imu"], seed)
        assert names(tmp_path) == ["a.bind", "v1.bind"]
        assert link.is_symlink()
    assert bindrt.load(link).space == bindrt.load(tmp_path / "v1.bind").space


def test_a_link_to_what_is_yet_to_be_made(tmp_path: Path) -> None:
    (tmp_path / "a.bind").symlink_to("v1.bind")
    export_tiny(tmp_path / "a.bind", ["imu"])
    assert bindrt.load(tmp_path / "v1.bind", verify=True).modalities == ("imu",)


def test_the_working_directory_as_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = export_tiny(tmp_path / "a.bind", ["imu"])
    before = bindrt.load(bundle).space
    monkeypatch.chdir(bundle)
    export_tiny(Path("."), ["imu"], seed=1)
    monkeypatch.chdir(tmp_path)
    assert bindrt.load(bundle).space != before
    assert names(tmp_path) == ["a.bind"]


def test_a_failed_export_leaves_nothing_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Float32Recipe, "make", fail)
    with pytest.raises(OSError, match="No space"):
        export_tiny(tmp_path / "a.bind", ["imu"])
    assert names(tmp_path) == []


def test_links_to_a_finished_bundle_are_not_written_through(tmp_path: Path) -> None:
    """A run that breaks off after taking a part over leaves a link to the finished bundle's file."""
    bundle = export_tiny(tmp_path / "a.bind", ["imu"])
    weights = bundle / "onnx/fp32/imu.weights"
    linked = tmp_path / "a.bind.partial/onnx/fp32/imu.weights"
    linked.parent.mkdir(parents=True)
    os.link(weights, linked)
    before = weights.read_bytes()
    kept = os.open(weights, os.O_RDONLY)  # the file itself, whatever has its name later
    export_tiny(bundle, ["imu"], seed=1)
    assert os.pread(kept, len(before) + 1, 0) == before
    os.close(kept)


def test_a_bundle_that_was_being_replaced_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two renames, then an export that fails: the old bundle stands there again."""
    bundle = export_tiny(tmp_path / "a.bind", ["imu"])
    os.rename(bundle, staging.set_aside(bundle))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Float32Recipe, "make", fail)
    with pytest.raises(OSError, match="No space"):
        export_tiny(bundle, ["imu"], seed=1)
    assert bindrt.load(bundle, verify=True).modalities == ("imu",)
    assert names(tmp_path) == ["a.bind"]
