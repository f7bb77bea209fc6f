"""Files told by their content."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from bindrt import SourceError, preprocess
from bindrt.preprocess import detect
from bindrt.sources import Format, formats, sniff
from support.media import picture, picture_bytes, sound_bytes, write_video


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_pictures(fmt: str) -> None:
    data = picture_bytes(fmt)
    found = sniff(data[:16])
    assert (found.family, found.name) == ("image", fmt)
    assert detect(data) == "image"


@pytest.mark.parametrize("fmt", ["WAV", "FLAC", "OGG", "MP3"])
def test_recordings(fmt: str) -> None:
    data = sound_bytes(fmt)
    found = sniff(data[:16])
    assert (found.family, found.name) == ("audio", fmt)
    assert detect(data) == "audio"
    assert detect(io.BytesIO(data)) == "audio"


@pytest.mark.parametrize(
    ("name", "codec", "audio", "modality"),
    [
        ("a.mp4", "libx264", None, "video"),
        ("a.mp4", "libx264", "aac", "video"),
        ("a.mp4", None, "aac", "audio"),
        ("a.m4a", None, "aac", "audio"),
        ("a.mov", "libx264", None, "video"),
        ("a.mkv", "libx264", None, "video"),
        ("a.mka", None, "flac", "audio"),
        ("a.webm", "libvpx", "libopus", "video"),
        ("a.avi", "mpeg4", "mp3", "video"),
    ],
)
def test_containers(name: str, codec: str | None, audio: str | None, modality: str, tmp_path: Path) -> None:
    path = write_video(tmp_path / name, codec, audio=audio, count=5)
    assert detect(path) == modality
    assert detect(path.rename(tmp_path / "renamed.jpg")) == modality


def test_animations_are_images() -> None:
    import PIL.Image

    for fmt in ("GIF", "WEBP"):
        out = io.BytesIO()
        first, second = (PIL.Image.fromarray(picture(seed=s)) for s in (1, 2))
        first.save(out, fmt, save_all=True, append_images=[second])
        assert detect(out.getvalue()) == "image"


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"\0",
        b"{}",
        b"RIFF\0\0\0\0ABCD",
        b"\0\0\0\x20ftypavif" + bytes(50),
        b"\xff\xfe<\0x\0m\0l\0",
        b"\x1aE\xdf\xa3" + bytes(20),
        b"\0\0\0\x20ftypisom" + bytes(50),
        b"OggS" + bytes(50),
    ],
)
def test_unknown(data: bytes) -> None:
    assert detect(data) is None


@pytest.mark.parametrize(
    ("fields", "modality"),
    [
        (("depth",), "depth"),
        (("thermal", "low"), "thermal"),
        (("samples", "t"), "imu"),
        (("depth", "thermal"), None),
        (("other",), None),
        ((), None),
    ],
)
def test_an_archive_of_arrays_is_what_its_field_says(
    fields: tuple[str, ...], modality: str | None, tmp_path: Path
) -> None:
    np.savez(tmp_path / "a.npz", **{name: np.zeros((3, 3)) for name in fields})
    assert detect(tmp_path / "a.npz") == modality
    assert detect((tmp_path / "a.npz").read_bytes()) == modality


def test_an_array_or_a_damaged_archive_has_no_modality(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    assert sniff((tmp_path / "a.npy").read_bytes()[:16]).family == "npy"
    assert detect(tmp_path / "a.npy") is None
    np.savez(tmp_path / "a.npz", depth=np.zeros((3, 3)))
    cut = (tmp_path / "a.npz").read_bytes()[:-30]
    assert sniff(cut).family == "npz"
    assert detect(cut) is None


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        detect(tmp_path / "none")


def test_a_row_is_all_that_a_format_of_a_known_reader_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    data = sound_bytes("AIFF")
    assert detect(data) is None
    aiff = Format(
        "AIFF", "audio", "AIFF", lambda head: head[:4] == b"FORM" and head[8:12] == b"AIFF", "sound"
    )
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, aiff))
    assert detect(data) == "audio"
    np.testing.assert_array_equal(preprocess.audio(data), preprocess.audio(sound_bytes("WAV")))
    with pytest.raises(SourceError, match=r"a sound file \(AIFF\), not an image; use one of JPEG"):
        preprocess.image(data)
