"""An export as a whole: same bytes from the same input, parts kept and found again, nothing half-made."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file

import bindrt
from bindrt_export.artifacts import float32
from bindrt_export.check import check_bundle
from bindrt_export.exporter import dry_run, run
from bindrt_export.request import ExportRequest
from bindrt_export.terminal import SilentProgress
from support.bundles import SMALL_CONFIG, TINY_CONFIG, export, export_tiny
from support.commands import command, run_command


def fixed_bytes(bundle: Path) -> dict[str, bytes]:
    """Every file that the same checkpoint must give again, bit by bit."""
    manifest = json.loads((bundle / "bundle.json").read_text("utf-8"))
    names = [f["path"] for e in manifest["engines"] for f in e["files"]]
    names += ["bundle.json", manifest["license"]["path"]]
    if manifest["tokenizer"]:
        names.append(manifest["tokenizer"]["path"])
    return {name: (bundle / name).read_bytes() for name in names}


def report_of(bundle: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((bundle / "report.json").read_text("utf-8"))
    return report


@pytest.fixture
def tiny_config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY_CONFIG))
    return path


def test_same_checkpoint_same_bytes_in_another_process(
    imu_bundle: Path, tiny_config: Path, tmp_path: Path
) -> None:
    output = tmp_path / "again.bind"
    done = subprocess.run(
        command(
            "bind-export", "random:0", "-o", output, "--config", tiny_config, "--modality", "imu", "--json"
        ),
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert fixed_bytes(output) == fixed_bytes(imu_bundle)
    assert json.loads(done.stdout)["encoders"].keys() == {"imu"}


def test_other_seed_other_weights_and_space(imu_bundle: Path, tmp_path: Path) -> None:
    other = export_tiny(tmp_path / "other.bind", ["imu"], seed=1)
    ours, theirs = fixed_bytes(imu_bundle), fixed_bytes(other)
    assert ours["onnx/fp32/imu.onnx"] == theirs["onnx/fp32/imu.onnx"]
    assert ours["onnx/fp32/imu.weights"] != theirs["onnx/fp32/imu.weights"]
    assert bindrt.load(imu_bundle).space != bindrt.load(other).space


def test_report_says_what_was_measured(small_bundle: Path) -> None:
    report = report_of(small_bundle)
    assert set(report["encoders"]) == {"vision", "text", "audio", "depth", "thermal", "imu"}
    for name, encoder in report["encoders"].items():
        difference = encoder["difference_to_torch"]
        assert 0 <= difference["max_abs"] < 1e-5, name
        assert difference["min_cosine"] > 0.999999, name
        assert any("random" in probe for probe in encoder["probes"]), name
        assert any("random" not in probe for probe in encoder["probes"]), name
        assert encoder["seconds"].keys() == {"weights", "trace", "torch", "verify"}
    assert report["peak_rss_bytes"] > 0
    assert "torch" in report["made_with"]


def test_second_run_skips_what_is_there(tmp_path: Path) -> None:
    output = export_tiny(tmp_path / "a.bind", ["imu"])
    before = fixed_bytes(output)
    weights = (output / "onnx/fp32/imu.weights").stat()
    export_tiny(output, ["imu"])
    assert report_of(output)["encoders"]["imu"]["reused"]
    assert (output / "onnx/fp32/imu.weights").stat().st_ino == weights.st_ino
    assert fixed_bytes(output) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bind"]


def test_another_modality_is_added_to_what_is_there(tmp_path: Path) -> None:
    output = export_tiny(tmp_path / "a.bind", ["imu"])
    export_tiny(output, ["imu", "depth"])
    reused = {name: e["reused"] for name, e in report_of(output)["encoders"].items()}
    assert reused == {"depth": False, "imu": True}
    assert bindrt.load(output, verify=True).modalities == ("depth", "imu")


def test_other_weights_are_not_taken_for_ours(tmp_path: Path) -> None:
    output = export_tiny(tmp_path / "a.bind", ["imu"])
    export_tiny(output, ["imu"], seed=1)
    assert not report_of(output)["encoders"]["imu"]["reused"]


def test_chosen_modalities_only(imu_bundle: Path) -> None:
    files = {p.relative_to(imu_bundle).as_posix() for p in imu_bundle.rglob("*") if p.is_file()}
    assert not any("text" in name or "tokenizer" in name for name in files)
    assert bindrt.load(imu_bundle).modalities == ("imu",)


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"{path.name} did not appear"
        time.sleep(0.01)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_broken_off_export_goes_on(stop: signal.Signals, tiny_config: Path, tmp_path: Path) -> None:
    """Stopped in its second encoder: no bundle is there, and the next run keeps the first one's part."""
    output = tmp_path / "a.bind"
    arguments = ("random:0", "-o", output, "--config", tiny_config, "--modality", "depth", "imu", "--json")
    process = subprocess.Popen(
        command("bind-export", *arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(tmp_path / "a.bind.partial" / "parts" / "depth.json", process)
    process.send_signal(stop)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == (-9 if stop == signal.SIGKILL else 130)
    assert "Traceback" not in messages
    assert not output.exists()
    done = run_command("bind-export", *arguments)
    assert done.returncode == 0, done.stderr
    encoders = json.loads(done.stdout)["encoders"]
    assert encoders["depth"]["reused"]
    assert not encoders["imu"]["reused"]
    fresh = export_tiny(tmp_path / "fresh.bind", ["depth", "imu"])
    assert fixed_bytes(output) == fixed_bytes(fresh)


def test_truncated_part_is_made_again(tmp_path: Path) -> None:
    output = export_tiny(tmp_path / "a.bind", ["imu"])
    before = fixed_bytes(output)
    weights = output / "onnx/fp32/imu.weights"
    weights.write_bytes(weights.read_bytes()[:-4])
    export_tiny(output, ["imu"])
    assert not report_of(output)["encoders"]["imu"]["reused"]
    assert fixed_bytes(output) == before


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes | None]]] = {
    "a flipped bit": ("onnx/fp32/imu.weights", lambda data: flipped(data, 9000)),
    "no vectors": ("parts/imu.npz", lambda data: None),
    "damaged vectors": ("parts/imu.npz", lambda data: flipped(data, 150)),
    "a deep record": ("parts/imu.json", lambda data: b"[" * 100_000),
    "a record without measurements": ("parts/imu.json", lambda data: data.replace(b'"seconds"', b'"hours"')),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_exporting_again_mends_a_damaged_bundle(damage: str, imu_bundle: Path, tmp_path: Path) -> None:
    """It is the remedy that errors of damaged bundles name."""
    output = tmp_path / "a.bind"
    shutil.copytree(imu_bundle, output)
    name, change = DAMAGE[damage]
    changed = change((output / name).read_bytes())
    (output / name).unlink() if changed is None else (output / name).write_bytes(changed)
    export_tiny(output, ["imu"])
    assert not report_of(output)["encoders"]["imu"]["reused"]
    assert fixed_bytes(output) == fixed_bytes(imu_bundle)
    assert check_bundle(output)["ok"]


def test_failed_export_leaves_the_old_bundle(small_checkpoint: Path, tmp_path: Path) -> None:
    output = export_tiny(tmp_path / "a.bind", ["imu"])
    before = fixed_bytes(output)
    state = load_file(small_checkpoint)
    state["modality_heads.imu.3.weight"][0, 0] = torch.nan
    save_file(state, tmp_path / "nan.safetensors")
    with pytest.raises(bindrt.CheckpointError, match="not finite"):
        export(tmp_path / "nan.safetensors", output, SMALL_CONFIG, ["imu"])
    assert fixed_bytes(output) == before
    bindrt.load(output, verify=True)


def test_wrong_engine_output_fails_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = float32.run_reference

    def dishonest(*args: Any, **named: Any) -> dict[str, np.ndarray]:
        return {name: rows + np.float32(1e-3) for name, rows in honest(*args, **named).items()}

    monkeypatch.setattr(float32, "run_reference", dishonest)
    with pytest.raises(bindrt.ExportError, match="differ from torch's"):
        export_tiny(tmp_path / "a.bind", ["imu"])
    assert not (tmp_path / "a.bind").exists()


def test_other_folders_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"x")
    with pytest.raises(bindrt.ExportError, match="not a bundle"):
        export_tiny(tmp_path / "photos", ["imu"])
    assert (tmp_path / "photos" / "a.jpg").exists()


def test_two_exports_to_one_place_do_not_mix(tmp_path: Path) -> None:
    with open(tmp_path / ".a.bind.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(bindrt.ExportError, match="another export"):
            export_tiny(tmp_path / "a.bind", ["imu"])


def test_bundle_can_be_moved(imu_bundle: Path, tmp_path: Path) -> None:
    moved = tmp_path / "any where" / "ünïcode.bind"
    shutil.copytree(imu_bundle, moved)
    assert len(bindrt.load(moved, verify=True).embed(imu=[]).imu) == 0


def test_plan_says_what_the_export_then_makes(tmp_path: Path) -> None:
    output = tmp_path / "a.bind"
    planned = dry_run(ExportRequest("random:0", output, TINY_CONFIG, ["depth"]))
    assert not list(tmp_path.iterdir())
    report = run(ExportRequest("random:0", output, TINY_CONFIG, ["depth"]), SilentProgress())
    weights = (output / "onnx/fp32/depth.weights").stat().st_size
    tensors = len(onnx.load(output / "onnx/fp32/depth.onnx", load_external_data=False).graph.initializer)
    assert planned["encoders"].keys() == report["encoders"].keys()
    assert planned["bytes"] <= weights < planned["bytes"] + tensors * 4096  # tensors start on a page


def test_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(bindrt.ExportError, match="1000 are free"):
        export_tiny(tmp_path / "a.bind", ["imu"])
    assert not list(tmp_path.rglob("*.weights"))
