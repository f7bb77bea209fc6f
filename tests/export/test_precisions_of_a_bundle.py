"""A bundle with several precisions: exported in one go, loaded, checked, reported, refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt_export.artifacts.cpu_precision import CpuPrecisionRecipe
from bindrt_export.bundle.report import PAGE, html
from bindrt_export.check import check_bundle
from bindrt_export.exporter import run
from bindrt_export.precision.calibration import Calibration
from bindrt_export.request import EngineRequest, ExportRequest
from bindrt_export.terminal import SilentProgress
from bindrt_export.verification.comparison import COSINE, Difference, limit
from bindrt_export.verification.probes import sample
from support.bundles import SMALL_CONFIG, TINY_CONFIG
from support.golden import HERE

PRECISIONS = ("int8", "fp16", "bf16")


def export(
    checkpoint: Path | str, output: Path, engines: EngineRequest, default: str, config: Any = TINY_CONFIG
) -> dict[str, Any]:
    return run(ExportRequest(str(checkpoint), output, config, ["imu"], engines, default), SilentProgress())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, small_checkpoint: Path) -> tuple[Path, dict[str, Any]]:
    """The golden model's IMU encoder without float32 among its precisions."""
    bundle = tmp_path_factory.mktemp("precisions") / "a.bind"
    return bundle, export(
        small_checkpoint, bundle, EngineRequest(precisions=PRECISIONS), "int8", SMALL_CONFIG
    )


def manifest_of(bundle: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bundle / "bundle.json").read_text("utf-8"))
    return found


def test_bundle_holds_what_was_asked_for_and_no_more(exported: tuple[Path, dict[str, Any]]) -> None:
    bundle, _ = exported
    assert [e["precision"] for e in manifest_of(bundle)["engines"]] == list(PRECISIONS)
    assert sorted(p.name for p in (bundle / "onnx").iterdir()) == sorted(PRECISIONS)
    assert bindrt.load(bundle, verify=True).precision == "int8"


def test_vectors_are_near_float32(exported: tuple[Path, dict[str, Any]], small_model: bindrt.Model) -> None:
    item = str(HERE / "inputs/imu/s2.npz")
    expected = small_model.embed(imu=item).imu[0]
    spaces = {}
    for precision in PRECISIONS:
        with bindrt.load(exported[0], precision=precision) as model:
            found = model.embed(imu=item).imu[0]
            spaces[precision] = model.space
        assert COSINE[precision] <= float(found @ expected) < 1 + 1e-6
        assert not np.array_equal(found, expected)
    assert spaces["fp16"] == spaces["bf16"] == small_model.space
    assert spaces["int8"] != small_model.space


def test_a_precision_that_is_not_there_names_those_that_are(exported: tuple[Path, dict[str, Any]]) -> None:
    with pytest.raises(bindrt.OptionError, match="it has bf16, fp16, int8"):
        bindrt.load(exported[0], precision="fp32")


def test_check_runs_every_precision(exported: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    result = check_bundle(exported[0])
    assert result["ok"]
    assert result["encoders"].keys() == {"imu", "imu fp16", "imu bf16"}
    forged = tmp_path / "forged.bind"
    shutil.copytree(exported[0], forged)
    reference = forged / "parts/imu.npz"
    rows = dict(np.load(reference))
    np.savez(reference, **{name: row[:, ::-1] for name, row in rows.items()})
    assert not any(e["ok"] for e in check_bundle(forged)["encoders"].values())


def test_report_has_a_row_for_each(exported: tuple[Path, dict[str, Any]]) -> None:
    bundle, report = exported
    assert [r["precision"] for r in report["results"]] == list(PRECISIONS)
    page = (bundle / PAGE).read_text("utf-8")
    for row in report["results"]:
        assert row["within_limit"] is True
        assert row["was_run"] is True
        assert row["modalities"] == ["imu"]
        assert row["latency_seconds"] > 0
        (entry,) = (e for e in manifest_of(bundle)["engines"] if e["precision"] == row["precision"])
        assert row["bytes"] == sum(f["bytes"] for f in entry["files"])
        assert f"{row['min_cosine']:.6f}" in page
    assert json.loads((bundle / "report.json").read_text("utf-8")) == report


def test_page_shows_what_failed_and_what_was_not_run(exported: tuple[Path, dict[str, Any]]) -> None:
    _, report = exported
    bad = {**report["results"][0], "within_limit": False, "kept_in_floats": {"a<b": "why & how"}}
    plan = {**report["results"][1], "was_run": False, "latency_seconds": None}
    page = html({**report, "checkpoint": "<script>", "results": [bad, plan]})
    assert '<td class="failed">past it</td>' in page
    assert "ok, not run" in page
    assert "a&lt;b" in page
    assert "why &amp; how" in page
    assert "<script>" not in page


def test_same_bytes_again_and_parts_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = EngineRequest(precisions=("fp32", "int8"))
    names = ("onnx/int8/imu.onnx", "onnx/int8/imu.weights", "bundle.json")
    files = []
    for name in ("a.bind", "b.bind"):
        export("random:0", tmp_path / name, request, "fp32")
        files.append([(tmp_path / name / file).read_bytes() for file in names])
    assert files[0] == files[1]

    def make(*_: object) -> None:
        raise AssertionError("it was there already")

    monkeypatch.setattr(CpuPrecisionRecipe, "make", make)
    export("random:0", tmp_path / "a.bind", request, "fp32")


def test_past_the_limit_fails_unless_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COSINE, "int8", 1.5)
    with pytest.raises(bindrt.ExportError, match=r"imu int8: .*cosine of at least 1\.5; --allow"):
        export("random:0", tmp_path / "a.bind", EngineRequest(precisions=("int8",)), "int8")
    assert not (tmp_path / "a.bind").exists()
    report = export("random:0", tmp_path / "a.bind", EngineRequest(precisions=("int8",), allow=True), "int8")
    assert report["results"][0]["within_limit"] is False


def test_no_number_is_not_within_a_limit() -> None:
    nan = float("nan")
    for precision in ("fp32", "fp16", "int8"):
        assert not Difference(nan, nan, nan).within(precision)
        assert limit(precision)


def calibration(folder: Path, loudness: float = 1.0) -> Path:
    (folder / "imu").mkdir(parents=True)
    with np.load(sample("imu.npz")) as archive:
        arrays = dict(archive)
    arrays["samples"] = arrays["samples"] * loudness
    np.savez(folder / "imu" / "a.npz", **arrays)
    return folder


def test_calibrated_activations_have_fixed_ranges(tmp_path: Path) -> None:
    made = {}
    for name, folder in (
        ("dynamic", None),
        ("quiet", calibration(tmp_path / "quiet")),
        ("loud", calibration(tmp_path / "loud", 30.0)),
    ):
        bundle = tmp_path / f"{name}.bind"
        export(
            "random:0", bundle, EngineRequest(precisions=("int8",), calibration=folder, allow=True), "int8"
        )
        made[name] = (bundle / "onnx/int8/imu.onnx").read_bytes()
    assert b"ReduceMax" in made["dynamic"]
    assert b"ReduceMax" not in made["quiet"]
    assert made["quiet"] != made["loud"], "the files' own ranges are taken"


def test_other_calibration_files_make_another_part(tmp_path: Path) -> None:
    keys = {Calibration(calibration(tmp_path / str(x), x)).key for x in (1.0, 2.0)}
    assert len(keys | {Calibration(None).key}) == 3


def test_folders_that_cannot_calibrate(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    (tmp_path / "holiday" / "a.jpg").write_bytes(b"x")
    with pytest.raises(bindrt.OptionError, match="folders named as modalities"):
        Calibration(tmp_path)
    (tmp_path / "imu").mkdir()
    (tmp_path / "imu" / "a.npz").write_bytes(b"x")
    with pytest.raises(bindrt.OptionError, match=r"imu/a\.npz.*remove it"):
        export(
            "random:0", tmp_path / "a.bind", EngineRequest(precisions=("int8",), calibration=tmp_path), "int8"
        )
