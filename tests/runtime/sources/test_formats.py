"""Files told by their content."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from bindrt import SourceError, preprocess
from bindrt.preprocess import detect
from bindrt.sources import Format, formats, open_source, sniff
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
        b"\0\0\0\x20jP  \r\n\x87\n" + bytes(50),
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
    data = sound_bytes("PAF")
    assert detect(data) is None
    paf = Format("PAF", "audio", "PAF", lambda head: head[:4] == b" paf", "sound")
    monkeypatch.setattr(formats, "FORMATS", (*formats.FORMATS, paf))
    assert detect(data) == "audio"
    np.testing.assert_array_equal(preprocess.audio(data), preprocess.audio(sound_bytes("WAV")))
    with pytest.raises(SourceError, match=r"a sound file \(PAF\), not an image; use one of JPEG"):
        preprocess.image(data)


TAG = b"ID3\4\0\0" + bytes([0, 1, 0, 0]) + bytes(1 << 14)


@pytest.mark.parametrize("before", [TAG, TAG + TAG, bytes(1000), bytes(70_000), TAG + bytes(500)])
@pytest.mark.parametrize("fmt", ["FLAC", "MP3"])
def test_a_sound_behind_tags_and_zeros(before: bytes, fmt: str, tmp_path: Path) -> None:
    data = before + sound_bytes(fmt)
    assert detect(data) == "audio"
    (tmp_path / "a").write_bytes(data)
    assert sniff(open_source(tmp_path / "a")).name == fmt
    assert sniff(open_source(io.BytesIO(data))).name == fmt


def test_adts_behind_a_tag(tmp_path: Path) -> None:
    data = TAG + write_video(tmp_path / "a.aac", None, audio="aac").read_bytes()
    assert detect(data) == "audio"
    assert sniff(open_source(data)).name == "aac"


def test_an_mp3_from_the_middle_of_a_frame() -> None:
    assert detect(sound_bytes("MP3")[5001:]) == "audio"


@pytest.mark.parametrize(
    "data", [bytes(100_000), TAG[:-1] + b"x" * 5000 + b"\xff\xfb\x90\x64", "a,b\n1,2\n".encode("utf-16") * 99]
)
def test_what_only_looks_like_a_sound(data: bytes) -> None:
    """Zeros alone; a tag with nothing behind is an MP3 without a frame; a table as UTF-16."""
    assert sniff(open_source(data)).family == ("audio" if data.startswith(b"ID3") else "unknown")
    with pytest.raises(SourceError):
        preprocess.audio(data)


@pytest.mark.parametrize("size", [188, 192, 204])
@pytest.mark.parametrize("begins", [0, 4, 100])
def test_transport_streams(size: int, begins: int) -> None:
    packets = (b"G" + bytes(size - 1)) * 40
    assert sniff(packets[begins:4096]).name == "mpegts"
    assert sniff(packets[begins:3000].replace(b"G", b"H", 1)).name != "mpegts"
