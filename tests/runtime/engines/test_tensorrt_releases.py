"""Releases of TensorRT: which are refused, and what the doctor says of those that may not work."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec

import pytest

import bindrt
from bindrt import hardware
from bindrt.engines.tensorrt_releases import NEWEST, OLDEST, release, release_note, release_problem, shown

JETPACK = "apt install python3-libnvinfer"


@pytest.mark.parametrize(
    ("version", "number"),
    [("10.3.0", (10, 3)), ("10.13.3.9", (10, 13)), ("11.0.0.dev1", (11, 0)), ("11", (11, 0)), ("", (0, 0)),
     ("nightly", (0, 0)), ("10.x", (10, 0))],
)  # fmt: skip
def test_numbers(version: str, number: tuple[int, int]) -> None:
    assert release(version) == number


@pytest.mark.parametrize("version", [shown(OLDEST), "10.3.0", "10.16.1", "11.0.0", shown(NEWEST) + ".1.7"])
def test_what_bindrt_was_written_for(version: str) -> None:
    assert (release_problem(version), release_note(version)) == ("", "")


@pytest.mark.parametrize("version", ["8.6.1", "10.2.9", "9.3"])
def test_too_old(version: str) -> None:
    assert release_problem(version) == f"TensorRT {version} is older than 10.3"


@pytest.mark.parametrize("version", ["11.5.0", "12.0", "21.1"])
def test_too_new_is_tried(version: str) -> None:
    assert release_problem(version) == ""
    assert release_note(version) == "newer than 11.4, which bindrt was written for"


@pytest.mark.parametrize("version", ["", "nightly"])
def test_unknown_is_tried(version: str) -> None:
    assert release_problem(version) == ""
    assert "is not known; bindrt was written for 10.3 to 11.4" in release_note(version)


def detail(monkeypatch: pytest.MonkeyPatch, version: str, jetson: bool) -> str:
    """What doctor() says of a TensorRT of that release."""
    module = types.ModuleType("tensorrt")
    module.__version__ = version  # type: ignore[attr-defined]
    module.__spec__ = ModuleSpec("tensorrt", None)
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    monkeypatch.setattr(hardware, "is_jetson", lambda: jetson)
    return next(part.detail for part in bindrt.doctor().engines if part.name == "tensorrt")


def test_the_doctor_tells_of_a_jetson(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages of TensorRT 11 for Arm install there, and are none for the board."""
    said = detail(monkeypatch, "11.1.0", True)
    assert said.startswith("there is no TensorRT 11 for Jetson boards; uninstall it")
    assert JETPACK in said
    assert JETPACK not in detail(monkeypatch, "11.1.0", False)
    assert JETPACK not in detail(monkeypatch, "10.3.0", True)


def test_the_doctor_tells_of_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "TensorRT 8.6.1 is older than 10.3" in detail(monkeypatch, "8.6.1", False)
    assert "newer than 11.4" in detail(monkeypatch, "11.9.0", False)
    assert "older" not in detail(monkeypatch, "10.3.0", False)


@pytest.mark.parametrize(
    ("files", "jetson"),
    [
        ({}, False),
        ({"/etc/nv_tegra_release": "# R36 (release), REVISION: 4.3"}, True),
        ({"/proc/device-tree/model": "NVIDIA Jetson Orin Nano Developer Kit\0"}, True),
        ({"/proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0"}, False),
    ],
)
def test_what_is_a_jetson(monkeypatch: pytest.MonkeyPatch, files: dict[str, str], jetson: bool) -> None:
    monkeypatch.setattr(hardware, "_read", lambda path: files.get(path, ""))
    assert hardware.is_jetson() is jetson
