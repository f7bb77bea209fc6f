"""``bind-export`` as a user meets it: plans, checks, exit codes and messages."""

from __future__ import annotations

import io
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from bindrt.bundle import open_bundle
from bindrt.selection.gains import bundle_gain
from bindrt_export.check import check_bundle
from bindrt_export.terminal import RichProgress
from support.bundles import TINY_CONFIG
from support.commands import command, run_command

#: Runs a command as on a machine without torch (None in sys.modules makes an import fail).
WITHOUT_TORCH = """
import sys
for name in ("torch", "onnx", "onnxscript", "onnx_ir", "safetensors"):
    sys.modules[name] = None
from bindrt_export.cli import main
sys.exit(main(sys.argv[1:]))
"""


#: Runs the command with Ctrl-C pressed while it is still importing what it needs.
STOPPED_AT_ONCE = """
import os, signal, sys
class Finder:
    def find_spec(name, path=None, target=None):
        if name == "rich.table":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder)
from bindrt_export.cli import main
sys.exit(main(sys.argv[1:]))
"""


def without_torch(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *map(str, args)], capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def tiny_config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.json"
    path.write_text(json.dumps(TINY_CONFIG))
    return path


def test_export_shows_stages_sizes_and_differences(tiny_config: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.bind"
    done = run_command("bind-export", "random:0", "-o", output, "--config", tiny_config, "--modality", "imu")
    assert done.returncode == 0, done.stderr
    assert (output / "bundle.json").exists()
    for word in ("imu", "weights", "trace", "difference", "peak memory"):
        assert word in done.stdout, word
    assert "imu" in done.stderr, "the progress goes to stderr"
    assert bundle_gain(open_bundle(output).manifest) in done.stdout


def test_dry_run_of_the_official_sizes() -> None:
    """imagebind_huge: parameter counts are those of the published checkpoint's tensors."""
    done = run_command("bind-export", "random:0", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["embed_dim"] == 1024
    assert plan["encoders"]["vision"]["width"] == 1280
    assert plan["encoders"]["vision"]["depth"] == 32
    assert plan["bytes"] == sum(e["parameters"] for e in plan["encoders"].values()) * 4
    assert 4.7e9 < plan["bytes"] < 4.9e9
    assert max(e["bytes"] for e in plan["encoders"].values()) < plan["memory"] < plan["bytes"]


def test_dry_run_writes_nothing(tiny_config: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    done = run_command(
        "bind-export", "random:0", "-o", tmp_path / "a.bind", "--config", tiny_config, "--dry-run"
    )
    assert done.returncode == 0, done.stderr
    assert "memory" in done.stdout
    assert sorted(tmp_path.iterdir()) == before


def test_check_passes_and_needs_no_torch(small_bundle: Path) -> None:
    done = without_torch("--check", small_bundle, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ok"]
    assert set(result["encoders"]) == {"vision", "text", "audio", "depth", "thermal", "imu"}
    assert all(e["max_abs"] < 1e-5 for e in result["encoders"].values())


def test_check_also_runs_what_is_computed_from_the_files(
    imu_bundle: Path, toy_alone: Callable[..., None]
) -> None:
    """The toy's bf16 vectors are wrong. That is shown, and the bundle is whole all the same."""
    toy_alone(precisions=("bf16",))
    result = check_bundle(imu_bundle)
    assert list(result["encoders"]) == ["imu"]
    (found,) = result["computed"].items()
    assert (found[0], found[1]["ok"]) == ("imu bf16", False)
    assert found[1]["min_cosine"] < 0.9
    assert result["ok"]


def test_check_sees_a_changed_byte(imu_bundle: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "changed.bind"
    shutil.copytree(imu_bundle, bundle)
    weights = bundle / "onnx/fp32/imu.weights"
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.write_bytes(data)
    done = run_command("bind-export", "--check", bundle)
    assert done.returncode == 1
    assert "imu.weights" in done.stderr
    assert "SHA-256" in done.stderr


def test_check_refuses_the_space_that_load_refuses(imu_bundle: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "renamed.bind"
    shutil.copytree(imu_bundle, bundle)
    manifest = json.loads((bundle / "bundle.json").read_text())
    manifest["space"] = "imagebind-16-float-0123456789abcdef"
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    done = run_command("bind-export", "--check", bundle)
    assert done.returncode == 1
    assert "its space imagebind-16-float-0123456789abcdef is not what" in done.stderr


def test_check_sees_weights_that_fit_their_hash_but_not_torch(imu_bundle: Path, tmp_path: Path) -> None:
    """Whoever changes weights and hash alike still fails the parity run."""
    import hashlib

    bundle = tmp_path / "forged.bind"
    shutil.copytree(imu_bundle, bundle)
    weights = bundle / "onnx/fp32/imu.weights"
    data = bytearray(weights.read_bytes())
    data[4096:8192] = bytes(4096)
    weights.write_bytes(data)
    manifest = json.loads((bundle / "bundle.json").read_text())
    for file in manifest["engines"][0]["files"]:
        if file["path"].endswith(".weights"):
            file["sha256"] = hashlib.sha256(data).hexdigest()
    (bundle / "bundle.json").write_text(json.dumps(manifest))
    done = run_command("bind-export", "--check", bundle, "--json")
    assert done.returncode == 1
    assert not json.loads(done.stdout)["encoders"]["imu"]["ok"]


def test_export_without_torch_says_what_to_install(tmp_path: Path) -> None:
    done = without_torch("random:0", "-o", tmp_path / "a.bind")
    assert done.returncode == 2
    assert "pip install 'torch>=2.6' 'onnx>=1.17'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("random:0", "-o", "a.bind", "--precision", "fp8"), "tensorrt and tensorrt-rtx do"),
        (("random:0", "-o", "a.bind", "--precision", "int8", "--calibration", "x"), "no such folder"),
        (("random:0", "-o", "a.bind", "--target", "sm_89"), "add --engine tensorrt"),
        (("random:0", "-o", "a.bind", "--allow-log", "x"), "add --engine tensorrt"),
        (("random:0", "-o", "a.bind", "--engine", "tensorrt", "--allow-log", ""), "is in every line"),
        (("random:0", "-o", "a.bind", "--calibration", "x"), "add --precision int8"),
        (("random:0", "-o", "a.bind", "--modality", "smell"), "invalid choice"),
        (("random:0",), "add -o"),
        ((), "no checkpoint given"),
        (("random:0", "-o", "a.bind", "--config", "missing.json"), "missing.json"),
        (("random:0", "--check", "a.bind"), "takes a bundle and no checkpoint"),
        (("random:0", "--dry-run", "--config", "/dev/zero"), "larger than 1 MiB"),
        (("random:0", "--dry-run", "--precision", "fp8"), "tensorrt and tensorrt-rtx do"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...], message: str) -> None:
    done = run_command("bind-export", *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("spec", ["missing.pth", "random:x", "random:-1"])
def test_bad_checkpoint_exits_with_1_or_2_and_names_it(spec: str, tmp_path: Path) -> None:
    done = run_command("bind-export", spec, "-o", tmp_path / "a.bind")
    assert done.returncode in (1, 2)
    assert spec in done.stderr
    assert not list(tmp_path.iterdir())


def test_ctrl_c_before_anything_has_begun() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_AT_ONCE, "random:0", "--dry-run"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == -signal.SIGINT
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "item"),
    [
        (("missing.pth", "-o", "a.bind"), 1, "missing.pth"),
        (("random:0",), 2, "bind-export"),
        (("random:0", "--dry-run", "-o", "/etc"), 1, "/etc"),
        (("--check", "missing.bind"), 1, "missing.bind"),
    ],
)
def test_json_of_an_error(arguments: tuple[str, ...], code: int, item: str) -> None:
    """Standard output is JSON however the command ends; people find the error on stderr."""
    done = run_command("bind-export", *arguments, "--json")
    assert done.returncode == code
    said = json.loads(done.stdout)
    assert not said["ok"]
    assert said["error"]["item"] == item
    assert said["error"]["problem"] in done.stderr


def test_json_of_what_cannot_be_printed() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command("bind-export", "random:0", "--dry-run", "--json"),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("bind-export: the output: it cannot be written")
    assert "Traceback" not in done.stderr


def test_dry_run_names_what_its_sizes_leave_out(tiny_config: Path) -> None:
    done = run_command(
        "bind-export", "random:0", "--config", tiny_config, "--dry-run", "--precision", "fp32", "int8"
    )
    assert "beside these sizes: int8." in done.stdout


def test_names_are_not_taken_for_markup(imu_bundle: Path, tiny_config: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "a [/x] [b]c.bind"
    shutil.copytree(imu_bundle, bundle)
    arguments = ("random:0", "--config", tiny_config, "--modality", "imu", "-o", bundle)
    for done in (run_command("bind-export", *arguments), run_command("bind-export", "--check", bundle)):
        assert done.returncode == 0, done.stderr
        assert f"{bundle}: " in done.stdout


def test_a_narrow_terminal_cuts_nothing_off(
    imu_bundle: Path, tiny_config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    bundle = tmp_path / "a.bind"
    shutil.copytree(imu_bundle, bundle)
    for arguments in (("--check", bundle), ("random:0", "--config", tiny_config, "--dry-run")):
        done = run_command("bind-export", *arguments)
        assert done.returncode == 0, done.stderr
        assert "…" not in done.stdout
    (bundle / "parts/imu.npz").unlink()
    done = run_command("bind-export", "--check", bundle)
    assert done.returncode == 1
    assert "nothing to compare with; export the bundle again" in done.stdout


def test_progress_shows_the_time_in_80_columns() -> None:
    said = io.StringIO()
    with RichProgress(Console(file=said, width=80, force_terminal=True)) as progress:
        progress.stage("thermal", "weights", 10)
        progress.done("thermal", 1.0, 343_000_000, "max difference 1.2e-07")
    assert "0:00:0" in said.getvalue()
    assert "343.0 MB, max difference 1.2e-07" in said.getvalue()


def test_a_terminal_of_few_characters(tiny_config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = run_command("bind-export", "random:0", "--config", tiny_config, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "thermal" in done.stdout


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04broken"])
def test_file_that_is_no_checkpoint(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(content)
    done = run_command("bind-export", path, "-o", tmp_path / "a.bind")
    assert done.returncode == 1
    assert "x.pth" in done.stderr


def test_check_of_what_is_no_bundle(tmp_path: Path) -> None:
    done = run_command("bind-export", "--check", tmp_path)
    assert done.returncode == 1
    assert "bundle.json" in done.stderr


def test_output_that_cannot_be_written(tiny_config: Path) -> None:
    done = run_command("bind-export", "random:0", "-o", "/proc/none/a.bind", "--config", tiny_config)
    assert done.returncode == 1
    assert "/proc/none" in done.stderr
