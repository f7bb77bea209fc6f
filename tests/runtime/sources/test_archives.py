"""Files in zip and tar archives, which nobody has unpacked."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from bindrt.limits import Limits
from bindrt.sources import gzipped
from bindrt.sources.archives import is_archive, is_member, members, read_member, split_member
from support.embedding import PHOTO, SOUND

METHODS = {
    "stored.zip": zipfile.ZIP_STORED,
    "packed.zip": zipfile.ZIP_DEFLATED,
    "some.tar": None,
    "some.tar.gz": None,
}


def pack(path: Path, method: int | None, files: dict[str, bytes]) -> None:
    if method is not None:
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
        return
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


@pytest.fixture(params=METHODS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / request.param
    files = {"a.webp": PHOTO.read_bytes(), "deep/b.wav": SOUND.read_bytes(), "zeros": bytes(100_000)}
    pack(path, METHODS[request.param], files)
    return path


def test_a_path_goes_through_an_archive(archive: Path, small_model: bindrt.Model) -> None:
    found = small_model.embed(image=f"{archive}/a.webp", audio=archive / "deep/b.wav")
    wanted = small_model.embed(image=PHOTO, audio=SOUND)
    assert np.allclose(found.image, wanted.image, atol=1e-5)
    assert np.allclose(found.audio, wanted.audio, atol=1e-5)


def test_members_and_what_is_none(archive: Path, tmp_path: Path) -> None:
    assert list(members(str(archive))) == ["a.webp", "deep/b.wav", "zeros"]
    assert split_member(f"{archive}/deep/b.wav") == (str(archive), "deep/b.wav")
    assert split_member(str(archive)) is None
    assert is_archive(str(archive))
    assert is_member(f"{archive}/a.webp")
    assert not is_member(f"{archive}/none")
    assert not is_member(str(tmp_path / "none.zip" / "a"))


def test_an_archive_that_was_made_again_is_read_again(archive: Path) -> None:
    members(str(archive))
    pack(archive, METHODS[archive.name], {"other": b"other content"})
    assert list(members(str(archive))) == ["other"]
    assert read_member(str(archive), "other", "it", Limits()) == b"other content"


def test_what_cannot_be_read_is_told(archive: Path, tmp_path: Path, small_model: bindrt.Model) -> None:
    with pytest.raises(bindrt.SourceError, match="there is no such file in the archive"):
        small_model.embed(image=f"{archive}/none.jpg")
    with pytest.raises(bindrt.LimitError, match="more than 1000 bytes"):
        read_member(str(archive), "zeros", "it", Limits(max_bytes=1000))
    for name in ("bad.zip", "bad.tar", "bad.tgz"):
        (tmp_path / name).write_bytes(b"no archive" * 100)
        with pytest.raises(bindrt.SourceError, match="the archive cannot be read"):
            small_model.embed(image=tmp_path / name / "a.jpg")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(bindrt.SourceError, match="cannot open the file"):
        small_model.embed(image=tmp_path / "file" / "a.jpg")


@pytest.mark.parametrize("name", ["stored.zip", "packed.zip"])
def test_damage_of_a_member_is_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    pack(path, METHODS[name], {"a": bytes(range(256)) * 40})
    data = bytearray(path.read_bytes())
    data[members(str(path))["a"].at + 30 + len("a") + 20] ^= 0xFF  # behind its header
    path.write_bytes(data)
    with pytest.raises(bindrt.SourceError, match="it is damaged in the archive"):
        read_member(str(path), "a", "it", Limits())


def packed_bytes(count: int) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    return {f"{n}.bin": rng.bytes(50_000 + n) for n in range(count)}


@pytest.mark.parametrize("order", ["forwards", "backwards"])
def test_members_of_a_compressed_tar_in_any_order(
    order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several states are kept, and thinned; who reads on in order unpacks nothing twice."""
    monkeypatch.setattr(gzipped, "_MOST_STATES", 4)
    files, path = packed_bytes(60), tmp_path / "a.tar.gz"
    pack(path, None, files)
    assert list(members(str(path))) == list(files)
    unpacked = []
    plain = gzipped._State.next

    def counted(*arguments: Any) -> bytes:
        data = plain(*arguments)
        unpacked.append(len(data))
        return data

    monkeypatch.setattr(gzipped._State, "next", counted)
    names = list(files) if order == "forwards" else list(files)[::-1]
    for name in names:
        assert read_member(str(path), name, name, Limits()) == files[name]
    if order == "forwards":
        assert sum(unpacked) < 1.1 * sum(map(len, files.values()))


def test_gzip_files_one_behind_the_other(tmp_path: Path) -> None:
    """As pigz and bgzip write them; zeros may stand behind the last."""
    files, path = packed_bytes(3), tmp_path / "plain.tar"
    pack(path, None, files)
    data = path.read_bytes()
    joined = gzip.compress(data[:60_000]) + bytes(7) + gzip.compress(data[60_000:]) + bytes(100)
    (tmp_path / "b.tgz").write_bytes(joined)
    for name, wanted in files.items():
        assert read_member(str(tmp_path / "b.tgz"), name, name, Limits()) == wanted


def test_a_compressed_tar_that_is_cut_or_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.tar.gz"
    pack(path, None, packed_bytes(3))
    (tmp_path / "cut.tgz").write_bytes(path.read_bytes()[:90_000])
    with pytest.raises(bindrt.SourceError, match=r"cannot be read .*ends too early"):
        members(str(tmp_path / "cut.tgz"))
    monkeypatch.setattr(gzipped, "_CHECKED_FROM", 1 << 20)
    pack(tmp_path / "bomb.tar.gz", None, {"zeros": bytes(30 << 20)})
    with pytest.raises(bindrt.LimitError, match=r"bomb\.tar\.gz.*more than 200 times its size"):
        members(str(tmp_path / "bomb.tar.gz"))
