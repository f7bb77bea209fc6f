"""The microphone example from a file, and from a stand-in of sounddevice: everything but the driver."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import microphone
import numpy as np
import pytest
import soundfile

from tiny.world import sample, write_files


@pytest.fixture(scope="module")
def bell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(sample(8_000_000, ("bell",), "test"), tmp_path_factory.mktemp("bell"), "bell")["audio"]


PROMPTS = ("--prompt", "a bell ringing", "--prompt", "a car driving")


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = microphone.main([str(word) for word in words])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def check_found(printed: str, windows: int) -> None:
    lines = printed.splitlines()
    scored = [line for line in lines if ", a car driving " in line]
    assert len(scored) == windows
    assert all("s  a bell ringing +" in line for line in scored)
    assert f"{windows} windows, 0 without a vector" in lines[-1]
    assert any("a bell ringing until" in line for line in lines)


def test_finds_what_a_file_sounds_of(bell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed, error = run(capsys, bell, *PROMPTS, "--fast")
    assert code == 0, error
    check_found(printed, int((soundfile.info(bell).duration - 2) / 0.5) + 1)


class Device(ModuleType):
    """A stand-in of sounddevice: a microphone that hears a file at once, as soon as it is opened."""

    class PortAudioError(Exception):
        pass

    def __init__(self, path: Path) -> None:
        super().__init__("sounddevice")
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        self.samples, self.rate = samples, rate
        self.opened: dict[str, Any] = {}

    def query_devices(self, device: Any, kind: str) -> dict[str, Any]:
        assert kind == "input"
        if device not in (None, 3):
            raise ValueError(f"No input device matching {device!r}")
        return {"name": "ears", "default_samplerate": float(self.rate), "max_input_channels": 32}

    def InputStream(self, **options: Any) -> Any:  # noqa: N802 - sounddevice's name
        self.opened = options
        return self

    def __enter__(self) -> None:
        block, channels = self.opened["blocksize"], self.opened["channels"]
        heard = np.repeat(self.samples, channels, axis=1)
        for i, at in enumerate(range(0, len(heard), block)):
            times = SimpleNamespace(inputBufferAdcTime=1000 + at / self.rate)
            status = SimpleNamespace(input_overflow=i == 5)
            self.opened["callback"](heard[at : at + block], block, times, status)

    def __exit__(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("source", ["default", "3"])
def test_finds_what_a_device_hears(
    bell: Path, source: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    device = Device(bell)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    code, printed, error = run(capsys, source, *PROMPTS, "--seconds", 0, "--hop", 100)
    assert code == 0, error
    assert device.opened["device"] == (3 if source == "3" else None)
    assert device.opened["channels"] == 2
    assert "listening to ears" in printed
    assert "the device lost samples 1 times" in printed
    assert "1002.00 s  a bell ringing +" in printed


def test_a_device_that_is_not_there(
    bell: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", Device(bell))
    code, _, error = run(capsys, "studio", *PROMPTS)
    assert code == 1
    assert error.startswith(
        "device studio: it cannot be opened: No input device matching 'studio'; `python -m"
    )


def test_sounddevice_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, error = run(capsys, *PROMPTS)
    assert code == 1
    assert "pip install" in error
    assert len(error.splitlines()) == 1


def test_portaudio_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """sounddevice itself raises OSError then."""
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")')
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    code, _, error = run(capsys, *PROMPTS)
    assert (code, error) == (
        1, "PortAudio: it is missing: PortAudio library not found; apt install libportaudio2\n"
    )  # fmt: skip


def test_a_file_that_is_no_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.wav").write_bytes(b"no sound")
    code, _, error = run(capsys, tmp_path / "x.wav", *PROMPTS)
    assert code == 1
    assert "x.wav': it cannot be read" in error
